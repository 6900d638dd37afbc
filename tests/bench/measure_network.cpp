// SPDX-License-Identifier: GPL-3.0-or-later
// Quantoscope's side of compare_onnxruntime.mjs, which has it measure between measurements of the other runtime:
//
//   measure_network MODEL.onnx FOLDER
//
// writes the plans it measures with as FOLDER/compute.onnx and FOLDER/integer.onnx (QDQ), then answers each line
// "KIND BATCH THREADS SECONDS" on standard input with one line of JSON: images and seconds, and seconds of processor.
// KIND: float, fake (12 bits, compute scope, in float32), integers (compute scope), all-integers (integer scope); grid:
// the sweep of 2 to 8 bits for weights and activations over BATCH images, once.
#include <ctime>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "tests/bench/bench_network.h"

using namespace quantoscope;
using namespace quantoscope::bench;

namespace {

using Clock = std::chrono::steady_clock;

struct Request {
    std::string kind;
    std::int64_t batch = 0;
    int threads = 0;
    double seconds = 0;
};

struct Kind {
    Mode mode;
    quant::Scope scope;
};

std::optional<Kind> kindOf(const std::string& name)
{
    static const std::map<std::string, Kind> kinds { { "float", { Mode::Float, quant::Scope::Compute } },
        { "fake", { Mode::FakeQuantized, quant::Scope::Compute } },
        { "integers", { Mode::Integer, quant::Scope::Compute } },
        { "all-integers", { Mode::Integer, quant::Scope::Integer } } };
    const auto found = kinds.find(name);
    return found == kinds.end() ? std::nullopt : std::optional(found->second);
}

void answer(std::int64_t images, double seconds, double processor)
{
    std::printf("{\"images\": %lld, \"seconds\": %.6f, \"processorSeconds\": %.6f}\n", static_cast<long long>(images),
        seconds, processor);
}

double processorSeconds(std::clock_t since) { return static_cast<double>(std::clock() - since) / CLOCKS_PER_SEC; }

void measureGrid(const Network& network, const Request& request)
{
    const Grid grid(network, request.batch);
    const Clock::time_point start = Clock::now();
    const std::clock_t used = std::clock();
    const std::int64_t images = grid.run(request.threads);
    answer(images, std::chrono::duration<double>(Clock::now() - start).count(), processorSeconds(used));
}

/// One network compiled for one kind and batch, with a stream for each thread that has asked so far.
class Measured {
public:
    Measured(const Network& network, const Kind& kind, std::int64_t batch)
        : m_compiled(network.compile(batch, kind.mode, kind.scope))
        , m_input(randomInput(network.inputShape(batch)))
        , m_batch(batch)
    {
    }

    void measure(int threads, double seconds)
    {
        while (m_executors.size() < static_cast<std::size_t>(threads)) {
            m_executors.push_back(std::make_unique<engine::Executor>(m_compiled));
            runOnce(*m_executors.back());
        }
        std::atomic<std::int64_t> runs { 0 };
        const Clock::time_point start = Clock::now();
        const std::clock_t used = std::clock();
        const auto end = start + std::chrono::duration<double>(seconds);
        {
            std::vector<std::jthread> workers;
            for (int i = 0; i < threads; ++i)
                workers.emplace_back([&, i] {
                    for (; Clock::now() < end; ++runs)
                        runOnce(*m_executors[static_cast<std::size_t>(i)]);
                });
        }
        const double took = std::chrono::duration<double>(Clock::now() - start).count();
        answer(runs * m_batch, took, processorSeconds(used));
    }

private:
    void runOnce(engine::Executor& executor) const
    {
        const std::array views { m_input.view() };
        if (const auto done = executor.run(views); !done) {
            std::fprintf(stderr, "%s\n", done.error().message().c_str());
            std::exit(EXIT_FAILURE);
        }
    }

    engine::CompiledGraphPtr m_compiled;
    Tensor m_input;
    std::int64_t m_batch;
    std::vector<std::unique_ptr<engine::Executor>> m_executors;
};

void answerAll(const Network& network)
{
    std::map<std::pair<std::string, std::int64_t>, std::unique_ptr<Measured>> known;
    for (std::string line; std::getline(std::cin, line); std::fflush(stdout)) {
        Request request;
        std::istringstream(line) >> request.kind >> request.batch >> request.threads >> request.seconds;
        if (request.kind == "grid" && request.batch > 0) {
            measureGrid(network, request);
            continue;
        }
        const auto kind = kindOf(request.kind);
        if (!kind || request.batch < 1 || request.threads < 1) {
            std::printf("{\"error\": \"expected KIND BATCH THREADS SECONDS\"}\n");
            continue;
        }
        if (!network.acceptsBatch(request.batch)) {
            std::printf("{\"error\": \"the model fixes another batch\"}\n");
            continue;
        }
        auto& measured = known[{ request.kind, request.batch }];
        if (!measured)
            measured = std::make_unique<Measured>(network, *kind, request.batch);
        measured->measure(request.threads, request.seconds);
    }
}

} // namespace

int main(int argc, char** argv)
{
    if (argc != 3) {
        std::fprintf(stderr, "usage: measure_network MODEL.onnx FOLDER\n");
        return EXIT_FAILURE;
    }
    const Network network("model", argv[1]);
    const std::filesystem::path folder = argv[2];
    network.writeQdq(quant::Scope::Compute, folder / "compute.onnx");
    network.writeQdq(quant::Scope::Integer, folder / "integer.onnx");
    std::printf("{\"ready\": true}\n");
    std::fflush(stdout);
    answerAll(network);
}
