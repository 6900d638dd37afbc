// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <memory>
#include <optional>

#include "ui/charts/base_chart.h"
#include "ui/charts/sweep_series.h"

namespace quantoscope::ui {

/// Accuracy against word-length: one line a word-length of the other operand, 95 % intervals as bands, the float
/// network as a dashed line. A click on a point emits its index.
class SweepChart : public BaseChart {
    Q_OBJECT

public:
    explicit SweepChart(QWidget* parent = nullptr);

    /// Draws `result` (may be null). Keeps the zoom while a sweep of the same axes grows.
    void setResult(std::shared_ptr<const sweep::SweepResult> result);
    const SweepSeries& series() const { return m_series; }
    void setBandsVisible(bool visible);
    void setCurrent(std::optional<std::size_t> point); ///< gets a ring

    /// Where a point is drawn, in pixels; empty if there is no such point.
    std::optional<QPointF> pixelOf(std::size_t point) const;

    std::string csv() const override;

signals:
    void pointClicked(qsizetype point);

protected:
    void rebuild() override;
    QString readout(const QPointF& position) const override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;

private:
    void addLegend();
    void drawLine(const SweepSeries::Line& line, std::size_t number);
    void drawFloat();
    void drawCurrent();
    void setAxes();
    std::optional<std::size_t> pointAt(const QPointF& position) const;

    std::shared_ptr<const sweep::SweepResult> m_result;
    SweepSeries m_series;
    bool m_bands = true;
    std::optional<std::size_t> m_current;
    QPoint m_pressed;
    QCPTextElement* m_legendTitle = nullptr;
};

} // namespace quantoscope::ui
