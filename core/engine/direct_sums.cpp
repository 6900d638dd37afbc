// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/direct_sums.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

namespace quantoscope::engine {

namespace {

constexpr int mostInIntegers = 8; ///< bits

bool isByte(std::optional<DType> type) { return type == DType::Int8 || type == DType::UInt8; }

/// Whether a value was quantized to at most 8 bits, looking through operators that only move or choose elements.
bool hasFewLevels(const Lowered& lowered, graph::ValueId value)
{
    static constexpr std::array<std::string_view, 6> movers { "MaxPool", "Pad", "Relu", "Reshape", "Slice",
        "Transpose" };
    for (graph::NodeId producer = lowered.graph.value(value).producer; producer.valid();
         producer = lowered.graph.value(value).producer) {
        if (const auto quantizer = lowered.quantizers.find(producer); quantizer != lowered.quantizers.end())
            return quantizer->second.encoding.bits() <= mostInIntegers;
        const graph::Node& node = lowered.graph.node(producer);
        if (node.domain == ownDomain) // only what integers stand for is dequantized from codes
            return node.opType == "DequantizeCodes";
        if (node.opType == "DequantizeLinear")
            return isByte(lowered.graph.value(node.inputs.front()).type.dtype);
        if (!node.domain.empty() || std::ranges::find(movers, node.opType) == movers.end())
            return false;
        value = node.inputs.front();
    }
    return false;
}

} // namespace

bool needsDirectSums(const Lowered& lowered, graph::NodeId node, const CompileOptions& options)
{
    const auto& inputs = lowered.graph.node(node).inputs;
    return !options.taps.empty()
        || (!inputs.empty() && inputs.front().valid() && hasFewLevels(lowered, inputs.front()));
}

} // namespace quantoscope::engine
