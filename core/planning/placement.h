// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/graph/graph.h"
#include "core/graph/layers.h"
#include "core/quant/plan.h"

namespace quantoscope::planning {

/// Where a quantizer may sit, before anyone chose numbers.
struct QuantizerSlot {
    std::string tensor;
    quant::Role role = quant::Role::Activation;
    std::string sharesWith; ///< earlier slot whose encoding this one takes over (data movement, Concat); empty: none
    bool ownValues = true; ///< false where values are only passed on (data movement, Concat): the range is the sources'
    std::vector<std::string> layers; ///< compute layers that read it (weights: that own it)
    int channelAxis = 1; ///< weights: axis of output channels
    bool isLogits = false; ///< a graph output: never clipped by default
    std::optional<std::pair<double, double>> fixedRange; ///< Softmax and Sigmoid output [0, 1]
    std::string biasInput; ///< Role::Bias: activation whose scale the bias takes
    std::string biasWeight; ///< Role::Bias: weight whose scale the bias takes
};

/// Quantizers of a scope, in topological order, exactly as docs of the command line define the two scopes:
/// Compute: weight and non-constant operands of every Conv, ConvTranspose, Gemm, MatMul.
/// Integer: every floating activation from image to output except between Conv/ConvTranspose/Gemm/MatMul/Add and a
/// fused activation; data movement (MaxPool, Reshape, Flatten, Transpose, Slice, Squeeze, Unsqueeze, Pad with zeros,
/// Split, Gather, Identity...) shares its input's; Concat inputs and output share one; biases; constants that Add, Mul,
/// Concat and the like compute with (Role::Constant).
/// Nodes of `floatOperators` stay float: their outputs and, for compute layers, their weights and biases have no slot.
std::vector<QuantizerSlot> placeQuantizers(
    const graph::Graph& graph, quant::Scope scope, std::span<const std::string> floatOperators = {});

} // namespace quantoscope::planning
