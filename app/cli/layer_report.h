// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/cli/pipeline.h"
#include "app/cli/report.h"
#include "core/base/error.h"

namespace quantoscope::cli {

/// Reports what quantizing does to every tensor, measured on `samples`, how sure ranges are, and accumulators.
Result<void> reportLayers(const Pipeline& pipeline, const quant::QuantizationPlan& plan,
    const dataset::SampleSet& samples, const QuantizationOptions& options, const CommonOptions& common,
    const base::Job& job, Report& report);

} // namespace quantoscope::cli
