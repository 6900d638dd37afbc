// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/chart_files.h"

#ifdef QUANTOSCOPE_CHARTS

#include <QApplication>
#include <QLoggingCategory>

#include "ui/charts/chart_exporter.h"
#include "ui/charts/cost_chart.h"
#include "ui/charts/heat_chart.h"
#include "ui/charts/pareto_chart.h"
#include "ui/charts/sensitivity_chart.h"
#include "ui/charts/sweep_chart.h"

namespace quantoscope::cli {

Result<void> checkChartFile(const std::string& path)
{
    QS_TRY(const auto format, ui::chartFormat(path));
    if (format == ui::ChartFormat::Csv)
        return fail(ErrorCode::InvalidInput, "a chart is a picture, got a CSV file", path, "use --csv " + path);
    return {};
}

namespace {

/// Calls `draw` for every file while there is an application to draw with.
template <typename Draw> Result<void> drawAll(const std::vector<std::string>& paths, Draw draw)
{
    qputenv("QT_QPA_PLATFORM", "offscreen");
    QLoggingCategory::setFilterRules(
        "default.warning=false"); // Qt minds a missing desktop session; here that is normal
    int argc = 1;
    char name[] = "quantoscope-cli";
    char* argv[] = { name, nullptr };
    const QApplication application(argc, argv);
    for (const auto& path : paths)
        QS_CHECK(draw(path));
    return {};
}

} // namespace

Result<void> writeCharts(const sweep::SweepResult& result, const std::vector<std::string>& paths, ChartAxis axis)
{
    const auto shared = std::make_shared<const sweep::SweepResult>(result);
    return drawAll(paths, [&](const std::string& path) {
        return axis ? ui::exportCostChart(ui::costSeries(result, *axis), path) : ui::exportSweepChart(shared, path);
    });
}

Result<void> writeNearFloat(const sweep::SweepResult& result, const std::vector<std::string>& paths)
{
    const auto shared = std::make_shared<const sweep::SweepResult>(result);
    return drawAll(paths,
        [&](const std::string& path) { return ui::exportSweepChart(shared, path, ui::SweepChart::Extent::NearFloat); });
}

Result<void> writeMaps(
    const sweep::SweepResult& result, const std::vector<std::string>& paths, std::optional<cost::Metric> contours)
{
    const auto shared = std::make_shared<const sweep::SweepResult>(result);
    return drawAll(paths, [&](const std::string& path) { return ui::exportHeatChart(shared, contours, path); });
}

Result<void> writeCharts(
    const sweep::SensitivityResultPtr& result, const std::vector<std::string>& paths, ChartAxis axis)
{
    return drawAll(paths, [&](const std::string& path) {
        return axis ? ui::exportCostChart(ui::costSeries(*result, *axis), path)
                    : ui::exportSensitivityChart(result, path);
    });
}

Result<void> writeCharts(const sweep::SearchResultPtr& result, const std::vector<std::string>& paths, ChartAxis axis)
{
    return drawAll(paths, [&](const std::string& path) {
        return axis ? ui::exportCostChart(ui::costSeries(*result, *axis), path) : ui::exportParetoChart(result, path);
    });
}

Result<void> writeCharts(const sweep::OptionsStudyPtr& study, const std::vector<std::string>& paths, ChartAxis axis)
{
    return drawAll(paths, [&](const std::string& path) {
        return axis ? ui::exportCostChart(ui::costSeries(*study, *axis), path) : ui::exportOptionsChart(study, path);
    });
}

Result<void> writeCharts(
    const std::vector<sweep::StudiedModel>& models, const std::vector<std::string>& paths, ChartAxis axis)
{
    return drawAll(paths, [&](const std::string& path) {
        return ui::exportCostChart(ui::costSeries(models, axis.value_or(cost::Metric::Bops)), path);
    });
}

} // namespace quantoscope::cli

#else

namespace quantoscope::cli {

Result<void> checkChartFile(const std::string& path)
{
    return fail(
        ErrorCode::Unsupported, "this build draws no charts", path, "build with QUANTOSCOPE_UI=ON, or use --csv");
}

Result<void> writeCharts(const sweep::SweepResult&, const std::vector<std::string>&, ChartAxis) { return {}; }
Result<void> writeNearFloat(const sweep::SweepResult&, const std::vector<std::string>&) { return {}; }
Result<void> writeMaps(const sweep::SweepResult&, const std::vector<std::string>&, std::optional<cost::Metric>)
{
    return {};
}
Result<void> writeCharts(const sweep::SensitivityResultPtr&, const std::vector<std::string>&, ChartAxis) { return {}; }
Result<void> writeCharts(const sweep::SearchResultPtr&, const std::vector<std::string>&, ChartAxis) { return {}; }
Result<void> writeCharts(const sweep::OptionsStudyPtr&, const std::vector<std::string>&, ChartAxis) { return {}; }
Result<void> writeCharts(const std::vector<sweep::StudiedModel>&, const std::vector<std::string>&, ChartAxis)
{
    return {};
}

} // namespace quantoscope::cli

#endif
