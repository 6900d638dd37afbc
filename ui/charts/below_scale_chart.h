// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <vector>

#include <qcustomplot.h>

namespace quantoscope::ui {

/// Points that lie below what the vertical axis shows: an arrow for each where they left, and how many there are.
class BelowScale : public QCPAbstractItem {
    Q_OBJECT

public:
    explicit BelowScale(QCustomPlot* plot);

    void add(double x, double value, const QColor& color) { m_points.push_back({ x, value, color }); }
    void setFont(const QFont& font) { m_font = font; }
    void setColors(const QColor& text, const QColor& background)
    {
        m_color = text;
        m_background = background;
    }
    int count() const; ///< of those below, as the axis is now
    QString note() const; ///< "3 below 88 %", empty if there are none
    double selectTest(const QPointF& position, bool onlySelectable, QVariant* details = nullptr) const override;

    /// `pixel`, or where its arrow is if that is below `plot`: what the pointer can reach.
    static QPointF reachable(const QCustomPlot* plot, const QPointF& pixel);

protected:
    void draw(QCPPainter* painter) override;

private:
    struct Point {
        double x;
        double value;
        QColor color;
    };
    std::vector<Point> m_points;
    QFont m_font;
    QColor m_color;
    QColor m_background;
};

} // namespace quantoscope::ui
