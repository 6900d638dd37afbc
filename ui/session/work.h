// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <span>

#include "core/base/error.h"
#include "core/base/progress.h"
#include "ui/session/state.h"

/// What jobs compute for the session. Plain functions without Qt objects; safe on any thread.
namespace quantoscope::ui {

/// Reads and prepares a model and describes its layers.
Result<LoadedModelPtr> loadModel(const std::filesystem::path& path, const base::Job& job = {});

/// The same for a model that was read before.
Result<LoadedModelPtr> prepareModel(
    std::shared_ptr<const graph::Model> source, const QString& name, bool foldBatchNorm, const base::Job& job = {});

/// Opens and decodes evaluation and calibration images.
Result<LoadedDataPtr> loadData(const DataRequest& request, const base::Job& job = {});

/// Builds the plan and measures what it does to every tensor. Without statistics activations are left float. Layers
/// whose quantizers are those of `previous` (may be null, must be of the same model) are taken from there.
Result<AnalysisPtr> analyse(const LoadedModel& model, const calibration::CalibrationStats* stats,
    const planning::PlanRequest& request, const Analysis* previous, const base::Job& job = {});

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

} // namespace quantoscope::ui
