// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>
#include <memory>
#include <optional>

#include "ui/charts/point_chart.h"
#include "ui/charts/contour_series.h"
#include "ui/charts/sweep_series.h"

namespace quantoscope::ui {

/// The word-length grid as a map: weight bits to the right, activation bits upwards, top-1 as viridis and as a number.
/// Its colours cover what is around float: see accuracyScale(); what lies below is grey. Cells that are not there yet
/// are empty. Word-lengths that were left out between two others are a gap.
class HeatChart : public PointChart {
    Q_OBJECT

public:
    explicit HeatChart(QWidget* parent = nullptr);

    void setResult(std::shared_ptr<const sweep::SweepResult> result);
    void setContours(std::optional<cost::Metric> metric); ///< lines of equal cost; empty: none
    const std::vector<Contour>& contours() const { return m_contours; }
    /// Where their labels stand, in columns and rows.
    const std::vector<QPointF>& contourLabels() const { return m_contourLabels; }
    const AccuracyScale& accuracies() const { return m_accuracies; }
    QStringList scaleLabels() const; ///< of the colours, from the lowest upwards
    QColor colorOf(double top1) const; ///< of a cell
    std::string csv() const override;

protected:
    void rebuild() override;
    QString readout(const QPointF& position) const override;
    std::vector<Place> places() const override;
    std::optional<std::size_t> pointAt(const QPointF& position) const override;

private:
    void labelAxis(QCPAxis* axis, const std::vector<QString>& labels, const QString& title);
    void colourScale();
    void drawGaps(const std::vector<QString>& labels, bool columns);
    void labelScale();
    void drawCells();
    void drawNumbers();
    void drawContour(const Contour& contour);
    void labelContours();
    void drawCurrent();
    std::optional<QPointF> placeOf(std::size_t point) const; ///< column and row

    std::shared_ptr<const sweep::SweepResult> m_result;
    SweepGrid m_grid;
    AccuracyScale m_accuracies;
    std::optional<cost::Metric> m_metric;
    std::vector<Contour> m_contours;
    std::vector<QPointF> m_contourLabels;
    QCPColorScale* m_scale = nullptr;
};

/// Draws the map with lines of equal cost (empty: without) into a file, without a window; needs a QApplication.
Result<void> exportHeatChart(std::shared_ptr<const sweep::SweepResult> result, std::optional<cost::Metric> contours,
    const std::filesystem::path& path);

} // namespace quantoscope::ui
