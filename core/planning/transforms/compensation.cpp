// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/planning/transforms/compensation.h"

namespace quantoscope::planning {

Result<CorrectedPlan> compensateWeights(const CorrectionData& data, const quant::QuantizationPlan& plan,
    const CompensationOptions& options, const base::Job& job)
{
    WeightCorrection correction;
    correction.gain = options.gain;
    correction.damping = options.damping;
    correction.limits = options.limits;
    return correctWeights(data, plan, correction, job);
}

} // namespace quantoscope::planning
