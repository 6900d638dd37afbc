// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/charts/base_chart.h"
#include "ui/charts/divergence_series.h"

namespace quantoscope::ui {

/// SQNR along the network: one image against what is usual, and a mark where they part.
class DivergenceChart : public BaseChart {
    Q_OBJECT

public:
    explicit DivergenceChart(QWidget* parent = nullptr);

    void setSeries(DivergenceSeries series);
    const DivergenceSeries& series() const { return m_series; }

    std::string csv() const override;

protected:
    void rebuild() override;
    QString readout(const QPointF& position) const override;

private:
    void placeLegend(double top); ///< `top`: the upper end of the axis
    void addLine(const QString& name, const QColor& color, double DivergenceSeries::Point::*value, bool dashed);

    DivergenceSeries m_series;
};

} // namespace quantoscope::ui
