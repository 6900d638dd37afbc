// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <memory>
#include <string>

#include "core/cost/energy.h"
#include "core/sweep/study_document.h"
#include "ui/session/project_store.h"
#include "ui/session/state.h"

namespace quantoscope::ui {

/// Keeps what studies find in the project as the command line does, so that a report of the project has them. For
/// workers; holds on to the model and the images that a study was started with.
class StudyKeeper {
public:
    StudyKeeper(std::shared_ptr<ProjectStore> store, LoadedModelPtr model, LoadedDataPtr data);

    /// Each in the place of the same study with the same settings. Errors: as Project::keepStudy().
    Result<void> keep(const sweep::GridOptions& options, const sweep::SweepResult& result) const;
    Result<void> keep(const sweep::SensitivityOptions& options, const sweep::SensitivityResult& result) const;
    Result<void> keep(const sweep::SearchOptions& options, const sweep::SearchResult& result) const;
    Result<void> keep(const sweep::OptionsStudySettings& settings, const sweep::OptionsStudy& study) const;

private:
    template <typename Options>
    Result<void> keep(const std::string& command, const std::string& scope, const Options& options, const Json& found,
        const std::vector<std::string>& notes, bool complete) const;

    std::shared_ptr<ProjectStore> m_store;
    LoadedModelPtr m_model;
    LoadedDataPtr m_data;
};

} // namespace quantoscope::ui
