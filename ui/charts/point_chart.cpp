// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/point_chart.h"

#include <algorithm>
#include <cmath>
#include <ranges>

#include <QKeyEvent>

namespace quantoscope::ui {

namespace {

constexpr double together = 3; // pixels within which points stand above, or beside, each other
constexpr double margin = 12; // pixels between a point that was brought into sight and the edge

/// A point, by its pixels along an arrow and across.
struct Step {
    std::size_t point;
    double along;
    double across;
};

/// Moves what an axis shows by pixels.
void shift(QCPAxis* axis, double pixels)
{
    const QCPRange range = axis->range();
    const auto moved = [&](double coord) { return axis->pixelToCoord(axis->coordToPixel(coord) + pixels); };
    axis->setRange(moved(range.lower), moved(range.upper));
}

} // namespace

PointChart::PointChart(Groups groups, QWidget* parent)
    : BaseChart(parent)
    , m_groups(groups)
{
}

void PointChart::setCurrent(std::optional<std::size_t> point)
{
    m_current = point;
    rebuild();
    replot(QCustomPlot::rpQueuedReplot);
}

std::optional<QPointF> PointChart::pixelOf(std::size_t point) const
{
    for (const Place& place : places())
        if (place.point == point)
            return QPointF(xAxis->coordToPixel(place.at.x()), yAxis->coordToPixel(place.at.y()));
    return std::nullopt;
}

std::optional<std::size_t> PointChart::beside(int key) const
{
    const bool horizontal = key == Qt::Key_Left || key == Qt::Key_Right;
    const double sign = key == Qt::Key_Right || key == Qt::Key_Down ? 1 : -1;
    std::vector<Step> steps;
    for (const Place& place : places()) {
        const QPointF cell = place.cell.value_or(place.at);
        const QPointF at(xAxis->coordToPixel(cell.x()), yAxis->coordToPixel(cell.y()));
        steps.push_back({ place.point, sign * (horizontal ? at.x() : at.y()), horizontal ? at.y() : at.x() });
    }
    if (steps.empty())
        return std::nullopt;
    const auto now = std::ranges::find(steps, m_current, [](const Step& step) { return std::optional(step.point); });
    if (now == steps.end())
        return steps.front().point;
    const Step from = *now;
    const auto onwards = [](const Step& a, const Step& b) {
        return std::pair(a.along, a.point) < std::pair(b.along, b.point); // points may cover each other
    };
    const bool within = horizontal == (m_groups == Groups::Rows);
    std::erase_if(steps, [&](const Step& step) {
        return within ? std::abs(step.across - from.across) > together || !onwards(from, step)
                      : step.along <= from.along + together;
    });
    if (steps.empty())
        return std::nullopt;
    const Step next = *std::ranges::min_element(steps, onwards);
    if (within)
        return next.point;
    std::erase_if(steps, [&](const Step& step) { return step.along > next.along + together; });
    const auto distance = [&](const Step& step) { return std::abs(step.across - from.across); };
    return std::ranges::min_element(steps, {}, distance)->point;
}

void PointChart::bringIntoSight(std::size_t point)
{
    const auto pixel = pixelOf(point);
    if (!pixel)
        return;
    const QRectF area = axisRect()->rect();
    const auto outside = [](double at, double low, double high) {
        return at < low ? at - low - margin : at > high ? at - high + margin : 0.0;
    };
    const double x = outside(pixel->x(), area.left(), area.right());
    const double y = outside(pixel->y(), area.top(), area.bottom());
    if (x == 0 && y == 0)
        return;
    shift(xAxis, x);
    shift(yAxis, y);
    replot(QCustomPlot::rpQueuedReplot);
}

QCPScatterStyle::ScatterShape PointChart::shapeOf(std::size_t series)
{
    constexpr QCPScatterStyle::ScatterShape shapes[] = { QCPScatterStyle::ssDisc, QCPScatterStyle::ssSquare,
        QCPScatterStyle::ssDiamond, QCPScatterStyle::ssTriangle, QCPScatterStyle::ssTriangleInverted };
    return shapes[series % std::size(shapes)];
}

void PointChart::drawHeading(double y, const QString& text)
{
    auto* rule = new QCPItemLine(this);
    for (QCPItemPosition* end : { rule->start, rule->end })
        end->setTypeX(QCPItemPosition::ptAxisRectRatio);
    rule->start->setCoords(0, y - 0.5);
    rule->end->setCoords(1, y - 0.5);
    rule->setPen(QPen(theme().axis, 1));
    auto* heading = new QCPItemText(this);
    heading->position->setTypeX(QCPItemPosition::ptAxisRectRatio);
    heading->position->setCoords(0, y);
    heading->setPositionAlignment(Qt::AlignLeft | Qt::AlignVCenter);
    heading->setPadding(QMargins(6, 0, 0, 0));
    heading->setText(text);
    heading->setFont(chartFont(-1, true));
    heading->setColor(theme().text);
}

void PointChart::keyPressEvent(QKeyEvent* event)
{
    const int key = event->key();
    const bool arrow = key == Qt::Key_Left || key == Qt::Key_Right || key == Qt::Key_Up || key == Qt::Key_Down;
    if (!arrow || !event->modifiers().testFlag(Qt::ControlModifier))
        return BaseChart::keyPressEvent(event);
    if (const auto next = beside(key)) {
        bringIntoSight(*next);
        emit pointClicked(static_cast<qsizetype>(*next));
    }
}

void PointChart::clicked(const QPointF& position)
{
    if (const auto point = pointAt(position))
        emit pointClicked(static_cast<qsizetype>(*point));
}

} // namespace quantoscope::ui
