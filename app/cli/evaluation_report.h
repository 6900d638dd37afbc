// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/cli/pipeline.h"
#include "app/cli/report.h"
#include "core/base/error.h"
#include "core/cost/energy.h"

namespace quantoscope::cli {

/// Measures the float network and the plan's on the same images, and reports accuracy, difference, cost, accumulators
/// and fixed-point formats. `seconds` were spent before.
Result<void> reportEvaluation(const Pipeline& pipeline, const quant::QuantizationPlan& plan,
    const QuantizationOptions& options, const CommonOptions& common, const cost::EnergyModel& energy,
    const base::Job& job, Report& report, double seconds);

} // namespace quantoscope::cli
