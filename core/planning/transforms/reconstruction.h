// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/error.h"
#include "core/base/progress.h"
#include "core/planning/transforms/transforms.h"
#include "core/planning/transforms/weight_correction.h"
#include "core/quant/plan.h"

namespace quantoscope::planning {

struct ReconstructionOptions {
    int sweeps = 0; ///< of coordinate descent after rounding, at most
    bool gain = true; ///< outputs get the spread they have in the float network back
    double damping = 0.01; ///< times the mean of the Hessian's diagonal
    SamplingLimits limits = {};
};

/// Layer by layer, weights and bias are fitted to what the layer puts out in the float network, from what it reads in
/// the network as quantized so far (fitLayer(): ridge regression whose strength is chosen on every fifth image, which
/// the fit does not see; where none helps, or there are not five images, the weights stay and only the bias moves). The
/// fitted weights get the scale, out of a few around the plan's, that leaves the smallest output error, and are rounded
/// as compensateWeights() does; then restoreGain() with exponent 1/2, and the bias that makes mean outputs right. Takes
/// the place of compensation, adaptive rounding, gain and bias correction, and starts from the graph's own weights
/// whatever the plan has. Where the layer's output is only added to a value that is there before, the aim is what makes
/// the sum the float network's: errors of the other part are made up for as far as the layer's inputs tell of them. No
/// label is looked at. Scales that are powers of two stay; layers whose bias cannot be moved are only rounded. Errors:
/// as compensateWeights().
Result<CorrectedPlan> reconstructWeights(const CorrectionData& data, const quant::QuantizationPlan& plan,
    const ReconstructionOptions& options = {}, const base::Job& job = {});

} // namespace quantoscope::planning
