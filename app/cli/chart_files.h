// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/cost/metric.h"
#include "core/sweep/depth.h"
#include "core/sweep/options_study.h"
#include "core/sweep/search.h"
#include "core/sweep/sensitivity.h"
#include "core/sweep/sweep.h"

namespace quantoscope::cli {

/// Whether a chart can be written under this name: .png, .svg or .pdf. Unsupported in a build without the window's
/// charts.
Result<void> checkChartFile(const std::string& path);

/// What to draw over. Empty: what the study is about (word-lengths, layers, price, combinations); otherwise accuracy
/// over that cost.
using ChartAxis = std::optional<cost::Metric>;

/// Draws accuracy against word-length into every file. Needs no display.
Result<void> writeCharts(const sweep::SweepResult& result, const std::vector<std::string>& paths, ChartAxis axis = {});
/// The same, the last points below float alone.
Result<void> writeNearFloat(const sweep::SweepResult& result, const std::vector<std::string>& paths);
/// Draws accuracy over both word-lengths, with lines of equal cost (empty: without).
Result<void> writeMaps(
    const sweep::SweepResult& result, const std::vector<std::string>& paths, std::optional<cost::Metric> contours);
/// Draws what each layer alone costs at each word-length.
Result<void> writeCharts(
    const sweep::SensitivityResultPtr& result, const std::vector<std::string>& paths, ChartAxis axis = {});
/// Draws measured accuracy against price.
Result<void> writeCharts(
    const sweep::SearchResultPtr& result, const std::vector<std::string>& paths, ChartAxis axis = {});
/// Draws combinations of options, ranked by accuracy.
Result<void> writeCharts(
    const sweep::OptionsStudyPtr& study, const std::vector<std::string>& paths, ChartAxis axis = {});
/// Draws the accuracy of several models against cost; without an axis, bit operations.
Result<void> writeCharts(
    const std::vector<sweep::StudiedModel>& models, const std::vector<std::string>& paths, ChartAxis axis = {});

} // namespace quantoscope::cli
