// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/progress.h"
#include "core/evaluation/fidelity.h"
#include "core/flow/correction.h"
#include "core/quant/plan.h"

namespace quantoscope::flow {

/// A plan and how close it comes to float on the images held back.
struct JudgedPlan {
    quant::QuantizationPlan plan;
    evaluation::Fidelity fidelity;
};

struct GuardedCorrection {
    JudgedPlan judged; ///< after the correction, as far as it is kept
    CorrectionOutcome outcome;
    std::vector<std::string> notes; ///< what the correction said of itself, if it is kept
};

/// Applies corrections and keeps them only where they do not bring the network farther from float; see Quantizer.
class Guard {
public:
    static constexpr int defaultTrials = 24;

    /// `fitting` is what corrections are fitted to. At most `trials` partly corrected plans are run a correction.
    /// References must outlive the guard.
    Guard(const evaluation::FloatReference& reference, const planning::CorrectionData& fitting,
        int trials = defaultTrials);

    Result<JudgedPlan> judge(quant::QuantizationPlan plan, const base::Job& job) const;
    Result<GuardedCorrection> apply(const JudgedPlan& before, const Correction& correction, const base::Job& job) const;

private:
    Result<void> keepWhatHelps(const JudgedPlan& before, const Correction& correction,
        const planning::CorrectedPlan& corrected, GuardedCorrection& result, const base::Job& job) const;

    const evaluation::FloatReference& m_reference;
    const planning::CorrectionData& m_fitting;
    int m_trials;
};

} // namespace quantoscope::flow
