// SPDX-License-Identifier: GPL-3.0-or-later
// Studies of a project that is opened: repeated from what was kept of them, without computing anything anew.
#include "ui/session/work.h"
#include "ui/session/workbench.h"

namespace quantoscope::ui {

namespace {

SensitivitySettings settingsOf(const SensitivityState& state)
{
    return { state.weightBits, state.activationBits, state.measure };
}

SearchSettings settingsOf(const SearchState& state)
{
    return { state.weightBits, state.activationBits, state.budget, state.uniform };
}

} // namespace

void Workbench::restoreStudies()
{
    if (const auto sweep = std::exchange(m_keptSweep, std::nullopt))
        restoreSweep(*sweep);
    if (const auto options = std::exchange(m_keptOptions, std::nullopt))
        restoreOptions(*options);
    if (const auto sensitivity = std::exchange(m_keptSensitivity, std::nullopt))
        restoreSensitivity(*sensitivity);
    if (const auto search = std::exchange(m_keptSearch, std::nullopt))
        restoreSearch(*search);
}

namespace {

/// Repeats a study as far as it was finished: `run` gets stores that only find, and a job that stops at the first thing
/// that is not there.
template <typename Run> auto repeatKept(const std::shared_ptr<ProjectStore>& store, const base::Job& job, Run run)
{
    std::stop_source stop;
    const auto end = [&stop] { stop.request_stop(); };
    const std::stop_callback outer(job.stop, end);
    return run(std::make_shared<KeptOnly>(store, end), base::Job { job.progress, stop.get_token() });
}

} // namespace

void Workbench::restoreSweep(const SweepState& sweep)
{
    using SweepPtr = std::shared_ptr<const sweep::SweepResult>;
    const auto data = m_session.data();
    m_jobs.start<SweepPtr>(
        { tr("Reading the sweep"), Lane::Detail, QStringLiteral("kept sweep") },
        [sweep, data, model = m_session.model(), stats = m_session.stats(), reference = m_session.floatResult(),
            cache = m_statsCache, store = m_project.store(),
            energy = m_session.energyModel()](const base::Job& job) -> Result<SweepPtr> {
            return repeatKept(store, job, [&](const auto& kept, const base::Job& part) -> Result<SweepPtr> {
                flow::Quantizer quantizer(model->graph, data->calibration, { .cache = cache, .store = kept });
                quantizer.setStats(stats);
                sweep::GridOptions options;
                options.weightBits = sweep.weightBits;
                options.activationBits = sweep.activationBits;
                options.request = sweep.request;
                options.energy = energy;
                options.evaluation.store = kept;
                QS_TRY(auto result, sweep::runGrid(quantizer, *data->evaluation, options, part, reference));
                return std::make_shared<const sweep::SweepResult>(std::move(result));
            });
        },
        [this, sweep](const Result<SweepPtr>& result) {
            // One that was begun since says more.
            if (!result || running(Study::Sweep) || m_session.sweep())
                return;
            m_session.setSweep(*result, sweep.request);
            if (!(*result)->complete)
                emit interrupted(Study::Sweep,
                    tr("The sweep of this project was interrupted after %1 of %2 points.")
                        .arg((*result)->points.size())
                        .arg(sweep.weightBits.size() * sweep.activationBits.size()));
        });
}

void Workbench::restoreOptions(const OptionsState& options)
{
    const auto data = m_session.data();
    m_jobs.start<sweep::OptionsStudyPtr>(
        { tr("Reading the comparison of options"), Lane::Detail, QStringLiteral("kept options") },
        [options, data, model = m_session.model(), stats = m_session.stats(), reference = m_session.floatResult(),
            cache = m_statsCache, store = m_project.store(),
            energy = m_session.energyModel()](const base::Job& job) -> Result<sweep::OptionsStudyPtr> {
            return repeatKept(
                store, job, [&](const auto& kept, const base::Job& part) -> Result<sweep::OptionsStudyPtr> {
                    flow::Quantizer quantizer(model->graph, data->calibration, { .cache = cache, .store = kept });
                    quantizer.setStats(stats);
                    auto settings = options.settings;
                    settings.evaluation.store = kept;
                    settings.energy = energy;
                    QS_TRY(auto study, sweep::runOptionsStudy(quantizer, *data->evaluation, settings, part, reference));
                    return std::make_shared<const sweep::OptionsStudy>(std::move(study));
                });
        },
        [this, options](const Result<sweep::OptionsStudyPtr>& result) {
            if (!result || running(Study::Options) || m_session.optionsStudy())
                return;
            m_session.setOptionsStudy(*result);
            if (!(*result)->complete)
                emit interrupted(Study::Options,
                    tr("The comparison of options of this project was interrupted after %1 of %2 rows.")
                        .arg((*result)->rows.size())
                        .arg(options.settings.combinations()));
        });
}

void Workbench::restoreSensitivity(const SensitivityState& state)
{
    const auto data = m_session.data();
    m_jobs.start<sweep::SensitivityResultPtr>(
        { tr("Reading the sensitivity of layers"), Lane::Detail, QStringLiteral("kept sensitivity") },
        [state, data, model = m_session.model(), stats = m_session.stats(), reference = m_session.floatResult(),
            cache = m_statsCache, store = m_project.store(),
            energy = m_session.energyModel()](const base::Job& job) -> Result<sweep::SensitivityResultPtr> {
            return repeatKept(
                store, job, [&](const auto& kept, const base::Job& part) -> Result<sweep::SensitivityResultPtr> {
                    flow::Quantizer quantizer(model->graph, data->calibration, { .cache = cache, .store = kept });
                    quantizer.setStats(stats);
                    auto options = sensitivityOptions(settingsOf(state), state.request);
                    options.evaluation.store = kept;
                    options.energy = energy;
                    QS_TRY(auto study,
                        sweep::runSensitivity(
                            quantizer, data->evaluation.get(), options, part, state.measure ? reference : nullptr));
                    return std::make_shared<const sweep::SensitivityResult>(std::move(study));
                });
        },
        [this, state](const Result<sweep::SensitivityResultPtr>& result) {
            if (!result || running(Study::Sensitivity) || m_session.sensitivity())
                return;
            m_session.setSensitivity(*result, state.request);
            if (!(*result)->complete)
                emit interrupted(Study::Sensitivity,
                    tr("The sensitivity study of this project was interrupted after %1 points.")
                        .arg((*result)->points.size()));
        });
}

void Workbench::restoreSearch(const SearchState& state)
{
    const auto data = m_session.data();
    m_jobs.start<sweep::SearchResultPtr>(
        { tr("Reading the search for word-lengths"), Lane::Detail, QStringLiteral("kept search") },
        [state, data, model = m_session.model(), stats = m_session.stats(), cache = m_statsCache,
            store = m_project.store(),
            energy = m_session.energyModel()](const base::Job& job) -> Result<sweep::SearchResultPtr> {
            return repeatKept(
                store, job, [&](const auto& kept, const base::Job& part) -> Result<sweep::SearchResultPtr> {
                    flow::Quantizer quantizer(model->graph, data->calibration, { .cache = cache, .store = kept });
                    quantizer.setStats(stats);
                    auto options = searchOptions(settingsOf(state), state.request);
                    options.evaluation.store = kept;
                    options.energy = energy;
                    QS_TRY(auto result, sweep::runSearch(quantizer, *data->evaluation, options, part));
                    return std::make_shared<const sweep::SearchResult>(std::move(result));
                });
        },
        [this, state](const Result<sweep::SearchResultPtr>& result) {
            if (!result || running(Study::Search) || m_session.search())
                return;
            m_session.setSearch(*result, state.request);
            if (!(*result)->complete)
                emit interrupted(Study::Search,
                    tr("The search for word-lengths of this project was interrupted after %1 points.")
                        .arg((*result)->points.size()));
        });
}

void Workbench::resume(Study study)
{
    const auto kept = m_session.model() ? m_project.remembered(m_session.model()->fingerprint) : std::nullopt;
    if (!kept)
        return;
    if (study == Study::Sweep && kept->sweep)
        startSweep(kept->sweep->request, { kept->sweep->weightBits, kept->sweep->activationBits });
    if (study == Study::Options && kept->options)
        startOptionsStudy(kept->options->settings);
    if (study == Study::Sensitivity && kept->sensitivity)
        startSensitivity(settingsOf(*kept->sensitivity), kept->sensitivity->request);
    if (study == Study::Search && kept->search)
        startSearch(settingsOf(*kept->search), kept->search->request);
}

} // namespace quantoscope::ui
