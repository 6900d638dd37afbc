// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/planning/transforms/reconstruction.h"

namespace quantoscope::planning {

Result<CorrectedPlan> reconstructWeights(const CorrectionData& data, const quant::QuantizationPlan& plan,
    const ReconstructionOptions& options, const base::Job& job)
{
    WeightCorrection correction;
    correction.reconstruct = true;
    correction.refineScales = true;
    correction.sweeps = options.sweeps;
    correction.gain = options.gain;
    correction.bias = true;
    correction.damping = options.damping;
    correction.limits = options.limits;
    return correctWeights(data, plan, correction, job);
}

} // namespace quantoscope::planning
