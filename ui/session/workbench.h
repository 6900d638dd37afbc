// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include <QObject>
#include <QTimer>

#include "core/base/error.h"
#include "core/calibration/stats_cache.h"
#include "core/evaluation/reuse.h"
#include "core/exporting/exporter.h"
#include "core/importing/apply_encodings.h"
#include "core/sweep/options_study.h"
#include "ui/jobs/job_runner.h"
#include "ui/session/project_file.h"
#include "ui/session/session.h"

namespace quantoscope::ui {

struct Evaluated;
struct StudyRuns;
class StudyKeeper;

/// How far a study came that is not finished.
struct Interruption {
    enum class Cause { Cancelled, Failed, Closed }; ///< Closed: with its project, in an earlier session
    Cause cause = Cause::Closed;
    std::int64_t done = 0; ///< points
    std::int64_t asked = 0; ///< 0: not known
};

/// The grid a study evaluates.
struct SweepSettings {
    std::vector<sweep::Bits> weightBits;
    std::vector<sweep::Bits> activationBits;
};

/// What a sensitivity study tries.
struct SensitivitySettings {
    std::vector<int> weightBits; ///< empty: weights are not looked at
    std::vector<int> activationBits;
    bool measure = true; ///< accuracy on labelled images; false: only what needs no labels
};

/// What a search for the best mix of word-lengths may choose from and spend.
struct SearchSettings {
    std::vector<int> weightBits;
    std::vector<int> activationBits;
    sweep::Budget budget;
    bool uniform = true; ///< measure uniform word-lengths beside
};

/// The same for core, with everything but where results are kept.
sweep::SensitivityOptions sensitivityOptions(const SensitivitySettings& settings, const planning::PlanRequest& request);
sweep::SearchOptions searchOptions(const SearchSettings& settings, const planning::PlanRequest& request);

/// Work that takes long and has a result of its own.
enum class Study { Sweep, Options, BestFlow, Sensitivity, Search };
constexpr Study studies[] = { Study::Sweep, Study::Options, Study::BestFlow, Study::Sensitivity, Study::Search };

/// Turns wishes into jobs and their results into changes of the session: model -> data -> statistics -> plan ->
/// corrections -> accuracy -> errors of the tensors, each step started by the one before and made stale by a newer one.
/// An edit is evaluated after a moment of quiet.
class Workbench : public QObject {
    Q_OBJECT

public:
    Workbench(Session& session, JobRunner& jobs, QObject* parent = nullptr);

    /// What the project is asked to keep follows by itself; its file is opened and saved here.
    ProjectFile& project() { return m_project; }
    void openModel(const std::filesystem::path& path);
    void close(); ///< nothing is open, and no project; unsaved work goes
    /// Prepares the model anew with batch normalisation as part of the weights, or on its own, undoably. Results stay
    /// with the preparation they were found with.
    void setFoldBatchNorm(bool on);
    void openData(const DataRequest& request);
    /// The bundled network and Fashion-MNIST; a problem() says what is missing if they are not installed.
    void openSample();
    /// Prepares some of the images as `request` says, for a person to look at, or as suits them and the model.
    void previewData(const DataRequest& request, bool guess = false);
    void evaluate();
    /// Studies leave word-lengths out that the hardware profile does not take.
    void startSweep(SweepSettings settings);
    void startSweep(const planning::PlanRequest& request, const SweepSettings& settings);
    void resume(Study study); ///< goes on with one that was interrupted, from what is kept of it
    void makePointCurrent(std::size_t point);
    void startOptionsStudy(sweep::OptionsStudySettings settings);
    void makeRowCurrent(std::size_t row);
    /// What every layer alone costs at each word-length, with the current options for everything else.
    void startSensitivity(SensitivitySettings settings);
    void startSensitivity(SensitivitySettings settings, const planning::PlanRequest& request);
    /// The plan of a point: its unit quantized, everything else float.
    void makeSensitivityCurrent(std::size_t point);
    /// Gives the unit of a point its word-length in the current plan.
    void applySensitivity(std::size_t point);
    /// Mixed word-lengths that do least harm within a budget.
    void startSearch(SearchSettings settings);
    void startSearch(SearchSettings settings, const planning::PlanRequest& request);
    void makeSearchPointCurrent(std::size_t point);
    /// Looks for the ranges and corrections that suit this model; what it chooses becomes current, undoably.
    void findBest();
    /// Finds out where the quantized network of a run errs more than usual on one of its images.
    void traceFlip(const Run& run, std::int64_t image);
    /// Sets two runs beside each other, layer by layer; what they quantize is known at once, the errors follow.
    void compareRuns(int first, int second);
    /// Writes the current plan in a format, reads the file back and compares it; exported() tells how that went.
    void exportPlan(const std::filesystem::path& path, const exporting::ExportOptions& options = {});
    /// Puts encodings of AIMET or a calibration table of ONNX Runtime into the current plan, undoably.
    void applyEncodings(const std::filesystem::path& path);
    /// Writes everything that the project holds as one HTML page; reported() tells how that went.
    void writeReport(const std::filesystem::path& path);

    /// Whether edits are evaluated by themselves.
    bool automatic() const { return m_automatic; }
    void setAutomatic(bool on);
    /// Memory for what evaluations leave for the next one: after an edit of a layer only what lies behind it runs.
    void setMemory(int mebibytes);
    int memory() const; ///< MiB
    bool canEvaluate() const; ///< model and images are there
    bool canStart(Study study) const; ///< and calibrated, and none of the kind is running
    bool running(Study study) const { return m_running.contains(study); }
    void cancel(Study study); ///< what is finished is kept
    bool stopping(Study study) const; ///< it was told to, and has not yet
    QString waitsFor(Study study) const; ///< the title of the job that keeps it from beginning; empty: none does
    std::optional<Interruption> interruption(Study study) const; ///< empty: it runs, is finished, or there is none

    static std::optional<DataRequest> sampleData(); ///< empty if Fashion-MNIST is not installed
    static std::filesystem::path sampleModel(); ///< where the bundled model is, or should be
    static std::filesystem::path sampleFile(const std::filesystem::path& name); ///< the same of any bundled file

signals:
    /// Something could not be done. `context` says what, in a few words; `mend` what to choose anew.
    void problem(const quantoscope::base::Error& error, const QString& context, quantoscope::ui::Mend mend);
    void dataRefused(
        const QString& why); ///< images that were asked for last are not there, or do not go with the model
    void notice(const QString& text); ///< something worth knowing that went well
    void exported(const quantoscope::exporting::ExportReport& report);
    void encodingsApplied(const std::filesystem::path& path, const quantoscope::importing::AppliedEncodings& applied);
    void reported(const std::filesystem::path& path, qsizetype studies, qsizetype results);
    void modelOpened(const std::filesystem::path& path);
    void dataOpened(const quantoscope::ui::DataRequest& request);
    void studiesChanged(); ///< one was started, began to run, or ended
    /// A study of the project was not finished when it was closed; what there is is shown.
    void interrupted(quantoscope::ui::Study study, const QString& what);

private:
    void adoptModel(const LoadedModelPtr& model, const std::optional<ModelState>& kept);
    void prepareAnew(const LoadedModelPtr& model, bool foldBatchNorm, const std::optional<ModelState>& kept);
    void onModelReplaced();
    void onProjectOpened(const OpenedProject& opened);
    void restoreRuns(const ModelState& kept);
    void restoreStudies();
    void restoreSweep(const SweepState& sweep);
    void restoreOptions(const OptionsState& options);
    void restoreSensitivity(const SensitivityState& state);
    void restoreSearch(const SearchState& state);
    evaluation::EvaluationOptions keepingResults() const;
    StudyRuns studyRuns();
    StudyKeeper studyKeeper();
    /// Takes word-lengths out of a study's settings that the hardware does not take, and says so. False: none is left.
    template <typename Settings> bool fitToProfile(Settings& settings);
    void dropResults();
    /// What everything known costs under the session's energy model.
    void reprice();
    /// Once nothing runs: what was begun before the energy model changed came with costs under the one before.
    void repriceLatecomers();
    void calibrate();
    void replan();
    void evaluateFloat();
    void askConfidence();
    void onRequestChanged();
    void onAnalysis(Result<AnalysisPtr> result);
    std::shared_ptr<const flow::Quantizer> quantizer();
    flow::QuantizedNetwork plainNetwork(const AnalysisPtr& analysis) const;
    void correct(const planning::PlanRequest& request);
    void evaluateNetwork(const AnalysisPtr& analysis, const flow::QuantizedNetwork& network);
    void compareLayers(const planning::PlanRequest& request, const flow::QuantizedNetwork& network);
    void onEvaluated(
        const AnalysisPtr& analysis, const flow::QuantizedNetwork& network, const Result<Evaluated>& result);
    void onFloatEvaluated(const Result<Evaluated>& result);
    void onPartial(const QString& plan, std::int64_t images, std::int64_t correct, quint64 generation);
    void warnNearChance(const evaluation::EvaluationResult& result);
    void lookForVariant();
    void checkBiases();
    static QString channelOf(Study study);
    quint64 begin(Study study);
    bool current(Study study, quint64 generation) const;
    void end(Study study, bool failed);
    void tellOfQueue();
    bool report(const base::Error& error, const QString& context, Mend mend = Mend::Nothing);
    Accuracy freshAccuracy(Accuracy::State state) const;

    Session& m_session;
    JobRunner& m_jobs;
    ProjectFile m_project;
    std::optional<SweepState> m_keptSweep; ///< to be shown once there are statistics
    std::optional<OptionsState> m_keptOptions;
    std::optional<SensitivityState> m_keptSensitivity;
    std::optional<SearchState> m_keptSearch;
    QTimer m_quiet;
    bool m_automatic = true;
    bool m_evaluateWhenPlanned = false;
    std::shared_ptr<calibration::StatsCache> m_statsCache;
    std::shared_ptr<evaluation::Reuse> m_reuse; ///< between evaluations of edited plans
    std::shared_ptr<flow::Quantizer> m_quantizer; ///< of the session's model and calibration images
    struct UsualErrors {
        quant::PlanPtr plan;
        std::shared_ptr<const std::vector<evaluation::TensorError>> errors;
    };
    UsualErrors m_usual; ///< of the plan whose flips were traced last
    quint64 m_evaluation = 0; ///< generation: partial results of older evaluations are dropped
    struct RunningStudy {
        quint64 generation = 0; ///< what older ones report is dropped
        JobId job = 0;
    };
    std::map<Study, RunningStudy> m_running;
    quint64 m_lastStudy = 0;
    std::map<Study, Interruption::Cause> m_ended; ///< in this session
    std::map<Study, QString> m_waiting; ///< as it was told of last
    std::vector<Study> m_stopping; ///< likewise
    bool m_mixedPrices = false; ///< jobs that ran when the energy model changed may still bring costs under another
};

} // namespace quantoscope::ui
