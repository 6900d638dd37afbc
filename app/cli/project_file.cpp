// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/project_file.h"

#include <cstdio>
#include <memory>
#include <ranges>

#include <CLI/CLI.hpp>

#include "app/cli/text.h"

namespace quantoscope::cli {

namespace fs = std::filesystem;

void ProjectOptions::addTo(CLI::App& command)
{
    command.add_option("--project", file,
        "Keep every finished result in this file (.qscope), made if absent, and take from it what was finished before");
    auto* folders = command.add_option("--look-in", lookIn, "Folder that the project's model may have moved to");
    folders->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    folders->needs("--project");
}

Result<project::ProjectPtr> openProject(const std::string& file)
{
    static std::weak_ptr<project::Project> opened; // commands run on one thread
    std::error_code error;
    if (auto same = opened.lock(); same && fs::equivalent(same->path(), file, error))
        return same;
    QS_TRY(auto project, project::Project::open(file));
    if (project->readOnly())
        return fail(ErrorCode::Io, "the project can only be read: " + project->readOnlyReason(), file,
            "wait until it is free, or name another project");
    opened = project;
    return project;
}

Result<fs::path> findModel(const std::string& model, const project::Project& project, const ProjectOptions& options)
{
    std::error_code error;
    if (fs::exists(model, error))
        return model;
    const std::vector<fs::path> folders(options.lookIn.begin(), options.lookIn.end());
    QS_TRY(const auto sources, project.sources());
    const auto wanted = fs::absolute(model).lexically_normal();
    for (const auto& source : std::views::reverse(sources)) // the latest that was called so
        if (source.role == "model" && source.path == wanted)
            return project.locate(source, folders);
    return model;
}

void reportUse(const project::Project& project)
{
    const auto use = project.use();
    std::fprintf(stderr, "%s: %s results found, %s computed\n", project.path().filename().c_str(),
        count(use.found).c_str(), count(use.computed).c_str());
}

} // namespace quantoscope::cli
