// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/flow/best_flow.h"
#include "core/flow/correction.h"

/// What became of corrections, as members of the JSON documents and as tables.
namespace quantoscope::cli {

/// [{name, kept, agreement_before, agreement_after, divergence_before, divergence_after, dropped_layers, kept_layers,
/// reason}];
/// figures are null where nothing was held back, agreements where the network does not classify.
Json toJson(const std::vector<flow::CorrectionOutcome>& outcomes);
std::string describe(const std::vector<flow::CorrectionOutcome>& outcomes);

/// {steps[]{stage, choice, agreement, divergence, chosen}, agreement_plain, agreement_best}
Json toJson(const flow::BestFlow& best);
std::string describe(const flow::BestFlow& best);

} // namespace quantoscope::cli
