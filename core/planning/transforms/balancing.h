// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/error.h"
#include "core/calibration/stats.h"
#include "core/graph/graph.h"
#include "core/planning/transforms/equalization.h"
#include "core/quant/plan.h"

namespace quantoscope::planning {

/// Cross-layer equalization for a plan: multiplies channels of activations by the factors that make the noise of the
/// plan's quantizers least, weights' and activations' together, as NoiseModel counts it, by gradient descent on the
/// logarithms of the factors. Where only the weights before and behind an activation have scales of their own channels
/// (a depthwise convolution behind) this gives every channel of an activation the whole range of the tensor's one
/// quantizer; where more is at stake it weighs. Chains of sums get one factor a channel. ReLU6 follows exactly, as in
/// equalize(). Outputs stay the same up to float rounding. `graph` is prepared; `stats` are of it, `plan` quantizes it.
/// The factors are those of the outputs of layers, from which scaledGraph() makes the same graph. Deterministic, thread
/// safe. Errors: InvalidInput for a cyclic graph.
Result<EqualizedGraph> balance(
    const graph::Graph& graph, const calibration::CalibrationStats& stats, const quant::QuantizationPlan& plan);

/// `graph` with channels multiplied by factors, by the name of a value whose channels they are. Errors: NotFound for a
/// value that the graph does not have; InvalidInput for another number of channels, factors that are not positive, or
/// where the same computation does not result.
Result<graph::Graph> scaledGraph(const graph::Graph& graph, const quant::ChannelFactors& factors);

} // namespace quantoscope::planning
