// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/progress.h"
#include "core/evaluation/fidelity.h"
#include "core/planning/corrections.h"
#include "core/planning/transforms/transforms.h"
#include "core/quant/plan.h"

namespace quantoscope::flow {

/// A change to a finished plan that is meant to bring the network closer to float.
struct Correction {
    std::string name; ///< a word of quant::correctionTexts()
    std::function<Result<planning::CorrectedPlan>(
        const planning::CorrectionData& data, const quant::QuantizationPlan& plan, const base::Job& job)>
        apply;
};

/// The corrections of plans (not of graphs) that `wanted` asks for, in the order in which they are applied: rounding
/// first, then gain, then bias; reconstruction, which takes the place of all of them, last.
std::vector<Correction> correctionsFor(const planning::Corrections& wanted);

/// One correction that was tried, and what became of it.
struct CorrectionOutcome {
    std::string correction; ///< a word of quant::correctionTexts(): "compensate", "bias-correction"
    bool kept = false; ///< everywhere but in droppedLayers
    evaluation::Fidelity before = {}; ///< on the held-back calibration images
    evaluation::Fidelity after = {}; ///< with the correction where it is kept; if it is not, with it everywhere
    std::vector<std::string> droppedLayers = {}; ///< layers it was undone in while kept in the others
    std::string reason = {}; ///< one sentence
    int keptLayers = 0; ///< layers it is in effect in; 0 where it was undone in none, or not known

    /// "bias correction: kept, agreement 88.2 -> 90.2 %"
    std::string describe() const;
};

} // namespace quantoscope::flow
