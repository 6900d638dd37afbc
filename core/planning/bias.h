// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

#include "core/graph/graph.h"
#include "core/graph/layers.h"
#include "core/planning/plan_builder.h"
#include "core/quant/plan.h"

namespace quantoscope::planning {

/// Adds the biases among `slots` to a plan that has its weights and activations: int32 at s_x s_w, z = 0 (formats.md,
/// Bias). Raises the weight's scale where the bias would not fit. Biases that have no such scale stay float; `notes`
/// says which.
void planBiases(const graph::Graph& graph, const std::vector<graph::Layer>& layers,
    const std::vector<QuantizerSlot>& slots, quant::QuantizationPlan& plan, std::vector<std::string>& notes);

} // namespace quantoscope::planning
