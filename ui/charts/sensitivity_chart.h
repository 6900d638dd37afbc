// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>

#include "core/base/error.h"
#include "ui/charts/base_chart.h"
#include "ui/charts/sensitivity_series.h"

namespace quantoscope::ui {

/// What each layer alone costs: a line a layer, on it a bar for each word-length with the interval of its drop.
class SensitivityChart : public BaseChart {
    Q_OBJECT

public:
    explicit SensitivityChart(QWidget* parent = nullptr);

    void setResult(sweep::SensitivityResultPtr result); ///< may be null
    const SensitivitySeries& series() const { return m_series; }

    std::string csv() const override;
    QSize exportSize() const override;

protected:
    void rebuild() override;
    QString readout(const QPointF& position) const override;

private:
    void setAxes();
    void drawBars(const SensitivitySeries::WordLength& wordLength);

    sweep::SensitivityResultPtr m_result;
    SensitivitySeries m_series;
};

/// Draws it into a file, without a window; needs a QApplication.
Result<void> exportSensitivityChart(const sweep::SensitivityResultPtr& result, const std::filesystem::path& path);

} // namespace quantoscope::ui
