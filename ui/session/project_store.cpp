// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/session/project_store.h"

#include <mutex>

#include <unistd.h>

namespace quantoscope::ui {

namespace fs = std::filesystem;
using project::Project;
using project::ProjectPtr;

namespace {

/// Everything of `from` in a new file under another name, so that there never is half a project under `path`.
Result<void> copyBeside(const Project& from, const fs::path& part)
{
    removeProject(part);
    QS_TRY(const auto target, Project::open(part));
    QS_CHECK(target->merge(from));
    QS_TRY(const auto sources, from.sources());
    // Where they are from the new place.
    for (const auto& source : sources)
        QS_CHECK(target->addSource(source));
    return {};
}

Result<void> checkFree(const fs::path& path)
{
    std::error_code error;
    if (!fs::exists(path, error))
        return {};
    const auto there = Project::open(path, project::Mode::Existing);
    if (there && (*there)->readOnly())
        return fail(ErrorCode::Io, "the project cannot be replaced: " + (*there)->readOnlyReason(), path.string(),
            "close it there, or choose another name");
    return {};
}

} // namespace

void removeProject(const fs::path& path)
{
    std::error_code ignored;
    for (const auto* suffix : { "", "-wal", "-shm", "-lock", "-journal" })
        fs::remove(path.string() + suffix, ignored);
}

ProjectStore::ProjectStore(fs::path unsaved)
    : m_unsaved(std::move(unsaved))
{
}

Result<ProjectPtr> ProjectStore::makeUnsaved() const
{
    std::error_code error;
    fs::create_directories(m_unsaved, error);
    if (error)
        return fail(ErrorCode::Io, error.message(), m_unsaved.string(), "check the permissions");
    fs::permissions(m_unsaved, fs::perms::owner_all, error);
    for (int number = 0;; ++number) {
        const fs::path path
            = m_unsaved / ("unsaved-" + std::to_string(::getpid()) + "-" + std::to_string(number) + ".qscope");
        if (fs::exists(path, error))
            continue;
        QS_TRY(auto made, Project::open(path));
        if (!made->readOnly()) // or another window of this process was faster
            return made;
    }
}

Result<ProjectPtr> ProjectStore::project()
{
    const std::unique_lock lock(m_mutex);
    if (!m_project) {
        if (m_unsaved.empty())
            return fail(ErrorCode::NotFound, "no project is open");
        QS_TRY(m_project, makeUnsaved());
    }
    return m_project;
}

ProjectPtr ProjectStore::current() const
{
    const std::shared_lock lock(m_mutex);
    return m_project;
}

bool ProjectStore::isUnsaved(const ProjectPtr& project) const
{
    return !project || (!m_unsaved.empty() && project->path().parent_path() == fs::weakly_canonical(m_unsaved));
}

bool ProjectStore::unsaved() const { return isUnsaved(current()); }

void ProjectStore::replace(ProjectPtr next)
{
    ProjectPtr old;
    const std::unique_lock lock(m_mutex);
    old = std::exchange(m_project, std::move(next));
}

Result<void> ProjectStore::moveTo(const fs::path& path)
{
    const std::unique_lock lock(m_mutex);
    std::error_code error;
    if (m_project && fs::equivalent(m_project->path(), path, error))
        return {};
    QS_CHECK(checkFree(path));
    if (!m_project) {
        QS_TRY(m_project, makeUnsaved());
    }
    const fs::path part = path.string() + ".part";
    if (const auto copied = copyBeside(*m_project, part); !copied) {
        removeProject(part);
        return copied;
    }
    removeProject(path);
    fs::rename(part, path, error);
    if (error)
        return fail(ErrorCode::Io, error.message(), path.string(), "choose another folder");
    QS_TRY(auto saved, Project::open(path, project::Mode::Existing));
    const fs::path old = isUnsaved(m_project) ? m_project->path() : fs::path();
    m_project = std::move(saved);
    if (!old.empty())
        removeProject(old);
    return {};
}

Result<void> ProjectStore::copyFrom(const Project& source)
{
    QS_TRY(auto copy, makeUnsaved());
    QS_CHECK(copy->merge(source));
    replace(std::move(copy));
    return {};
}

void ProjectStore::discard()
{
    const std::unique_lock lock(m_mutex);
    const fs::path old = m_project && isUnsaved(m_project) ? m_project->path() : fs::path();
    m_project.reset();
    if (!old.empty())
        removeProject(old);
}

Result<void> ProjectStore::keep(const std::function<Result<void>(Project&)>& work)
{
    // Where not even unsaved work can be kept, the window has said so; the work itself goes on.
    if (!project())
        return {};
    const std::shared_lock lock(m_mutex);
    return m_project ? work(*m_project) : Result<void>();
}

Result<void> ProjectStore::keepStudy(const project::Study& study)
{
    return keep([&](Project& project) { return project.keepStudy(study); });
}

std::vector<std::uint8_t> ProjectStore::findStats(const std::string& key)
{
    const auto project = current();
    return project ? project->findStats(key) : std::vector<std::uint8_t>();
}

void ProjectStore::keepStats(const std::string& key, const std::vector<std::uint8_t>& bytes)
{
    [[maybe_unused]] const auto kept = keep([&](Project& project) -> Result<void> {
        project.keepStats(key, bytes);
        return {};
    });
}

Result<evaluation::EvaluationResultPtr> ProjectStore::findResult(const std::string& key)
{
    const auto project = current();
    return project ? project->findResult(key) : evaluation::EvaluationResultPtr();
}

Result<void> ProjectStore::keepResult(
    const std::string& key, const evaluation::ResultOrigin& origin, const evaluation::EvaluationResult& result)
{
    return keep([&](Project& project) { return project.keepResult(key, origin, result); });
}

Result<std::optional<flow::QuantizedNetwork>> ProjectStore::findNetwork(const std::string& key)
{
    if (const auto project = current())
        return project->findNetwork(key);
    return std::nullopt;
}

Result<std::optional<flow::BestFlow>> ProjectStore::findBestFlow(const std::string& key)
{
    if (const auto project = current())
        return project->findBestFlow(key);
    return std::nullopt;
}

Result<void> ProjectStore::keepNetwork(
    const std::string& key, const planning::PlanRequest& request, const flow::QuantizedNetwork& network)
{
    return keep([&](Project& project) { return project.keepNetwork(key, request, network); });
}

Result<void> ProjectStore::keepBestFlow(
    const std::string& key, const planning::PlanRequest& request, const flow::BestFlow& best)
{
    return keep([&](Project& project) { return project.keepBestFlow(key, request, best); });
}

Result<std::optional<evaluation::Fidelity>> ProjectStore::findFidelity(const std::string& key)
{
    if (const auto project = current())
        return project->findFidelity(key);
    return std::nullopt;
}

Result<void> ProjectStore::keepFidelity(const std::string& key, const evaluation::Fidelity& fidelity)
{
    return keep([&](Project& project) { return project.keepFidelity(key, fidelity); });
}

KeptOnly::KeptOnly(std::shared_ptr<ProjectStore> store, std::function<void()> missed)
    : m_store(std::move(store))
    , m_missed(std::move(missed))
{
}

Result<evaluation::EvaluationResultPtr> KeptOnly::findResult(const std::string& key)
{
    QS_TRY(auto found, m_store->findResult(key));
    if (!found)
        m_missed();
    return found;
}

Result<void> KeptOnly::keepResult(
    const std::string& /*key*/, const evaluation::ResultOrigin& /*origin*/, const evaluation::EvaluationResult& /*r*/)
{
    return {};
}

Result<std::optional<flow::QuantizedNetwork>> KeptOnly::findNetwork(const std::string& key)
{
    QS_TRY(auto found, m_store->findNetwork(key));
    if (!found)
        m_missed();
    return found;
}

Result<std::optional<flow::BestFlow>> KeptOnly::findBestFlow(const std::string& key)
{
    QS_TRY(auto found, m_store->findBestFlow(key));
    if (!found)
        m_missed();
    return found;
}

Result<void> KeptOnly::keepNetwork(
    const std::string& /*key*/, const planning::PlanRequest& /*request*/, const flow::QuantizedNetwork& /*network*/)
{
    return {};
}

Result<void> KeptOnly::keepBestFlow(
    const std::string& /*key*/, const planning::PlanRequest& /*request*/, const flow::BestFlow& /*best*/)
{
    return {};
}

Result<std::optional<evaluation::Fidelity>> KeptOnly::findFidelity(const std::string& key)
{
    QS_TRY(auto found, m_store->findFidelity(key));
    if (!found)
        m_missed();
    return found;
}

Result<void> KeptOnly::keepFidelity(const std::string& /*key*/, const evaluation::Fidelity& /*fidelity*/) { return {}; }

} // namespace quantoscope::ui
