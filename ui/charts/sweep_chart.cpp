// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/sweep_chart.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "ui/charts/below_scale_chart.h"
#include "ui/charts/chart_exporter.h"
#include "ui/charts/number_format.h"

namespace quantoscope::ui {

namespace {

constexpr double hitRadius = 14; // pixels

constexpr double nearFloat = 5; // points
constexpr double accuracyStep = 10; // points in which the axis grows
constexpr double leastBelow = 1; // points between the lowest interval and the axis
constexpr double asideStep = 0.07; // bits, from line to line whose intervals would cover each other

} // namespace

SweepChart::SweepChart(Extent extent, QWidget* parent)
    : PointChart(Groups::Columns, parent)
    , m_extent(extent)
{
    addLegend();
    yAxis->setLabel(tr("Top-1 accuracy [%]"));
    setAccessibleName(tr("Accuracy against word-length"));
    rebuild();
}

void SweepChart::addLegend()
{
    // Beside the plot, where it covers nothing: title, entries, and a filler that takes the height that is left.
    auto* column = new QCPLayoutGrid;
    plotLayout()->addElement(0, 1, column);
    plotLayout()->setColumnStretchFactor(1, 0.001);
    m_legendTitle = new QCPTextElement(this);
    m_legendTitle->setTextFlags(Qt::AlignLeft | Qt::AlignVCenter);
    m_legendTitle->setMargins(QMargins(8, 12, 12, 0));
    column->addElement(0, 0, m_legendTitle);
    column->addElement(1, 0, legend);
    column->addElement(2, 0, new QCPLayoutElement(this));
    column->setRowStretchFactors({ 0.001, 0.001, 1 });
    column->setRowSpacing(0);
    legend->setMargins(QMargins(6, 2, 12, 0));
    legend->setVisible(true);
}

void SweepChart::setResult(std::shared_ptr<const sweep::SweepResult> result)
{
    const auto oldTicks = m_series.ticks.size();
    const auto before = std::exchange(m_result, std::move(result));
    m_series = m_result ? sweepSeries(*m_result) : SweepSeries {};
    m_grows = continues(before.get());
    rebuild();
    if (m_series.ticks.size() != oldTicks)
        resetView();
    replot(QCustomPlot::rpQueuedReplot);
}

bool SweepChart::continues(const sweep::SweepResult* before) const
{
    // One that was interrupted and goes on begins without points again.
    return before == m_result.get()
        || (before && m_result && !before->complete && before->weightBits == m_result->weightBits
            && before->activationBits == m_result->activationBits);
}

void SweepChart::setBandsVisible(bool visible)
{
    m_bands = visible;
    rebuild();
    replot(QCustomPlot::rpQueuedReplot);
}

void SweepChart::rebuild()
{
    legend->clearItems();
    clearPlottables();
    clearItems();
    m_legendTitle->setFont(chartFont(-1, true));
    m_legendTitle->setTextColor(theme().text);
    m_legendTitle->setText(m_series.lineTitle);
    m_legendTitle->setVisible(!m_series.empty());
    xAxis->setLabel(m_series.xTitle.isEmpty() ? tr("Weight word-length [bits]") : m_series.xTitle);
    setCaption(m_series.title, m_series.captions);
    setAxes();
    m_below = m_extent == Extent::NearFloat ? new BelowScale(this) : nullptr;
    if (m_below) {
        m_below->setFont(chartFont(-1));
        m_below->setColors(theme().muted, theme().background);
    }
    // Most bits first, as the lines lie from top to bottom.
    for (std::size_t i = m_series.lines.size(); i-- > 0;)
        drawLine(m_series.lines[i], i);
    drawFloat();
    drawCurrent();
}

void SweepChart::setAxes()
{
    auto ticker = QSharedPointer<QCPAxisTickerText>::create();
    for (const auto& tick : m_series.ticks)
        ticker->addTick(tick.x, tick.label);
    xAxis->setTicker(ticker);
    xAxis->setSubTicks(false);

    const double first = m_series.ticks.empty() ? 2 : m_series.ticks.front().x;
    const double last = m_series.ticks.empty() ? 8 : m_series.ticks.back().x;
    const QCPRange x(first - 0.35, std::max(last, first + 1) + 0.35);
    const QCPRange keepX = xAxis->range();
    const QCPRange keepY = yAxis->range();
    const bool zoomed = keepX != homeRange(xAxis) || (keepY != homeRange(yAxis) && keepY != m_shown);
    setHome(xAxis, x);
    setHome(yAxis, accuracies());
    setContents(yAxis, QCPRange(0, 102));
    if (!m_series.lines.empty() && zoomed) {
        xAxis->setRange(keepX);
        yAxis->setRange(keepY);
        return;
    }
    // Without float what is near it is a guess until the last point: it may go up.
    if (m_grows && (m_extent == Extent::Whole || m_series.floatTop1))
        yAxis->setRange(keepY.expanded(homeRange(yAxis)));
    m_shown = yAxis->range();
}

QCPRange SweepChart::accuracies() const
{
    double low = m_series.floatTop1.value_or(100);
    double best = m_series.floatTop1.value_or(0);
    double high = best;
    for (const auto& line : m_series.lines)
        for (const auto& point : line.points) {
            low = std::min(low, point.low);
            best = std::max(best, point.top1);
            high = std::max(high, point.high);
        }
    if (m_extent == Extent::NearFloat && !m_series.empty()) {
        const double worth = std::floor(m_series.floatTop1.value_or(best)) - nearFloat;
        const double bottom = std::max({ 0.0, std::floor(low), worth });
        return { bottom, std::max(bottom + 1, std::min(100.2, high + 0.3)) };
    }
    // Whole steps, so that a point that comes in moves what is there seldom and not far; where the lowest lie as low as
    // guessing does, the whole scale.
    const double bottom = std::floor((low - leastBelow) / accuracyStep) * accuracyStep;
    const double from = bottom <= accuracyStep ? 0 : bottom;
    return { from, 100 + (100 - from) * 0.02 };
}

void SweepChart::drawLine(const SweepSeries::Line& line, std::size_t number)
{
    // The line whose other operand stays float is grey, as everything float is.
    const bool alone = m_series.lines.size() == 1;
    const QColor color = alone ? theme().quantized : line.bits ? theme().ordinal(line.position) : theme().floating;
    QVector<double> x, y;
    for (const auto& point : line.points) {
        x << point.x + aside(number);
        y << point.top1;
        if (m_below)
            m_below->add(x.back(), point.top1, color);
    }
    if (m_bands && m_extent == Extent::Whole)
        drawBand(line, translucent(color, alone ? 0.2 : 0.1));
    QCPGraph* graph = addGraph();
    graph->setData(x, y, true);
    graph->setPen(QPen(color, 2, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
    graph->setScatterStyle(QCPScatterStyle(shapeOf(number), QPen(color, 1), QBrush(color), 7));
    const bool hidden = m_below && !line.points.empty()
        && std::ranges::all_of(line.points, [&](const auto& point) { return point.top1 < homeRange(yAxis).lower; });
    graph->setName(hidden ? tr("%1, below").arg(line.label) : line.label);
    graph->addToLegend();
    if (m_bands && m_extent == Extent::NearFloat)
        drawWhiskers(line, graph, translucent(color, 0.7));
}

void SweepChart::drawBand(const SweepSeries::Line& line, const QColor& color)
{
    QVector<double> x, low, high;
    for (const auto& point : line.points) {
        x << point.x;
        low << point.low;
        high << point.high;
    }
    QCPGraph* upper = addGraph();
    QCPGraph* lower = addGraph();
    for (QCPGraph* edge : { upper, lower })
        edge->setPen(Qt::NoPen);
    upper->setData(x, high, true);
    lower->setData(x, low, true);
    upper->setBrush(color);
    upper->setChannelFillGraph(lower);
}

void SweepChart::drawWhiskers(const SweepSeries::Line& line, QCPGraph* graph, const QColor& color)
{
    QVector<double> below, above;
    for (const auto& point : line.points) {
        below << point.top1 - point.low;
        above << point.high - point.top1;
    }
    auto* whiskers = new QCPErrorBars(xAxis, yAxis);
    whiskers->setDataPlottable(graph);
    whiskers->setPen(QPen(color, 1.2));
    whiskers->setWhiskerWidth(4);
    whiskers->setSymbolGap(7);
    whiskers->setData(below, above);
}

double SweepChart::aside(std::size_t line) const
{
    if (m_extent == Extent::Whole || !m_bands)
        return 0;
    return (static_cast<double>(line) - (static_cast<double>(m_series.lines.size()) - 1) / 2) * asideStep;
}

void SweepChart::drawFloat()
{
    if (!m_series.floatTop1)
        return;
    const double value = *m_series.floatTop1;
    QCPGraph* line = addGraph();
    // Far enough to both sides for any zoom that makes sense; Qt draws no dashes along much longer lines.
    const QCPRange home = homeRange(xAxis);
    line->setData({ home.lower - home.size(), home.upper + home.size() }, { value, value }, true);
    line->setPen(QPen(theme().floating, 1.5, Qt::DashLine));
    line->setName(tr("float network\n%1").arg(formatPercent(value)));
    line->addToLegend();
}

void SweepChart::drawCurrent()
{
    for (std::size_t i = 0; i < m_series.lines.size(); ++i)
        for (const auto& point : m_series.lines[i].points) {
            if (point.index != current())
                continue;
            QCPGraph* ring = addGraph();
            ring->setLineStyle(QCPGraph::lsNone);
            ring->setScatterStyle(QCPScatterStyle(QCPScatterStyle::ssCircle, QPen(theme().text, 2), Qt::NoBrush, 15));
            ring->addData(point.x + aside(i), point.top1);
        }
}

QString SweepChart::below() const { return m_below ? m_below->note() : QString(); }

std::vector<PointChart::Place> SweepChart::places() const
{
    std::vector<Place> all;
    for (std::size_t i = 0; i < m_series.lines.size(); ++i)
        for (const auto& point : m_series.lines[i].points)
            all.push_back({ point.index, { point.x + aside(i), point.top1 }, QPointF(point.x, point.top1) });
    return all;
}

std::optional<std::size_t> SweepChart::pointAt(const QPointF& position) const
{
    std::optional<std::size_t> best;
    double bestDistance = hitRadius;
    for (const Place& place : places()) {
        QPointF at(xAxis->coordToPixel(place.at.x()), yAxis->coordToPixel(place.at.y()));
        if (m_below)
            at = BelowScale::reachable(this, at);
        const double distance = std::hypot(at.x() - position.x(), at.y() - position.y());
        if (distance <= bestDistance) {
            bestDistance = distance;
            best = place.point;
        }
    }
    return best;
}

QString SweepChart::readout(const QPointF& position) const
{
    const auto index = pointAt(position);
    if (!index || !m_result)
        return {};
    const auto& point = m_result->points[*index];
    const auto& difference = point.againstFloat;
    return tr("<b>%1</b><br>top-1 %2 (%3 to %4)<br>%5 points against float (%6 to %7)<br>%8 images")
        .arg(formatWordLengths(point.weightBits, point.activationBits), formatPercent(point.top1),
            formatPercent(point.top1Interval.low, 1), formatPercent(point.top1Interval.high, 1),
            formatSignedPercent(difference.delta), formatSignedPercent(difference.deltaInterval.low),
            formatSignedPercent(difference.deltaInterval.high), formatCount(point.images));
}

std::string SweepChart::csv() const { return m_result ? sweep::toCsv(*m_result) : std::string {}; }

Result<void> exportSweepChart(
    std::shared_ptr<const sweep::SweepResult> result, const std::filesystem::path& path, SweepChart::Extent extent)
{
    SweepChart chart(extent);
    chart.setResult(std::move(result));
    chart.resetView();
    return exportChart(chart, path);
}

} // namespace quantoscope::ui
