// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <functional>

#include <QStackedWidget>

#include "ui/charts/cost_series.h"

class QCheckBox;
class QComboBox;
class QToolButton;

namespace quantoscope::ui {

class BaseChart;
class CostChart;

/// Lets `box` be as narrow as `letters` and what it opens as wide as its entries: as wide as the longest of them it
/// would widen a small window. To be called when it has them all.
void keepNarrow(QComboBox* box, int letters);

/// The charts of a study: its own ones, and accuracy over any cost in their place. The box chooses, the button saves
/// what is seen; a page puts both where it has room.
class StudyCharts : public QStackedWidget {
    Q_OBJECT

public:
    /// What to draw over a cost; empty if there is nothing to draw yet. Asked for while that is seen.
    using Costs = std::function<CostSeries(cost::Metric metric)>;

    explicit StudyCharts(Costs costs, QWidget* parent = nullptr);

    /// A chart of the study's own, called `name` in the box. The first one is seen first. `shown`: the chart, or what
    /// it is in.
    void add(BaseChart* chart, const QString& name, QWidget* shown = nullptr);
    QComboBox* box() const { return m_box; }
    QToolButton* saveButton() const { return m_save; }
    /// Whether charts over a cost show what is near float; there while one of them is seen, enabled where it helps.
    QCheckBox* nearFloatBox() const { return m_nearFloat; }
    CostChart* costChart() const { return m_costChart; }
    BaseChart* currentChart() const;
    /// Whether accuracy over a cost is seen.
    bool showsCosts() const;
    void showCost(cost::Metric metric);
    void showOwn(const BaseChart* chart); ///< one that was added

    /// Draws the study as it is now. A message is shown in place of all charts; empty: none.
    void refresh(const QString& message);
    void setCurrentPoint(std::optional<std::size_t> point); ///< of the study, over a cost

signals:
    void pointClicked(qsizetype point); ///< of the study, over a cost

private:
    void show(int entry);
    void drawCosts();
    void followNearFloat(CostChart* chart);
    void refreshNearFloat();

    Costs m_costs;
    std::vector<BaseChart*> m_own; ///< as the first pages
    QComboBox* m_box = nullptr;
    QToolButton* m_save = nullptr;
    QCheckBox* m_nearFloat = nullptr;
    CostChart* m_costChart = nullptr;
};

} // namespace quantoscope::ui
