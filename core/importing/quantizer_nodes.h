// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/graph/graph.h"
#include "core/quant/encoding.h"

namespace quantoscope::importing {

inline constexpr const char* qonnxDomain = "qonnx.custom_op.general";

/// The smallest and the largest of stored integers.
struct StoredLevels {
    std::int32_t lowest;
    std::int32_t highest;
};

/// Nodes that together quantize one value.
struct QuantizerNodes {
    graph::ValueId source; ///< what is quantized: an activation, or the constant (of integers, for DequantizeLinear)
    graph::ValueId result; ///< the quantized value
    quant::Encoding encoding;
    graph::NodeId head; ///< the node that reads the source as it is; invalid where integers are stored
    std::optional<StoredLevels> stored; ///< set where the source is a constant of integers
};

/// What a node that ends a quantizer (DequantizeLinear, Quant) and those before it do; empty with the reason in `why`
/// where a plan could not say it.
std::optional<QuantizerNodes> quantizerEndingAt(const graph::Graph& graph, graph::NodeId node, std::string& why);

/// Whether the node is the end of a quantizer.
bool endsQuantizer(const graph::Node& node);

} // namespace quantoscope::importing
