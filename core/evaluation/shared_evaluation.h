// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "core/base/error.h"
#include "core/base/progress.h"
#include "core/calibration/shared_feed.h"
#include "core/evaluation/evaluator.h"

namespace quantoscope::evaluation {

using calibration::Network;

/// Told of a network's result when it is finished and, with a store, kept; on the calling thread.
using ResultCallback = std::function<void(std::size_t network, const EvaluationResultPtr& result)>;

/// What evaluate() says of each network, bit for bit, in their order. What networks have in common up to where they
/// first differ is computed once, images outer and networks inner (see engine::ProgramFamily); such networks are
/// finished together. Networks whose results are in options.store are not run. options.batch must be chosen and
/// options.partOfStage holds; onPartial is not told. Progress in images of all networks together. Errors: as
/// evaluate(); what `onResult` was told of before stays.
Result<std::vector<EvaluationResultPtr>> evaluateAll(std::span<const Network> networks,
    const dataset::SampleSet& samples, const EvaluationOptions& options, const base::Job& job = {},
    const ResultCallback& onResult = {});

} // namespace quantoscope::evaluation
