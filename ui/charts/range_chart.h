// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>

#include "ui/charts/base_chart.h"
#include "ui/charts/range_series.h"

namespace quantoscope::ui {

/// All layers on one logarithmic axis of base two: a box of the magnitudes of each, and behind it, as a bar, what can
/// be represented. A box that rises above its bar is clipped, one that hangs below it vanishes in one step. A click
/// emits the layer.
class RangeChart : public BaseChart {
    Q_OBJECT

public:
    explicit RangeChart(QWidget* parent = nullptr);

    void setSeries(RangeSeries series, const QString& title, bool weights);
    const RangeSeries& series() const { return m_series; }
    void setCurrent(int layer); ///< -1: none
    double pixelOf(std::size_t layer) const { return xAxis->coordToPixel(static_cast<double>(layer)); }

    std::string csv() const override { return toCsv(m_series); }

signals:
    void layerClicked(int layer);

protected:
    void rebuild() override;
    QString readout(const QPointF& position) const override;
    void clicked(const QPointF& position) override;
    void resizeEvent(QResizeEvent* event) override;

private:
    void setAxes();
    void setLabels();
    void styleBoxes();
    void drawCurrent();
    std::optional<std::size_t> layerAt(const QPointF& position) const;

    RangeSeries m_series;
    bool m_weights = true;
    QCPStatisticalBox* m_boxes = nullptr;
    QCPGraph* m_bars = nullptr; ///< what can be represented
    QCPGraph* m_endMarks = nullptr; ///< its ends, where layers are too close for bars
    QCPGraph* m_stepMarks = nullptr;
    int m_current = -1;
};

} // namespace quantoscope::ui
