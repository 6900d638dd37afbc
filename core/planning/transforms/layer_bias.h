// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/graph/graph.h"
#include "core/graph/layers.h"
#include "core/quant/plan.h"
#include "core/tensor/tensor.h"

namespace quantoscope::planning {

/// Reading and moving the biases of a plan's network, whether they are constants of the graph or were added by the
/// plan.

/// Output channels of a layer with a constant weight; 0 without one.
std::int64_t outputChannels(const graph::Graph& graph, const graph::Layer& layer);
/// What the layer multiplies its bias with: a Gemm's beta, otherwise 1.
double biasFactor(const graph::Graph& graph, const graph::Layer& layer);
/// Why the layer's bias cannot be moved, in words; empty if it can.
std::string biasObstacle(const graph::Graph& graph, const graph::Layer& layer);
/// The bias in the plan's network, float32, before its quantizer; zeros [outputChannels()] where there is none.
Tensor biasOf(const graph::Graph& graph, const quant::QuantizationPlan& plan, const graph::Layer& layer);
/// Makes `values`, of the shape of biasOf(), the layer's bias. One that was not there gets a quantizer in
/// Scope::Integer where the plan quantizes biases. Values that do not fit the bias' word-length are clipped to it, and
/// noted. The layer must have no biasObstacle().
void setBias(const graph::Graph& graph, quant::QuantizationPlan& plan, const graph::Layer& layer, Tensor values,
    std::vector<std::string>& notes);

} // namespace quantoscope::planning
