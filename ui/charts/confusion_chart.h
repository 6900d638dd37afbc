// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "core/evaluation/flips.h"
#include "ui/charts/base_chart.h"

namespace quantoscope::ui {

/// What quantization changed of the confusion matrix: a cell for each pair of a label and what it is taken for, with
/// how many images more or fewer. Vermillion: worse; green: better. Only classes that something changed for are drawn,
/// of many those that most changed for.
class ConfusionChart : public BaseChart {
    Q_OBJECT

public:
    static constexpr std::size_t mostClasses = 32;

    explicit ConfusionChart(QWidget* parent = nullptr);

    void setChanges(
        std::vector<evaluation::ConfusionChange> changes, const std::function<QString(std::int32_t)>& className);
    const std::vector<std::int32_t>& classes() const { return m_classes; } ///< that are drawn, ascending
    /// Whether more images are right with the change of this cell.
    static bool better(const evaluation::ConfusionChange& cell);

    QString key() const; ///< what colours and frames mean and what is left out, as rich text
    std::string csv() const override;
    QSize exportSize() const override { return { 720, 640 }; }

signals:
    void keyChanged();

protected:
    void rebuild() override;
    QString readout(const QPointF& position) const override;
    void resizeEvent(QResizeEvent* event) override;

private:
    void chooseClasses();
    QString leftOut() const;
    /// Names as far as there is room: slanted where they are wider than their columns, with dots where they would take
    /// more than a quarter of the chart, and only of every second or third class where rows are lower than letters.
    /// Figures only where cells hold them; the readout has all.
    void fitTexts();
    void setNames(QCPAxis* axis, double room, double classesEach);
    void drawCell(const evaluation::ConfusionChange& cell, double strongest);
    std::optional<std::size_t> placeOf(std::int32_t label) const;

    std::vector<evaluation::ConfusionChange> m_changes;
    std::vector<std::int32_t> m_classes;
    std::vector<QString> m_names; ///< of the classes that are drawn
    std::map<std::int32_t, QString> m_allNames;
    std::vector<QCPItemText*> m_figures; ///< in the cells
};

} // namespace quantoscope::ui
