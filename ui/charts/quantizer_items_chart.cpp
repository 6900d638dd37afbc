// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/quantizer_items_chart.h"

#include <algorithm>

#include "ui/charts/number_format.h"
#include "ui/charts/theme.h"

namespace quantoscope::ui {

namespace {

constexpr double rugHeight = 8; // pixels
constexpr double closestTicks = 3; // pixels
constexpr double bandHeight = 10; // pixels, less than the grips

QRectF areaOf(const QCustomPlot* plot) { return plot->axisRect()->rect(); }

} // namespace

LevelRug::LevelRug(QCustomPlot* plot)
    : QCPAbstractItem(plot)
{
    setSelectable(false);
}

double LevelRug::selectTest(const QPointF&, bool, QVariant*) const { return -1; }

void LevelRug::draw(QCPPainter* painter)
{
    if (m_levels.empty())
        return;
    const QRectF area = areaOf(parentPlot());
    const double first = pixelOf(m_levels.front());
    const double last = pixelOf(m_levels.back());
    const double top = area.bottom() - rugHeight;
    if (!m_scale.logarithmic() && (last - first) / static_cast<double>(m_levels.size()) < closestTicks) {
        painter->setPen(Qt::NoPen);
        painter->setBrush(translucent(m_color, 0.5));
        painter->drawRect(QRectF(QPointF(first, top + rugHeight / 2), QPointF(last, area.bottom())));
        return;
    }
    painter->setPen(QPen(m_color, 1));
    double drawn = area.left() - closestTicks;
    for (const double level : m_levels) {
        const double x = pixelOf(level);
        // Towards the ends of a logarithmic axis levels crowd; half the ticks' distance says so.
        if (x < area.left() || x > area.right() || x - drawn < closestTicks / 2)
            continue;
        painter->drawLine(QPointF(x, top), QPointF(x, area.bottom()));
        drawn = x;
    }
}

CornerNotes::CornerNotes(QCustomPlot* plot)
    : QCPAbstractItem(plot)
{
    setSelectable(false);
}

double CornerNotes::selectTest(const QPointF&, bool, QVariant*) const { return -1; }

void CornerNotes::draw(QCPPainter* painter)
{
    const QRectF area = areaOf(parentPlot());
    const QFontMetricsF metrics(painter->font());
    const double line = metrics.height();
    double top = area.top() + 4 + line;
    double widest = 0;
    for (const CornerNote& note : m_notes)
        widest = std::max(widest, metrics.horizontalAdvance(note.text));
    double right = area.right() - 6;
    if (m_line)
        if (const double x = parentPlot()->xAxis->coordToPixel(*m_line); x > right - widest - 6 && x < right + 6)
            right = x - 6;
    for (const CornerNote& note : m_notes) {
        painter->setPen(note.color);
        painter->drawText(
            QRectF(area.left(), top, right - area.left(), line), Qt::AlignRight | Qt::AlignVCenter, note.text);
        top += line;
    }
}

ClipMark::ClipMark(QCustomPlot* plot)
    : QCPAbstractItem(plot)
{
    setSelectable(false);
}

void ClipMark::setRange(std::optional<Span> range, bool draggable)
{
    m_range = range;
    m_draggable = draggable;
}

void ClipMark::setBands(std::optional<Span> low, std::optional<Span> high)
{
    m_bands[0] = low;
    m_bands[1] = high;
}

void ClipMark::setColors(const QColor& line, const QColor& shade, const QColor& background)
{
    m_line = line;
    m_shade = shade;
    m_background = background;
}

double ClipMark::selectTest(const QPointF&, bool, QVariant*) const { return -1; }

void ClipMark::draw(QCPPainter* painter)
{
    if (!m_range)
        return;
    const QRectF area = areaOf(parentPlot());
    const double low = std::clamp(pixelOf(m_range->low), area.left() - 1, area.right() + 1);
    const double high = std::clamp(pixelOf(m_range->high), area.left() - 1, area.right() + 1);
    painter->setPen(Qt::NoPen);
    painter->setBrush(m_shade);
    painter->drawRect(QRectF(area.topLeft(), QPointF(low, area.bottom())));
    painter->drawRect(QRectF(QPointF(high, area.top()), area.bottomRight()));
    painter->setBrush(m_bandColor);
    for (const auto& band : m_bands) {
        if (!band)
            continue;
        const double from = std::max(pixelOf(band->low), area.left());
        const double to = std::min(pixelOf(band->high), area.right());
        if (from < to)
            painter->drawRect(QRectF(QPointF(from, area.center().y() - bandHeight / 2), QSizeF(to - from, bandHeight)));
    }
    drawEnd(painter, area, low, formatSignificant(m_range->low), false);
    drawEnd(painter, area, high, formatSignificant(m_range->high), true);
}

void ClipMark::drawEnd(QCPPainter* painter, const QRectF& area, double x, const QString& label, bool high) const
{
    if (x < area.left() || x > area.right())
        return;
    painter->setPen(QPen(m_line, 1.5));
    painter->drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()));
    if (m_draggable) {
        const QRectF grip(x - 4, area.center().y() - 12, 8, 24);
        painter->setBrush(m_background);
        painter->drawRoundedRect(grip, 3, 3);
        painter->drawLine(QPointF(x, grip.top() + 6), QPointF(x, grip.bottom() - 6));
    }
    // The number stands outside the range where there is room, inside otherwise.
    const QSizeF size = QFontMetricsF(painter->font()).size(Qt::TextSingleLine, label);
    double left = high ? x + 6 : x - 6 - size.width();
    if (left + size.width() > area.right())
        left = x - 6 - size.width();
    if (left < area.left())
        left = x + 6;
    painter->setPen(m_line);
    painter->drawText(QRectF(QPointF(left, area.top() + 2), size), Qt::AlignCenter, label);
}

} // namespace quantoscope::ui
