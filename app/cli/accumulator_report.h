// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/cli/pipeline.h"
#include "core/base/error.h"

namespace quantoscope::cli {

/// Reports how wide the accumulators of a plan's layers must be: by data types, in the worst case, and for some of the
/// calibration images (without any, of the evaluation's). Notes those that a profile's accumulator does not hold.
Result<void> reportAccumulators(const Pipeline& pipeline, const quant::QuantizationPlan& plan,
    const QuantizationOptions& options, const CommonOptions& common, const base::Job& job, Report& report);

} // namespace quantoscope::cli
