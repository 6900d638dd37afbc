// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "app/cli/options.h"
#include "app/cli/report.h"
#include "core/base/progress.h"
#include "core/calibration/stats.h"
#include "core/dataset/preprocessing.h"
#include "core/graph/graph.h"
#include "core/planning/plan_builder.h"
#include "core/quant/plan.h"

namespace quantoscope::cli {

/// The way from files to a plan that the commands share: model -> prepared graph -> samples -> statistics -> plan. Each
/// step says in the report what it did.
class Pipeline {
public:
    Pipeline(const CommonOptions& common, const base::Job& job, Report& report);

    Result<void> openModel(const GraphOptions& options);
    /// The evaluation samples, if --data was given.
    Result<void> openData(const DataOptions& options);
    /// Like openData(), for commands that measure accuracy: labels are needed.
    Result<void> openLabelledData(const DataOptions& options);
    /// Statistics of the calibration images, if `needed`: activations are quantized.
    Result<void> calibrate(const DataOptions& options, bool needed);
    /// The calibration images without running them.
    Result<void> openCalibrationData(const DataOptions& options);
    /// The plan in --plan with what the options change, or the one the options make; written to --save-plan.
    Result<quant::PlanPtr> makePlan(
        const QuantizationOptions& options, const DataOptions& data, const PlanFileOptions& files);

    const graph::Model& model() const { return *m_model; }
    const graph::Graph& graph() const { return *m_graph; }
    const dataset::SampleSetPtr& samples() const { return m_samples; }
    const dataset::SampleSetPtr& calibrationSamples() const { return m_calibrationSamples; }
    const calibration::CalibrationStats* stats() const { return m_stats.get(); }

private:
    Result<dataset::DatasetPtr> openDataset(const std::string& path, const DataOptions& options, bool labelled) const;
    Result<dataset::SampleSetPtr> loadSamples(const dataset::DatasetPtr& dataset,
        const dataset::Preprocessing& preprocessing, std::vector<std::int64_t> indices) const;
    Result<void> choosePreprocessing(const DataOptions& options);
    std::string describeCalibration(bool own) const;
    Result<planning::BuiltPlan> newPlan(const QuantizationOptions& options, const DataOptions& data);
    Result<planning::BuiltPlan> savedPlan(
        const QuantizationOptions& options, const DataOptions& data, const std::string& file);

    const CommonOptions& m_common;
    base::Job m_job;
    Report& m_report;
    std::shared_ptr<const graph::Model> m_model;
    std::shared_ptr<const graph::Graph> m_graph;
    std::optional<dataset::Preprocessing> m_preprocessing;
    dataset::SampleSetPtr m_samples;
    dataset::SampleSetPtr m_calibrationSamples;
    calibration::CalibrationStatsPtr m_stats;
};

/// Whether a request quantizes activations, so that statistics are needed.
bool needsStatistics(const planning::PlanRequest& request);

} // namespace quantoscope::cli
