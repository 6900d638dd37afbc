// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/bench/bench_network.h"

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "core/calibration/stats.h"
#include "core/dataset/preprocessing.h"
#include "core/exporting/qdq_exporter.h"
#include "core/onnx_io/reader.h"
#include "core/onnx_io/writer.h"
#include "core/planning/plan_builder.h"
#include "core/sweep/sweep.h"
#include "tests/support/memory_dataset.h"
#include "tests/support/run_graph.h"
#include "tests/support/shared_data.h"

namespace quantoscope::bench {

namespace {

template <typename T> T orExit(Result<T> result)
{
    if (result)
        return *std::move(result);
    std::fprintf(stderr, "%s\n", result.error().message().c_str());
    std::exit(EXIT_FAILURE);
}

dataset::SampleSetPtr randomSamples(const Shape& input, std::int64_t images)
{
    dataset::SampleSet::Options options;
    options.preprocessing = orExit(dataset::Preprocessing::named("imagenet"));
    const int channels = static_cast<int>(input[1]);
    if (channels == 1)
        options.preprocessing.channels = dataset::Channels::Gray;
    const auto data = test::randomDataset(images, static_cast<int>(input[2]), static_cast<int>(input[3]), channels, 10);
    return orExit(dataset::SampleSet::load(data, options));
}

/// Statistics of a few random images.
calibration::CalibrationStatsPtr statsFor(const graph::Graph& graph, const Shape& input)
{
    return orExit(calibration::calibrate(graph, *randomSamples(input, 8)));
}

/// Weights per channel and activations per tensor.
quant::QuantizationPlan planFor(
    const graph::Graph& graph, const calibration::CalibrationStats& stats, quant::Scope scope, int bits)
{
    planning::PlanRequest request;
    request.scope = scope;
    request.weights.bits = bits;
    request.activations.bits = bits;
    return orExit(planning::buildPlan(graph, &stats, request)).plan;
}

} // namespace

Network::Network(std::string name, const std::filesystem::path& file)
    : m_name(std::move(name))
{
    m_model = orExit(onnx_io::readModel(file));
    m_graph = orExit(engine::prepareGraph(m_model));
    m_inputDims = m_graph->value(m_graph->inputs().front()).type.dims;
}

bool Network::acceptsBatch(std::int64_t batch) const
{
    return !m_inputDims->front().known() || m_inputDims->front().value == batch;
}

Shape Network::inputShape(std::int64_t batch) const
{
    graph::Dims dims = *m_inputDims;
    dims.front() = batch;
    return graph::toShape(dims).value();
}

const quant::QuantizationPlan& Network::plan(Mode mode, quant::Scope scope) const
{
    std::call_once(m_plans.made, [&] {
        const auto stats = statsFor(*m_graph, inputShape(1));
        for (const auto& [bits, plans] : { std::pair(8, &m_plans.narrow), std::pair(12, &m_plans.wide) })
            *plans = { planFor(*m_graph, *stats, quant::Scope::Compute, bits),
                planFor(*m_graph, *stats, quant::Scope::Integer, bits) };
    });
    const auto& plans = mode == Mode::FakeQuantized ? m_plans.wide : m_plans.narrow;
    return scope == quant::Scope::Integer ? plans.second : plans.first;
}

engine::CompiledGraphPtr Network::compile(std::int64_t batch, Mode mode, quant::Scope scope) const
{
    engine::CompileOptions options;
    options.inputShapes.emplace(m_graph->value(m_graph->inputs().front()).name, inputShape(batch));
    options.arithmetic = mode == Mode::Integer ? engine::Arithmetic::Auto : engine::Arithmetic::Float;
    return orExit(
        engine::compile(*m_graph, mode == Mode::Float ? quant::QuantizationPlan {} : plan(mode, scope), options));
}

void Network::writeQdq(quant::Scope scope, const std::filesystem::path& file) const
{
    orExit(onnx_io::writeModel(orExit(exporting::buildQdqModel(m_model, *m_graph, plan(Mode::Integer, scope))), file));
}

Grid::Grid(const Network& network, std::int64_t images)
    : m_samples(randomSamples(network.inputShape(1), images))
    , m_quantizer(std::make_unique<flow::Quantizer>(network.graph(), randomSamples(network.inputShape(1), 64)))
{
}

std::int64_t Grid::run(int threads) const
{
    sweep::GridOptions options;
    options.weightBits = orExit(sweep::parseBits("2..8"));
    options.activationBits = options.weightBits;
    options.request.scope = quant::Scope::Integer;
    options.evaluation.arithmetic = engine::Arithmetic::Auto;
    options.evaluation.threads = threads;
    const auto result = orExit(sweep::runGrid(*m_quantizer, *m_samples, options));
    return static_cast<std::int64_t>(result.points.size()) * m_samples->size();
}

std::vector<std::shared_ptr<const Network>> networks()
{
    const std::filesystem::path data = test::sharedFolder() / "data";
    std::vector<std::shared_ptr<const Network>> found;
    for (const auto& [name, file] :
        { std::pair("sample", std::filesystem::path(QS_SOURCE_DIR) / "resources/samples/fashion_resnet20.onnx"),
            std::pair("resnet20", data / "cifar10/models/resnet20_cifar10.onnx"),
            std::pair("mobilenetv2", data / "imagenet/models/mobilenetv2_fc8.onnx"),
            std::pair("squeezenet", data / "imagenet/models/squeezenet1.1_mxnet.onnx") })
        if (std::filesystem::exists(file))
            found.push_back(std::make_shared<const Network>(name, file));
    return found;
}

Tensor randomInput(const Shape& shape) { return test::randomTensor(shape, 1); }

} // namespace quantoscope::bench
