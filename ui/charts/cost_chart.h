// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>

#include "core/base/error.h"
#include "ui/charts/point_chart.h"
#include "ui/charts/cost_series.h"

namespace quantoscope::ui {

class BelowScale;

/// Measured accuracy over any figure of cost: a dot with its interval for each network, groups in colours, the front of
/// all as stairs, the float network and a budget as dashed lines, what was chosen ringed, what is selected in a halo.
/// Costs on a logarithmic axis.
class CostChart : public PointChart {
    Q_OBJECT

public:
    explicit CostChart(QWidget* parent = nullptr);

    /// What is zoomed to stays, unless it is over another cost.
    void setSeries(CostSeries series);
    const CostSeries& series() const { return m_series; }
    /// Shows the accuracies near float, where the networks lie that are worth choosing, as far as that helps: see
    /// nearFloat(). What lies below is counted and has arrows.
    void setNearFloat(bool on);
    QString below() const; ///< "3 below 88 %", empty while all is in sight

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
    QCPGraph* drawCurrent(); ///< null: there is none
    void drawLines();
    void drawLabel(const QPointF& at, bool ofBudget, const QString& text);
    void drawFront();
    void drawGroup(const CostSeries::Group& group, const QColor& color);
    void drawChosen();

    CostSeries m_series;
    bool m_nearFloat = false;
    BelowScale* m_below = nullptr;
};

/// Draws it into a file, without a window; needs a QApplication.
Result<void> exportCostChart(CostSeries series, const std::filesystem::path& path);

} // namespace quantoscope::ui
