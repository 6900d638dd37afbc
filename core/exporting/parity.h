// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/error.h"
#include "core/base/progress.h"
#include "core/dataset/preprocessing.h"
#include "core/exporting/exporter.h"
#include "core/graph/graph.h"
#include "core/quant/plan.h"

namespace quantoscope::exporting {

/// A graph and what is quantized in it.
struct Network {
    const graph::Graph& graph;
    const quant::QuantizationPlan& plan;
};

/// Fills in what a network read back does on the samples against the one that was written: predictions where
/// `classifies`, raw outputs, and which tensor parts first. Both are computed in float.
Result<void> compareNetworks(const Network& written, const Network& reread, const dataset::SampleSet& samples,
    bool classifies, const base::Job& job, ExportReport& report);

} // namespace quantoscope::exporting
