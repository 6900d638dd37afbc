// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/chart_files.h"

#ifdef QUANTOSCOPE_CHARTS

#include <QApplication>
#include <QLoggingCategory>

#include "ui/charts/chart_exporter.h"

namespace quantoscope::cli {

Result<void> checkChartFile(const std::string& path)
{
    QS_TRY(const auto format, ui::chartFormat(path));
    if (format == ui::ChartFormat::Csv)
        return fail(ErrorCode::InvalidInput, "a chart is a picture, got a CSV file", path, "use --csv " + path);
    return {};
}

Result<void> writeCharts(const sweep::SweepResult& result, const std::vector<std::string>& paths)
{
    qputenv("QT_QPA_PLATFORM", "offscreen");
    QLoggingCategory::setFilterRules(
        "default.warning=false"); // Qt minds a missing desktop session; here that is normal
    int argc = 1;
    char name[] = "quantoscope-cli";
    char* argv[] = { name, nullptr };
    const QApplication application(argc, argv);
    for (const auto& path : paths)
        QS_CHECK(ui::exportSweepChart(result, path));
    return {};
}

} // namespace quantoscope::cli

#else

namespace quantoscope::cli {

Result<void> checkChartFile(const std::string& path)
{
    return fail(
        ErrorCode::Unsupported, "this build draws no charts", path, "build with QUANTOSCOPE_UI=ON, or use --csv");
}

Result<void> writeCharts(const sweep::SweepResult&, const std::vector<std::string>&) { return {}; }

} // namespace quantoscope::cli

#endif
