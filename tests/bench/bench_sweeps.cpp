// SPDX-License-Identifier: GPL-3.0-or-later
// What sharing is worth: sensitivity and grid with and without it, and how long an edit takes to its first figure.
//   bench_sweeps [MODEL.onnx DATA [IMAGES [PREPROCESSING]]]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>

#include "core/calibration/feed.h"
#include "core/engine/engine.h"
#include "core/evaluation/reuse.h"
#include "core/evaluation/shared_evaluation.h"
#include "core/onnx_io/reader.h"
#include "core/sweep/sensitivity.h"
#include "core/sweep/sweep.h"
#include "tests/support/memory_dataset.h"

using namespace quantoscope;

namespace {

using Clock = std::chrono::steady_clock;

template <typename T> T orExit(Result<T> result)
{
    if (result)
        return *std::move(result);
    std::fprintf(stderr, "%s\n", result.error().message().c_str());
    std::exit(EXIT_FAILURE);
}

/// Seconds of the clock, and of processor time, which a busy machine does not stretch.
struct Times {
    double wall = 0;
    double processor = 0;
};

/// What `work` takes is added to `times`.
template <typename Work> auto timed(Times& times, const Work& work)
{
    const Clock::time_point start = Clock::now();
    const std::clock_t before = std::clock();
    auto result = work();
    times.wall += std::chrono::duration<double>(Clock::now() - start).count();
    times.processor += static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC;
    return result;
}

struct Setting {
    flow::GraphPtr graph;
    dataset::SampleSetPtr samples;
    dataset::SampleSetPtr calibration;
    std::unique_ptr<flow::Quantizer> quantizer;
    evaluation::EvaluationOptions options;

    Setting(const std::string& model, const std::string& data, std::int64_t images, const std::string& preprocessing)
    {
        graph = orExit(engine::prepareGraph(orExit(onnx_io::readModel(model))));
        dataset::SampleSet::Options load;
        load.preprocessing = orExit(dataset::Preprocessing::named(preprocessing));
        dataset::DatasetPtr dataset;
        if (data.empty()) {
            dataset = test::randomDataset(images, 28, 28, 1, 10);
            load.preprocessing.channels = dataset::Channels::Gray;
        } else {
            dataset = orExit(dataset::openDataset(data, {}));
        }
        load.indices = dataset::sampleIndices(dataset->size(), images, 0);
        samples = orExit(dataset::SampleSet::load(dataset, load));
        load.indices = dataset::firstIndices(dataset->size(), std::min<std::int64_t>(256, images));
        calibration = orExit(dataset::SampleSet::load(dataset, load));
        quantizer = std::make_unique<flow::Quantizer>(graph, calibration);
        options.batch = orExit(calibration::chooseBatch(*graph, *samples));
        options.arithmetic = engine::Arithmetic::Auto;
        options.partOfStage = true;
    }
};

bool samePredictions(const evaluation::EvaluationResult& a, const evaluation::EvaluationResult& b)
{
    return std::ranges::equal(
        a.outcomes, b.outcomes, {}, &evaluation::ImageOutcome::prediction, &evaluation::ImageOutcome::prediction);
}

/// Runs the networks one by one and all together, in waves of `wave`, and prints how the times compare.
void compare(
    const char* what, const Setting& setting, const std::vector<flow::QuantizedNetwork>& networks, std::size_t wave)
{
    std::vector<evaluation::Network> bare;
    for (const auto& network : networks)
        bare.push_back({ network.graph.get(), network.plan.get() });
    Times separate;
    Times shared;
    std::size_t different = 0;
    auto sharing = setting.options;
    sharing.reuse = std::make_shared<evaluation::Reuse>();
    // In turn, so that a machine that becomes slower is slower for both.
    for (std::size_t first = 0; first < bare.size(); first += wave) {
        const auto part = std::span(bare).subspan(first, std::min(wave, bare.size() - first));
        const auto together
            = timed(shared, [&] { return orExit(evaluation::evaluateAll(part, *setting.samples, sharing)); });
        for (std::size_t i = 0; i < part.size(); ++i) {
            const auto alone = timed(separate, [&] {
                return orExit(evaluation::evaluate(*part[i].graph, *part[i].plan, *setting.samples, setting.options));
            });
            different += samePredictions(*alone, *together[i]) ? 0 : 1;
        }
    }
    std::printf(
        "%s: %zu networks, %lld images: one by one %.2f s, shared %.2f s, ratio %.2f; processor %.2f s, %.2f s, "
        "ratio %.2f; %zu differ\n",
        what, networks.size(), static_cast<long long>(setting.samples->size()), separate.wall, shared.wall,
        separate.wall / shared.wall, separate.processor, shared.processor, separate.processor / shared.processor,
        different);
    std::fflush(stdout);
}

std::vector<flow::QuantizedNetwork> sensitivityNetworks(const Setting& setting)
{
    std::vector<flow::QuantizedNetwork> networks;
    for (const auto role : { quant::Role::Weight, quant::Role::Activation })
        for (int bits = 2; bits <= 8; ++bits) {
            planning::PlanRequest request;
            request.weights.bits = role == quant::Role::Weight ? std::optional(bits) : std::nullopt;
            request.activations.bits = role == quant::Role::Activation ? std::optional(bits) : std::nullopt;
            const auto uniform = orExit(setting.quantizer->quantize(request));
            for (const auto& unit : sweep::findUnits(*setting.graph, request.scope)) {
                if (unit.role != role)
                    continue;
                auto alone = uniform;
                alone.plan = std::make_shared<const quant::QuantizationPlan>(sweep::onlyUnit(*uniform.plan, unit));
                networks.push_back(std::move(alone));
            }
        }
    // As runSensitivity() has them: all of a unit side by side, the last units first.
    const auto units = sweep::findUnits(*setting.graph, planning::PlanRequest {}.scope);
    const auto placeOf = [&](const flow::QuantizedNetwork& network) {
        return std::ranges::find_if(units, [&](const auto& unit) {
            return network.plan->find(unit.tensors.front()) != nullptr;
        }) - units.begin();
    };
    std::ranges::stable_sort(networks, std::greater {}, placeOf);
    return networks;
}

std::vector<flow::QuantizedNetwork> gridNetworks(const Setting& setting)
{
    std::vector<flow::QuantizedNetwork> networks;
    for (int weightBits = 2; weightBits <= 8; ++weightBits)
        for (int activationBits = 2; activationBits <= 8; ++activationBits) {
            planning::PlanRequest request;
            request.scope = quant::Scope::Integer;
            request.weights.bits = weightBits;
            request.activations.bits = activationBits;
            networks.push_back(orExit(setting.quantizer->quantize(request)));
        }
    return networks;
}

double median(std::vector<double> values)
{
    std::ranges::sort(values);
    return values[values.size() / 2];
}

/// Every layer edited in turn, as a person does it: from the edit to the first figure, and to all images, in
/// milliseconds. Planning is part of it.
void edits(const char* what, const Setting& setting, std::shared_ptr<evaluation::Reuse> reuse)
{
    planning::PlanRequest request;
    request.scope = quant::Scope::Integer;
    const auto units = sweep::findUnits(*setting.graph, request.scope);
    std::vector<double> first;
    std::vector<double> whole;
    auto options = setting.options;
    options.reuse = std::move(reuse);
    const auto evaluate = [&](bool counts) {
        const Clock::time_point start = Clock::now();
        double until = 0;
        const auto since = [&] { return 1e3 * std::chrono::duration<double>(Clock::now() - start).count(); };
        options.onPartial = [&](std::int64_t, std::int64_t) { until = until == 0 ? since() : until; };
        const auto network = orExit(setting.quantizer->quantize(request));
        orExit(evaluation::evaluate(*network.graph, *network.plan, *setting.samples, options));
        if (counts) {
            first.push_back(until);
            whole.push_back(since());
        }
    };
    evaluate(false);
    for (const auto& unit : units)
        for (const int bits : { 5, 6 }) {
            request.overrides = sweep::overridesFor(unit, bits);
            evaluate(true);
        }
    std::printf("edits %s: %zu, %lld images: to the first figure median %.0f ms, slowest %.0f ms; to all images median "
                "%.0f ms\n",
        what, first.size(), static_cast<long long>(setting.samples->size()), median(first),
        *std::ranges::max_element(first), median(whole));
    std::fflush(stdout);
}

} // namespace

int main(int argc, char** argv)
{
    const std::string model = argc > 2 ? argv[1] : QS_SOURCE_DIR "/resources/samples/fashion_resnet20.onnx";
    const std::int64_t images = argc > 3 ? std::atoll(argv[3]) : 500;
    const Setting setting(model, argc > 2 ? argv[2] : "", images, argc > 4 ? argv[4] : "unit");
    edits("anew", setting, nullptr);
    edits("from what is kept", setting,
        std::make_shared<evaluation::Reuse>(evaluation::Reuse::usualBudget, evaluation::Reuse::Between::Edits));
    compare("sensitivity", setting, sensitivityNetworks(setting), 64);
    compare("grid", setting, gridNetworks(setting), 16);
    return 0;
}
