// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <functional>
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
#include "core/sweep/shard.h"
#include "core/sweep/sweep.h"

namespace quantoscope::sweep {

/// The choices to cross. An empty list stands for what `request` says.
struct OptionsStudySettings {
    std::vector<Bits> weightBits;
    std::vector<Bits> activationBits;
    std::vector<quant::RangeSpec> weightRanges;
    std::vector<quant::RangeSpec> activationRanges;
    std::vector<std::string> weightSchemes; ///< words of quant::schemeTexts()
    std::vector<std::string> activationSchemes;
    std::vector<bool> weightPerChannel;
    std::vector<bool> activationPerChannel;
    std::vector<planning::Corrections> corrections; ///< sets of them; the empty set is "none"
    planning::PlanRequest request; ///< all that is not crossed: scope, rounding, first and last layer
    cost::EnergyModel energy = cost::defaultEnergyModel();
    Shard shard; ///< which of the combinations worth planning, numbered in the order they are crossed, to measure
    evaluation::EvaluationOptions evaluation;
    std::function<void(const struct StudyRow&)> onRow; ///< each finished row, not ranked yet, on the calling thread

    /// How many combinations there are before any is left out.
    std::int64_t combinations() const;
};

/// One combination of options, measured.
struct StudyRow {
    planning::PlanRequest request; ///< all of it
    std::string weights; ///< "symmetric per channel, mse"; "float"
    std::string activations; ///< likewise
    std::string corrections; ///< "compensated, bias-corrected" as asked for; "none"
    std::vector<flow::CorrectionOutcome> outcomes; ///< what became of the corrections

    std::int64_t images = 0;
    double top1 = 0; ///< percent, as all below
    double top5 = 0;
    double loss = 0;
    evaluation::Interval top1Interval;
    evaluation::PairedComparison againstFloat;
    cost::Cost cost; ///< without the layer list
    quant::PlanPtr plan;
    std::vector<evaluation::ImageOutcome> predictions; ///< one an image

    /// Among the rows with the same word-lengths, 1 the best; equal top-1 is ordered by loss.
    int rank = 0;
    /// 1: not distinguishable from the best row of these word-lengths; 2: from the best of those that are; and so on.
    int tier = 0;
    double pAgainstBest = 1; ///< exact McNemar against the best of these word-lengths, corrected after Holm
    int beats = 0; ///< rows of these word-lengths that this one is significantly better than
    int beatenBy = 0;

    Bits weightBits() const { return request.weights.bits; }
    Bits activationBits() const { return request.activations.bits; }
    /// "symmetric per channel, mse | asymmetric, min-max | compensated": everything but the word-lengths.
    std::string label() const;
};

/// A combination that was not measured.
struct LeftOut {
    std::string what;
    std::string why;
};

struct OptionsStudy {
    std::string scope; ///< what the rows have in common
    std::string data; ///< data and pre-processing
    evaluation::EvaluationResultPtr floatResult;
    std::vector<StudyRow> rows; ///< word-lengths in the order asked for, within them by rank
    std::vector<LeftOut> leftOut;
    std::vector<std::string> notes;
    bool complete = true; ///< false: cancelled, rows are those finished
};
using OptionsStudyPtr = std::shared_ptr<const OptionsStudy>;

constexpr double studySignificance = 0.05; ///< family-wise, for the comparisons of one pair of word-lengths

/// Measures every combination on the same images, float first unless `floatResult` is given, and ranks those of the
/// same word-lengths. Statistics, equalized graphs and the float run are shared through `quantizer`. Combinations that
/// contradict themselves or cannot be planned are left out and listed; those that differ only in options of tensors
/// that stay float are measured once. All pairs of rows with the same word-lengths are compared by the exact McNemar
/// test; Holm's step-down method (1979) keeps the chance of any false difference among them below studySignificance.
/// Progress in images over all combinations. Cancelled: what is finished is ranked and returned with complete ==
/// false; the Cancelled error only if not even float is. Errors: as evaluation::evaluate(); InvalidInput if nothing
/// can be measured (says why of the first).
Result<OptionsStudy> runOptionsStudy(const flow::Quantizer& quantizer, const dataset::SampleSet& samples,
    const OptionsStudySettings& settings, const base::Job& job = {}, evaluation::EvaluationResultPtr floatResult = {});

/// Sets rank, tier, pAgainstBest, beats and beatenBy of all rows and brings them into order.
void rankRows(std::vector<StudyRow>& rows);

/// p-values corrected for their number after Holm (1979), in the order given.
std::vector<double> holm(std::vector<double> pValues);

/// One line a row under a comment with scope and data; see the header line for the columns.
std::string toCsv(const OptionsStudy& study);
/// `rows[]{range, granularity, scheme, corrections, weight_bits, activation_bits, top1, ...}` and what is around them.
Json toJson(const OptionsStudy& study);
/// A heading and a table for each pair of word-lengths, for a document.
std::string toMarkdown(const OptionsStudy& study);

} // namespace quantoscope::sweep
