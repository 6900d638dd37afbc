// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/graph/graph.h"

namespace quantoscope::importing {

/// Whether a node computes with integers in one (QLinearConv, QLinearMatMul; of com.microsoft QLinearAdd, QLinearMul,
/// QLinearConcat, the QLinear pools, QLinearSigmoid, QLinearLeakyRelu, QLinearSoftmax and QGemm), as ONNX Runtime's
/// quantizer writes them in its operator-oriented format.
bool isIntegerOperator(const graph::Node& node);

/// Writes such operators, and what moves integers between them (MaxPool, Reshape, Flatten, Transpose and the like), as
/// DequantizeLinear, the float operator and QuantizeLinear, which means the same. QuantizeLinear and DequantizeLinear
/// of com.microsoft, which has 16 bits at any opset, become those of ai.onnx. Nodes that lack an input stay.
void expandIntegerOperators(graph::Graph& graph);

} // namespace quantoscope::importing
