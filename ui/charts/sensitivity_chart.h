// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>
#include <optional>

#include "core/base/error.h"
#include "ui/charts/point_chart.h"
#include "ui/charts/sensitivity_series.h"

namespace quantoscope::ui {

/// What each layer alone costs: a line a layer, on it a mark for each word-length with the interval of its drop, one
/// under the other.
class SensitivityChart : public PointChart {
    Q_OBJECT

public:
    explicit SensitivityChart(QWidget* parent = nullptr);

    void setResult(sweep::SensitivityResultPtr result); ///< may be null
    const SensitivitySeries& series() const { return m_series; }
    void setOrder(SensitivityOrder order);
    double linesInSight() const; ///< how many there is room for

    std::string csv() const override;
    QSize exportSize() const override;

protected:
    void rebuild() override;
    QString readout(const QPointF& position) const override;
    std::vector<Place> places() const override;
    std::optional<std::size_t> pointAt(const QPointF& position) const override;
    void resizeEvent(QResizeEvent* event) override;

private:
    void setAxes();
    void drawCurrent();
    const SensitivitySeries::Mark* markAt(const QPointF& position) const;
    void drawLines();
    void drawMarks(std::size_t wordLength);
    int lineHeight() const; ///< pixels
    double aside(std::size_t wordLength) const; ///< from the middle of a line to the marks of a word-length

    sweep::SensitivityResultPtr m_result;
    SensitivitySeries m_series;
    SensitivityOrder m_order = SensitivityOrder::Network;
};

/// Draws it into a file, without a window; needs a QApplication.
Result<void> exportSensitivityChart(const sweep::SensitivityResultPtr& result, const std::filesystem::path& path);

} // namespace quantoscope::ui
