// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/cost_chart.h"

#include <algorithm>
#include <cmath>
#include <locale>
#include <sstream>

#include "ui/charts/below_scale_chart.h"
#include "ui/charts/chart_exporter.h"
#include "ui/charts/cost_words.h"
#include "ui/charts/number_format.h"

namespace quantoscope::ui {

namespace {

constexpr double nearEnough = 12; // pixels from a dot at which the readout speaks of it

} // namespace

CostChart::CostChart(QWidget* parent)
    : PointChart(Groups::Columns, parent)
{
    xAxis->setScaleType(QCPAxis::stLogarithmic);
    xAxis->setTicker(QSharedPointer<PowerOfTenTicker>::create());
    xAxis->setNumberFormat("gb");
    xAxis->setNumberPrecision(3);
    yAxis->setLabel(tr("Top-1 accuracy [%]"));
    setAccessibleName(tr("Accuracy against cost"));
    putLegendAbove();
    rebuild();
}

void CostChart::setSeries(CostSeries series)
{
    const bool another = m_series.empty() || series.xTitle != m_series.xTitle;
    m_series = std::move(series);
    rebuild();
    if (another)
        resetView();
    replot(QCustomPlot::rpQueuedReplot);
}

void CostChart::setNearFloat(bool on)
{
    if (on == m_nearFloat)
        return;
    m_nearFloat = on;
    rebuild();
    resetView();
}

QString CostChart::below() const { return m_below ? m_below->note() : QString(); }

QColor CostChart::colorOf(std::size_t group) const
{
    switch (m_series.colours) {
    case CostSeries::Colours::Kinds:
        return theme().category(static_cast<int>(group));
    case CostSeries::Colours::Ordered:
        return theme().ordinal(m_series.groups[group].position);
    case CostSeries::Colours::Search:
        break;
    }
    return m_series.groups[group].position == 0 ? theme().muted : theme().quantized;
}

void CostChart::rebuild()
{
    clearPlottables();
    clearItems();
    m_below = new BelowScale(this);
    m_below->setFont(chartFont(-1));
    m_below->setColors(theme().muted, theme().background);
    setCaption(m_series.title, m_series.captions);
    xAxis->setLabel(m_series.xTitle);
    const bool moved = !m_series.empty() && (xAxis->range() != homeRange(xAxis) || yAxis->range() != homeRange(yAxis));
    const QCPRange shownX = xAxis->range();
    const QCPRange shownY = yAxis->range();
    setAxes();
    if (moved) {
        xAxis->setRange(shownX);
        yAxis->setRange(shownY);
    }
    QCPGraph* halo = drawCurrent();
    drawLines();
    drawFront();
    // Most bits first, as they lie from top to bottom; mixed ones over the uniform ones that they are to beat.
    const std::size_t count = m_series.groups.size();
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t group = m_series.colours == CostSeries::Colours::Search ? i : count - 1 - i;
        drawGroup(m_series.groups[group], colorOf(group));
    }
    drawChosen();
    if (halo)
        halo->addToLegend();
    legend->setIconSize(20, 18); // the halo is that high
    fitLegend(!m_series.empty());
}

void CostChart::setAxes()
{
    double left = m_series.budget.value_or(std::numeric_limits<double>::infinity());
    double right = m_series.budget.value_or(0);
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
    const QCPRange all(std::max(-1.0, low - pad), std::min(101.0, high + pad));
    const auto bottom = m_nearFloat ? nearFloat(m_series) : std::nullopt;
    setHome(yAxis, bottom ? QCPRange(*bottom, std::min(101.0, high + 0.3)) : all);
    setContents(yAxis, all);
}

QCPGraph* CostChart::drawCurrent()
{
    if (!current() || !pixelOf(*current()))
        return nullptr;
    QCPGraph* halo = addGraph();
    halo->setName(tr("selected"));
    halo->setLineStyle(QCPGraph::lsNone);
    const QColor color = palette().color(QPalette::Highlight);
    halo->setScatterStyle(QCPScatterStyle(QCPScatterStyle::ssCircle, Qt::NoPen, translucent(color, 0.45), 18));
    for (const auto& group : m_series.groups)
        for (const auto& point : group.points)
            if (point.index == *current())
                halo->addData(point.x, point.top1);
    return halo;
}

void CostChart::drawLines()
{
    const auto line = [&](double x1, double y1, double x2, double y2) {
        auto* item = new QCPItemStraightLine(this);
        item->point1->setCoords(x1, y1);
        item->point2->setCoords(x2, y2);
        item->setPen(QPen(theme().floating, 1.2, Qt::DashLine));
    };
    if (m_series.empty())
        return;
    if (m_series.floatTop1) {
        line(1, *m_series.floatTop1, 100, *m_series.floatTop1);
        drawLabel({ 0, *m_series.floatTop1 }, false, tr("float %1").arg(formatPercent(*m_series.floatTop1, 1)));
    }
    if (m_series.budget) {
        line(*m_series.budget, 0, *m_series.budget, 100);
        drawLabel({ *m_series.budget, 1 }, true, tr("budget"));
    }
}

void CostChart::drawLabel(const QPointF& at, bool ofBudget, const QString& text)
{
    // Where the fewest points are: float at the cheap end, the budget at the bottom.
    auto* label = new QCPItemText(this);
    if (ofBudget)
        label->position->setTypeY(QCPItemPosition::ptAxisRectRatio);
    else
        label->position->setTypeX(QCPItemPosition::ptAxisRectRatio);
    label->position->setCoords(at);
    label->setPositionAlignment(Qt::AlignLeft | Qt::AlignBottom);
    label->setPadding(QMargins(6, 0, 0, ofBudget ? 6 : 2));
    label->setText(text);
    label->setFont(chartFont(-1));
    label->setColor(theme().muted);
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
    stairs->setPen(QPen(translucent(theme().text, 0.75), 1.5));
    stairs->setData(x, y, true);
    stairs->addToLegend();
}

void CostChart::drawGroup(const CostSeries::Group& group, const QColor& color)
{
    QVector<double> x, y, below, above;
    for (const auto& point : group.points) {
        x << point.x;
        y << point.top1;
        m_below->add(point.x, point.top1, color);
        below << point.top1 - point.low;
        above << point.high - point.top1;
        if (point.label.isEmpty())
            continue;
        auto* text = new QCPItemText(this);
        text->position->setCoords(point.x, point.top1);
        text->setPositionAlignment(Qt::AlignLeft | Qt::AlignTop);
        text->setPadding(QMargins(5, 3, 0, 0));
        text->setText(point.label);
        text->setFont(chartFont(-2));
        text->setColor(theme().muted);
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

void CostChart::drawChosen()
{
    if (!m_series.chosen)
        return;
    QCPGraph* ring = addGraph();
    ring->setName(tr("chosen"));
    ring->setLineStyle(QCPGraph::lsNone);
    ring->setScatterStyle(QCPScatterStyle(QCPScatterStyle::ssCircle, QPen(theme().text, 1.5), Qt::NoBrush, 13));
    ring->addData(m_series.chosen->x, m_series.chosen->top1);
    ring->addToLegend();
}

std::vector<PointChart::Place> CostChart::places() const
{
    std::vector<Place> all;
    for (const auto& group : m_series.groups)
        for (const auto& point : group.points)
            all.push_back({ point.index, { point.x, point.top1 } });
    return all;
}

std::optional<std::size_t> CostChart::pointAt(const QPointF& position) const
{
    const Hit hit = hitAt(position);
    return hit.point ? std::optional(hit.point->index) : std::nullopt;
}

CostChart::Hit CostChart::hitAt(const QPointF& position) const
{
    Hit hit;
    double least = nearEnough;
    for (const auto& group : m_series.groups)
        for (const auto& point : group.points) {
            const QPointF at
                = BelowScale::reachable(this, { xAxis->coordToPixel(point.x), yAxis->coordToPixel(point.top1) });
            const double distance = std::hypot(at.x() - position.x(), at.y() - position.y());
            if (distance < least) {
                least = distance;
                hit = { &point, &group };
            }
        }
    return hit;
}

QString CostChart::readout(const QPointF& position) const
{
    const auto hit = hitAt(position);
    if (!hit.point)
        return {};
    return tr("<b>%1</b> (%2)<br>top-1 %3 (%4 to %5)<br>%6 %7")
        .arg(hit.point->name.toHtmlEscaped(), hit.group->name.toHtmlEscaped(), formatPercent(hit.point->top1),
            formatPercent(hit.point->low, 1), formatPercent(hit.point->high, 1), costName(m_series.metric),
            formatCost(hit.point->x, m_series.metric));
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
