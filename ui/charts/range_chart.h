// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <functional>
#include <optional>

#include "ui/charts/base_chart.h"
#include "ui/charts/range_series.h"

namespace quantoscope::ui {

/// All layers on one logarithmic axis of base two: a box of the magnitudes of each, and behind it, as a bar, what can
/// be represented. A box that rises above its bar is clipped, one that hangs below it vanishes in one step. Layers too
/// close for whiskers and dots are columns beside each other: the box, what lies above it, and the bar behind. A click
/// emits the layer.
class RangeChart : public BaseChart {
    Q_OBJECT

public:
    explicit RangeChart(QWidget* parent = nullptr);

    void setSeries(RangeSeries series, const QString& title, bool weights);
    const RangeSeries& series() const { return m_series; }
    void setCurrent(int layer); ///< -1: none
    double pixelOf(std::size_t layer) const { return xAxis->coordToPixel(static_cast<double>(layer)); }
    bool dense() const { return m_dense; } ///< layers are columns
    QStringList key() const; ///< what is drawn, in words

    std::string csv() const override { return toCsv(m_series); }

signals:
    void layerClicked(int layer);
    void keyChanged();

protected:
    void rebuild() override;
    QString readout(const QPointF& position) const override;
    void clicked(const QPointF& position) override;
    void resizeEvent(QResizeEvent* event) override;

private:
    /// The area between two graphs: a bar a layer.
    struct Bars {
        QCPGraph* low = nullptr;
        QCPGraph* high = nullptr;
    };
    using Ends = std::optional<std::pair<double, double>>;

    void setAxes();
    void frameMagnitudes(); ///< the vertical axis, around what is drawn
    void setLabels();
    void chooseDensity();
    void styleBoxes();
    Bars addBars(const QColor& color);
    void fillBars(const Bars& bars, double halfWidth, const std::function<Ends(const RangeSeries::Layer&)>& ends);
    void fillBoxes();
    void drawCurrent();
    std::optional<std::size_t> layerAt(const QPointF& position) const;

    RangeSeries m_series;
    bool m_weights = true;
    QCPStatisticalBox* m_boxes = nullptr;
    Bars m_representable;
    Bars m_above; ///< of columns: from the box to the largest value
    Bars m_halves; ///< of columns: the box
    bool m_dense = false;
    int m_current = -1;
};

} // namespace quantoscope::ui
