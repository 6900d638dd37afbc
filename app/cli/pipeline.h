// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "app/cli/energy_option.h"
#include "app/cli/options.h"
#include "app/cli/report.h"
#include "core/base/progress.h"
#include "core/calibration/range_confidence.h"
#include "core/dataset/preprocessing.h"
#include "core/evaluation/evaluator.h"
#include "core/flow/quantizer.h"
#include "core/graph/graph.h"
#include "core/project/project.h"
#include "core/quant/plan.h"

namespace quantoscope::cli {

using RangeConfidences = std::map<std::string, calibration::RangeConfidence, std::less<>>;

/// The way from files to a plan that the commands share: model -> prepared graph -> samples -> quantized network. Each
/// step says in the report what it did.
class Pipeline {
public:
    Pipeline(const CommonOptions& common, const base::Job& job, Report& report);

    Result<void> openModel(const GraphOptions& options);
    /// The evaluation samples, if --data was given.
    Result<void> openData(const DataOptions& options);
    /// Like openData(), for commands that measure accuracy: labels are needed.
    Result<void> openLabelledData(const DataOptions& options);
    /// What turns requests into networks; with the calibration images if `needsImages`.
    Result<const flow::Quantizer*> openQuantizer(
        const QuantizationOptions& options, const DataOptions& data, bool needsImages);
    /// Says so where statistics of the calibration images were at hand.
    void reportStatistics();
    /// How sure the plan's ranges are that were found on the calibration images; empty without those.
    Result<RangeConfidences> rangeConfidences(const quant::QuantizationPlan& plan) const;
    /// The calibration images without running them.
    Result<void> openCalibrationData(const DataOptions& options);
    /// The plan in --plan, or that of a quantized model, with what the options change; otherwise the one the options
    /// make. With the encodings of --encodings; written to --save-plan.
    Result<quant::PlanPtr> makePlan(
        const QuantizationOptions& options, const DataOptions& data, const PlanFileOptions& files);

    /// Puts what the report holds into the project, if there is one, and says how much of the work was found there.
    /// `settings` is all that the command was asked for.
    Result<void> keepStudy(const std::string& command, const Json& settings, bool complete = true);

    /// How to evaluate: on as many threads as wished, in the arithmetic of --engine, results kept in the project.
    evaluation::EvaluationOptions evaluation(const QuantizationOptions& quantization) const;
    /// As EnergyOption::model(), with this project.
    Result<cost::EnergyModel> energyModel(const EnergyOption& option) const { return option.model(m_project.get()); }
    const graph::Model& model() const { return *m_model; }
    /// What the quantizers of the file do; null for a float model.
    const quant::PlanPtr& filePlan() const { return m_filePlan; }
    const flow::GraphPtr& floatGraph() const { return m_graph; } ///< as prepared
    /// The graph that the plan is for: the prepared one, equalized where the plan says so.
    const graph::Graph& graph() const { return m_planGraph ? *m_planGraph : *m_graph; }
    const dataset::SampleSetPtr& samples() const { return m_samples; }
    const dataset::SampleSetPtr& calibrationSamples() const { return m_calibrationSamples; }

private:
    Result<void> addSource(const std::string& role, const dataset::SampleSet& samples, const DataOptions& options);
    Result<dataset::DatasetPtr> openDataset(const std::string& path, const DataOptions& options, bool labelled) const;
    Result<dataset::SampleSetPtr> loadSamples(const dataset::DatasetPtr& dataset,
        const dataset::Preprocessing& preprocessing, std::vector<std::int64_t> indices) const;
    Result<void> choosePreprocessing(const DataOptions& options);
    std::string describeCalibration(bool own) const;
    Result<flow::QuantizedNetwork> newPlan(const QuantizationOptions& options, const DataOptions& data);
    Result<flow::QuantizedNetwork> savedPlan(
        const QuantizationOptions& options, const DataOptions& data, quant::QuantizationPlan saved);
    Result<flow::QuantizedNetwork> startingPlan(
        const QuantizationOptions& options, const DataOptions& data, const PlanFileOptions& files);
    /// `isNew`: the plan is what the options ask for.
    Result<void> takeEncodings(const QuantizationOptions& options, bool isNew, flow::QuantizedNetwork& network);

    const CommonOptions& m_common;
    base::Job m_job;
    Report& m_report;
    project::ProjectPtr m_project; ///< null: nothing is kept
    std::shared_ptr<const graph::Model> m_model;
    flow::GraphPtr m_graph;
    quant::PlanPtr m_filePlan; ///< of a model that was quantized already; null: it is float
    flow::GraphPtr m_planGraph;
    std::shared_ptr<calibration::StatsCache> m_statsCache;
    std::unique_ptr<flow::Quantizer> m_quantizer;
    std::optional<dataset::Preprocessing> m_preprocessing;
    dataset::SampleSetPtr m_samples;
    dataset::SampleSetPtr m_calibrationSamples;
};

} // namespace quantoscope::cli
