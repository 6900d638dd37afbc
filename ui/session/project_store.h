// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <string>
#include <vector>

#include "core/project/project.h"

namespace quantoscope::ui {

/// Where the window's work is kept: the project that is open, or else one that is made below a folder of unsaved work
/// with the first thing there is to keep. Jobs hold this, not the project, so that what they finish follows the window
/// to another file. Thread safe; for workers, as every call may touch the disk.
class ProjectStore final : public calibration::StatsStore, public evaluation::ResultStore, public flow::NetworkStore {
public:
    /// `unsaved`: the folder, made when it is needed; empty: without a project nothing is kept.
    explicit ProjectStore(std::filesystem::path unsaved);

    /// The project, made if there is none yet. Errors: as Project::open().
    Result<project::ProjectPtr> project();
    project::ProjectPtr current() const; ///< null: nothing is kept yet
    bool unsaved() const; ///< nothing is kept, or in the folder of unsaved work
    const std::filesystem::path& unsavedFolder() const { return m_unsaved; }

    /// From now on everything goes to `next` (null: to unsaved work that is not made yet).
    void replace(project::ProjectPtr next);
    /// Brings everything into one file and goes on with that. What is at `path` is replaced once all is written.
    /// Keeping waits meanwhile, so that nothing is lost on the way. Errors: Io if another process has `path` open; as
    /// Project::open() and merge().
    Result<void> moveTo(const std::filesystem::path& path);
    /// Starts with a copy of a project that may only be read. Errors: as Project::merge().
    Result<void> copyFrom(const project::Project& source);
    /// Lets go of the project; unsaved work is deleted.
    void discard();

    Result<void> keepStudy(const project::Study& study); ///< as Project::keepStudy()

    std::vector<std::uint8_t> findStats(const std::string& key) override;
    void keepStats(const std::string& key, const std::vector<std::uint8_t>& bytes) override;
    Result<evaluation::EvaluationResultPtr> findResult(const std::string& key) override;
    Result<void> keepResult(const std::string& key, const evaluation::ResultOrigin& origin,
        const evaluation::EvaluationResult& result) override;
    Result<std::optional<flow::QuantizedNetwork>> findNetwork(const std::string& key) override;
    Result<std::optional<flow::BestFlow>> findBestFlow(const std::string& key) override;
    Result<void> keepNetwork(
        const std::string& key, const planning::PlanRequest& request, const flow::QuantizedNetwork& network) override;
    Result<void> keepBestFlow(
        const std::string& key, const planning::PlanRequest& request, const flow::BestFlow& best) override;
    Result<std::optional<evaluation::Fidelity>> findFidelity(const std::string& key) override;
    Result<void> keepFidelity(const std::string& key, const evaluation::Fidelity& fidelity) override;

private:
    Result<void> keep(const std::function<Result<void>(project::Project&)>& work);
    Result<project::ProjectPtr> makeUnsaved() const;
    bool isUnsaved(const project::ProjectPtr& project) const;

    const std::filesystem::path m_unsaved;
    mutable std::shared_mutex m_mutex; ///< held exclusively while the project is another one
    project::ProjectPtr m_project;
};

/// What a store has, and nothing else: calls `missed` for what is not there, so that work can be repeated as far as it
/// was finished. Keeps nothing.
class KeptOnly final : public evaluation::ResultStore, public flow::NetworkStore {
public:
    KeptOnly(std::shared_ptr<ProjectStore> store, std::function<void()> missed);

    Result<evaluation::EvaluationResultPtr> findResult(const std::string& key) override;
    Result<void> keepResult(const std::string& key, const evaluation::ResultOrigin& origin,
        const evaluation::EvaluationResult& result) override;
    Result<std::optional<flow::QuantizedNetwork>> findNetwork(const std::string& key) override;
    Result<std::optional<flow::BestFlow>> findBestFlow(const std::string& key) override;
    Result<void> keepNetwork(
        const std::string& key, const planning::PlanRequest& request, const flow::QuantizedNetwork& network) override;
    Result<void> keepBestFlow(
        const std::string& key, const planning::PlanRequest& request, const flow::BestFlow& best) override;
    Result<std::optional<evaluation::Fidelity>> findFidelity(const std::string& key) override;
    Result<void> keepFidelity(const std::string& key, const evaluation::Fidelity& fidelity) override;

private:
    std::shared_ptr<ProjectStore> m_store;
    std::function<void()> m_missed;
};

/// Deletes a project and what SQLite puts beside it.
void removeProject(const std::filesystem::path& path);

} // namespace quantoscope::ui
