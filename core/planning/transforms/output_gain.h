// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <vector>

#include "core/base/error.h"
#include "core/base/progress.h"
#include "core/graph/graph.h"
#include "core/graph/layers.h"
#include "core/planning/transforms/transforms.h"

namespace quantoscope::planning {

/// A layer and the rounded weight whose answer is to be compared with its own.
struct GainTarget {
    graph::Layer layer;
    graph::TensorPtr rounded; ///< of the shape of its weight
    std::size_t channels = 1; ///< factors wanted: output channel c counts for factor c modulo this
};

/// cov(y, y) / cov(y, y~) of the outputs y and y~ of each layer with its own and with the rounded weight on the same
/// inputs, those of the float network: <w, w> / <w, w~> in the inner product of the covariance of what the layer reads.
/// About the mean, since the mean is the bias' business. 1 where a covariance is not positive. In the order of
/// `targets`. The same for any number of threads. Advances `job` by a layer each. Errors: as calibration::Feed;
/// Cancelled.
Result<std::vector<std::vector<double>>> outputGains(
    const CorrectionData& data, const std::vector<GainTarget>& targets, const base::Job& job);

} // namespace quantoscope::planning
