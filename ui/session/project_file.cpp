// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/session/project_file.h"

#include <algorithm>

#include <QFileInfo>
#include <QStandardPaths>

namespace quantoscope::ui {

namespace fs = std::filesystem;
using project::Project;

namespace {

constexpr int quietMilliseconds = 400;
const std::string viewKey = "window";
const QString viewChannel = QStringLiteral("project view");
const QString openChannel = QStringLiteral("project");

RunState stateOf(const Run& run)
{
    return { run.key, run.name, run.scope, run.isFloat, run.data, run.request, run.corrections };
}

QString nameOf(const fs::path& path) { return QString::fromStdString(path.filename().string()); }

/// Empty where it is of no worth, or somebody works with it.
std::optional<UnsavedWork> describeUnsaved(const fs::path& path)
{
    const auto project = Project::open(path, project::Mode::Existing);
    if (!project || (*project)->readOnly())
        return std::nullopt;
    const auto view = (*project)->view(viewKey);
    if (!view || !*view)
        return UnsavedWork {};
    const auto state = ProjectState::fromText(**view, path.parent_path());
    if (!state || !state->worthKeeping)
        return UnsavedWork {};
    UnsavedWork work;
    work.path = path;
    work.changed = QFileInfo(QString::fromStdString(path.string())).lastModified();
    const auto model = state->models.find(state->model);
    if (model != state->models.end())
        work.title = model->second.runs.size() == 1
            ? ProjectFile::tr("%1, 1 run").arg(nameOf(model->second.path))
            : ProjectFile::tr("%1, %2 runs").arg(nameOf(model->second.path)).arg(model->second.runs.size());
    return work;
}

/// Everything that the window remembers.
Result<void> keepState(Project& file, const ProjectState& state)
{
    QS_TRY(const auto energy, file.energyModel());
    if (energy.value_or(cost::defaultEnergyModel()) != state.energy)
        QS_CHECK(file.setEnergyModel(state.energy));
    return file.setView(viewKey, state.toText(file.path().parent_path()));
}

std::vector<UnsavedWork> listUnsaved(const fs::path& folder)
{
    std::vector<UnsavedWork> all;
    std::vector<fs::path> files;
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error))
        if (entry->path().extension() == ".qscope")
            files.push_back(entry->path());
    for (const fs::path& file : files) {
        auto work = describeUnsaved(file);
        if (work && work->path.empty())
            removeProject(file);
        else if (work)
            all.push_back(*std::move(work));
    }
    std::ranges::sort(all, std::greater {}, &UnsavedWork::changed);
    return all;
}

} // namespace

ProjectFile::ProjectFile(Session& session, JobRunner& jobs, QObject* parent)
    : QObject(parent)
    , m_session(session)
    , m_jobs(jobs)
    , m_store(std::make_shared<ProjectStore>(unsavedFolder()))
{
    m_timer.setSingleShot(true);
    m_timer.setInterval(quietMilliseconds);
    connect(&m_timer, &QTimer::timeout, this, &ProjectFile::write);
    for (const auto signal : { &Session::modelChanged, &Session::dataChanged, &Session::requestChanged,
             &Session::runsChanged, &Session::selectionChanged, &Session::energyModelChanged })
        connect(&session, signal, this, &ProjectFile::touch);
}

ProjectFile::~ProjectFile()
{
    if (m_path.empty()) {
        m_store->discard();
    } else if (m_session.model()) {
        capture();
        [[maybe_unused]] const auto written = writeHere();
    }
}

Result<void> ProjectFile::Writer::write(
    ProjectStore& store, quint64 ofProject, quint64 number, const ProjectState& state)
{
    const std::scoped_lock lock(mutex);
    if (ofProject != project || number < written)
        return {};
    written = number;
    QS_TRY(const auto file, store.project());
    return keepState(*file, state);
}

Result<void> ProjectFile::Writer::exchange(const std::function<Result<void>()>& change)
{
    const std::scoped_lock lock(mutex);
    QS_CHECK(change());
    ++project;
    return {};
}

quint64 ProjectFile::Writer::current()
{
    const std::scoped_lock lock(mutex);
    return project;
}

Result<void> ProjectFile::writeHere() { return m_writer->write(*m_store, m_project, ++m_captured, m_state); }

fs::path ProjectFile::unsavedFolder()
{
    const QString data = QStandardPaths::writableLocation(QStandardPaths::AppLocalDataLocation);
    return data.isEmpty() ? fs::path() : fs::path(data.toStdString()) / "unsaved";
}

QString ProjectFile::title() const
{
    if (!m_path.empty())
        return nameOf(m_path);
    return m_readOnlyReason.isEmpty() ? tr("unsaved") : m_readOnlyReason.section(QLatin1Char('\n'), 0, 0);
}

bool ProjectFile::needsSaving() const { return m_path.empty() && m_state.worthKeeping; }

ModelState* ProjectFile::current()
{
    const LoadedModelPtr& model = m_session.model();
    if (!model || model->fingerprint.empty())
        return nullptr;
    m_state.model = model->fingerprint;
    return &m_state.models[model->fingerprint];
}

void ProjectFile::capture()
{
    ModelState* state = current();
    if (!state)
        return;
    const LoadedModel& model = *m_session.model();
    state->path = model.path;
    state->foldBatchNorm = model.foldBatchNorm;
    if (m_session.data()) // images that were not found are remembered all the same
        state->data = m_session.data()->request;
    state->wish = m_session.wish();
    m_state.energy = m_session.energyModel();
    const LayerInfo* layer = m_session.selectedLayerInfo();
    state->layer = layer ? layer->name : QString();
    // Runs that are not listed now were, and may still be on their way from the file.
    for (const Run& run : m_session.runs()) {
        const auto known = std::ranges::find_if(state->runs,
            [&run](const RunState& r) { return r.key == run.key && (r.isFloat || r.request == run.request); });
        if (run.key.empty())
            continue;
        if (known == state->runs.end())
            state->runs.push_back(stateOf(run));
        else
            *known = stateOf(run);
    }
    m_state.worthKeeping = m_state.worthKeeping || m_session.undoStack().count() > 0
        || std::ranges::any_of(m_session.runs(), [](const Run& run) { return !run.name.isEmpty(); });
}

void ProjectFile::touch()
{
    if (!m_session.model())
        return;
    // Undo steps of the edit that is being made are counted when it is done.
    if (!m_timer.isActive())
        m_timer.start();
    if (m_session.undoStack().count() > 0)
        m_state.worthKeeping = true;
}

void ProjectFile::write()
{
    capture();
    struct Nothing { };
    m_jobs.start<Nothing>(
        { tr("Keeping the window's state"), Lane::Keep, viewChannel },
        [state = m_state, store = m_store, writer = m_writer, project = m_project, number = ++m_captured](
            const base::Job&) -> Result<Nothing> {
            QS_CHECK(writer->write(*store, project, number, state));
            return Nothing {};
        },
        [this](const Result<Nothing>& result) {
            if (!result && result.error().code != ErrorCode::Cancelled && !m_told) {
                m_told = true;
                emit problem(result.error(), tr("The project is not kept"), Mend::ProjectName);
            }
        });
}

void ProjectFile::saveNow()
{
    m_timer.stop();
    if (!m_session.model())
        return;
    capture();
    if (const auto kept = writeHere(); !kept)
        emit problem(kept.error(), tr("The project is not kept"), Mend::ProjectName);
}

std::optional<ModelState> ProjectFile::remembered(const std::string& fingerprint) const
{
    const auto found = m_state.models.find(fingerprint);
    return found == m_state.models.end() ? std::nullopt : std::optional(found->second);
}

std::vector<std::filesystem::path> ProjectFile::models() const
{
    std::vector<std::filesystem::path> paths;
    for (const auto& [fingerprint, model] : m_state.models)
        if (!model.path.empty())
            paths.push_back(model.path);
    std::ranges::sort(paths, {}, [](const auto& path) { return std::pair(path.filename(), path); });
    return paths;
}

void ProjectFile::setPage(const QString& page)
{
    if (page == m_state.page)
        return;
    m_state.page = page;
    touch();
}

template <typename State> void ProjectFile::keep(std::optional<State> ModelState::*study, State state)
{
    m_state.worthKeeping = true;
    if (ModelState* model = current())
        model->*study = std::move(state);
    touch();
}

void ProjectFile::setSweep(SweepState sweep) { keep(&ModelState::sweep, std::move(sweep)); }

void ProjectFile::setOptions(OptionsState options) { keep(&ModelState::options, std::move(options)); }

void ProjectFile::setSensitivity(SensitivityState study) { keep(&ModelState::sensitivity, std::move(study)); }

void ProjectFile::setSearch(SearchState search) { keep(&ModelState::search, std::move(search)); }

void ProjectFile::open(const fs::path& path)
{
    saveNow();
    std::error_code error;
    if (!m_path.empty() && fs::equivalent(path, m_path, error))
        return; // it is open
    const QString name = nameOf(path);
    m_jobs.start<OpenedProject>(
        { tr("Opening %1").arg(name), Lane::Quick, openChannel },
        [path, store = m_store, writer = m_writer](const base::Job&) -> Result<OpenedProject> {
            QS_TRY(auto project, readProject(path));
            // Unsaved work that was here was saved or given up before. A copy where it may only be read.
            const auto before = store->unsaved() ? store->current() : nullptr;
            QS_CHECK(writer->exchange([&]() -> Result<void> {
                if (!project.readOnlyReason.isEmpty())
                    return store->copyFrom(*project.project);
                store->replace(project.project);
                return {};
            }));
            if (before && before != store->current())
                removeProject(before->path());
            project.project.reset();
            return project;
        },
        [this, name](const Result<OpenedProject>& result) {
            if (!result) {
                if (result.error().code != ErrorCode::Cancelled)
                    emit problem(result.error(), tr("%1 was not opened").arg(name), Mend::Project);
                return;
            }
            m_timer.stop();
            m_project = m_writer->current();
            m_state = result->state;
            if (!result->readOnlyReason.isEmpty())
                m_state.worthKeeping = false; // there is the file
            m_readOnlyReason = result->readOnlyReason.isEmpty()
                ? QString()
                : tr("%1 (read-only)\n%2").arg(name, result->readOnlyReason);
            m_path = m_store->unsaved() ? fs::path() : result->path;
            emit changed();
            emit opened(*result);
        });
}

void ProjectFile::saveAs(const fs::path& path)
{
    capture();
    const QString name = nameOf(path);
    m_jobs.start<std::string>(
        { tr("Saving %1").arg(name), Lane::Quick, openChannel },
        [path, state = m_state, store = m_store](const base::Job&) -> Result<std::string> {
            QS_CHECK(store->moveTo(path));
            QS_TRY(const auto project, store->project());
            QS_CHECK(keepState(*project, state));
            return project->path().string();
        },
        [this, name](const Result<std::string>& result) {
            if (!result) {
                emit problem(result.error(), tr("%1 was not saved").arg(name), Mend::ProjectName);
                return;
            }
            m_path = *result;
            m_readOnlyReason.clear();
            touch(); // for what was changed meanwhile
            emit changed();
            emit saved(m_path);
        });
}

void ProjectFile::startNew()
{
    saveNow();
    [[maybe_unused]] const auto exchanged = m_writer->exchange([this]() -> Result<void> {
        if (m_path.empty())
            m_store->discard();
        else
            m_store->replace(nullptr);
        return {};
    });
    m_project = m_writer->current();
    m_path.clear();
    m_readOnlyReason.clear();
    m_state = {};
    emit changed();
}

void ProjectFile::findUnsaved()
{
    const fs::path folder = m_store->unsavedFolder();
    m_jobs.start<std::vector<UnsavedWork>>(
        { tr("Looking for unsaved work"), Lane::Keep, {} },
        [folder](const base::Job&) -> Result<std::vector<UnsavedWork>> { return listUnsaved(folder); },
        [this](const Result<std::vector<UnsavedWork>>& result) {
            if (result)
                emit unsavedFound(*result);
        });
}

void ProjectFile::deleteUnsaved(const UnsavedWork& work)
{
    m_jobs.start<std::string>(
        { tr("Deleting unsaved work"), Lane::Keep, {} },
        [path = work.path](const base::Job&) -> Result<std::string> {
            const auto project = Project::open(path, project::Mode::Existing);
            if (project && !(*project)->readOnly())
                removeProject(path);
            return path.string();
        },
        [this](const Result<std::string>&) { findUnsaved(); });
}

} // namespace quantoscope::ui
