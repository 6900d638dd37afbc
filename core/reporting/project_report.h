// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

#include "core/base/error.h"
#include "core/exporting/report/report.h"
#include "core/project/project.h"

namespace quantoscope::reporting {

/// All that a project holds, as a report tells it: sources, studies, and every evaluation. Titled after the file.
/// Errors: as Project.
Result<exporting::ReportContent> contentOf(const project::Project& project);

/// An empty report of now, by this version.
exporting::ReportContent newReport(std::string title = {});

} // namespace quantoscope::reporting
