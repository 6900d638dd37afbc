// SPDX-License-Identifier: GPL-3.0-or-later
// Where a network's time goes: profile_steps MODEL.onnx [BATCH [float|fake|integer [compute|integer]]]
// prints each step of one stream, the dearest first, with its share and what has been used up by then.
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

#include "tests/bench/bench_network.h"

using namespace quantoscope;
using namespace quantoscope::bench;

int main(int argc, char** argv)
{
    if (argc < 2) {
        std::fprintf(stderr, "usage: profile_steps MODEL.onnx [BATCH [float|fake|integer [compute|integer]]]\n");
        return EXIT_FAILURE;
    }
    const std::int64_t batch = argc > 2 ? std::atoll(argv[2]) : 1;
    const Network network("model", argv[1]);
    if (batch < 1 || !network.acceptsBatch(batch)) {
        std::fprintf(stderr, "the model does not take a batch of %s\n", argv[2]);
        return EXIT_FAILURE;
    }
    const std::string_view mode = argc > 3 ? argv[3] : "float";
    const bool integerScope = argc > 4 && std::string_view(argv[4]) == "integer";
    const auto compiled = network.compile(batch,
        mode == "integer"    ? Mode::Integer
            : mode == "fake" ? Mode::FakeQuantized
                             : Mode::Float,
        integerScope ? quant::Scope::Integer : quant::Scope::Compute);
    const auto steps = compiled->steps();
    const Tensor input = randomInput(network.inputShape(batch));
    const std::array views { input.view() };
    engine::Executor executor(compiled);

    // The median of many runs: a mean would show whatever else the machine did.
    constexpr std::size_t runs = 51;
    std::vector<std::vector<double>> seconds(steps.size());
    for (std::size_t run = 0; run < runs; ++run) {
        std::vector<double> once(steps.size());
        if (const auto done = executor.runTimed(views, once); !done) {
            std::fprintf(stderr, "%s\n", done.error().message().c_str());
            return EXIT_FAILURE;
        }
        for (std::size_t i = 0; i < steps.size(); ++i)
            seconds[i].push_back(once[i]);
    }
    std::vector<double> median(steps.size());
    for (std::size_t i = 0; i < steps.size(); ++i) {
        std::ranges::nth_element(seconds[i], seconds[i].begin() + runs / 2);
        median[i] = seconds[i][runs / 2];
    }
    const double total = std::accumulate(median.begin(), median.end(), 0.0);
    std::vector<std::size_t> order(steps.size());
    std::iota(order.begin(), order.end(), std::size_t { 0 });
    std::ranges::sort(order, [&](std::size_t a, std::size_t b) { return median[a] > median[b]; });

    std::printf("%zu steps, %.1f us a run, %.1f images/s, %zu KiB\n", steps.size(), total * 1e6,
        static_cast<double>(batch) / total, compiled->arenaBytes() >> 10U);
    std::printf("%10s %7s %7s  %-20s %-28s %s\n", "us", "share", "so far", "operator", "implementation", "node");
    double used = 0;
    for (const std::size_t i : order) {
        used += median[i];
        std::printf("%10.1f %6.1f%% %6.1f%%  %-20s %-28s %s\n", median[i] * 1e6, 100 * median[i] / total,
            100 * used / total, steps[i].op.c_str(), steps[i].implementation.c_str(), steps[i].node.c_str());
    }
}
