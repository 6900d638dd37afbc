// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <span>

#include "core/base/error.h"
#include "core/base/progress.h"
#include "ui/session/state.h"

/// What jobs compute for the session. Plain functions without Qt objects; safe on any thread.
namespace quantoscope::ui {

/// Reads and prepares a model and describes its layers. A quantized one becomes its float network and a plan.
Result<LoadedModelPtr> loadModel(const std::filesystem::path& path, const base::Job& job = {});

/// The same for a model that was read before: `read` says what and from where.
Result<LoadedModelPtr> prepareModel(const LoadedModel& read, bool foldBatchNorm, const base::Job& job = {});

/// Opens and decodes evaluation and calibration images.
Result<LoadedDataPtr> loadData(const DataRequest& request, const base::Job& job = {});

/// Builds the plan, or changes `base` (may be null) to what the request asks for beyond it, and measures what it does
/// to every tensor. Without statistics activations are left float, or as `base` has them. Layers whose quantizers are
/// those of `previous` (may be null, must be of the same model) are taken from there.
Result<AnalysisPtr> analyse(const LoadedModel& model, const calibration::CalibrationStats* stats,
    const planning::PlanRequest& request, const quant::PlanPtr& base, const Analysis* previous,
    const cost::EnergyModel& energy = cost::defaultEnergyModel(), const base::Job& job = {});

/// The histogram of one output channel of a weight.
calibration::Histogram channelHistogram(const LayerInfo& layer, std::int64_t channel);
/// The values of one output channel.
std::vector<float> channelValues(const LayerInfo& layer, std::int64_t channel);

/// The word-lengths the request gives layer `index`, before any plan is built.
struct WishedBits {
    std::optional<int> weight;
    std::optional<int> activation;
    bool weightOverridden = false;
    bool activationOverridden = false;
};
WishedBits wishedBits(const planning::PlanRequest& request, std::span<const LayerInfo> layers, std::size_t index);

/// The request without what was set for this layer alone.
planning::PlanRequest withoutOwn(planning::PlanRequest request, const QString& layer);

/// `request` with another word-length for one operand of one layer; the default's makes the override disappear.
planning::PlanRequest withBits(
    planning::PlanRequest request, const QString& layer, Operand operand, std::optional<int> bits);
/// `request` with a range set by hand; empty goes back to the default's.
planning::PlanRequest withRange(
    planning::PlanRequest request, const QString& layer, Operand operand, std::optional<quant::RangeSpec> range);
/// The range set by hand, if any.
std::optional<quant::RangeSpec> manualRange(
    const planning::PlanRequest& request, const QString& layer, Operand operand);

/// `request` with a word-length for every layer that reads the unit, whatever it was before; empty: float.
planning::PlanRequest withUnitBits(
    planning::PlanRequest request, const sweep::QuantizedUnit& unit, std::optional<int> bits);

/// "W6 A8", "W6 A8 mixed", "float".
QString shortScope(const planning::PlanRequest& request);

/// A result with the names of what it was made from.
struct Evaluated {
    evaluation::EvaluationResultPtr result;
    RunKey key;
};
/// evaluation::evaluate(). `graphFingerprint` may be empty: not known.
Result<Evaluated> evaluate(const graph::Graph& graph, std::string graphFingerprint, const quant::QuantizationPlan& plan,
    const dataset::SampleSet& samples, const evaluation::EvaluationOptions& options, const base::Job& job);

/// Makes runs of the plans that a study has just evaluated: their results are found in the store.
struct StudyRuns {
    std::shared_ptr<const flow::Quantizer> quantizer;
    LoadedModelPtr model;
    LoadedDataPtr data;
    evaluation::EvaluationResultPtr floatResult;
    evaluation::EvaluationOptions options;
    cost::EnergyModel energy;

    /// Null for a plan that quantizes nothing. Errors: as evaluate().
    Result<std::shared_ptr<Run>> make(const planning::PlanRequest& request, const quant::PlanPtr& plan,
        const std::vector<flow::CorrectionOutcome>& corrections) const;
};

/// Word-lengths of the run from its request.
void describeBits(Run& run);
/// Sets the result of the float network on the same images, and the comparison with it, where a run of it is among
/// them.
void compareWithFloat(std::vector<Run>& runs);

} // namespace quantoscope::ui
