// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>

#include "core/base/error.h"
#include "ui/charts/base_chart.h"
#include "ui/charts/cost_series.h"

namespace quantoscope::ui {

/// Measured accuracy over any figure of cost: a dot with its interval for each network, groups in colours, the front of
/// all as stairs, the float network as a dashed line. Costs on a logarithmic axis.
class CostChart : public BaseChart {
    Q_OBJECT

public:
    explicit CostChart(QWidget* parent = nullptr);

    void setSeries(CostSeries series);
    const CostSeries& series() const { return m_series; }

    std::string csv() const override;

protected:
    void rebuild() override;
    QString readout(const QPointF& position) const override;

private:
    void setAxes();
    void drawFront();
    void drawGroup(const CostSeries::Group& group, int number);

    CostSeries m_series;
};

/// Draws it into a file, without a window; needs a QApplication.
Result<void> exportCostChart(CostSeries series, const std::filesystem::path& path);

} // namespace quantoscope::ui
