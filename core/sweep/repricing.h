// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/cost/energy.h"
#include "core/graph/graph.h"
#include "core/sweep/options_study.h"
#include "core/sweep/search.h"
#include "core/sweep/sensitivity.h"
#include "core/sweep/sweep.h"

/// Finished studies with what their networks cost under another energy model; nothing is run again. `graph` is the
/// prepared network of the study. Accuracies, estimates and what was left out stay as they are. Safe on any thread.
namespace quantoscope::sweep {

SweepResult repriced(SweepResult result, const graph::Graph& graph, const cost::EnergyModel& energy);
OptionsStudy repriced(OptionsStudy study, const graph::Graph& graph, const cost::EnergyModel& energy);
SensitivityResult repriced(SensitivityResult result, const graph::Graph& graph, const cost::EnergyModel& energy);
/// A search within a budget of energy stays as it is: it answered what to choose under the model it was asked with.
SearchResult repriced(SearchResult result, const graph::Graph& graph, const cost::EnergyModel& energy);

} // namespace quantoscope::sweep
