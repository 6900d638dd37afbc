// SPDX-License-Identifier: GPL-3.0-or-later
// Where things are and what keys and mouse do; painting is in graph_view_paint.cpp.
#include "ui/views/graph_view.h"

#include <algorithm>
#include <cmath>

#include <QClipboard>
#include <QContextMenuEvent>
#include <QGuiApplication>
#include <QHelpEvent>
#include <QKeyEvent>
#include <QMenu>
#include <QMouseEvent>
#include <QScrollBar>
#include <QToolTip>
#include <QWheelEvent>

#include "ui/charts/number_format.h"
#include "ui/charts/range_words.h"
#include "ui/session/work.h"
#include "ui/views/file_choice.h"
#include "ui/views/message_bar.h"

namespace quantoscope::ui {

namespace {

constexpr double margin = 24; // pixels left free around the drawing
constexpr double largest = 3; // scale
constexpr double smallest = 0.02;
constexpr double readable = 0.8; // scale at which names are read without effort
constexpr double step = 1.25;
constexpr double dragThreshold = 4; // pixels

/// An edge with rounded bends: straight through layers, curved between them.
QPainterPath curve(const std::vector<QPointF>& route)
{
    QPainterPath path;
    if (route.empty())
        return path;
    path.moveTo(route.front());
    for (std::size_t i = 1; i < route.size(); ++i) {
        const QPointF& from = route[i - 1];
        const QPointF& to = route[i];
        const double bend = (to.y() - from.y()) / 2;
        if (from.x() == to.x())
            path.lineTo(to);
        else
            path.cubicTo(from + QPointF(0, bend), to - QPointF(0, bend), to);
    }
    return path;
}

} // namespace

GraphView::GraphView(Session& session, QWidget* parent)
    : QAbstractScrollArea(parent)
    , m_session(session)
    , m_theme(Theme::forPalette(palette()))
{
    setFrameShape(QFrame::NoFrame);
    setFocusPolicy(Qt::StrongFocus);
    setAccessibleName(tr("Graph of the model"));
    setMinimumSize(200, 160);
    viewport()->setMouseTracking(true);
    connect(&session, &Session::modelChanged, this, &GraphView::setMap);
    for (const auto signal :
        { &Session::requestChanged, &Session::analysisChanged, &Session::measureChanged, &Session::sensitivityChanged })
        connect(&session, signal, this, &GraphView::refreshMarks);
    connect(&session, &Session::selectionChanged, this, &GraphView::showSelection);
    setMap();
}

void GraphView::setMap()
{
    m_map = m_session.model() ? m_session.model()->map : nullptr;
    m_paths.clear();
    m_bounds.clear();
    m_current.reset();
    m_placed = false;
    if (m_map)
        for (const NetworkMap::Edge& edge : m_map->edges) {
            m_paths.push_back(curve(edge.route));
            m_bounds.push_back(m_paths.back().boundingRect().adjusted(-16, -2, 16, 2));
        }
    refreshMarks();
    showSelection();
    if (isVisible())
        showStart();
}

void GraphView::refreshMarks()
{
    m_marks = {};
    m_measure = measureLayers(m_session);
    viewport()->update();
    const LoadedModelPtr& model = m_session.model();
    if (!m_map || !model || model->map != m_map) {
        emit marksChanged();
        return;
    }
    const AnalysisPtr& analysis = m_session.analysis();
    for (const NetworkMap::Edge& edge : m_map->edges) {
        const quant::TensorQuantizer* quantizer = analysis ? analysis->plan->find(edge.tensor) : nullptr;
        m_marks.edges.push_back(quantizer ? QString::number(quantizer->config.bits) : QString());
    }
    for (std::size_t i = 0; i < model->layers.size(); ++i) {
        const bool known = analysis && i < analysis->layers.size() && analysis->layers[i].weight;
        m_marks.layers.push_back(known ? QString::number(analysis->layers[i].weight->config.bits) : QString());
        const WishedBits wished = wishedBits(m_session.request(), model->layers, i);
        m_marks.overridden.push_back(wished.weightOverridden || wished.activationOverridden);
    }
    emit marksChanged();
}

namespace {

bool anyOf(const std::vector<QString>& marks)
{
    return std::ranges::any_of(marks, [](const QString& mark) { return !mark.isEmpty(); });
}

} // namespace

bool GraphView::showsWeightBits() const { return anyOf(m_marks.layers); }

bool GraphView::showsActivationBits() const { return anyOf(m_marks.edges); }

void GraphView::showSelection()
{
    const int layer = m_session.selectedLayer();
    viewport()->update();
    if (!m_map || layer < 0 || static_cast<std::size_t>(layer) >= m_map->nodeOfLayer.size())
        return;
    const std::size_t node = m_map->nodeOfLayer[static_cast<std::size_t>(layer)];
    if (m_current == node)
        return;
    m_current = node;
    setAccessibleDescription(describe(node));
    if (m_placed)
        ensureVisible(node);
}

void GraphView::chooseNode(std::size_t node)
{
    if (!m_map || node >= m_map->nodes.size())
        return;
    m_current = node;
    setAccessibleDescription(describe(node));
    if (const int layer = m_map->nodes[node].layer; layer >= 0)
        m_session.selectLayer(layer);
    ensureVisible(node);
    viewport()->update();
}

QPointF GraphView::origin() const
{
    return { static_cast<double>(-horizontalScrollBar()->value()), static_cast<double>(-verticalScrollBar()->value()) };
}

QRectF GraphView::boxOf(std::size_t node) const
{
    const QRectF& box = m_map->nodes[node].box;
    return { box.topLeft() * m_scale + origin(), box.size() * m_scale };
}

std::optional<std::size_t> GraphView::nodeAt(const QPointF& position) const
{
    if (!m_map)
        return std::nullopt;
    const QPointF point = (position - origin()) / m_scale;
    const double reach = 2 / m_scale; // small boxes are hit all the same
    for (std::size_t i = 0; i < m_map->nodes.size(); ++i)
        if (shownBox(m_map->nodes[i]).adjusted(-reach, -reach, reach, reach).contains(point))
            return i;
    return std::nullopt;
}

void GraphView::updateBars()
{
    // Any point of the drawing can come to the middle, so that zooming about the cursor never slips; bars say that
    // there is more to see, so there are none where there is not.
    const QSize view = viewport()->size();
    const double width = m_map ? m_map->width * m_scale : 0;
    const double height = m_map ? m_map->height * m_scale : 0;
    horizontalScrollBar()->setPageStep(view.width());
    verticalScrollBar()->setPageStep(view.height());
    horizontalScrollBar()->setSingleStep(24);
    verticalScrollBar()->setSingleStep(24);
    horizontalScrollBar()->setRange(-view.width() / 2, static_cast<int>(width) - view.width() / 2);
    verticalScrollBar()->setRange(-view.height() / 2, static_cast<int>(height) - view.height() / 2);
    const QSize most = maximumViewportSize();
    const auto policy = [](double extent, int room) {
        return extent + margin > room ? Qt::ScrollBarAsNeeded : Qt::ScrollBarAlwaysOff;
    };
    setHorizontalScrollBarPolicy(policy(width, most.width()));
    setVerticalScrollBarPolicy(policy(height, most.height()));
}

void GraphView::centreOn(const QPointF& point)
{
    horizontalScrollBar()->setValue(static_cast<int>(std::lround(point.x() * m_scale - viewport()->width() / 2.0)));
    verticalScrollBar()->setValue(static_cast<int>(std::lround(point.y() * m_scale - viewport()->height() / 2.0)));
}

void GraphView::zoomTo(double scale, const QPointF& about)
{
    if (!m_map)
        return;
    const QPointF point = (about - origin()) / m_scale;
    m_scale = std::clamp(scale, std::min(smallest, fittingScale()), largest);
    m_placed = true;
    updateBars();
    horizontalScrollBar()->setValue(static_cast<int>(std::lround(point.x() * m_scale - about.x())));
    verticalScrollBar()->setValue(static_cast<int>(std::lround(point.y() * m_scale - about.y())));
    viewport()->update();
    emit scaleChanged();
}

double GraphView::fittingScale() const
{
    if (!m_map || m_map->width <= 0 || m_map->height <= 0)
        return 1;
    const QSize room = maximumViewportSize(); // there are no bars where everything fits
    return std::min(
        { (room.width() - 2 * margin) / m_map->width, (room.height() - 2 * margin) / m_map->height, largest / 2 });
}

void GraphView::fit()
{
    if (!m_map)
        return;
    m_scale = std::max(fittingScale(), 1e-3);
    m_placed = true;
    updateBars();
    centreOn({ m_map->width / 2, m_map->height / 2 });
    viewport()->update();
    emit scaleChanged();
}

void GraphView::showStart()
{
    if (!m_map)
        return;
    if (fittingScale() >= readable) {
        fit();
    } else {
        const double wide = (viewport()->width() - 2 * margin) / std::max(1.0, m_map->width);
        m_scale = std::clamp(wide, readable, 1.0);
        m_placed = true;
        updateBars();
        // The trunk begins at the first node; the drawing may be wider than the window.
        const double x = m_map->nodes.empty() ? 0 : m_map->nodes.front().box.center().x();
        centreOn({ wide >= readable ? m_map->width / 2 : x, 0 });
        verticalScrollBar()->setValue(static_cast<int>(-margin));
        emit scaleChanged();
    }
    if (m_current && *m_current != 0)
        ensureVisible(*m_current);
    viewport()->update();
}

void GraphView::zoomIn() { zoomTo(m_scale * step, QRectF(viewport()->rect()).center()); }

void GraphView::zoomOut() { zoomTo(m_scale / step, QRectF(viewport()->rect()).center()); }

void GraphView::ensureVisible(std::size_t node)
{
    const QRectF box = boxOf(node);
    const QRectF view = QRectF(viewport()->rect()).adjusted(margin, 2 * margin, -margin, -2 * margin);
    const auto shift = [](double low, double high, double from, double to) {
        return low < from ? low - from : high > to ? std::min(high - to, low - from) : 0.0;
    };
    const double dx = shift(box.left(), box.right(), view.left(), view.right());
    const double dy = shift(box.top(), box.bottom(), view.top(), view.bottom());
    // From far away the node comes to the middle, with what is around it.
    if (std::abs(dx) > view.width() / 2 || std::abs(dy) > view.height() / 2)
        return centreOn(m_map->nodes[node].box.center());
    horizontalScrollBar()->setValue(horizontalScrollBar()->value() + static_cast<int>(std::lround(dx)));
    verticalScrollBar()->setValue(verticalScrollBar()->value() + static_cast<int>(std::lround(dy)));
}

void GraphView::resizeEvent(QResizeEvent* event)
{
    QAbstractScrollArea::resizeEvent(event);
    updateBars();
}

void GraphView::showEvent(QShowEvent* event)
{
    QAbstractScrollArea::showEvent(event);
    updateBars();
    if (!m_placed)
        showStart();
}

void GraphView::scrollContentsBy(int /*dx*/, int /*dy*/) { viewport()->update(); }

void GraphView::wheelEvent(QWheelEvent* event)
{
    const double turns = event->angleDelta().y() / 120.0;
    if (event->modifiers() & Qt::ShiftModifier || turns == 0)
        return QAbstractScrollArea::wheelEvent(event);
    zoomTo(m_scale * std::pow(step, turns), event->position());
    event->accept();
}

void GraphView::mousePressEvent(QMouseEvent* event)
{
    m_pressed = event->position();
    m_barsAtPress = { horizontalScrollBar()->value(), verticalScrollBar()->value() };
    m_dragging = false;
}

void GraphView::mouseMoveEvent(QMouseEvent* event)
{
    if (!(event->buttons() & (Qt::LeftButton | Qt::MiddleButton))) {
        viewport()->setCursor(nodeAt(event->position()) ? Qt::PointingHandCursor : Qt::ArrowCursor);
        return;
    }
    const QPointF moved = event->position() - m_pressed;
    if (!m_dragging && std::hypot(moved.x(), moved.y()) < dragThreshold)
        return;
    m_dragging = true;
    viewport()->setCursor(Qt::ClosedHandCursor);
    horizontalScrollBar()->setValue(m_barsAtPress.x() - static_cast<int>(std::lround(moved.x())));
    verticalScrollBar()->setValue(m_barsAtPress.y() - static_cast<int>(std::lround(moved.y())));
}

void GraphView::mouseReleaseEvent(QMouseEvent* event)
{
    viewport()->setCursor(Qt::ArrowCursor);
    if (event->button() != Qt::LeftButton || m_dragging)
        return;
    if (const auto node = nodeAt(event->position()))
        chooseNode(*node);
}

void GraphView::mouseDoubleClickEvent(QMouseEvent* event)
{
    // A node comes near, the empty canvas shows everything.
    const auto node = nodeAt(event->position());
    if (!node)
        return fit();
    zoomTo(std::max(1.0, m_scale), event->position());
    centreOn(m_map->nodes[*node].box.center());
}

void GraphView::contextMenuEvent(QContextMenuEvent* event)
{
    QMenu menu(this);
    menu.addAction(tr("Save picture…"), this, [this] {
        const QString path
            = chooseNewFile(this, tr("Save picture"), QStringLiteral("graph.png"), tr("PNG picture (*.png)"));
        if (!path.isEmpty() && !picture().save(path, "PNG"))
            MessageBar::tell(this,
                { ErrorCode::Io, tr("the file cannot be written").toStdString(), path.toStdString(),
                    tr("choose another folder").toStdString() },
                tr("The picture was not saved"));
    });
    menu.addAction(tr("Copy as image"), this, [this] { QGuiApplication::clipboard()->setImage(picture()); });
    menu.addSeparator();
    menu.addAction(tr("Show everything"), this, &GraphView::fit);
    for (QAction* action : menu.actions())
        action->setEnabled(!isEmpty());
    menu.exec(event->globalPos());
}

std::optional<std::size_t> GraphView::neighbour(std::size_t node, int key) const
{
    const NetworkMap::Node& at = m_map->nodes[node];
    std::optional<std::size_t> best;
    double least = 0;
    const auto consider = [&](std::size_t other) {
        const double distance = std::abs(m_map->nodes[other].box.center().x() - at.box.center().x());
        if (!best || distance < least) {
            best = other;
            least = distance;
        }
    };
    if (key == Qt::Key_Down)
        for (const std::size_t edge : at.outgoing)
            consider(m_map->edges[edge].to);
    if (key == Qt::Key_Up)
        for (const std::size_t edge : at.incoming)
            consider(m_map->edges[edge].from);
    if (key != Qt::Key_Left && key != Qt::Key_Right)
        return best;
    for (std::size_t i = 0; i < m_map->nodes.size(); ++i) {
        const NetworkMap::Node& other = m_map->nodes[i];
        const bool left = other.box.center().x() < at.box.center().x();
        if (i != node && other.row == at.row && left == (key == Qt::Key_Left))
            consider(i);
    }
    return best;
}

void GraphView::keyPressEvent(QKeyEvent* event)
{
    if (!m_map || m_map->nodes.empty())
        return QAbstractScrollArea::keyPressEvent(event);
    switch (event->key()) {
    case Qt::Key_Up:
    case Qt::Key_Down:
    case Qt::Key_Left:
    case Qt::Key_Right:
        if (const auto next = m_current ? neighbour(*m_current, event->key()) : std::optional<std::size_t>(0))
            chooseNode(*next);
        return;
    case Qt::Key_Home:
        return chooseNode(0);
    case Qt::Key_End:
        return chooseNode(m_map->nodes.size() - 1);
    case Qt::Key_Plus:
    case Qt::Key_Equal:
        return zoomIn();
    case Qt::Key_Minus:
        return zoomOut();
    case Qt::Key_0:
        return zoomTo(1, m_current ? boxOf(*m_current).center() : QRectF(viewport()->rect()).center());
    case Qt::Key_F:
        return fit();
    case Qt::Key_Slash:
        emit searchWanted();
        return;
    default:
        QAbstractScrollArea::keyPressEvent(event);
    }
}

QString GraphView::describe(std::size_t node) const
{
    const NetworkMap::Node& at = m_map->nodes[node];
    QStringList lines { QStringLiteral("<b>%1</b>").arg(at.name.toHtmlEscaped()) };
    if (at.kind == NetworkMap::Kind::Input)
        lines << tr("Input");
    else if (at.kind == NetworkMap::Kind::Output)
        lines << tr("Output");
    else
        lines << at.op;
    lines << tr("Produces %1").arg(at.shape);
    if (at.layer >= 0) {
        const auto index = static_cast<std::size_t>(at.layer);
        const LayerInfo& layer = m_session.model()->layers[index];
        lines << tr("Weight %1; %2 MACs an image")
                     .arg(layer.weightShape.isEmpty() ? QStringLiteral("–") : layer.weightShape,
                         formatMetric(static_cast<double>(layer.layer.macs)));
        std::vector<Measure> told { Measure::WeightSqnr, Measure::ActivationSqnr };
        if (std::ranges::find(told, m_session.measure()) == told.end())
            told.push_back(m_session.measure());
        for (const Measure measure : told) {
            const LayerMeasure found = measureLayers(m_session, measure);
            if (!found.empty() && !std::isnan(found.values[index]))
                lines << tr("%1: %2").arg(measureName(measure), found.text(found.values[index]));
        }
    }
    return lines.join(QStringLiteral("<br>"));
}

bool GraphView::viewportEvent(QEvent* event)
{
    if (event->type() == QEvent::PaletteChange) {
        m_theme = Theme::forPalette(palette());
        viewport()->update();
    }
    if (event->type() != QEvent::ToolTip)
        return QAbstractScrollArea::viewportEvent(event);
    auto* help = static_cast<QHelpEvent*>(event);
    QString text;
    if (const auto node = nodeAt(help->pos())) {
        text = describe(*node);
    } else if (m_map && m_session.analysis()) {
        for (std::size_t i = 0; i < m_marks.edges.size() && text.isEmpty(); ++i) {
            const quant::TensorQuantizer* quantizer = m_session.analysis()->plan->find(m_map->edges[i].tensor);
            if (quantizer && badgeBox(i).contains((QPointF(help->pos()) - origin()) / m_scale))
                text = tr("<b>%1</b><br>%2<br>%3 bits, %4, %5 to %6")
                           .arg(QString::fromStdString(m_map->edges[i].tensor).toHtmlEscaped(), m_map->edges[i].shape)
                           .arg(quantizer->config.bits)
                           .arg(inWords(quant::schemeName(quantizer->config)),
                               formatSignificant(static_cast<double>(quantizer->encoding.low())),
                               formatSignificant(static_cast<double>(quantizer->encoding.high())));
        }
    }
    text.isEmpty() ? QToolTip::hideText() : QToolTip::showText(help->globalPos(), text, viewport());
    return true;
}

} // namespace quantoscope::ui
