// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/json.h"
#include "core/sweep/options_study.h"
#include "core/sweep/search.h"
#include "core/sweep/sensitivity.h"
#include "core/sweep/sweep.h"

/// Studies as documents, the same whoever runs them: what was found, and everything that decided it. What the other
/// studies found is said beside them.
namespace quantoscope::sweep {

Json toJson(const SweepPoint& point);
/// `images`, `float{}`, `points[]{weight_bits, activation_bits, top1, top1_ci95, delta_top1, cost{}}`, `trend{}`: the
/// trend with at most `drop` points of top-1 lost.
Json toJson(const SweepResult& result, double drop);
/// Of each correction: what it was, what became of it.
Json toJson(const std::vector<flow::CorrectionOutcome>& outcomes);

/// What decides the figures, except for model, data and seed; the same for every shard.
Json settingsOf(const GridOptions& options);
Json settingsOf(const SensitivityOptions& options);
Json settingsOf(const SearchOptions& options);
Json settingsOf(const OptionsStudySettings& settings);

} // namespace quantoscope::sweep
