// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/error.h"
#include "core/base/progress.h"
#include "core/calibration/stats.h"
#include "core/planning/request.h"
#include "ui/session/state.h"

/// What there is to know of a model before work begins. For workers.
namespace quantoscope::ui {

/// Of the model as it was read; `loaded` is null where it could not be prepared.
ModelCheckPtr checkModel(const graph::Model& model, const QString& name, const LoadedModel* loaded);

/// Whether biases fit their word-length at s_x s_w, if the model were computed in integers with these options. Errors:
/// as planning::buildPlan().
Result<std::vector<ModelFinding>> forecastBiases(
    const graph::Graph& graph, const calibration::CalibrationStats& stats, planning::PlanRequest request);

} // namespace quantoscope::ui
