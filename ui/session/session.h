// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include <QObject>
#include <QUndoStack>

#include "ui/session/state.h"

namespace quantoscope::ui {

/// The one owner of what is being worked on. Holds values and tells of changes; computes nothing and starts nothing.
/// For the GUI thread alone: workers get the shared_ptr<const> they need.
class Session : public QObject {
    Q_OBJECT

public:
    explicit Session(QObject* parent = nullptr);

    const LoadedModelPtr& model() const { return m_model; }
    const LoadedDataPtr& data() const { return m_data; }
    const calibration::CalibrationStatsPtr& stats() const { return m_stats; }
    const planning::PlanRequest& request() const { return m_request; }
    const AnalysisPtr& analysis() const { return m_analysis; }
    /// The analysis if it belongs to request(); null while a newer one is being made.
    AnalysisPtr currentAnalysis() const;
    const evaluation::EvaluationResultPtr& floatResult() const { return m_floatResult; }
    const std::vector<Run>& runs() const { return m_runs; }
    const std::shared_ptr<const sweep::SweepResult>& sweep() const { return m_sweep; }
    const planning::PlanRequest& sweepRequest() const { return m_sweepRequest; }
    const Accuracy& accuracy() const { return m_accuracy; }
    int selectedLayer() const { return m_selectedLayer; } ///< -1: none
    const LayerInfo* selectedLayerInfo() const;
    QUndoStack& undoStack() { return m_undoStack; }

    /// A new model starts afresh: statistics, plan, results and edits go; data stay.
    void setModel(LoadedModelPtr model);
    void setData(LoadedDataPtr data); ///< statistics and results go
    void setStats(calibration::CalibrationStatsPtr stats);
    void setAnalysis(AnalysisPtr analysis);
    void setFloatResult(evaluation::EvaluationResultPtr result);
    void setAccuracy(Accuracy accuracy);
    void addRun(Run run);
    void setSweep(std::shared_ptr<const sweep::SweepResult> sweep, planning::PlanRequest request);
    void selectLayer(int index);

    /// Changes what is asked for, undoably. Edits in a row with the same non-empty `key` become one step.
    void edit(const planning::PlanRequest& request, const QString& text, const QString& key = {});
    void editBits(const std::vector<int>& layers, Operand operand, std::optional<int> bits);
    void editRange(int layer, Operand operand, std::optional<quant::RangeSpec> range);

signals:
    void modelChanged();
    void dataChanged();
    void statsChanged();
    void requestChanged();
    void analysisChanged();
    void floatResultChanged();
    void accuracyChanged();
    void runsChanged();
    void sweepChanged();
    void selectionChanged();

private:
    friend class RequestCommand;
    void applyRequest(const planning::PlanRequest& request);
    void forgetResults();

    LoadedModelPtr m_model;
    LoadedDataPtr m_data;
    calibration::CalibrationStatsPtr m_stats;
    planning::PlanRequest m_request;
    AnalysisPtr m_analysis;
    evaluation::EvaluationResultPtr m_floatResult;
    std::vector<Run> m_runs;
    std::shared_ptr<const sweep::SweepResult> m_sweep;
    planning::PlanRequest m_sweepRequest;
    Accuracy m_accuracy;
    int m_selectedLayer = -1;
    QUndoStack m_undoStack;
};

} // namespace quantoscope::ui
