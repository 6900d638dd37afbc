// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>

#include "core/base/error.h"
#include "ui/charts/base_chart.h"
#include "ui/charts/pareto_series.h"

namespace quantoscope::ui {

/// Measured accuracy over price: uniform and mixed word-lengths as dots with intervals, the front of all as stairs, the
/// budget as a line, what was chosen ringed. Prices on a logarithmic axis.
class ParetoChart : public BaseChart {
    Q_OBJECT

public:
    explicit ParetoChart(QWidget* parent = nullptr);

    void setResult(sweep::SearchResultPtr result); ///< may be null
    const ParetoSeries& series() const { return m_series; }
    void setCurrent(std::optional<std::size_t> point); ///< into SearchResult::points; gets a halo
    /// Where a point is drawn, in pixels; empty if there is no such point.
    std::optional<QPointF> pixelOf(std::size_t point) const;

    std::string csv() const override;

signals:
    void pointClicked(qsizetype point);

protected:
    void rebuild() override;
    QString readout(const QPointF& position) const override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;

private:
    void setAxes();
    void drawFront();
    void drawDots(const std::vector<ParetoSeries::Point>& points, const QColor& color, const QString& name);
    void drawLines();
    void drawChosen();
    void drawCurrent();
    const ParetoSeries::Point* pointAt(const QPointF& position) const;

    sweep::SearchResultPtr m_result;
    ParetoSeries m_series;
    std::optional<std::size_t> m_current;
    QPoint m_pressed;
};

/// Draws it into a file, without a window; needs a QApplication.
Result<void> exportParetoChart(const sweep::SearchResultPtr& result, const std::filesystem::path& path);

} // namespace quantoscope::ui
