// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <algorithm>
#include <cassert>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/graph/graph.h"
#include "core/graph/layers.h"
#include "core/quant/plan.h"

namespace quantoscope::test {

/// Another order in which a network may take the same sums. Neither changes a result in exact arithmetic.
struct SummationOrder {
    bool channelsReversed = false; ///< every inner tensor's channels run from last to first
    bool transposed = false; ///< height and width change places, in the images too

    bool changed() const { return channelsReversed || transposed; }
};

namespace detail {

/// A weight [O, I, ...] or bias [O] with its extents reversed and its last two axes transposed as asked.
inline graph::TensorPtr reordered(const Tensor& constant, bool reverseOutputs, bool reverseInputs, bool transpose)
{
    const auto dims = constant.shape().dims();
    const std::int64_t outputs = dims[0];
    const std::int64_t inputs = dims.size() > 1 ? dims[1] : 1;
    const std::int64_t rows = dims.size() > 2 ? dims[2] : 1;
    const std::int64_t columns = dims.size() > 2 ? dims[3] : 1;
    assert(dims.size() != 3 && dims.size() <= 4 && (!transpose || rows == columns));
    auto result = std::make_shared<Tensor>(constant.dtype(), constant.shape());
    const auto from = constant.as<float>();
    auto to = result->as<float>();
    std::size_t next = 0;
    for (std::int64_t o = 0; o < outputs; ++o)
        for (std::int64_t i = 0; i < inputs; ++i)
            for (std::int64_t y = 0; y < rows; ++y)
                for (std::int64_t x = 0; x < columns; ++x) {
                    const std::int64_t output = reverseOutputs ? outputs - 1 - o : o;
                    const std::int64_t input = reverseInputs ? inputs - 1 - i : i;
                    const std::int64_t inside = transpose ? x * columns + y : y * columns + x;
                    to[next++] = from[static_cast<std::size_t>((output * inputs + input) * rows * columns + inside)];
                }
    return result;
}

inline void reverse(quant::QuantizationPlan& plan, const std::string& tensor)
{
    const auto* found = plan.find(tensor);
    if (!found)
        return;
    auto quantizer = *found;
    std::ranges::reverse(quantizer.encoding.scale);
    std::ranges::reverse(quantizer.encoding.zeroPoint);
    plan.set(tensor, quantizer);
}

} // namespace detail

struct ReorderedNetwork {
    graph::Graph graph;
    quant::QuantizationPlan plan;
};

/// The network with its sums in another order: for convolutional classifiers whose layers are 2-D convolutions with
/// square kernels and alike along both axes, then fully connected ones ([O, I]) behind a global pooling, with
/// constants that know of channels in these layers only. Image channels and classes keep their places. Give it images
/// transposed if `order` is. That the float logits stay the same is for the caller to check.
inline ReorderedNetwork reordered(
    const graph::Graph& graph, const quant::QuantizationPlan& plan, const SummationOrder& order)
{
    ReorderedNetwork result { graph, plan };
    for (const auto& layer : graph::computeLayers(graph)) {
        const bool outputs = order.channelsReversed && !graph.isOutput(layer.output);
        const bool inputs = order.channelsReversed && layer.input != graph.inputs().front();
        auto& weight = result.graph.value(layer.weight);
        const bool image = weight.constant->shape().rank() == 4;
        weight.constant = detail::reordered(*weight.constant, outputs, inputs, order.transposed && image);
        if (!outputs)
            continue;
        detail::reverse(result.plan, weight.name);
        if (!layer.bias.valid())
            continue;
        auto& bias = result.graph.value(layer.bias);
        bias.constant = detail::reordered(*bias.constant, true, false, false);
        detail::reverse(result.plan, bias.name);
    }
    return result;
}

} // namespace quantoscope::test
