// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/reporting/project_report.h"

#include <utility>

#include "core/base/utc_time.h"

namespace quantoscope::reporting {

exporting::ReportContent newReport(std::string title)
{
    exporting::ReportContent content;
    content.title = std::move(title);
    content.version = QUANTOSCOPE_VERSION;
    content.created = base::utcNow();
    return content;
}

Result<exporting::ReportContent> contentOf(const project::Project& project)
{
    auto content = newReport(project.path().stem().string());
    QS_TRY(const auto sources, project.sources());
    for (const auto& source : sources) {
        const auto found = source.details.is_object() ? source.details.value("description", std::string()) : "";
        content.sources.push_back({ source.role, source.path.string(), source.fingerprint, found });
    }
    QS_TRY(const auto studies, project.studies());
    for (const auto& study : studies)
        content.studies.push_back({ study.command, study.settings, study.document, study.complete,
            study.provenance.version, study.provenance.machine, study.provenance.created });
    QS_TRY(const auto results, project.results());
    for (const auto& result : results)
        content.results.push_back(
            { result.scope, result.data, result.plan, result.images, result.top1, std::to_string(result.seed),
                result.provenance.version, result.provenance.machine, result.provenance.created });
    return content;
}

} // namespace quantoscope::reporting
