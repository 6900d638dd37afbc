// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/error.h"
#include "core/calibration/stats.h"
#include "core/graph/graph.h"
#include "core/planning/plan_builder.h"
#include "core/quant/plan.h"

namespace quantoscope::planning {

/// The request that would make a plan like this one: scope, seed, and for weights and activations what most of them
/// have. A kind of tensor that the plan does not quantize gets no word-length.
PlanRequest requestLike(const quant::QuantizationPlan& plan);

/// Which tensors a change to a finished plan is about, besides those that the request's overrides name.
struct ChangedTensors {
    bool weights = false;
    bool activations = false;
};

/// `saved` with the tensors that the change is about planned anew by `request`; all others keep their encodings. Biases
/// follow their operands. `stats` may be null while the request quantizes no activation. Errors: as buildPlan();
/// InvalidInput if the scopes differ, since a scope decides where quantizers sit.
Result<BuiltPlan> changePlan(const graph::Graph& graph, const calibration::CalibrationStats* stats,
    const quant::QuantizationPlan& saved, const PlanRequest& request, ChangedTensors changed);

} // namespace quantoscope::planning
