// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/base/error.h"
#include "core/base/progress.h"
#include "core/evaluation/evaluator.h"

namespace quantoscope::evaluation {

/// When to give a network up before all images have been run.
struct Racing {
    double drop = 1; ///< points of top-1 that it may lose against float
    friend bool operator==(const Racing&, const Racing&) = default;
};

/// What came of a network in a race.
struct RacedResult {
    EvaluationResultPtr result; ///< of the images that were run, in the order of the samples
    std::vector<std::int64_t> positions; ///< which those are, ascending
    bool stopped = false; ///< before all were run
};

/// Images after which the race looks at how things stand: 128 and every doubling, below `images`.
std::vector<std::int64_t> looksOf(std::int64_t images);

/// Whether the network certainly loses more than the drop, from `onlyFloat` images of `images` that only float gets
/// right and `onlyNetwork` that only the network does: the paired difference in top-1 lies more than 3.5 standard
/// errors (and the half image that a count can be off) beyond it. A network that keeps to the drop is given up by
/// chance with less than 0.03 % a look. Never from fewer than ten images that differ.
bool isHopeless(std::int64_t images, std::int64_t onlyFloat, std::int64_t onlyNetwork, const Racing& racing);

/// evaluate() that stops as soon as isHopeless() at one of looksOf(). Images in the order of imageOrder(), so that
/// those run stand for all; a network that is not stopped has the result that evaluate() has. That result is kept in
/// options.store, one that was stopped is not. `floatResult` is of all samples. The same for any number of threads.
/// Progress in images, all of them also where it stops. Errors: as evaluate().
Result<RacedResult> race(const graph::Graph& graph, const quant::QuantizationPlan& plan,
    const dataset::SampleSet& samples, const EvaluationResult& floatResult, const Racing& racing,
    const EvaluationOptions& options, const base::Job& job = {});

} // namespace quantoscope::evaluation
