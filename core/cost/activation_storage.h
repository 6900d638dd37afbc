// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/graph/graph.h"
#include "core/quant/plan.h"

namespace quantoscope::cost {

/// What the activations of one image take in memory.
struct ActivationStorage {
    double peakBytes = 0; ///< most that is alive at once, node after node in topological order
    double movedBits = 0; ///< written once each, and read once by every node that needs them
};

/// Activations at the word-length of their quantizer, 32 bits for what stays float. A fused activation function leaves
/// one value, and Reshape and the like move nothing. In Scope::Compute, a value that other nodes than compute layers
/// read too is kept twice: quantized and float. Shapes must have been inferred; the leading extent of tensors with more
/// than one axis is taken for the batch, symbolic ones count as 1.
ActivationStorage activationStorage(const graph::Graph& graph, const quant::QuantizationPlan& plan);

} // namespace quantoscope::cost
