// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <vector>

#include <QAbstractScrollArea>
#include <QPainterPath>

#include "ui/charts/theme.h"
#include "ui/models/layer_measure.h"
#include "ui/session/session.h"

namespace quantoscope::ui {

/// The network as boxes and arrows. Quantized tensors are in the colour of activations with their word-length on the
/// edge, word-lengths of weights stand on the layer, and layers are coloured by the session's measure. The selected
/// layer is the session's, both ways. Paints only what is in sight and only as much of it as can be read at that size.
class GraphView : public QAbstractScrollArea {
    Q_OBJECT

public:
    explicit GraphView(Session& session, QWidget* parent = nullptr);

    double scale() const { return m_scale; }
    std::optional<std::size_t> currentNode() const { return m_current; } ///< into NetworkMap::nodes
    /// Where a node is drawn, in pixels of the viewport.
    QRectF boxOf(std::size_t node) const;
    bool isEmpty() const { return !m_map || m_map->nodes.empty(); }
    /// All of it in the colours of a document, as large as can be read, or as large as a picture may be.
    QImage picture();
    bool showsWeightBits() const; ///< on some layer
    bool showsActivationBits() const; ///< on some edge
    std::optional<std::size_t> nodeAt(const QPointF& position) const;
    /// Makes a node the current one, and its layer, if it is one, the session's; brings it into sight.
    void chooseNode(std::size_t node);

public slots:
    void fit(); ///< all of it
    void showStart(); ///< the first layers, large enough to read
    void zoomIn();
    void zoomOut();

signals:
    void searchWanted(); ///< a key that means it
    void scaleChanged();
    void marksChanged();

protected:
    void paintEvent(QPaintEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void wheelEvent(QWheelEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void mouseDoubleClickEvent(QMouseEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    bool viewportEvent(QEvent* event) override;
    void showEvent(QShowEvent* event) override;
    void scrollContentsBy(int dx, int dy) override;
    void contextMenuEvent(QContextMenuEvent* event) override;

private:
    /// What is written on an edge or a layer, found once a plan.
    struct Marks {
        std::vector<QString> edges; ///< bits; empty: float
        std::vector<QString> layers; ///< bits of weights; empty: none
        std::vector<bool> overridden; ///< layers with a word-length of their own
    };

    void setMap();
    void refreshMarks();
    void showSelection();
    void zoomTo(double scale, const QPointF& about);
    void updateBars();
    void centreOn(const QPointF& point);
    void ensureVisible(std::size_t node);
    QPointF origin() const; ///< pixel of the drawing's corner
    double fittingScale() const;
    std::optional<std::size_t> neighbour(std::size_t node, int key) const;
    QString describe(std::size_t node) const;

    void paintDrawing(QPainter& painter, const QRectF& part) const;
    void paintEdges(QPainter& painter, const QRectF& part) const;
    void paintBadges(QPainter& painter, const QRectF& part) const;
    void paintNode(QPainter& painter, std::size_t node) const;
    void paintLabels(QPainter& painter, const NetworkMap::Node& node, const QColor& text) const;
    void paintChip(QPainter& painter, const QRectF& box, const QString& text, const QColor& fill) const;
    QRectF badgeBox(std::size_t edge) const;
    QColor fillOf(const NetworkMap::Node& node) const;
    /// The box as it is drawn: of a long chain that is seen as a whole layers are wider, or their colours and they
    /// themselves could not be made out.
    QRectF shownBox(const NetworkMap::Node& node) const;
    bool isStrip() const; ///< a long chain so small that its layers are lines of colour

    static constexpr double thinDrawing = 64; // pixels
    static constexpr double stripWidth = 56; // pixels

    Session& m_session;
    NetworkMapPtr m_map;
    std::vector<QPainterPath> m_paths; ///< of the edges
    std::vector<QRectF> m_bounds; ///< of the edges
    Marks m_marks;
    LayerMeasure m_measure;
    Theme m_theme;
    double m_scale = 1;
    bool m_placed = false; ///< the view has been somewhere since the model came
    std::optional<std::size_t> m_current;
    QPointF m_pressed;
    QPoint m_barsAtPress;
    bool m_dragging = false;
};

} // namespace quantoscope::ui
