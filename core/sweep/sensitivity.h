// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/base/progress.h"
#include "core/cost/cost.h"
#include "core/dataset/preprocessing.h"
#include "core/evaluation/evaluator.h"
#include "core/flow/quantizer.h"
#include "core/planning/request.h"
#include "core/sweep/sensitivity_ranking.h"
#include "core/sweep/sensitivity_units.h"
#include "core/sweep/shard.h"
#include "core/sweep/sweep.h"

namespace quantoscope::sweep {

/// Guesses at the harm a quantizer does that need no label and little computing. The larger the worse.
enum class Estimate {
    Divergence, ///< mean Kullback-Leibler divergence of the class probabilities from float's, nats
    LogitError, ///< mean squared difference of the logits
    SecondOrder, ///< relativeOutputErrors(): runs no quantized network at all
    Noise, ///< of the tensor itself, relative to its power: 10^(-SQNR / 10)
};
constexpr std::array allEstimates { Estimate::Divergence, Estimate::LogitError, Estimate::SecondOrder,
    Estimate::Noise };
std::string toString(Estimate estimate); ///< "kl", "logit-mse", "second-order", "noise"
Result<Estimate> parseEstimate(const std::string& text);

/// What one unit at one word-length does to the network when everything else stays float.
struct SensitivityPoint {
    std::size_t unit = 0; ///< into SensitivityResult::units
    int bits = 0;
    quant::PlanPtr plan = {}; ///< that quantizes this unit alone
    cost::Cost cost = {}; ///< of that network, without the layer list
    double sqnrDb = 0; ///< of the quantized tensor, on the calibration images; infinite if exact
    std::array<double, allEstimates.size()> estimates {}; ///< in the order of allEstimates; NaN: there is none

    /// On the labelled images.
    struct Measured {
        double top1 = 0; ///< percent
        double loss = 0;
        evaluation::Interval top1Interval;
        evaluation::PairedComparison againstFloat;
    };
    std::optional<Measured> measured = {}; ///< empty if only estimates were asked for

    double estimate(Estimate which) const { return estimates[static_cast<std::size_t>(which)]; }
};

/// How far an estimate puts units into the order that the measured drop of accuracy has.
struct EstimateTrust {
    Estimate estimate = Estimate::Divergence;
    std::optional<quant::Role> role; ///< empty: weights and activations together
    std::optional<int> bits; ///< empty: all word-lengths together
    RankCorrelation correlation;
};

struct SensitivityResult {
    std::string scope; ///< what was quantized and how
    std::string data; ///< labelled images; empty if nothing was measured
    std::string estimatedOn; ///< calibration images
    evaluation::EvaluationResultPtr floatResult; ///< null if nothing was measured
    std::vector<QuantizedUnit> units;
    std::vector<SensitivityPoint> points; ///< by unit, then by word-length as asked for
    std::vector<EstimateTrust> trust; ///< empty if nothing was measured
    std::vector<std::string> notes;
    std::int64_t asked = 0; ///< points that there are once it is complete
    bool complete = true; ///< false: cancelled, points are those finished
};
using SensitivityResultPtr = std::shared_ptr<const SensitivityResult>;

struct SensitivityOptions {
    std::vector<int> weightBits; ///< word-lengths to try; empty: weights are not looked at
    std::vector<int> activationBits; ///< likewise
    /// Everything but the word-lengths. Ranges, schemes and the like of single layers count.
    planning::PlanRequest request;
    /// What to do with word-lengths that the request gives single layers, by overrides or as first and last. False:
    /// they do not matter, as a unit is looked at alone; every one is tried at every word-length, also those that the
    /// request leaves float. True: such a unit is tried at its own word-length only, and not at all if that is float.
    bool keepOwnBits = false;
    bool measure = true; ///< false: estimates only
    cost::EnergyModel energy = cost::defaultEnergyModel();
    Shard shard = {}; ///< which of the points, numbered as in SensitivityResult, to try
    evaluation::EvaluationOptions evaluation;
    std::function<void(const SensitivityPoint&, const QuantizedUnit&)> onPoint; ///< on the calling thread
};

/// `request` without the word-lengths of single layers, whose ranges, schemes and the like stay.
planning::PlanRequest withoutOwnBits(planning::PlanRequest request);

/// Quantizes each layer's weight and each activation alone at each word-length. The unit is quantized as in the network
/// whose weights (or activations) all have that word-length, corrections included, and everything else is float.
/// `samples` may be null if nothing is measured. Cancelled: what is finished is returned with complete == false; the
/// Cancelled error only if no point is. Progress in images. Errors: as flow::Quantizer::quantize() and
/// evaluation::evaluate(); InvalidInput without calibration images, word-lengths or units.
Result<SensitivityResult> runSensitivity(const flow::Quantizer& quantizer, const dataset::SampleSet* samples,
    const SensitivityOptions& options, const base::Job& job = {}, evaluation::EvaluationResultPtr floatResult = {});

/// Rank correlations of every estimate with the measured drop of top-1: for weights, activations and both, over all
/// word-lengths together and for each.
std::vector<EstimateTrust> rankEstimates(const SensitivityResult& result);

/// A sentence on which estimate to trust how far.
std::string describeTrust(const SensitivityResult& result);

/// One line a point under a comment with scope and data; see the header line for the columns.
std::string toCsv(const SensitivityResult& result);
/// `layers[]{name, kind, bits, top1, delta_top1, sqnr_db, ...}`, `trust[]`, and what is around them.
Json toJson(const SensitivityResult& result);

} // namespace quantoscope::sweep
