// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/calibration/stats.h"
#include "core/graph/graph.h"
#include "core/planning/bias.h"
#include "core/planning/placement.h"
#include "core/planning/request.h"
#include "core/quant/plan.h"

namespace quantoscope::planning {

/// Chooses every encoding. Every slot of the scope that is not float gets an entry, those that share one too. Symmetric
/// weights use the signed grid unless the wish says otherwise. Constants (Role::Constant) are quantized as activations
/// are, per tensor, over their own range. A graph output keeps its full range unless a layer override says otherwise.
/// `stats` may be null while no activation is quantized. A bias is quantized in Scope::Integer where both its
/// activation and weight are, with scale s_x s_w; where it would not fit the request's biasBits there is a remedy,
/// which is noted. What cannot be done as wished (a per-channel encoding that tensors would have to share, a bias
/// behind per-channel activations) is done the next best way and noted. InvalidInput: statistics missing for a tensor
/// (names it), an override that matches no layer.
struct BuiltPlan {
    quant::QuantizationPlan plan;
    std::vector<std::string> notes; ///< what a person should know: raised scales, dead channels
    std::vector<BiasRemedy> biasRemedies; ///< of the layers whose biases did not fit
};
Result<BuiltPlan> buildPlan(
    const graph::Graph& graph, const calibration::CalibrationStats* stats, const PlanRequest& request);

} // namespace quantoscope::planning
