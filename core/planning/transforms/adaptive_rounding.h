// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/error.h"
#include "core/base/progress.h"
#include "core/planning/transforms/transforms.h"
#include "core/planning/transforms/weight_correction.h"
#include "core/planning/transforms/weight_rounding.h"
#include "core/quant/plan.h"

namespace quantoscope::planning {

/// Improves rounded weights by cyclic coordinate descent on the layer's squared output error e^T (H + damping) e, e =
/// wanted - rounded (QuantEase: Behdin et al. 2023, algorithm 1): each element in turn moves to the value of its grid
/// that is best while all others stay, until nothing moves or `sweeps` are done. `rounded` must lie on the grid. No
/// channel's error ever grows. Returns by how much the sum over channels fell. The same for any number of threads.
Result<double> descend(const LayerMatrix& matrix, const quant::Encoding& encoding, const SecondMoments& inputs,
    const std::vector<HessianFactor>& factors, const Tensor& wanted, Tensor& rounded, int sweeps, int threads,
    const base::Job& job = {});

struct AdaptiveRoundingOptions {
    int sweeps = 20; ///< at most
    double damping = 0.01; ///< times the mean of the Hessian's diagonal
    SamplingLimits limits = {};
};

/// compensateWeights(), then the scale of every channel (of the tensor, where it has one scale) out of a few around the
/// plan's that leaves the smallest output error, then coordinate descent. Scales that are powers of two stay. Layer by
/// layer, in the network as quantized so far. Errors as there.
Result<CorrectedPlan> roundAdaptively(const CorrectionData& data, const quant::QuantizationPlan& plan,
    const AdaptiveRoundingOptions& options = {}, const base::Job& job = {});

} // namespace quantoscope::planning
