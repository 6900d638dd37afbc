// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>
#include <memory>
#include <optional>

#include "core/base/error.h"
#include "ui/charts/point_chart.h"
#include "ui/charts/sweep_series.h"

namespace quantoscope::ui {

class BelowScale;

/// Accuracy against word-length: one line a word-length of the other operand, the float network as a dashed line. 95 %
/// intervals are bands or, near float, where bands would cover each other, whiskers side by side. A click on a point
/// emits its index.
class SweepChart : public PointChart {
    Q_OBJECT

public:
    /// What of the accuracies is shown before somebody zooms: from the cliff on, or the last points below float, where
    /// the word-lengths lie that are worth choosing.
    enum class Extent { Whole, NearFloat };

    explicit SweepChart(Extent extent = Extent::Whole, QWidget* parent = nullptr);

    /// Draws `result` (may be null). Keeps the zoom while a sweep of the same axes grows; where nobody has zoomed, the
    /// axis of accuracies grows with it in calm steps and never shrinks before it is reset.
    void setResult(std::shared_ptr<const sweep::SweepResult> result);
    const SweepSeries& series() const { return m_series; }
    void setBandsVisible(bool visible);
    QString below() const; ///< near float, what lies below: "3 below 88 %"; empty if nothing does

    std::string csv() const override;

protected:
    void rebuild() override;
    QString readout(const QPointF& position) const override;
    std::vector<Place> places() const override;
    std::optional<std::size_t> pointAt(const QPointF& position) const override;

private:
    void addLegend();
    void drawLine(const SweepSeries::Line& line, std::size_t number);
    void drawBand(const SweepSeries::Line& line, const QColor& color);
    void drawWhiskers(const SweepSeries::Line& line, QCPGraph* graph, const QColor& color);
    double aside(std::size_t line) const; ///< bits, from a word-length to the points of a line
    void drawFloat();
    void drawCurrent();
    void setAxes();
    QCPRange accuracies() const; ///< to show, percent
    bool continues(const sweep::SweepResult* before) const; ///< whether m_result is of the same sweep

    std::shared_ptr<const sweep::SweepResult> m_result;
    SweepSeries m_series;
    Extent m_extent;
    bool m_bands = true;
    bool m_grows = false; ///< what is drawn next is more of the sweep that is drawn
    QCPRange m_shown; ///< what the axis of accuracies showed last without being zoomed
    BelowScale* m_below = nullptr; ///< near float only
    QCPTextElement* m_legendTitle = nullptr;
};

/// Draws it into a file, without a window; needs a QApplication (platform "offscreen" will do).
Result<void> exportSweepChart(std::shared_ptr<const sweep::SweepResult> result, const std::filesystem::path& path,
    SweepChart::Extent extent = SweepChart::Extent::Whole);

} // namespace quantoscope::ui
