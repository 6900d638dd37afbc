// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/error.h"
#include "core/base/progress.h"
#include "core/cost/accumulator.h"
#include "core/dataset/preprocessing.h"
#include "core/evaluation/evaluator.h"
#include "core/graph/graph.h"
#include "core/quant/plan.h"

namespace quantoscope::evaluation {

/// cost::accumulators() with what the sums came to over the first `images` samples (0: all): layer outputs of the
/// quantized network, before any activation, less a bias that is not quantized, in steps of s_x s_w. Final sums only:
/// on the way there a device may pass through larger ones, which the worst case covers. Empty where steps differ in a
/// way that leaves no common accumulator (activations quantized per channel) or a float bias is not one a channel. The
/// same numbers for any number of threads. Errors: as calibration::Feed::create(). Progress in images; cancellable.
Result<std::vector<cost::Accumulator>> observeAccumulators(const graph::Graph& graph,
    const quant::QuantizationPlan& plan, const dataset::SampleSet& samples, std::int64_t images = 0,
    const EvaluationOptions& options = {}, const base::Job& job = {});

} // namespace quantoscope::evaluation
