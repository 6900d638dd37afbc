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

    std::string csv() const override;

protected:
    void rebuild() override;
    QString readout(const QPointF& position) const override;

private:
    void setAxes();
    void drawFront();
    void drawDots(const std::vector<ParetoSeries::Point>& points, const QColor& color, const QString& name);
    void drawLines();
    void drawChosen();

    sweep::SearchResultPtr m_result;
    ParetoSeries m_series;
};

/// Draws it into a file, without a window; needs a QApplication.
Result<void> exportParetoChart(const sweep::SearchResultPtr& result, const std::filesystem::path& path);

} // namespace quantoscope::ui
