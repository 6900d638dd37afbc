// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/pareto_chart.h"

#include <algorithm>
#include <cmath>

#include <QMouseEvent>

#include "ui/charts/chart_exporter.h"
#include "ui/charts/number_format.h"

namespace quantoscope::ui {

namespace {

constexpr double nearEnough = 12; // pixels from a dot at which the readout speaks of it

} // namespace

ParetoChart::ParetoChart(QWidget* parent)
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

void ParetoChart::setResult(sweep::SearchResultPtr result)
{
    m_result = std::move(result);
    const bool another = m_series.empty();
    m_series = m_result ? paretoSeries(*m_result) : ParetoSeries {};
    rebuild();
    if (another)
        resetView();
    replot(QCustomPlot::rpQueuedReplot);
}

void ParetoChart::setCurrent(std::optional<std::size_t> point)
{
    m_current = point;
    rebuild();
    replot(QCustomPlot::rpQueuedReplot);
}

void ParetoChart::rebuild()
{
    clearPlottables();
    clearItems();
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
    drawCurrent();
    drawLines();
    drawFront();
    drawDots(m_series.uniform, theme().muted, tr("uniform word-lengths"));
    drawDots(m_series.mixed, theme().quantized, tr("mixed word-lengths"));
    drawChosen();
    legend->setVisible(!m_series.empty());
    legend->setBrush(translucent(theme().background, 0.8));
    legend->setTextColor(theme().text);
    legend->setBorderPen(Qt::NoPen);
    axisRect()->insetLayout()->setInsetAlignment(0, Qt::AlignBottom | Qt::AlignRight);
}

void ParetoChart::setAxes()
{
    double left = m_series.budget.value_or(100);
    double right = left;
    double low = m_series.floatTop1.value_or(100);
    double high = m_series.floatTop1.value_or(0);
    for (const auto* points : { &m_series.uniform, &m_series.mixed })
        for (const auto& point : *points) {
            left = std::min(left, point.x);
            right = std::max(right, point.x);
            low = std::min(low, point.low);
            high = std::max(high, point.high);
        }
    if (m_series.empty()) {
        left = 1;
        low = 0;
        high = 100;
    }
    const double pad = std::max(0.5, (high - low) * 0.05);
    setHome(xAxis, QCPRange(left / 1.15, right * 1.15));
    setHome(yAxis, QCPRange(std::max(-1.0, low - pad), std::min(101.0, high + pad)));
}

void ParetoChart::drawFront()
{
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

void ParetoChart::drawDots(const std::vector<ParetoSeries::Point>& points, const QColor& color, const QString& name)
{
    QVector<double> x, y, below, above;
    for (const auto& point : points) {
        x << point.x;
        y << point.top1;
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
    if (points.empty())
        return;
    QCPGraph* dots = addGraph();
    dots->setName(name);
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

void ParetoChart::drawLines()
{
    if (m_series.empty())
        return;
    const auto line = [&](double x1, double y1, double x2, double y2) {
        auto* item = new QCPItemStraightLine(this);
        item->point1->setCoords(x1, y1);
        item->point2->setCoords(x2, y2);
        item->setPen(QPen(theme().floating, 1.2, Qt::DashLine));
    };
    if (m_series.floatTop1)
        line(1, *m_series.floatTop1, 100, *m_series.floatTop1);
    if (m_series.budget)
        line(*m_series.budget, 0, *m_series.budget, 100);
}

void ParetoChart::drawChosen()
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

void ParetoChart::drawCurrent()
{
    for (const auto* points : { &m_series.uniform, &m_series.mixed })
        for (const auto& point : *points) {
            if (point.index != m_current)
                continue;
            QCPGraph* halo = addGraph();
            halo->setLineStyle(QCPGraph::lsNone);
            const QColor color = palette().color(QPalette::Highlight);
            halo->setScatterStyle(QCPScatterStyle(QCPScatterStyle::ssDisc, Qt::NoPen, translucent(color, 0.45), 20));
            halo->addData(point.x, point.top1);
        }
}

std::optional<QPointF> ParetoChart::pixelOf(std::size_t index) const
{
    for (const auto* points : { &m_series.uniform, &m_series.mixed })
        for (const auto& point : *points)
            if (point.index == index)
                return QPointF(xAxis->coordToPixel(point.x), yAxis->coordToPixel(point.top1));
    return std::nullopt;
}

const ParetoSeries::Point* ParetoChart::pointAt(const QPointF& position) const
{
    const ParetoSeries::Point* nearest = nullptr;
    double least = nearEnough;
    for (const auto* points : { &m_series.mixed, &m_series.uniform })
        for (const auto& point : *points) {
            const QPointF at(xAxis->coordToPixel(point.x), yAxis->coordToPixel(point.top1));
            const double distance = std::hypot(at.x() - position.x(), at.y() - position.y());
            if (distance < least) {
                least = distance;
                nearest = &point;
            }
        }
    return nearest;
}

void ParetoChart::mousePressEvent(QMouseEvent* event)
{
    m_pressed = event->pos();
    BaseChart::mousePressEvent(event);
}

void ParetoChart::mouseReleaseEvent(QMouseEvent* event)
{
    BaseChart::mouseReleaseEvent(event);
    if (event->button() != Qt::LeftButton || (event->pos() - m_pressed).manhattanLength() > 3)
        return;
    if (const auto* point = pointAt(event->position()))
        emit pointClicked(static_cast<qsizetype>(point->index));
}

QString ParetoChart::readout(const QPointF& position) const
{
    const ParetoSeries::Point* nearest = m_result ? pointAt(position) : nullptr;
    if (!nearest)
        return {};
    const auto& point = m_result->points[nearest->index];
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
