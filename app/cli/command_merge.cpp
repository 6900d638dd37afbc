// SPDX-License-Identifier: GPL-3.0-or-later
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "app/cli/command.h"
#include "app/cli/text.h"
#include "core/project/project.h"

namespace quantoscope::cli {

namespace {

using project::Mode;
using project::Project;

/// Joins the projects of shards into one, which then has everything for the whole table.
class Merge : public Command {
public:
    explicit Merge(CLI::App& command)
    {
        command.add_option("OUT", m_out, "Project to put everything into; made if absent")->required();
        command.add_option("IN", m_in, "Projects of shards")->required();
        command.add_flag("--json", m_common.json, "One JSON document on standard output, nothing else");
    }

    Result<void> run(const base::Job& job, Report& report) override
    {
        QS_TRY(const auto parts, openParts());
        QS_TRY(const auto whole, Project::open(m_out));
        if (whole->readOnly())
            return fail(ErrorCode::Io, "the project can only be read: " + whole->readOnlyReason(), m_out,
                "wait until it is free, or name another project");
        job.begin("Merging", static_cast<std::int64_t>(parts.size()), "projects");
        for (const auto& part : parts) {
            if (job.stopRequested())
                return base::cancelled();
            QS_CHECK(whole->merge(*part));
            job.advance();
        }
        job.finish();
        QS_TRY(const auto results, whole->results());
        report.fact("project", m_out);
        report.json()["parts"] = m_in;
        report.json()["results"] = results.size();
        report.text(count(static_cast<std::int64_t>(results.size())) + " results of "
            + count(static_cast<std::int64_t>(parts.size()))
            + " projects; the command that made the shards, without "
              "--shard and with --project "
            + m_out + ", shows the whole.\n");
        return {};
    }

private:
    /// All of them, and whether they belong together, before anything is written.
    Result<std::vector<project::ProjectPtr>> openParts() const
    {
        std::vector<project::ProjectPtr> parts;
        for (const auto& file : m_in) {
            QS_TRY(auto part, Project::open(file, Mode::ReadOnly));
            QS_CHECK(parts.empty() ? Result<void>() : parts.front()->checkMergeable(*part));
            parts.push_back(std::move(part));
        }
        return parts;
    }

    std::string m_out;
    std::vector<std::string> m_in;
};

} // namespace

CommandPtr makeMerge(CLI::App& command) { return std::make_unique<Merge>(command); }

} // namespace quantoscope::cli
