// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/parity/orders.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <utility>

#include "core/base/parallel.h"
#include "core/graph/layers.h"
#include "tests/support/reordered_network.h"

namespace quantoscope::parity {

namespace {

constexpr std::int64_t imagesToTell = 4; ///< whether a reordered network is the same one
constexpr double sameInFloat = 1e-4; ///< of the largest output

/// Where the rows of images go that are computed one by one.
Outputs roomFor(const engine::CompiledGraph& compiled, std::int64_t images)
{
    Outputs outputs;
    for (const auto& port : compiled.outputs()) {
        Output output;
        for (int axis = 0; axis < port.shape.rank(); ++axis)
            output.dims.push_back(port.shape[axis]);
        if (!output.dims.empty())
            output.dims.front() *= images;
        output.values.resize(static_cast<std::size_t>(port.shape.size() * images));
        outputs.push_back(std::move(output));
    }
    return outputs;
}

bool canBeReordered(const graph::Graph& graph)
{
    const auto layers = graph::computeLayers(graph);
    return std::ranges::all_of(layers, [&](const graph::Layer& layer) {
        if (!layer.weight.valid() || !graph.isConstant(layer.weight))
            return false;
        const int rank = graph.value(layer.weight).constant->shape().rank();
        return rank == 2 || rank == 4;
    });
}

/// The network with its corrected constants in its graph, channels reversed; empty where that makes another one of it.
Result<std::optional<test::ReorderedNetwork>> channelsReversed(const Subject& subject, const QuantizedNetwork& network)
{
    QS_TRY(const auto graph, quant::correctedGraph(*network.graph, *network.plan));
    if (!canBeReordered(graph))
        return std::nullopt;
    auto plan = *network.plan;
    while (!plan.constants().empty())
        plan.eraseConstant(std::string(plan.constants().begin()->first));
    if (!plan.addedBiases().empty())
        return std::nullopt;
    auto reversed = test::reordered(graph, plan, { .channelsReversed = true });
    auto images = allImages(*subject.samples);
    images.resize(std::min(images.size(), static_cast<std::size_t>(imagesToTell)));
    QS_TRY(const auto before, compute(graph, {}, *subject.samples, images, floats));
    const auto after = compute(reversed.graph, {}, *subject.samples, images, floats);
    if (!after || meanDifference(before, *after) > sameInFloat * largestMagnitude(before))
        return std::nullopt;
    return reversed;
}

} // namespace

std::vector<std::int64_t> allImages(const dataset::SampleSet& samples)
{
    std::vector<std::int64_t> images(static_cast<std::size_t>(samples.size()));
    std::iota(images.begin(), images.end(), std::int64_t { 0 });
    return images;
}

Result<Outputs> compute(const graph::Graph& graph, const quant::QuantizationPlan& plan,
    const dataset::SampleSet& samples, std::span<const std::int64_t> images, const Way& way)
{
    auto dims = samples.sampleShape();
    dims.insert(dims.begin(), 1);
    engine::CompileOptions options;
    options.kernels = way.kernels;
    options.arithmetic = way.arithmetic;
    options.inputShapes = { { graph.value(graph.inputs().front()).name, Shape(dims) } };
    QS_TRY(const auto compiled, engine::compile(graph, plan, options));
    const auto count = static_cast<std::int64_t>(images.size());
    auto outputs = roomFor(*compiled, count);
    std::vector<std::optional<engine::Executor>> executors(static_cast<std::size_t>(base::resolveThreads(0)));
    const auto work = [&](int worker, std::int64_t i) -> Result<void> {
        auto& executor = executors[static_cast<std::size_t>(worker)];
        if (!executor)
            executor.emplace(compiled);
        Tensor input(DType::Float32, Shape(dims));
        samples.fill(images[static_cast<std::size_t>(i)], 1, input.as<float>());
        const TensorView view = input.view();
        QS_CHECK(executor->run({ &view, 1 }));
        for (std::size_t o = 0; o < outputs.size(); ++o) {
            const auto values = tensor::toDoubles(executor->output(o));
            std::ranges::copy(values, outputs[o].values.begin() + i * static_cast<std::ptrdiff_t>(values.size()));
        }
        return {};
    };
    QS_CHECK(base::parallelFor(0, count, {}, work));
    return outputs;
}

Result<OtherOrder> computeInOtherOrder(const Subject& subject, const QuantizedNetwork& network)
{
    const auto images = allImages(*subject.samples);
    QS_TRY(const auto reversed, channelsReversed(subject, network));
    if (reversed) {
        QS_TRY(auto outputs, compute(reversed->graph, reversed->plan, *subject.samples, images, floats));
        return OtherOrder { "channels reversed", std::move(outputs) };
    }
    QS_TRY(auto outputs, compute(*network.graph, *network.plan, *subject.samples, images, integers));
    return OtherOrder { "in integers", std::move(outputs) };
}

double meanDifference(const Outputs& a, const Outputs& b)
{
    double total = 0;
    std::size_t count = 0;
    for (std::size_t o = 0; o < std::min(a.size(), b.size()); ++o)
        for (std::size_t i = 0; i < std::min(a[o].values.size(), b[o].values.size()); ++i, ++count)
            total += std::abs(static_cast<double>(a[o].values[i]) - static_cast<double>(b[o].values[i]));
    return count == 0 ? 0 : total / static_cast<double>(count);
}

double largestMagnitude(const Outputs& outputs)
{
    double largest = 0;
    for (const auto& output : outputs)
        for (const float value : output.values)
            largest = std::max<double>(largest, std::abs(value));
    return largest;
}

} // namespace quantoscope::parity
