// SPDX-License-Identifier: GPL-3.0-or-later
// Single operators on one stream, and what feeds a network: GFLOP/s of what multiplies, GB/s of what only passes over
// memory.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/dataset/preprocessing.h"
#include "core/engine/engine.h"
#include "core/graph/graph.h"
#include "tests/bench/bench_network.h"
#include "tests/support/memory_dataset.h"
#include "tests/support/run_graph.h"

using namespace quantoscope;

namespace {

/// A graph of one node that reads `input` and, behind it, constants.
graph::Graph oneNode(const std::string& op, const Shape& input, const std::vector<Tensor>& constants,
    std::map<std::string, graph::Attribute> attributes = {})
{
    graph::Graph graph;
    graph.opsets[""] = 13;
    graph::Node node;
    node.name = "measured";
    node.opType = op;
    node.attributes = std::move(attributes);
    node.inputs.push_back(graph.addInput("x", { DType::Float32, graph::toDims(input) }));
    for (std::size_t i = 0; i < constants.size(); ++i)
        node.inputs.push_back(graph.addConstant("c" + std::to_string(i), std::make_shared<const Tensor>(constants[i])));
    node.outputs.push_back(graph.addValue("y"));
    const auto output = node.outputs.front();
    graph.addNode(std::move(node));
    graph.markOutput(output);
    return graph;
}

/// Times the node alone, without the change of layout that a graph of one node needs on either side.
void measure(benchmark::State& state, const graph::Graph& graph, const Shape& input)
{
    const auto compiled = engine::compile(graph, {}, {});
    if (!compiled)
        return state.SkipWithError(compiled.error().message().c_str());
    const auto steps = (*compiled)->steps();
    const auto node = std::ranges::find(steps, "measured", &engine::CompiledGraph::StepInfo::node) - steps.begin();
    engine::Executor executor(*compiled);
    const Tensor values = bench::randomInput(input);
    const std::array views { values.view() };
    std::vector<double> seconds(steps.size());
    for (auto _ : state) {
        std::ranges::fill(seconds, 0.0);
        benchmark::DoNotOptimize(executor.runTimed(views, seconds));
        state.SetIterationTime(seconds.at(static_cast<std::size_t>(node)));
    }
    state.SetLabel(steps[static_cast<std::size_t>(node)].implementation);
}

void countFlops(benchmark::State& state, double each)
{
    state.counters["FLOP/s"] = benchmark::Counter(each, benchmark::Counter::kIsIterationInvariantRate);
}

void convolution(benchmark::State& state)
{
    const std::int64_t channels = state.range(0);
    const std::int64_t outputs = state.range(1);
    const std::int64_t side = state.range(2);
    const std::int64_t kernel = state.range(3);
    const std::int64_t groups = state.range(4);
    const Shape input { 8, channels, side, side };
    const auto weight = test::randomTensor(Shape { outputs, channels / groups, kernel, kernel }, 2);
    const std::int64_t pad = kernel / 2;
    const auto graph = oneNode("Conv", input, { weight },
        { { "pads", std::vector<std::int64_t> { pad, pad, pad, pad } }, { "group", groups } });
    measure(state, graph, input);
    countFlops(state, 2.0 * 8 * static_cast<double>(side * side * outputs * (channels / groups) * kernel * kernel));
}
BENCHMARK(convolution)
    ->UseManualTime()
    ->ArgNames({ "in", "out", "side", "kernel", "groups" })
    ->Args({ 3, 16, 32, 3, 1 })
    ->Args({ 16, 16, 32, 3, 1 })
    ->Args({ 32, 32, 16, 3, 1 })
    ->Args({ 64, 64, 8, 3, 1 })
    ->Args({ 96, 24, 56, 1, 1 })
    ->Args({ 960, 320, 7, 1, 1 })
    ->Args({ 96, 96, 56, 3, 96 })
    ->Args({ 960, 960, 7, 3, 960 });

void gemm(benchmark::State& state)
{
    const std::int64_t depth = state.range(0);
    const std::int64_t outputs = state.range(1);
    const Shape input { 8, depth };
    measure(state, oneNode("Gemm", input, { test::randomTensor(Shape { depth, outputs }, 3) }), input);
    countFlops(state, 2.0 * 8 * static_cast<double>(depth * outputs));
}
BENCHMARK(gemm)->UseManualTime()->ArgNames({ "depth", "out" })->Args({ 64, 10 })->Args({ 1280, 1000 });

void elementwise(benchmark::State& state, const std::string& op)
{
    const Shape input { 8, 64, 32, 32 };
    measure(state, oneNode(op, input, {}), input);
    state.SetBytesProcessed(state.iterations() * input.size() * std::int64_t { 2 * sizeof(float) });
}
BENCHMARK_CAPTURE(elementwise, relu, "Relu")->UseManualTime();
BENCHMARK_CAPTURE(elementwise, sigmoid, "Sigmoid")->UseManualTime();
BENCHMARK_CAPTURE(elementwise, global_average_pool, "GlobalAveragePool")->UseManualTime();

void resize(benchmark::State& state)
{
    const auto image = test::randomDataset(1, 375, 500, 3, 1)->image(0).value();
    dataset::Preprocessing settings;
    settings.resize = 256;
    settings.crop = { 224, 224 };
    for (auto _ : state)
        benchmark::DoNotOptimize(dataset::preprocess(image, settings));
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(resize);

void fillBatch(benchmark::State& state)
{
    const auto samples = dataset::SampleSet::load(test::randomDataset(8, 224, 224, 3, 1), {}).value();
    std::vector<float> batch(static_cast<std::size_t>(8 * samples->sampleSize()));
    for (auto _ : state) {
        samples->fill(0, 8, batch);
        benchmark::ClobberMemory();
    }
    state.SetItemsProcessed(state.iterations() * 8);
}
BENCHMARK(fillBatch);

} // namespace

BENCHMARK_MAIN();
