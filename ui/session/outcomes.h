// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "ui/session/state.h"

/// What became of corrections, in words.
namespace quantoscope::ui {

/// A correction that can be switched: its word in quant::correctionTexts() and where a request has it.
struct CorrectionSwitch {
    std::string_view word;
    bool planning::Corrections::*member;
};
std::span<const CorrectionSwitch> correctionSwitches(); ///< in the order in which they are applied

QString correctionName(std::string_view word);
const flow::CorrectionOutcome* findOutcome(
    std::span<const flow::CorrectionOutcome> outcomes, std::string_view word); ///< nullptr: not tried
/// "agreement 93 → 47 %", "agreement unchanged (93 %)", for networks that do not classify the divergence.
QString fidelityChange(const flow::CorrectionOutcome& outcome);
/// "kept, agreement 88.2 → 90.2 %", "dropped: agreement 93 → 47 %", "in effect in 25 of 200 layers, agreement …"
QString outcomeText(const flow::CorrectionOutcome& outcome);
QString outcomeMark(const flow::CorrectionOutcome& outcome); ///< a sign for kept, kept in part and dropped
QString outcomeTip(const flow::CorrectionOutcome& outcome); ///< the reason, and every layer it was undone in

/// "compensation, bias correction"; empty: none was kept.
QString keptCorrections(std::span<const flow::CorrectionOutcome> outcomes);
QString droppedCorrections(std::span<const flow::CorrectionOutcome> outcomes);

} // namespace quantoscope::ui
