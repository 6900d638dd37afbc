// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/pareto_chart.h"

#include "ui/charts/chart_exporter.h"
#include "ui/charts/number_format.h"

namespace quantoscope::ui {

void ParetoChart::setResult(sweep::SearchResultPtr result)
{
    m_result = std::move(result);
    setSeries(m_result ? paretoSeries(*m_result) : CostSeries {});
}

QString ParetoChart::readout(const QPointF& position) const
{
    const auto hit = hitAt(position);
    if (!m_result || !hit.point)
        return {};
    const auto& point = m_result->points[hit.point->index];
    return tr("<b>%1</b><br>top-1 %2 (%3 to %4)<br>%5 points against float<br>%6, %7 BOP, %8")
        .arg(QString::fromStdString(point.label()), formatPercent(point.top1), formatPercent(point.top1Interval.low, 1),
            formatPercent(point.top1Interval.high, 1), formatSignedPercent(point.againstFloat.delta),
            formatBytes(point.cost.sizeBytes), formatMetric(point.cost.bops), formatEnergy(point.cost.energyPj));
}

std::string ParetoChart::csv() const { return m_result ? sweep::toCsv(*m_result) : std::string {}; }

Result<void> exportParetoChart(const sweep::SearchResultPtr& result, const std::filesystem::path& path)
{
    ParetoChart chart;
    chart.setResult(result);
    return exportChart(chart, path, { .size = chart.exportSize() });
}

} // namespace quantoscope::ui
