// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/progress.h"
#include "core/calibration/stats.h"
#include "core/cost/cost.h"
#include "core/dataset/preprocessing.h"
#include "core/evaluation/evaluator.h"
#include "core/evaluation/racing.h"
#include "core/flow/best_flow.h"
#include "core/flow/quantizer.h"
#include "core/graph/graph.h"
#include "core/planning/request.h"
#include "core/sweep/shard.h"

namespace quantoscope::sweep {

using Bits = std::optional<int>; ///< empty: float

/// "2..8,float" -> 2, 3, ..., 8, float. Errors on anything outside 2..16.
Result<std::vector<Bits>> parseBits(const std::string& text);
std::string toString(Bits bits); ///< "4", "float"
std::string toString(const std::vector<Bits>& bits); ///< "{2..8, float}"

/// One configuration of a word-length grid.
struct SweepPoint {
    Bits weightBits;
    Bits activationBits;
    std::int64_t images = 0;
    double top1 = 0;
    double top5 = 0;
    double loss = 0;
    evaluation::Interval top1Interval; ///< percent
    evaluation::PairedComparison againstFloat;
    cost::Cost cost; ///< without the layer list
    quant::PlanPtr plan;
    std::vector<flow::CorrectionOutcome> corrections;
    std::vector<std::int32_t> predictions; ///< of every image; -1 for one that was not run
    bool stoppedEarly = false; ///< it certainly loses more than it may: `images` are fewer than the data has
};

struct SweepResult {
    std::string scope; ///< what was quantized and how, for the chart's caption
    std::string data; ///< data and pre-processing
    evaluation::EvaluationResultPtr floatResult;
    /// The grid that was asked for, which points may be missing of; empty: that of the points.
    std::vector<Bits> weightBits {};
    std::vector<Bits> activationBits {};
    std::vector<SweepPoint> points; ///< weight bits outer, activation bits inner; those finished if cancelled
    bool complete = true;
};

struct GridOptions {
    std::vector<Bits> weightBits;
    std::vector<Bits> activationBits;
    planning::PlanRequest request; ///< everything but the two word-lengths
    std::optional<flow::FixedOptions> best; ///< every point with the best flow for it, these options fixed
    cost::EnergyModel energy = cost::defaultEnergyModel();
    /// Gives points up before all images are run that certainly lose more; empty: every point is measured on all.
    std::optional<evaluation::Racing> racing {};
    Shard shard; ///< which of the points, numbered as in SweepResult, to evaluate
    evaluation::EvaluationOptions evaluation; ///< with a store, each point is kept before onPoint() tells of it
    std::function<void(const SweepPoint&)> onPoint; ///< each finished point, on the calling thread
};

/// Evaluates the grid, float first (unless `floatResult` is given). On cancellation what is finished is returned with
/// complete == false; the Cancelled error only if not even float is. Progress counts images over all points. A point
/// that quantizes nothing takes the float result over. Errors: as flow::Quantizer::quantize() and evaluate();
/// InvalidInput for an empty grid.
Result<SweepResult> runGrid(const flow::Quantizer& quantizer, const dataset::SampleSet& samples,
    const GridOptions& options, const base::Job& job = {}, evaluation::EvaluationResultPtr floatResult = {});

/// The grid as CSV: weight_bits,activation_bits,images,top1,top1_low,top1_high,delta_top1,delta_low,delta_high,p_value,
/// agreement,size_bytes,bops,energy_pj. First line: a comment with scope and data.
std::string toCsv(const SweepResult& result);

} // namespace quantoscope::sweep
