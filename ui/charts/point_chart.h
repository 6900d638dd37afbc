// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/charts/base_chart.h"

namespace quantoscope::ui {

/// A chart of numbered points one of which can be chosen: by a click, or with Ctrl and the arrows from point to point.
class PointChart : public BaseChart {
    Q_OBJECT

public:
    /// Which points belong together: those above each other or those beside each other. Arrows along a group go from
    /// point to point within it, arrows across to the closest point of the next group.
    enum class Groups { Columns, Rows };

    explicit PointChart(Groups groups, QWidget* parent = nullptr);

    void setCurrent(std::optional<std::size_t> point); ///< gets a mark
    std::optional<std::size_t> current() const { return m_current; }
    /// Where a point is drawn, in pixels; empty if there is no such point.
    std::optional<QPointF> pixelOf(std::size_t point) const;

signals:
    void pointClicked(qsizetype point); ///< by mouse or keys

protected:
    struct Place {
        std::size_t point;
        QPointF at; ///< in the coordinates of xAxis and yAxis
        /// Where arrows find it, if it stands aside of its column or row so as not to cover another one.
        std::optional<QPointF> cell = {};
    };
    /// Every point that can be chosen, also those out of sight.
    virtual std::vector<Place> places() const = 0;
    /// The point that a click at a position in pixels means.
    virtual std::optional<std::size_t> pointAt(const QPointF& position) const = 0;

    /// Shapes that tell series apart where colours do not.
    static QCPScatterStyle::ScatterShape shapeOf(std::size_t series);
    /// The heading of the rows below `y`: bold, in a row of its own, under a rule.
    void drawHeading(double y, const QString& text);
    void keyPressEvent(QKeyEvent* event) override;
    void clicked(const QPointF& position) override;

private:
    std::optional<std::size_t> beside(int key) const;
    void bringIntoSight(std::size_t point);

    Groups m_groups;
    std::optional<std::size_t> m_current;
};

} // namespace quantoscope::ui
