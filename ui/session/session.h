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
    const Wish& wish() const { return m_wish; }
    const planning::PlanRequest& request() const { return m_wish.request; }
    const quant::HardwareProfile& profile() const { return *m_wish.profile; }
    const AnalysisPtr& analysis() const { return m_analysis; }
    /// The analysis if it belongs to request(); null while a newer one is being made.
    AnalysisPtr currentAnalysis() const;
    /// The network with corrections if it belongs to request(); null while it is not made.
    CorrectedNetworkPtr currentCorrected() const;
    /// Errors of every tensor if they belong to request(); null while they are not measured.
    LayerErrorsPtr currentErrors() const;
    /// How sure the range of the selected layer's activations is; null while that is not known.
    ActivationConfidencePtr currentConfidence() const;
    const BestFlowPtr& bestFlow() const { return m_bestFlow; }
    const evaluation::EvaluationResultPtr& floatResult() const { return m_floatResult; }
    const std::vector<Run>& runs() const { return m_runs; }
    const std::shared_ptr<const sweep::SweepResult>& sweep() const { return m_sweep; }
    const planning::PlanRequest& sweepRequest() const { return m_sweepRequest; }
    const sweep::OptionsStudyPtr& optionsStudy() const { return m_optionsStudy; }
    const sweep::SensitivityResultPtr& sensitivity() const { return m_sensitivity; }
    const planning::PlanRequest& sensitivityRequest() const { return m_sensitivityRequest; } ///< what it was asked with
    const sweep::SearchResultPtr& search() const { return m_search; }
    const planning::PlanRequest& searchRequest() const { return m_searchRequest; }
    const FlipTracePtr& flipTrace() const { return m_flipTrace; } ///< of the image that was asked for last
    /// Of the model that was opened last, or could not be.
    const ModelCheckPtr& modelCheck() const { return m_modelCheck; }
    const DataPreviewPtr& dataPreview() const { return m_dataPreview; }
    /// Of the images that are open, where the float network does no better than guess; null: none is known.
    const DataVariantPtr& dataVariant() const { return m_dataVariant; }
    const RunComparisonPtr& runComparison() const { return m_runComparison; } ///< that was asked for last
    const Accuracy& accuracy() const { return m_accuracy; }
    int selectedLayer() const { return m_selectedLayer; } ///< -1: none
    const LayerInfo* selectedLayerInfo() const;
    const cost::EnergyModel& energyModel() const
    {
        return m_energyModel;
    } ///< what energies are made of, in this project
    Measure measure() const { return m_measure; } ///< what layers are coloured by, wherever they are drawn
    QUndoStack& undoStack() { return m_undoStack; }

    /// Takes up what was asked for in an earlier session, after setModel(). Nothing to undo.
    void restoreWish(Wish wish, const QString& layer);

    /// A new model starts afresh: statistics, plan, results and edits go; data stay.
    void setModel(LoadedModelPtr model);
    /// The same model prepared otherwise, undoably: runs and wishes for single layers stay with the one before.
    void replaceModel(LoadedModelPtr model, const QString& text);
    void setData(LoadedDataPtr data); ///< statistics and results go
    void setStats(calibration::CalibrationStatsPtr stats);
    void setAnalysis(AnalysisPtr analysis);
    void setCorrected(CorrectedNetworkPtr corrected);
    void setConfidence(ActivationConfidencePtr confidence);
    void setErrors(LayerErrorsPtr errors);
    /// What the search for the best flow found; its request becomes current, undoably.
    void adoptFlow(BestFlowPtr found);
    void setFloatResult(evaluation::EvaluationResultPtr result);
    void setAccuracy(Accuracy accuracy);
    /// In the place of a run of the same key and request, whose name it takes. Runs of an earlier session get its
    /// images.
    void addRun(Run run);
    void setRuns(std::vector<Run> runs);
    void renameRun(int index, const QString& name); ///< undoably
    void setSweep(std::shared_ptr<const sweep::SweepResult> sweep, planning::PlanRequest request);
    void setOptionsStudy(sweep::OptionsStudyPtr study);
    void setSensitivity(sweep::SensitivityResultPtr result, planning::PlanRequest request);
    void setSearch(sweep::SearchResultPtr result, planning::PlanRequest request);
    void setFlipTrace(FlipTracePtr trace);
    void setRunComparison(RunComparisonPtr comparison);
    void setDataPreview(DataPreviewPtr preview);
    void setModelCheck(ModelCheckPtr check);
    void setDataVariant(DataVariantPtr variant);
    void selectLayer(int index);
    void setMeasure(Measure measure);
    /// Another project's. Nothing to undo.
    void restoreEnergyModel(const cost::EnergyModel& model);
    /// Undoably; edits in a row become one step. Costs follow by setAnalysis() and its like.
    void editEnergyModel(const cost::EnergyModel& model);
    /// The same results at other prices, those of `runs` by position; what changed meanwhile is left alone.
    void setRunCosts(const std::vector<RunKey>& runs, const std::vector<cost::Cost>& costs);

    /// Changes what is asked for, undoably. Edits in a row with the same non-empty `key` become one step.
    void edit(const planning::PlanRequest& request, const QString& text, const QString& key = {});
    /// Word-lengths that the profile does not take are refused().
    void editBits(const std::vector<int>& layers, Operand operand, std::optional<int> bits);
    /// Gives these layers the options of all again; what a pattern over several layers says stays.
    void clearOwnSettings(const std::vector<int>& layers);
    void editRange(int layer, Operand operand, std::optional<quant::RangeSpec> range);
    /// Takes a finished plan as it is, undoably; what is asked for from then on are changes of it.
    void adoptPlan(quant::PlanPtr plan, const QString& text);
    /// Takes a hardware profile and the nearest request it allows, undoably; wish().notes says what had to change.
    void chooseProfile(const quant::HardwareProfile& profile);
    /// The nearest request that the profile allows.
    void fitProfile();

signals:
    void modelChanged();
    void modelReplaced(); ///< after modelChanged(), by replaceModel() or its undoing
    void dataChanged();
    void statsChanged();
    void requestChanged();
    void analysisChanged();
    void correctedChanged();
    void errorsChanged();
    void confidenceChanged();
    void bestFlowChanged();
    void refused(const QString& reason); ///< an edit that the profile does not allow
    void floatResultChanged();
    void accuracyChanged();
    void runsChanged();
    void sweepChanged();
    void optionsStudyChanged();
    void sensitivityChanged();
    void searchChanged();
    void flipTraceChanged();
    void runComparisonChanged();
    void dataPreviewChanged();
    void modelCheckChanged();
    void dataVariantChanged();
    void selectionChanged();
    void measureChanged();
    void energyModelChanged();

private:
    friend class RequestCommand;
    friend class ModelCommand;
    friend class RenameRunCommand;
    void applyWish(const Wish& wish);
    void applyModel(const LoadedModelPtr& model, const Wish& wish, const std::vector<Run>& runs);
    void tellOfModel();
    void forgetResults();
    void applyRunName(const RunKey& key, int index, const QString& name);
    void shareSamples(const Run& with);

    LoadedModelPtr m_model;
    LoadedDataPtr m_data;
    calibration::CalibrationStatsPtr m_stats;
    Wish m_wish;
    AnalysisPtr m_analysis;
    CorrectedNetworkPtr m_corrected;
    LayerErrorsPtr m_errors;
    ActivationConfidencePtr m_confidence;
    BestFlowPtr m_bestFlow;
    evaluation::EvaluationResultPtr m_floatResult;
    std::vector<Run> m_runs;
    std::shared_ptr<const sweep::SweepResult> m_sweep;
    planning::PlanRequest m_sweepRequest;
    sweep::OptionsStudyPtr m_optionsStudy;
    sweep::SensitivityResultPtr m_sensitivity;
    planning::PlanRequest m_sensitivityRequest;
    sweep::SearchResultPtr m_search;
    planning::PlanRequest m_searchRequest;
    FlipTracePtr m_flipTrace;
    Measure m_measure = Measure::None;
    cost::EnergyModel m_energyModel = cost::defaultEnergyModel();
    RunComparisonPtr m_runComparison;
    DataPreviewPtr m_dataPreview;
    ModelCheckPtr m_modelCheck;
    DataVariantPtr m_dataVariant;
    Accuracy m_accuracy;
    int m_selectedLayer = -1;
    QUndoStack m_undoStack;
};

} // namespace quantoscope::ui
