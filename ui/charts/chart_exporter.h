// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>

#include <QImage>
#include <QSize>

#include "core/base/error.h"
#include "core/sweep/options_study.h"

namespace quantoscope::ui {

class BaseChart;

enum class ChartFormat { Png, Svg, Pdf, Csv };

/// By the file's extension. InvalidInput for any other.
Result<ChartFormat> chartFormat(const std::filesystem::path& path);

struct ChartExportOptions {
    QSize size { 960, 600 }; ///< in points of 1/96 inch
    double scale = 2; ///< pixels a point, PNG only
};

/// The chart with its captions on white, whatever the window's colours, as it goes into a document.
QImage renderChart(BaseChart& chart, const ChartExportOptions& options = {});

/// Writes the picture, or the data behind it as CSV, atomically. The chart looks as before afterwards.
Result<void> exportChart(BaseChart& chart, const std::filesystem::path& path, const ChartExportOptions& options = {});

/// Options ranked by accuracy into a file, without a window; needs a QApplication.
Result<void> exportOptionsChart(const sweep::OptionsStudyPtr& study, const std::filesystem::path& path);

} // namespace quantoscope::ui
