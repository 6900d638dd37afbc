// SPDX-License-Identifier: GPL-3.0-or-later
// What GraphView draws, at which size how much of it; the rest of it is in graph_view.cpp.
#include <algorithm>
#include <cmath>
#include <utility>

#include <QPaintEvent>
#include <QPainter>

#include "ui/views/graph_view.h"

namespace quantoscope::ui {

namespace {

constexpr double withText = 0.42; // scale from which on labels, badges and arrow heads are drawn
constexpr double withCurves = 0.2; // and bends; below, straight lines do
constexpr double chipHeight = 16; // pixels at scale one, as all below
constexpr double chipPadding = 5;
constexpr double badgeAbove = 22; // of a badge's middle above the end of its edge
constexpr double arrow = 5;
constexpr int letterSize = 12;
constexpr double mostPixels = 16'000; // of a side of a picture
constexpr double stripHeight = 5; // pixels of a layer below which a long chain becomes a strip of colours

QFont labelFont(const QFont& base, bool bold = false)
{
    QFont font = base;
    font.setPixelSize(letterSize);
    font.setBold(bold);
    return font;
}

/// Fills the box between whole pixels, at least one of them high, so that its colour is not mixed with the
/// background's.
void fillWholePixels(QPainter& painter, const QRectF& box, const QColor& color)
{
    QRectF device = painter.worldTransform().mapRect(box);
    const double height = std::max(1.0, std::round(device.height()));
    const double top = std::floor(device.center().y() - (height - 1) / 2);
    device.setTop(top);
    device.setHeight(height);
    painter.setWorldMatrixEnabled(false);
    painter.fillRect(device, color);
    painter.setWorldMatrixEnabled(true);
}

} // namespace

QColor GraphView::fillOf(const NetworkMap::Node& node) const
{
    if (node.layer >= 0)
        if (const auto position = m_measure.position(static_cast<std::size_t>(node.layer)))
            return Theme::viridis(*position);
    const bool layer = node.kind == NetworkMap::Kind::Layer;
    return m_theme.dark ? QColor(layer ? 0x3a4046 : 0x2a2f33) : QColor(layer ? 0xe3e8ec : 0xf4f6f7);
}

void GraphView::paintEvent(QPaintEvent* event)
{
    QPainter painter(viewport());
    painter.fillRect(event->rect(), m_theme.background);
    if (!m_map)
        return;
    painter.setRenderHint(QPainter::Antialiasing);
    painter.translate(origin());
    painter.scale(m_scale, m_scale);
    const QRectF dirty(event->rect());
    paintDrawing(painter, QRectF((dirty.topLeft() - origin()) / m_scale, dirty.size() / m_scale));
}

QImage GraphView::picture()
{
    if (isEmpty())
        return {};
    constexpr double frame = 16; // pixels
    const double largest = std::max(m_map->width, m_map->height);
    const double shown = std::exchange(m_scale, std::min(1.0, mostPixels / largest));
    const Theme theme = std::exchange(m_theme, Theme::light());
    QImage image(
        QSizeF(m_map->width * m_scale + 2 * frame, m_map->height * m_scale + 2 * frame).toSize(), QImage::Format_RGB32);
    image.fill(m_theme.background);
    {
        QPainter painter(&image);
        painter.setRenderHint(QPainter::Antialiasing);
        painter.translate(frame, frame);
        painter.scale(m_scale, m_scale);
        paintDrawing(painter, QRectF(0, 0, m_map->width, m_map->height));
    }
    m_scale = shown;
    m_theme = theme;
    return image;
}

bool GraphView::isStrip() const
{
    return m_map->width * m_scale <= thinDrawing && NetworkMap::layerHeight * m_scale < stripHeight;
}

void GraphView::paintDrawing(QPainter& painter, const QRectF& part) const
{
    // As a strip of colours edges are wider than the layers and would cover them.
    if (!isStrip())
        paintEdges(painter, part);
    if (m_scale >= withText)
        paintBadges(painter, part);
    const double reach = stripWidth / m_scale;
    const QRectF near = part.adjusted(-reach, -reach, reach, reach);
    for (std::size_t i = 0; i < m_map->nodes.size(); ++i)
        if (m_map->nodes[i].box.intersects(near))
            paintNode(painter, i);
}

void GraphView::paintEdges(QPainter& painter, const QRectF& part) const
{
    painter.setBrush(Qt::NoBrush);
    const auto isChosen = [&](std::size_t edge) {
        return m_current && (m_map->edges[edge].from == *m_current || m_map->edges[edge].to == *m_current);
    };
    // Float below, quantized above, those of the chosen node on top of all.
    for (int pass = 0; pass < 3; ++pass) {
        for (std::size_t i = 0; i < m_paths.size(); ++i) {
            const bool quantized = i < m_marks.edges.size() && !m_marks.edges[i].isEmpty();
            const int level = isChosen(i) ? 2 : quantized ? 1 : 0;
            if (level != pass || !m_bounds[i].intersects(part))
                continue;
            const QColor color = quantized ? m_theme.activations : m_theme.floating;
            QPen pen(color, level == 2 ? 2.5 : 1.5);
            pen.setCosmetic(m_scale < 1);
            painter.setPen(pen);
            if (m_scale < withCurves) {
                const auto& route = m_map->edges[i].route;
                painter.drawPolyline(route.data(), static_cast<int>(route.size()));
                continue;
            }
            painter.drawPath(m_paths[i]);
            if (m_scale < withText)
                continue;
            const QPointF tip = m_map->edges[i].route.back();
            const QPointF head[] = { tip, tip + QPointF(-arrow, -1.6 * arrow), tip + QPointF(arrow, -1.6 * arrow) };
            painter.setPen(Qt::NoPen);
            painter.setBrush(color);
            painter.drawPolygon(head, 3);
            painter.setBrush(Qt::NoBrush);
        }
    }
}

QRectF GraphView::badgeBox(std::size_t edge) const
{
    const QPointF end = m_map->edges[edge].route.back();
    const double width
        = QFontMetricsF(labelFont(font(), true)).horizontalAdvance(m_marks.edges[edge]) + 2 * chipPadding;
    const double wide = std::max(width, chipHeight);
    return { end.x() - wide / 2, end.y() - badgeAbove - chipHeight / 2, wide, chipHeight };
}

void GraphView::paintBadges(QPainter& painter, const QRectF& part) const
{
    for (std::size_t i = 0; i < m_marks.edges.size(); ++i)
        if (!m_marks.edges[i].isEmpty() && m_bounds[i].intersects(part))
            paintChip(painter, badgeBox(i), m_marks.edges[i], m_theme.activations);
}

void GraphView::paintChip(QPainter& painter, const QRectF& box, const QString& text, const QColor& fill) const
{
    painter.setPen(Qt::NoPen);
    painter.setBrush(fill);
    painter.drawRoundedRect(box, 4, 4);
    painter.setFont(labelFont(font(), true));
    painter.setPen(Theme::textOn(fill));
    painter.drawText(box, Qt::AlignCenter, text);
}

QRectF GraphView::shownBox(const NetworkMap::Node& node) const
{
    const double missing = stripWidth / m_scale - node.box.width();
    if (node.kind != NetworkMap::Kind::Layer || m_map->width * m_scale > thinDrawing || missing <= 0)
        return node.box;
    return node.box.adjusted(-missing / 2, 0, missing / 2, 0);
}

void GraphView::paintNode(QPainter& painter, std::size_t index) const
{
    const NetworkMap::Node& node = m_map->nodes[index];
    const QColor fill = fillOf(node);
    const bool selected = node.layer >= 0 && node.layer == m_session.selectedLayer();
    const bool current = m_current == index;
    const bool layer = node.kind == NetworkMap::Kind::Layer;
    if (m_scale < withText && !selected && !current) {
        // A frame would be as wide as the box.
        if (isStrip() && !layer)
            return;
        const QColor color = layer && !m_measure.empty() ? fill : layer ? m_theme.axis : translucent(m_theme.axis, 0.6);
        if (isStrip())
            fillWholePixels(painter, shownBox(node), color);
        else
            painter.fillRect(shownBox(node), color);
        return;
    }
    const QColor highlight = palette().color(QPalette::Highlight);
    QPen frame(selected || current ? highlight : m_theme.axis, selected ? 3 : current ? 2 : 1);
    if (current && !selected)
        frame.setStyle(Qt::DashLine);
    frame.setCosmetic(m_scale < 1);
    if (m_scale < withText) {
        // A ring keeps the frame apart from whatever colour the measure gives the layer.
        QPen ring(m_theme.background, frame.widthF() + 4);
        ring.setCosmetic(true);
        painter.setPen(ring);
        painter.drawRect(shownBox(node));
    }
    painter.setPen(frame);
    painter.setBrush(fill);
    const bool end = node.kind == NetworkMap::Kind::Input || node.kind == NetworkMap::Kind::Output;
    const double radius = end || node.kind == NetworkMap::Kind::Operator ? node.box.height() / 2 : 5;
    painter.drawRoundedRect(shownBox(node), radius, radius);
    if (m_scale >= withText)
        paintLabels(painter, node, Theme::textOn(fill));
}

void GraphView::paintLabels(QPainter& painter, const NetworkMap::Node& node, const QColor& text) const
{
    const bool layer = node.kind == NetworkMap::Kind::Layer;
    QRectF room = node.box.adjusted(10, 3, -10, -3);
    if (layer && static_cast<std::size_t>(node.layer) < m_marks.layers.size()) {
        const auto index = static_cast<std::size_t>(node.layer);
        if (!m_marks.layers[index].isEmpty()) {
            const QString bits = m_marks.layers[index] + (m_marks.overridden[index] ? QStringLiteral("*") : QString());
            const double width = QFontMetricsF(labelFont(font(), true)).horizontalAdvance(bits) + 2 * chipPadding;
            const QRectF chip(node.box.right() - 8 - width, node.box.center().y() - chipHeight / 2, width, chipHeight);
            // A rim keeps it apart from whatever colour the measure gives the layer.
            painter.setPen(QPen(m_theme.background, 1.5));
            painter.setBrush(m_theme.weights);
            painter.drawRoundedRect(chip, 4, 4);
            paintChip(painter, chip, bits, m_theme.weights);
            room.setRight(chip.left() - 6);
        }
    }
    const QFont large = labelFont(font(), layer);
    painter.setFont(large);
    painter.setPen(text);
    const QFontMetricsF metrics(large);
    const QString title = metrics.elidedText(node.title, Qt::ElideLeft, room.width());
    if (!layer) {
        painter.drawText(room, Qt::AlignCenter, title);
        return;
    }
    painter.drawText(
        QRectF(room.left(), room.top(), room.width(), room.height() / 2), Qt::AlignLeft | Qt::AlignVCenter, title);
    const QFont small = labelFont(font());
    painter.setFont(small);
    painter.setPen(translucent(text, 0.8));
    painter.drawText(QRectF(room.left(), room.center().y(), room.width(), room.height() / 2),
        Qt::AlignLeft | Qt::AlignVCenter, QFontMetricsF(small).elidedText(node.subtitle, Qt::ElideRight, room.width()));
}

} // namespace quantoscope::ui
