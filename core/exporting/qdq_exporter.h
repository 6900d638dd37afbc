// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/exporting/exporter.h"

namespace quantoscope::exporting {

/// buildModel() and exportPlan() in the format that every runtime reads: QDQ in 8-bit containers.
inline Result<graph::Model> buildQdqModel(
    const graph::Model& source, const graph::Graph& prepared, const quant::QuantizationPlan& plan)
{
    return buildModel(source, prepared, plan, {});
}

inline Result<ExportReport> exportQdq(const graph::Model& source, const graph::Graph& prepared,
    const quant::QuantizationPlan& plan, const std::filesystem::path& path, const dataset::SampleSet* samples,
    const base::Job& job = {})
{
    return exportPlan(source, prepared, plan, {}, path, samples, job);
}

} // namespace quantoscope::exporting
