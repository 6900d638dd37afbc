// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <memory>

#include "ui/charts/base_chart.h"
#include "ui/charts/sweep_series.h"

namespace quantoscope::ui {

/// The word-length grid as a map: weight bits to the right, activation bits upwards, top-1 as viridis and as a number.
class HeatChart : public BaseChart {
    Q_OBJECT

public:
    explicit HeatChart(QWidget* parent = nullptr);

    void setResult(std::shared_ptr<const sweep::SweepResult> result);
    std::string csv() const override;

signals:
    void pointClicked(qsizetype point);

protected:
    void rebuild() override;
    QString readout(const QPointF& position) const override;
    void mousePressEvent(QMouseEvent* event) override;

private:
    void labelAxis(QCPAxis* axis, const std::vector<QString>& labels);
    std::optional<std::size_t> pointAt(const QPointF& position) const;

    std::shared_ptr<const sweep::SweepResult> m_result;
    SweepGrid m_grid;
    QCPColorScale* m_scale = nullptr;
};

} // namespace quantoscope::ui
