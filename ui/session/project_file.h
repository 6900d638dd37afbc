// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <QDateTime>
#include <QObject>
#include <QStringList>
#include <QTimer>

#include "ui/jobs/job_runner.h"
#include "ui/session/project_state.h"
#include "ui/session/project_store.h"
#include "ui/session/mend.h"
#include "ui/session/session.h"

namespace quantoscope::ui {

/// Work that another session left behind without saving it: it crashed, or was killed.
struct UnsavedWork {
    std::filesystem::path path;
    QString title; ///< "resnet20.onnx, 12 runs"
    QDateTime changed;
};

/// What a project says when it is opened.
struct OpenedProject {
    project::ProjectPtr project; ///< null: the file may only be read, and a copy of it is used
    std::filesystem::path path;
    QString readOnlyReason; ///< why; empty: it may be written to
    ProjectState state;
    std::optional<base::Error> unreadable; ///< why the window's choices are not known; results are
    std::filesystem::path model; ///< where the model is now; empty: nowhere
    std::optional<base::Error> missing; ///< why not
};

/// The project file behind a session. Finished results are in it before they are shown; the window's choices follow a
/// moment after each change. Without a file that a person named, all of that is unsaved work in a folder of its own,
/// which survives a crash and is offered again. For the GUI thread; the disk is touched by jobs.
class ProjectFile : public QObject {
    Q_OBJECT

public:
    ProjectFile(Session& session, JobRunner& jobs, QObject* parent = nullptr);
    /// Writes what is not written yet. Unsaved work goes: whoever wants it was asked before.
    ~ProjectFile() override;

    const std::shared_ptr<ProjectStore>& store() const { return m_store; }
    const std::filesystem::path& path() const { return m_path; } ///< empty: unsaved
    const QString& readOnlyReason() const { return m_readOnlyReason; } ///< of the file that the work began with
    QString title() const; ///< "study.qscope", "study.qscope (read-only)", "unsaved"
    /// Whether ending now would lose what a person may want.
    bool needsSaving() const;

    /// Opens a project in the place of this one. opened() or problem() follows.
    void open(const std::filesystem::path& path);
    /// Everything from now on goes to `path`, with all there is. saved() or problem() follows.
    void saveAs(const std::filesystem::path& path);
    void startNew(); ///< nothing is open; unsaved work goes
    void saveNow(); ///< what is not written yet, before this returns

    /// What was known of a model when it was open last. Empty if it never was.
    std::optional<ModelState> remembered(const std::string& fingerprint) const;
    /// Where the models are that were open in this project, by name.
    std::vector<std::filesystem::path> models() const;
    void setPage(const QString& page);
    const QString& page() const { return m_state.page; }
    void setSweep(SweepState sweep);
    void setOptions(OptionsState options);
    void setSensitivity(SensitivityState sensitivity);
    void setSearch(SearchState search);

    /// Looks for work that other sessions left; unsavedFound() tells of it. Of no worth: deleted.
    void findUnsaved();
    void deleteUnsaved(const UnsavedWork& work);
    static std::filesystem::path unsavedFolder();

signals:
    void changed(); ///< another file, or saved
    void opened(const quantoscope::ui::OpenedProject& project);
    void saved(const std::filesystem::path& path);
    void unsavedFound(const std::vector<quantoscope::ui::UnsavedWork>& work);
    void problem(const quantoscope::base::Error& error, const QString& context, quantoscope::ui::Mend mend);

private:
    /// Writes states into the project they are of, in the order they were captured, from whatever thread.
    struct Writer {
        std::mutex mutex;
        quint64 project = 0; ///< counts the projects that were open
        quint64 written = 0; ///< number of the state that was written last
        Result<void> write(ProjectStore& store, quint64 ofProject, quint64 number, const ProjectState& state);
        /// Makes `change` give the store another project; states of the one before are written no more.
        Result<void> exchange(const std::function<Result<void>()>& change);
        quint64 current(); ///< number of the project that is open
    };
    void capture();
    void touch();
    void write();
    Result<void> writeHere();
    ModelState* current();
    template <typename State> void keep(std::optional<State> ModelState::*study, State state);

    Session& m_session;
    JobRunner& m_jobs;
    std::shared_ptr<ProjectStore> m_store;
    std::filesystem::path m_path;
    QString m_readOnlyReason;
    ProjectState m_state;
    QTimer m_timer; ///< runs while something is not written
    std::shared_ptr<Writer> m_writer = std::make_shared<Writer>();
    quint64 m_captured = 0;
    quint64 m_project = 0; ///< which one m_state is of
    bool m_told = false; ///< that nothing can be kept
};

/// Reads all that a window needs of a project to go on with it. For workers. Errors: as Project::open().
Result<OpenedProject> readProject(const std::filesystem::path& path);

/// Runs of the model as the project has them; samples and result of the float network come with data.
Result<std::vector<Run>> readRuns(ProjectStore& store, const LoadedModel& model, const std::vector<RunState>& wanted,
    const cost::EnergyModel& energy, const base::Job& job);

} // namespace quantoscope::ui
