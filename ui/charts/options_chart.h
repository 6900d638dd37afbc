// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <memory>
#include <optional>

#include "ui/charts/point_chart.h"
#include "ui/charts/options_series.h"

namespace quantoscope::ui {

/// Combinations of options ranked by accuracy: a dot with its interval a line, best on top, the float network as a
/// dashed line. What cannot be told from the best is filled. A click on a line emits its row.
class OptionsChart : public PointChart {
    Q_OBJECT

public:
    explicit OptionsChart(QWidget* parent = nullptr);

    void setStudy(sweep::OptionsStudyPtr study); ///< may be null
    const OptionsSeries& series() const { return m_series; }

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
    void setLabels();
    void drawRows(bool best);
    void drawFloat();
    void drawCurrent();
    const OptionsSeries::Row* rowAt(const QPointF& position) const;

    sweep::OptionsStudyPtr m_study;
    OptionsSeries m_series;
};

} // namespace quantoscope::ui
