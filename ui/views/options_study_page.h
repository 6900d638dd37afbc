// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QSortFilterProxyModel>
#include <QWidget>

#include "ui/models/options_model.h"
#include "ui/session/study_choices.h"
#include "ui/session/workbench.h"

class QGridLayout;
class QHBoxLayout;
class QLabel;
class QLineEdit;
class QPushButton;
class QSplitter;
class QTableView;

namespace quantoscope::ui {

class CheckListButton;
class OptionsChart;
class InterruptedStudy;
class PlanPanel;
class Section;
class StudyButton;
class StudyCharts;

/// Compares quantization options on the user's own model: what to cross, how long that takes, and the combinations
/// ranked while they come in, as a chart and as a table. A row shows its settings and can be made current.
class OptionsStudyPage : public QWidget {
    Q_OBJECT

public:
    OptionsStudyPage(Session& session, Workbench& workbench, QWidget* parent = nullptr);

    OptionsChart* chart() const { return m_chart; }
    StudyCharts* charts() const { return m_charts; }
    QTableView* table() const { return m_table; }
    QPushButton* startButton() const;
    QPushButton* currentButton() const;
    PlanPanel* plan() const { return m_plan; }
    InterruptedStudy* interrupted() const { return m_interrupted; }
    QLabel* workload() const { return m_workload; }
    QLabel* details() const;
    StudyChoices choices() const;
    void setChoices(const StudyChoices& choices);

private:
    /// The dimensions of one operand.
    struct Side {
        QLineEdit* bits = nullptr;
        CheckListButton* ranges = nullptr;
        CheckListButton* schemes = nullptr;
        CheckListButton* granularities = nullptr;
    };
    QWidget* buildSetup();
    Side buildSide(const QString& title, QGridLayout* layout, int column);
    void buildTable();
    QWidget* buildResults();
    QHBoxLayout* buildBar();
    void start();
    QString sideText(const Side& side) const;
    void refreshSetup();
    void refreshResults();
    void showRow(int row);
    void showLeftOut();
    int currentRow() const; ///< of the study; -1: none

    Session& m_session;
    Workbench& m_workbench;
    OptionsModel m_model;
    QSortFilterProxyModel m_proxy;
    int m_shown = -1; ///< row of the study whose settings are shown
    Section* m_section = nullptr;
    Side m_weights;
    Side m_activations;
    CheckListButton* m_corrections = nullptr;
    QLabel* m_workload = nullptr;
    StudyButton* m_start = nullptr;
    OptionsChart* m_chart = nullptr;
    StudyCharts* m_charts = nullptr;
    QTableView* m_table = nullptr;
    QWidget* m_below = nullptr; ///< table and details
    QLabel* m_leftOut = nullptr; ///< what of the combinations was not measured
    PlanPanel* m_plan = nullptr;
    InterruptedStudy* m_interrupted = nullptr;
};

} // namespace quantoscope::ui
