// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/base/progress.h"
#include "core/cost/cost.h"
#include "core/dataset/preprocessing.h"
#include "core/evaluation/evaluator.h"
#include "core/flow/quantizer.h"
#include "core/planning/request.h"
#include "core/sweep/search_budget.h"
#include "core/sweep/search_groups.h"
#include "core/sweep/sensitivity.h"
#include "core/sweep/shard.h"
#include "core/sweep/sweep.h"

namespace quantoscope::sweep {

struct SearchOptions {
    std::vector<int> weightBits; ///< word-lengths to choose from, ascending, not empty
    std::vector<int> activationBits;
    /// Everything but the word-lengths. What its overrides, or first and last layer, fix stays fixed.
    planning::PlanRequest request;
    Budget budget;
    Price minimize = Price::Bops; ///< what a budget of accuracy is to be cheap in
    Estimate estimate = Estimate::Divergence; ///< what harm of units alone is summed up
    int refinements = 3; ///< rounds at most in which the harm is estimated anew around the best assignment so far
    bool uniform = true; ///< measure uniform word-lengths beside, and look for mixed ones at their prices
    cost::EnergyModel energy = cost::defaultEnergyModel();
    /// Of several parts, each does its share of what needs nothing else to be known: the harms of units alone and the
    /// uniform word-lengths. The whole search then finds those where they were kept, and does the rest.
    Shard shard;
    evaluation::EvaluationOptions evaluation;
    std::function<void(const struct SearchPoint&)> onPoint; ///< each measured point, on the calling thread
};

/// One network: word-lengths, what they cost, and what was measured of them.
struct SearchPoint {
    enum class Origin {
        Uniform, ///< all weights and all activations alike
        Sum, ///< the least sum of the harms of units alone
        Refined, ///< from there by the harms around it
    };
    Origin origin = Origin::Sum;
    std::optional<std::pair<int, int>> uniform; ///< word-lengths of weights and activations, of uniform ones
    Assignment bits; ///< of SearchResult::units
    double allowed = 0; ///< price it was to stay below; its own for uniform ones
    cost::Cost cost; ///< without the layer list
    double price = 0;

    /// Estimated, on calibration images and without labels; never an accuracy.
    double estimatedDamage = 0; ///< sum over units
    double bound = 0; ///< no assignment at this price has a smaller sum; 0 for uniform ones
    bool provenBest = false; ///< the sum is the least
    double divergence = 0; ///< of this very network from float, nats: what points are chosen by

    /// Measured on the labelled images.
    std::int64_t images = 0;
    double top1 = 0;
    double top5 = 0;
    double loss = 0;
    evaluation::Interval top1Interval;
    evaluation::PairedComparison againstFloat;
    std::vector<evaluation::ImageOutcome> outcomes;

    quant::PlanPtr plan;
    flow::GraphPtr graph;
    std::vector<flow::CorrectionOutcome> corrections;

    std::string label() const; ///< "W4 A8", "mixed", "mixed, refined"
};

/// A uniform configuration and the mixed one that may take its place.
struct Replacement {
    std::size_t uniform = 0; ///< into SearchResult::points
    std::size_t mixed = 0;
    evaluation::PairedComparison comparison; ///< top-1 of the mixed one less that of the uniform one, same images
    double pCorrected = 1; ///< of comparison, corrected after Holm for all replacements of the list it stands in
};

struct SearchResult {
    std::string scope;
    std::string data;
    std::string estimatedOn;
    Budget budget;
    Price price = Price::Size; ///< what the front is drawn over
    double allowed = 0; ///< the budget as a price; of a drop: the price of what was chosen
    evaluation::EvaluationResultPtr floatResult;
    cost::Cost floatCost;
    std::vector<QuantizedUnit> units;
    std::vector<SearchPoint> points; ///< all that were measured
    std::vector<std::size_t> front; ///< points that none is both cheaper and more accurate than, as measured; by price
    std::optional<std::size_t> chosen; ///< the answer; empty if nothing keeps to the budget
    /// At each uniform configuration's price or below: the mixed one that is closest to float without labels.
    std::vector<Replacement> atEqualPrice;
    /// At each uniform configuration's measured accuracy or above: the cheapest mixed one.
    std::vector<Replacement> atEqualAccuracy;
    std::vector<std::string> notes;
    bool complete = true; ///< false: cancelled, what is there was finished
};
using SearchResultPtr = std::shared_ptr<const SearchResult>;

/// Looks for the word-lengths of every weight and activation that do least harm within a budget. The harm of each unit
/// alone (runSensitivity(), without labels) is taken to add up; which assignment has the least sum within a price is a
/// multiple-choice knapsack, solved exactly or with a bound. Its answer at the asked price is refined by running the
/// network on the calibration images: harms are estimated anew around it, one step of word-length up and down for every
/// unit, and the knapsack among those steps is solved again, as long as the network comes closer to float. Labels
/// decide nothing but whether a drop of accuracy is kept to and where to look further: a price's answer is the
/// assignment closest to float on the calibration images, and only then measured. Prices of uniform configurations are
/// searched as well, for the front; where such a configuration stays the closest to float at its price, or stands on
/// the front as measured, a refinement starts from it. The front is of all that was measured, uniform ones among it:
/// none of them is both cheaper and more accurate than a point of it. Cancelled: what is finished is returned with
/// complete == false; the Cancelled error only if no point is. Errors: as runSensitivity(); InvalidInput if even the
/// fewest bits cost more than the budget.
Result<SearchResult> runSearch(const flow::Quantizer& quantizer, const dataset::SampleSet& samples,
    const SearchOptions& options, const base::Job& job = {});

/// Sets front, atEqualPrice and atEqualAccuracy from the points.
void compareSearchPoints(SearchResult& result);

/// How far mixed word-lengths beat uniform ones as measured, in one sentence; empty if no uniform ones were.
std::string describeFront(const SearchResult& result);

/// One line a point under a comment with scope and data; see the header line for the columns.
std::string toCsv(const SearchResult& result);
/// `front[]{plan, top1, cost, ...}`, `front_in_words`, `chosen{}`, `points[]`, and what is around them.
Json toJson(const SearchResult& result);

} // namespace quantoscope::sweep
