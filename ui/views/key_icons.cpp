// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/key_icons.h"

#include <functional>

#include <QGuiApplication>
#include <QPainter>

namespace quantoscope::ui {

namespace {

constexpr int side = 16;

QIcon drawn(const QColor& color, const std::function<void(QPainter&)>& draw)
{
    const double ratio = qGuiApp->devicePixelRatio();
    QPixmap pixmap(QSize(side, side) * ratio);
    pixmap.setDevicePixelRatio(ratio);
    pixmap.fill(Qt::transparent);
    QPainter painter(&pixmap);
    painter.setPen(QPen(color, 1.5));
    draw(painter);
    painter.end();
    return pixmap;
}

} // namespace

QIcon outlineKey(const QColor& color)
{
    return drawn(color, [](QPainter& painter) {
        const QPointF steps[]
            = { { 1, 14 }, { 1, 10 }, { 5, 10 }, { 5, 3 }, { 10, 3 }, { 10, 8 }, { 15, 8 }, { 15, 14 } };
        painter.drawPolyline(steps, static_cast<int>(std::size(steps)));
    });
}

QIcon levelsKey(const QColor& color)
{
    return drawn(color, [](QPainter& painter) {
        for (const int x : { 2, 6, 10, 14 })
            painter.drawLine(x, 7, x, 14);
    });
}

} // namespace quantoscope::ui
