// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/cost_chart.h"

#include <algorithm>
#include <cmath>
#include <locale>
#include <sstream>

#include "ui/charts/chart_exporter.h"
#include "ui/charts/number_format.h"

namespace quantoscope::ui {

namespace {

constexpr double nearEnough = 12; // pixels from a dot at which the readout speaks of it

} // namespace

CostChart::CostChart(QWidget* parent)
    : BaseChart(parent)
{
    xAxis->setScaleType(QCPAxis::stLogarithmic);
    xAxis->setTicker(QSharedPointer<QCPAxisTickerLog>::create());
    xAxis->setNumberFormat("gb");
    xAxis->setNumberPrecision(3);
    yAxis->setLabel(tr("Top-1 accuracy [%]"));
    setAccessibleName(tr("Accuracy against cost"));
    rebuild();
}

void CostChart::setSeries(CostSeries series)
{
    m_series = std::move(series);
    rebuild();
    resetView();
    replot(QCustomPlot::rpQueuedReplot);
}

void CostChart::rebuild()
{
    clearPlottables();
    clearItems();
    setCaption(m_series.title, m_series.captions);
    xAxis->setLabel(m_series.xTitle);
    setAxes();
    if (m_series.floatTop1) {
        auto* line = new QCPItemStraightLine(this);
        line->point1->setCoords(1, *m_series.floatTop1);
        line->point2->setCoords(100, *m_series.floatTop1);
        line->setPen(QPen(theme().floating, 1.2, Qt::DashLine));
    }
    drawFront();
    // Most bits first, as they lie from top to bottom.
    for (std::size_t i = m_series.groups.size(); i-- > 0;)
        drawGroup(m_series.groups[i], static_cast<int>(i));
    legend->setVisible(!m_series.empty());
    legend->setBrush(translucent(theme().background, 0.8));
    legend->setTextColor(theme().text);
    legend->setBorderPen(Qt::NoPen);
    axisRect()->insetLayout()->setInsetAlignment(0, Qt::AlignBottom | Qt::AlignRight);
}

void CostChart::setAxes()
{
    double left = std::numeric_limits<double>::infinity();
    double right = 0;
    double low = m_series.floatTop1.value_or(100);
    double high = m_series.floatTop1.value_or(0);
    for (const auto& group : m_series.groups)
        for (const auto& point : group.points) {
            left = std::min(left, point.x);
            right = std::max(right, point.x);
            low = std::min(low, point.low);
            high = std::max(high, point.high);
        }
    if (m_series.empty()) {
        left = 1;
        right = 100;
        low = 0;
        high = 100;
    }
    const double pad = std::max(0.5, (high - low) * 0.05);
    setHome(xAxis, QCPRange(left / 1.15, right * 1.15));
    setHome(yAxis, QCPRange(std::max(-1.0, low - pad), std::min(101.0, high + pad)));
}

void CostChart::drawFront()
{
    if (m_series.front.size() < 2)
        return;
    QVector<double> x, y;
    for (const auto& point : m_series.front) {
        x << point.x;
        y << point.top1;
    }
    QCPGraph* stairs = addGraph();
    stairs->setName(tr("none cheaper and more accurate"));
    stairs->setLineStyle(QCPGraph::lsStepLeft);
    stairs->setPen(QPen(translucent(theme().text, 0.5), 1.2));
    stairs->setData(x, y, true);
    stairs->addToLegend();
}

void CostChart::drawGroup(const CostSeries::Group& group, int number)
{
    const QColor color = m_series.ordered ? theme().ordinal(group.position) : theme().category(number);
    QVector<double> x, y, below, above;
    for (const auto& point : group.points) {
        x << point.x;
        y << point.top1;
        below << point.top1 - point.low;
        above << point.high - point.top1;
    }
    QCPGraph* dots = addGraph();
    dots->setName(group.name);
    dots->setLineStyle(QCPGraph::lsNone);
    dots->setScatterStyle(QCPScatterStyle(QCPScatterStyle::ssCircle, QPen(color, 1.5), QBrush(color), 6));
    dots->setData(x, y, true);
    dots->addToLegend();
    auto* whiskers = new QCPErrorBars(xAxis, yAxis);
    whiskers->setDataPlottable(dots);
    whiskers->setPen(QPen(translucent(color, 0.5), 1));
    whiskers->setWhiskerWidth(4);
    whiskers->setSymbolGap(6);
    whiskers->setData(below, above);
}

QString CostChart::readout(const QPointF& position) const
{
    const CostSeries::Point* nearest = nullptr;
    const CostSeries::Group* owner = nullptr;
    double least = nearEnough;
    for (const auto& group : m_series.groups)
        for (const auto& point : group.points) {
            const QPointF at(xAxis->coordToPixel(point.x), yAxis->coordToPixel(point.top1));
            const double distance = std::hypot(at.x() - position.x(), at.y() - position.y());
            if (distance < least) {
                least = distance;
                nearest = &point;
                owner = &group;
            }
        }
    if (!nearest)
        return {};
    return tr("<b>%1</b> (%2)<br>top-1 %3 (%4 to %5)<br>%6: %7")
        .arg(nearest->name.toHtmlEscaped(), owner->name.toHtmlEscaped(), formatPercent(nearest->top1),
            formatPercent(nearest->low, 1), formatPercent(nearest->high, 1), m_series.xTitle, formatMetric(nearest->x));
}

std::string CostChart::csv() const
{
    if (m_series.empty())
        return {};
    std::ostringstream out;
    out.imbue(std::locale::classic());
    out.precision(10);
    out << "group,network," << cost::toString(m_series.metric) << ",top1,top1_low,top1_high\n";
    const auto quoted = [](QString text) { return '"' + text.replace('"', '\'').toStdString() + '"'; };
    for (const auto& group : m_series.groups)
        for (const auto& point : group.points)
            out << quoted(group.name) << ',' << quoted(point.name) << ',' << point.x << ',' << point.top1 << ','
                << point.low << ',' << point.high << '\n';
    return out.str();
}

Result<void> exportCostChart(CostSeries series, const std::filesystem::path& path)
{
    CostChart chart;
    chart.setSeries(std::move(series));
    return exportChart(chart, path, { .size = chart.exportSize() });
}

} // namespace quantoscope::ui
