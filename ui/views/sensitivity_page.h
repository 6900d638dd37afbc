// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QWidget>

#include "ui/session/workbench.h"

class QCheckBox;
class QComboBox;
class QGridLayout;
class QHBoxLayout;
class QLabel;
class QLineEdit;
class QPushButton;

namespace quantoscope::ui {

class InterruptedStudy;
class PlanPanel;
class SensitivityChart;
class StudyButton;
class StudyCharts;

/// What each layer alone costs: which word-lengths to try, and the bars while they come in. A bar shows its plan and
/// can be made current, or its word-length be given to the layer in the current plan.
class SensitivityPage : public QWidget {
    Q_OBJECT

public:
    SensitivityPage(Session& session, Workbench& workbench, QWidget* parent = nullptr);

    SensitivityChart* chart() const { return m_chart; }
    StudyCharts* charts() const { return m_charts; }
    QPushButton* startButton() const;
    PlanPanel* plan() const { return m_plan; }
    InterruptedStudy* interrupted() const { return m_interrupted; }
    QLineEdit* weightBits() const { return m_weightBits; }
    QLineEdit* activationBits() const { return m_activationBits; }
    QCheckBox* measureBox() const { return m_measure; }
    QComboBox* orderBox() const { return m_order; }
    QLabel* workload() const { return m_workload; }
    QLabel* trust() const { return m_trust; }

private:
    QGridLayout* buildSetup();
    QHBoxLayout* buildBar();
    Result<SensitivitySettings> settings() const;
    void start();
    void refreshState();
    void refreshChart();
    void showChosen();
    std::optional<std::size_t> chosenPoint() const; ///< into SensitivityResult::points
    void selectLayer(); ///< of the chosen point, everywhere

    Session& m_session;
    Workbench& m_workbench;
    /// Unit and word-length of the chosen point: points may come in another order than they end up in.
    std::optional<std::pair<std::size_t, int>> m_chosen;
    SensitivityChart* m_chart = nullptr;
    PlanPanel* m_plan = nullptr;
    InterruptedStudy* m_interrupted = nullptr;
    StudyCharts* m_charts = nullptr;
    QLineEdit* m_weightBits = nullptr;
    QLineEdit* m_activationBits = nullptr;
    QCheckBox* m_measure = nullptr;
    QLabel* m_orderLabel = nullptr;
    QComboBox* m_order = nullptr;
    StudyButton* m_start = nullptr;
    QLabel* m_workload = nullptr;
    QLabel* m_trust = nullptr;
};

} // namespace quantoscope::ui
