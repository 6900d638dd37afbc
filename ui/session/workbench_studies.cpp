// SPDX-License-Identifier: GPL-3.0-or-later
// What the workbench does that takes long and has a result of its own; the way of an edit is in workbench.cpp.
#include "ui/session/study_keeper.h"
#include "ui/session/work.h"
#include "ui/session/workbench.h"

namespace quantoscope::ui {

QString Workbench::channelOf(Study study)
{
    switch (study) {
    case Study::Sweep:
        return QStringLiteral("sweep");
    case Study::Options:
        return QStringLiteral("options");
    case Study::Sensitivity:
        return QStringLiteral("sensitivity");
    case Study::Search:
        return QStringLiteral("search");
    case Study::BestFlow:
        break;
    }
    return QStringLiteral("flow");
}

quint64 Workbench::begin(Study study)
{
    m_running[study] = { ++m_lastStudy, 0 };
    emit studiesChanged();
    return m_lastStudy;
}

bool Workbench::current(Study study, quint64 generation) const
{
    const auto found = m_running.find(study);
    return found != m_running.end() && found->second.generation == generation;
}

void Workbench::cancel(Study study)
{
    if (const auto found = m_running.find(study); found != m_running.end())
        m_jobs.cancel(found->second.job);
}

bool Workbench::stopping(Study study) const
{
    const auto found = m_running.find(study);
    const auto job = m_jobs.running(Lane::Study);
    return found != m_running.end() && job && job->id == found->second.job && job->stopping;
}

void Workbench::end(Study study, bool failed)
{
    m_running.erase(study);
    m_ended[study] = failed ? Interruption::Cause::Failed : Interruption::Cause::Cancelled;
    emit studiesChanged();
}

QString Workbench::waitsFor(Study study) const
{
    if (!m_jobs.waits(channelOf(study)))
        return {};
    const auto first = m_jobs.running(Lane::Study);
    return first ? first->title : tr("a job that is stopping");
}

void Workbench::tellOfQueue()
{
    std::map<Study, QString> waiting;
    std::vector<Study> ending;
    for (const Study study : studies) {
        if (QString what = waitsFor(study); !what.isEmpty())
            waiting[study] = std::move(what);
        if (stopping(study))
            ending.push_back(study);
    }
    if (waiting == m_waiting && ending == m_stopping)
        return;
    m_waiting = std::move(waiting);
    m_stopping = std::move(ending);
    emit studiesChanged();
}

std::optional<Interruption> Workbench::interruption(Study study) const
{
    if (running(study))
        return std::nullopt;
    const auto found = m_ended.find(study);
    Interruption how { found == m_ended.end() ? Interruption::Cause::Closed : found->second, 0, 0 };
    const auto unless = [&](bool complete, std::size_t done, std::size_t asked) {
        how.done = static_cast<std::int64_t>(done);
        how.asked = static_cast<std::int64_t>(asked);
        return complete ? std::nullopt : std::optional(how);
    };
    if (const auto& sweep = m_session.sweep(); study == Study::Sweep && sweep)
        return unless(sweep->complete, sweep->points.size(), sweep->weightBits.size() * sweep->activationBits.size());
    if (const auto& options = m_session.optionsStudy(); study == Study::Options && options)
        return unless(options->complete, options->rows.size(), 0);
    if (const auto& alone = m_session.sensitivity(); study == Study::Sensitivity && alone)
        return unless(alone->complete, alone->points.size(), static_cast<std::size_t>(alone->asked));
    if (const auto& search = m_session.search(); study == Study::Search && search)
        return unless(search->complete, search->points.size(), 0);
    return std::nullopt;
}

void Workbench::startSweep(SweepSettings settings)
{
    if (canStart(Study::Sweep) && fitToProfile(settings))
        startSweep(m_session.request(), settings);
}

void Workbench::startSweep(const planning::PlanRequest& request, const SweepSettings& settings)
{
    if (!canStart(Study::Sweep))
        return;
    SweepState state { settings.weightBits, settings.activationBits, request, false };
    m_project.setSweep(state);
    const auto samples = m_session.data()->evaluation;
    const auto floatResult = m_session.floatResult();
    auto growing = std::make_shared<sweep::SweepResult>();
    growing->scope = request.describe();
    growing->data = m_session.data()->title.toStdString();
    growing->weightBits = settings.weightBits;
    growing->activationBits = settings.activationBits;
    growing->floatResult = floatResult;
    growing->complete = false;
    m_session.setSweep(growing, request);
    const quint64 generation = begin(Study::Sweep);

    m_running[Study::Sweep].job = m_jobs.start<std::shared_ptr<const sweep::SweepResult>>(
        { tr("Sweep"), Lane::Study, channelOf(Study::Sweep) },
        [this, &jobs = m_jobs, quantizer = quantizer(), samples, floatResult, request, settings, growing, generation,
            runs = studyRuns(),
            keeper = studyKeeper()](const base::Job& job) -> Result<std::shared_ptr<const sweep::SweepResult>> {
            sweep::GridOptions options;
            options.weightBits = settings.weightBits;
            options.activationBits = settings.activationBits;
            options.request = request;
            options.energy = runs.energy;
            options.evaluation = runs.options;
            // Each finished point goes to the window as a new, larger result; nobody changes one that is being drawn.
            auto sofar = std::make_shared<const sweep::SweepResult>(*growing);
            options.onPoint = [this, &jobs, request, sofar, generation, &runs](const sweep::SweepPoint& point) mutable {
                auto next = std::make_shared<sweep::SweepResult>(*sofar);
                next->points.push_back(point);
                sofar = next;
                planning::PlanRequest asked = request;
                asked.weights.bits = point.weightBits;
                asked.activations.bits = point.activationBits;
                const auto run = runs.make(asked, point.plan, point.corrections);
                jobs.post([this, request, generation, run, next = std::shared_ptr<const sweep::SweepResult>(next)] {
                    if (!current(Study::Sweep, generation))
                        return;
                    m_session.setSweep(next, request);
                    if (run && *run)
                        m_session.addRun(**run);
                });
            };
            QS_TRY(auto result, sweep::runGrid(*quantizer, *samples, options, job, floatResult));
            QS_CHECK(keeper.keep(options, result));
            return std::make_shared<const sweep::SweepResult>(std::move(result));
        },
        [this, request, state](Result<std::shared_ptr<const sweep::SweepResult>> result) mutable {
            state.complete = result && (*result)->complete;
            m_project.setSweep(state);
            if (result)
                m_session.setSweep(*result, request);
            end(Study::Sweep, !result && report(result.error(), tr("The sweep stopped")));
        });
}

void Workbench::makePointCurrent(std::size_t point)
{
    const auto& sweep = m_session.sweep();
    if (!sweep || point >= sweep->points.size())
        return;
    planning::PlanRequest request = m_session.sweepRequest();
    request.weights.bits = sweep->points[point].weightBits;
    request.activations.bits = sweep->points[point].activationBits;
    m_session.edit(request, tr("plan of sweep point %1").arg(shortScope(request)));
}

void Workbench::startOptionsStudy(sweep::OptionsStudySettings settings)
{
    if (!canStart(Study::Options))
        return;
    settings.evaluation = keepingResults();
    settings.energy = m_session.energyModel();
    OptionsState state { settings, false };
    m_project.setOptions(state);
    const auto samples = m_session.data()->evaluation;
    const auto floatResult = m_session.floatResult();
    auto growing = std::make_shared<sweep::OptionsStudy>();
    growing->data = m_session.data()->title.toStdString();
    growing->floatResult = floatResult;
    growing->complete = false;
    m_session.setOptionsStudy(growing);
    const quint64 generation = begin(Study::Options);
    m_running[Study::Options].job = m_jobs.start<sweep::OptionsStudyPtr>(
        { tr("Comparing options"), Lane::Study, channelOf(Study::Options) },
        [this, &jobs = m_jobs, samples, floatResult, settings, generation, quantizer = quantizer(), runs = studyRuns(),
            keeper = studyKeeper(),
            sofar = sweep::OptionsStudyPtr(growing)](const base::Job& job) mutable -> Result<sweep::OptionsStudyPtr> {
            // As with the sweep: every row makes a new, larger study, ranked as far as it goes.
            settings.onRow = [this, &jobs, &sofar, generation, &runs](const sweep::StudyRow& row) {
                auto next = std::make_shared<sweep::OptionsStudy>(*sofar);
                next->rows.push_back(row);
                sweep::rankRows(next->rows);
                sofar = next;
                const auto run = runs.make(row.request, row.plan, row.outcomes);
                jobs.post([this, generation, run, next = sofar] {
                    if (!current(Study::Options, generation))
                        return;
                    m_session.setOptionsStudy(next);
                    if (run && *run)
                        m_session.addRun(**run);
                });
            };
            QS_TRY(auto study, sweep::runOptionsStudy(*quantizer, *samples, settings, job, floatResult));
            QS_CHECK(keeper.keep(settings, study));
            return std::make_shared<const sweep::OptionsStudy>(std::move(study));
        },
        [this, state](Result<sweep::OptionsStudyPtr> result) mutable {
            state.complete = result && (*result)->complete;
            m_project.setOptions(state);
            if (result)
                m_session.setOptionsStudy(*result);
            end(Study::Options, !result && report(result.error(), tr("The comparison of options stopped")));
        });
}

void Workbench::makeRowCurrent(std::size_t row)
{
    const auto& study = m_session.optionsStudy();
    if (study && row < study->rows.size())
        m_session.edit(study->rows[row].request, tr("options of the study"));
}

void Workbench::findBest()
{
    if (!canStart(Study::BestFlow))
        return;
    flow::BestFlowOptions options;
    options.request = m_session.request();
    begin(Study::BestFlow);
    m_running[Study::BestFlow].job = m_jobs.start<BestFlowPtr>(
        { tr("Finding the best flow"), Lane::Study, channelOf(Study::BestFlow) },
        [options, quantizer = quantizer()](const base::Job& job) -> Result<BestFlowPtr> {
            QS_TRY(auto found, flow::findBestFlow(*quantizer, options, job));
            return std::make_shared<const flow::BestFlow>(std::move(found));
        },
        [this](Result<BestFlowPtr> result) {
            end(Study::BestFlow, !result && report(result.error(), tr("The search for the best flow stopped")));
            if (result)
                m_session.adoptFlow(*result);
        });
}

} // namespace quantoscope::ui
