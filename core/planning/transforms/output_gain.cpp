// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/planning/transforms/output_gain.h"

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "core/planning/transforms/channel_means.h"
#include "core/planning/transforms/replay.h"

namespace quantoscope::planning {

namespace {

using graph::Graph;
using graph::NodeId;
using graph::ValueId;

/// The network with a second copy of each target behind the first, on the rounded weight. Its nodes are made anew, so
/// that in their order, by which ties are broken, a copy runs right behind its original.
struct Doubled {
    Graph graph;
    std::vector<NodeId> nodes; ///< of the targets
    std::vector<ValueId> outputs; ///< of the copies
};

Doubled withCopies(const Graph& graph, const std::vector<GainTarget>& targets)
{
    Doubled doubled { graph, std::vector<NodeId>(targets.size()), std::vector<ValueId>(targets.size()) };
    std::map<NodeId, std::size_t> indices;
    for (std::size_t i = 0; i < targets.size(); ++i)
        indices.emplace(targets[i].layer.node, i);
    for (const NodeId id : graph.nodes()) {
        graph::Node node = graph.node(id);
        doubled.graph.removeNode(id);
        const NodeId moved = doubled.graph.addNode(node);
        const auto index = indices.find(id);
        if (index == indices.end())
            continue;
        const auto& target = targets[index->second];
        const auto name = target.layer.name + " rounded";
        const ValueId weight = doubled.graph.addConstant(doubled.graph.uniqueName(name + " weight"), target.rounded);
        std::ranges::replace(node.inputs, target.layer.weight, weight);
        node.outputs
            = { doubled.graph.addValue(doubled.graph.uniqueName(name), graph.value(target.layer.output).type) };
        node.name = name;
        doubled.nodes[index->second] = moved;
        doubled.outputs[index->second] = node.outputs[0];
        doubled.graph.markOutput(node.outputs[0]);
        doubled.graph.addNode(std::move(node));
    }
    return doubled;
}

/// Sums over places that covariances are made of, for one channel or several.
struct Moments {
    double count = 0;
    double sum = 0;
    double otherSum = 0;
    double square = 0;
    double product = 0;

    void operator+=(const Moments& other)
    {
        count += other.count;
        sum += other.sum;
        otherSum += other.otherSum;
        square += other.square;
        product += other.product;
    }
    double variance() const { return square - sum * sum / count; }
    double covariance() const { return product - sum * otherSum / count; }
};

/// By output channel, over the first `count` of the `batch` images.
std::vector<Moments> momentsOf(
    const TensorView& exact, const TensorView& rounded, int axis, std::int64_t count, std::int64_t batch)
{
    const Shape& shape = exact.shape();
    const auto inner = shape.strides()[static_cast<std::size_t>(axis)];
    std::int64_t outer = shape.size() / (inner * shape[axis]);
    if (outer % batch == 0)
        outer = outer / batch * count;
    std::vector<Moments> channels(static_cast<std::size_t>(shape[axis]));
    const float* y = exact.as<float>().data();
    const float* q = rounded.as<float>().data();
    for (std::int64_t o = 0; o < outer; ++o)
        for (auto& channel : channels) {
            Moments run { static_cast<double>(inner), 0, 0, 0, 0 };
            for (std::int64_t i = 0; i < inner; ++i, ++y, ++q) {
                const auto a = static_cast<double>(*y);
                const auto b = static_cast<double>(*q);
                run.sum += a;
                run.otherSum += b;
                run.square += a * a;
                run.product += a * b;
            }
            channel += run;
        }
    return channels;
}

std::vector<double> gainsFrom(const std::vector<Moments>& channels, std::size_t factors)
{
    std::vector<double> variance(factors, 0.0);
    std::vector<double> covariance(factors, 0.0);
    for (std::size_t c = 0; c < channels.size(); ++c) {
        variance[c % factors] += channels[c].variance();
        covariance[c % factors] += channels[c].covariance();
    }
    for (std::size_t f = 0; f < factors; ++f)
        variance[f] = variance[f] > 0 && covariance[f] > 0 ? variance[f] / covariance[f] : 1;
    return variance;
}

} // namespace

Result<std::vector<std::vector<double>>> outputGains(
    const CorrectionData& data, const std::vector<GainTarget>& targets, const base::Job& job)
{
    constexpr std::size_t keptActivations = std::size_t { 256 } << 20; // bytes
    const auto doubled = withCopies(data.graph, targets);
    QS_TRY(const auto stage, Stage::create(doubled.graph, data.samples, data.images));
    Replay replay(stage, data.threads, keptActivations);
    std::vector<std::vector<double>> gains;
    for (std::size_t t = 0; t < targets.size(); ++t) {
        const auto axis = outputOf(data.graph, targets[t].layer).axis;
        std::vector<std::vector<Moments>> batches(static_cast<std::size_t>(stage->batches()));
        QS_CHECK(replay.advance({}, doubled.nodes[t], job));
        QS_CHECK(replay.run(
            {}, { targets[t].layer.output, doubled.outputs[t] },
            [&](std::int64_t batch, std::span<const TensorView> values) {
                const auto count = std::min(stage->batch(), stage->images() - batch * stage->batch());
                batches[static_cast<std::size_t>(batch)] = momentsOf(values[0], values[1], axis, count, stage->batch());
            },
            job));
        std::vector<Moments> total(batches.front().size());
        for (const auto& batch : batches)
            for (std::size_t c = 0; c < total.size(); ++c)
                total[c] += batch[c];
        gains.push_back(gainsFrom(total, targets[t].channels));
        job.advance();
    }
    return gains;
}

} // namespace quantoscope::planning
