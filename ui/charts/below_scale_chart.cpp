// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/below_scale_chart.h"

#include <algorithm>
#include <cmath>

namespace quantoscope::ui {

namespace {

constexpr double arrow = 7; // pixels to either side

} // namespace

BelowScale::BelowScale(QCustomPlot* plot)
    : QCPAbstractItem(plot)
{
    setLayer(QStringLiteral("axes")); // over lines that leave there as well
}

int BelowScale::count() const
{
    const double bottom = parentPlot()->yAxis->range().lower;
    return static_cast<int>(std::ranges::count_if(m_points, [&](const Point& point) { return point.value < bottom; }));
}

QString BelowScale::note() const
{
    const double bottom = parentPlot()->yAxis->range().lower;
    const int below = count();
    const int decimals = std::abs(bottom - std::round(bottom)) < 0.05 ? 0 : 1;
    return below == 0 ? QString() : tr("%1 below %2 %").arg(below).arg(bottom, 0, 'f', decimals);
}

double BelowScale::selectTest(const QPointF&, bool, QVariant*) const { return -1; }

QPointF BelowScale::reachable(const QCustomPlot* plot, const QPointF& pixel)
{
    return { pixel.x(), std::min(pixel.y(), plot->axisRect()->bottom() - arrow / 2) };
}

void BelowScale::draw(QCPPainter* painter)
{
    const double bottom = parentPlot()->yAxis->range().lower;
    const QRect area = parentPlot()->axisRect()->rect();
    std::vector<double> taken;
    painter->setPen(Qt::NoPen);
    for (const Point& point : m_points) {
        if (point.value >= bottom)
            continue;
        double x = parentPlot()->xAxis->coordToPixel(point.x);
        if (x < area.left() || x > area.right())
            continue;
        const auto covered = [&](double other) { return std::abs(other - x) < arrow; };
        while (std::ranges::any_of(taken, covered)) // those at one place stand side by side
            x += arrow + 1;
        taken.push_back(x);
        const double tip = area.bottom() - 1;
        painter->setBrush(point.color);
        painter->drawPolygon(QPolygonF({ { x - arrow / 2, tip - arrow }, { x + arrow / 2, tip - arrow }, { x, tip } }));
    }
    const QString text = note();
    if (text.isEmpty())
        return;
    painter->setFont(m_font);
    painter->setPen(m_color);
    const int above = static_cast<int>(arrow) + 4;
    const QRect room = area.adjusted(6, 0, -6, -above);
    const QRect place = painter->boundingRect(room, Qt::AlignLeft | Qt::AlignBottom, text);
    painter->fillRect(place.adjusted(-2, 0, 2, 0), m_background);
    painter->drawText(room, Qt::AlignLeft | Qt::AlignBottom, text);
}

} // namespace quantoscope::ui
