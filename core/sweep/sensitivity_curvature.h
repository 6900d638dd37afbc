// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/error.h"
#include "core/base/progress.h"
#include "core/dataset/preprocessing.h"
#include "core/graph/graph.h"
#include "core/quant/plan.h"
#include "core/sweep/sensitivity_units.h"

namespace quantoscope::sweep {

/// One unit quantized one way.
struct UnitChange {
    const QuantizedUnit* unit = nullptr;
    const quant::QuantizationPlan* plan = nullptr; ///< quantizes the unit; what else it does is not looked at
};

struct CurvatureOptions {
    std::int64_t images = 64; ///< of the samples, from the first on
    std::int64_t positions = 32; ///< of an image, in each layer
    int threads = 0;
    std::uint64_t seed = 0;
};

/// How much each change disturbs the outputs of the layers that read the unit, without running a quantized network:
/// the second-order term of the squared output error, whose Hessian is that of error-compensating rounding, H = E[x
/// x^T] of what a layer reads in the float network (Frantar et al. 2022, section 3). For a weight
///     sum_r e_r^T H e_r / sum_r w_r^T H w_r,    e = w~ - w, over output channels r,
/// and for an activation the same with the change in x: E|W (x~ - x)|^2 / E|W x|^2, summed over the layers that read
/// it. Not a number for layers that are not a matrix product with a constant. The same for any number of threads.
/// Advances `job` by a layer each. Errors: as calibration::Feed::create(); Cancelled.
Result<std::vector<double>> relativeOutputErrors(const graph::Graph& graph, const dataset::SampleSet& samples,
    const std::vector<UnitChange>& changes, const CurvatureOptions& options, const base::Job& job = {});

} // namespace quantoscope::sweep
