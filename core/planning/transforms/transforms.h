// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/progress.h"
#include "core/calibration/stats.h"
#include "core/dataset/preprocessing.h"
#include "core/graph/graph.h"
#include "core/quant/plan.h"

/// Corrections without retraining. Each takes a finished plan and returns another one with corrected constants, added
/// biases or scales. None looks at a label. All are deterministic for any number of threads.
namespace quantoscope::planning {

/// What corrections have to work with. Members must outlive the call.
struct CorrectionData {
    const graph::Graph& graph; ///< prepared, equalized where the plan says so; float
    const dataset::SampleSet& samples; ///< calibration images
    std::vector<std::string> layers {}; ///< Layer::name of those to correct; empty: all
    std::int64_t images = -1; ///< of samples, from the first on; -1: all
    int threads = 0;
    std::uint64_t seed = 0;
};

struct CorrectedPlan {
    quant::QuantizationPlan plan;
    std::vector<std::string> notes; ///< what a person should know, layer by layer
};

} // namespace quantoscope::planning
