// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <vector>

#include <QObject>
#include <QTimer>

#include "core/base/error.h"
#include "core/exporting/qdq_exporter.h"
#include "ui/jobs/job_runner.h"
#include "ui/session/session.h"

namespace quantoscope::ui {

/// The grid a study evaluates.
struct SweepSettings {
    std::vector<sweep::Bits> weightBits;
    std::vector<sweep::Bits> activationBits;
};

/// Turns wishes into jobs and their results into changes of the session: model -> data -> statistics -> plan ->
/// accuracy, each step started by the one before and made stale by a newer one. An edit is evaluated after a moment of
/// quiet.
class Workbench : public QObject {
    Q_OBJECT

public:
    Workbench(Session& session, JobRunner& jobs, QObject* parent = nullptr);

    void openModel(const std::filesystem::path& path);
    void openData(const DataRequest& request);
    /// The bundled network and Fashion-MNIST; a problem() says what is missing if they are not installed.
    void openSample();
    void evaluate();
    void startSweep(const SweepSettings& settings);
    void makePointCurrent(std::size_t point);
    void exportQdq(const std::filesystem::path& path);

    /// Whether edits are evaluated by themselves.
    bool automatic() const { return m_automatic; }
    void setAutomatic(bool on);
    bool canEvaluate() const; ///< model and images are there
    bool canSweep() const; ///< and calibrated, and no sweep is running
    bool sweepRunning() const { return m_sweepRunning; }

    static std::optional<DataRequest> sampleData(); ///< empty if Fashion-MNIST is not installed
    static std::filesystem::path sampleModel(); ///< where the bundled model is, or should be

signals:
    /// Something could not be done. `context` says what, in a few words.
    void problem(const quantoscope::base::Error& error, const QString& context);
    void notice(const QString& text); ///< something worth knowing that went well
    void exported(const quantoscope::exporting::ExportReport& report);
    void modelOpened(const std::filesystem::path& path);
    void dataOpened(const quantoscope::ui::DataRequest& request);
    void sweepStateChanged();

private:
    void calibrate();
    void replan();
    void evaluateFloat();
    void onRequestChanged();
    void onAnalysis(Result<AnalysisPtr> result);
    void onEvaluated(const AnalysisPtr& analysis, const Result<evaluation::EvaluationResultPtr>& result);
    void onFloatEvaluated(const Result<evaluation::EvaluationResultPtr>& result);
    void onPartial(const QString& plan, std::int64_t images, std::int64_t correct, quint64 generation);
    void warnNearChance(const evaluation::EvaluationResult& result);
    bool report(const base::Error& error, const QString& context);
    Accuracy freshAccuracy(Accuracy::State state) const;

    Session& m_session;
    JobRunner& m_jobs;
    QTimer m_quiet;
    bool m_automatic = true;
    bool m_sweepRunning = false;
    bool m_evaluateWhenPlanned = false;
    quint64 m_evaluation = 0; ///< generation: partial results of older evaluations are dropped
    quint64 m_sweep = 0; ///< likewise for points of older sweeps
};

} // namespace quantoscope::ui
