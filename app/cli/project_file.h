// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/project/project.h"

namespace CLI {
class App;
}

namespace quantoscope::cli {

/// --project FILE: where a command keeps what it finishes, and takes what was finished before from.
struct ProjectOptions {
    std::string file; ///< empty: nothing is kept
    std::vector<std::string> lookIn; ///< folders that a model which moved may be in

    void addTo(CLI::App& command);
};

/// Opens the project for writing, makes it if it is not there. The same one for everybody in this process while one of
/// them holds it. Errors: as Project::open(); Io if another process has it, or it may not be written to.
Result<project::ProjectPtr> openProject(const std::string& file);

/// Where the model is: `model` if it is there, or where the project finds what was there. Otherwise `model`, whose
/// reader says what is wrong.
Result<std::filesystem::path> findModel(
    const std::string& model, const project::Project& project, const ProjectOptions& options);

/// Says on standard error how much of the work was found and how much was done. Nothing of it belongs into a report,
/// which is the same however often the work was interrupted.
void reportUse(const project::Project& project);

} // namespace quantoscope::cli
