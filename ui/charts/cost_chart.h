// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>

#include "core/base/error.h"
#include "ui/charts/point_chart.h"
#include "ui/charts/cost_series.h"

namespace quantoscope::ui {

/// Measured accuracy over any figure of cost: a dot with its interval for each network, groups in colours, the front of
/// all as stairs, the float network and a budget as dashed lines, what was chosen ringed. Costs on a logarithmic axis.
class CostChart : public PointChart {
    Q_OBJECT

public:
    explicit CostChart(QWidget* parent = nullptr);

    /// What is zoomed to stays, unless it is over another cost.
    void setSeries(CostSeries series);
    const CostSeries& series() const { return m_series; }

    std::string csv() const override;

protected:
    void rebuild() override;
    QString readout(const QPointF& position) const override;
    std::vector<Place> places() const override;
    std::optional<std::size_t> pointAt(const QPointF& position) const override;

    struct Hit {
        const CostSeries::Point* point = nullptr; ///< null: none is near
        const CostSeries::Group* group = nullptr;
    };
    Hit hitAt(const QPointF& position) const;

private:
    QColor colorOf(std::size_t group) const;
    void setAxes();
    void drawCurrent();
    void drawLines();
    void drawFront();
    void drawGroup(const CostSeries::Group& group, const QColor& color);
    void drawChosen();

    CostSeries m_series;
};

/// Draws it into a file, without a window; needs a QApplication.
Result<void> exportCostChart(CostSeries series, const std::filesystem::path& path);

} // namespace quantoscope::ui
