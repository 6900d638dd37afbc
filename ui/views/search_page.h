// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QWidget>

#include "ui/session/workbench.h"

class QCheckBox;
class QComboBox;
class QDoubleSpinBox;
class QVBoxLayout;
class QLabel;
class QLineEdit;
class QPushButton;

namespace quantoscope::ui {

class ParetoChart;
class InterruptedStudy;
class PlanPanel;
class StudyButton;
class StudyCharts;

/// The best mix of word-lengths within a budget: what may be spent and chosen from, and accuracy over cost while points
/// come in. A point shows its plan, which can be made current.
class SearchPage : public QWidget {
    Q_OBJECT

public:
    SearchPage(Session& session, Workbench& workbench, QWidget* parent = nullptr);

    ParetoChart* chart() const { return m_chart; }
    StudyCharts* charts() const { return m_charts; }
    QPushButton* startButton() const;
    PlanPanel* plan() const { return m_plan; }
    InterruptedStudy* interrupted() const { return m_interrupted; }
    QComboBox* budgetBox() const { return m_budget; }
    QDoubleSpinBox* limitBox() const { return m_limit; }
    QLineEdit* weightBits() const { return m_weightBits; }
    QLineEdit* activationBits() const { return m_activationBits; }
    QCheckBox* uniformBox() const { return m_uniform; }
    QLabel* answer() const { return m_answer; }

private:
    void buildSetup(QVBoxLayout* layout);
    Result<SearchSettings> settings() const;
    void start();
    void budgetChosen();
    void refreshState();
    void refreshChart();
    void showChosen();

    Session& m_session;
    Workbench& m_workbench;
    std::optional<std::size_t> m_chosen; ///< into SearchResult::points
    ParetoChart* m_chart = nullptr;
    StudyCharts* m_charts = nullptr;
    PlanPanel* m_plan = nullptr;
    InterruptedStudy* m_interrupted = nullptr;
    QComboBox* m_budget = nullptr;
    QDoubleSpinBox* m_limit = nullptr;
    QLineEdit* m_weightBits = nullptr;
    QLineEdit* m_activationBits = nullptr;
    QCheckBox* m_uniform = nullptr;
    StudyButton* m_start = nullptr;
    QLabel* m_problem = nullptr;
    QLabel* m_answer = nullptr;
};

} // namespace quantoscope::ui
