// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/sweep/options_study.h"
#include "core/sweep/search.h"
#include "core/sweep/sensitivity.h"
#include "core/sweep/sweep.h"

namespace quantoscope::cli {

/// Whether a chart can be written under this name: .png, .svg or .pdf. Unsupported in a build without the window's
/// charts.
Result<void> checkChartFile(const std::string& path);

/// Draws accuracy against word-length into every file. Needs no display.
Result<void> writeCharts(const sweep::SweepResult& result, const std::vector<std::string>& paths);
/// Draws what each layer alone costs at each word-length.
Result<void> writeCharts(const sweep::SensitivityResultPtr& result, const std::vector<std::string>& paths);
/// Draws measured accuracy against cost.
Result<void> writeCharts(const sweep::SearchResultPtr& result, const std::vector<std::string>& paths);
/// Draws combinations of options, ranked by accuracy.
Result<void> writeCharts(const sweep::OptionsStudyPtr& study, const std::vector<std::string>& paths);

} // namespace quantoscope::cli
