// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QWidget>

#include "ui/session/workbench.h"

class QCheckBox;
class QComboBox;
class QGridLayout;
class QHBoxLayout;
class QLabel;
class QPushButton;
class QLineEdit;

namespace quantoscope::ui {

class HeatChart;
class InterruptedStudy;
class PlanPanel;
class StudyButton;
class StudyCharts;
class SweepChart;

/// Sweeps over word-lengths: what to evaluate, and accuracy against word-length as lines or as a map, or over a cost,
/// while points come in. A click on a point shows its plan, which can be made the current one.
class StudiesPage : public QWidget {
    Q_OBJECT

public:
    StudiesPage(Session& session, Workbench& workbench, QWidget* parent = nullptr);

    SweepChart* lines() const { return m_lines; }
    SweepChart* linesNearFloat() const { return m_nearFloat; }
    HeatChart* map() const { return m_map; }
    StudyCharts* charts() const { return m_charts; }
    QPushButton* startButton() const;
    QComboBox* contourBox() const { return m_contours; }
    PlanPanel* plan() const { return m_plan; }
    InterruptedStudy* interrupted() const { return m_interrupted; }
    SweepSettings settings() const;
    void setSettings(const SweepSettings& settings);
    void showNearFloat();
    void showMap();

private:
    void buildSetup(QGridLayout* layout);
    void buildChartBar(QHBoxLayout* layout);
    void showAskedFor();
    void refreshState();
    void refreshCharts();
    void choose(qsizetype point);
    void showChosen();
    int ownLayers() const; ///< how many layers of the sweep have a word-length of their own
    std::optional<std::size_t> chosenPoint() const; ///< into SweepResult::points

    Session& m_session;
    Workbench& m_workbench;
    /// Word-lengths of the chosen point: points may come in another order than they end up in.
    std::optional<std::pair<sweep::Bits, sweep::Bits>> m_chosen;
    SweepSettings m_asked; ///< of the sweep that is shown
    QLineEdit* m_weights = nullptr;
    QLineEdit* m_activations = nullptr;
    StudyButton* m_start = nullptr;
    QLabel* m_points = nullptr;
    QLabel* m_caption = nullptr;
    QCheckBox* m_bands = nullptr;
    QLabel* m_contoursLabel = nullptr;
    QComboBox* m_contours = nullptr;
    PlanPanel* m_plan = nullptr;
    InterruptedStudy* m_interrupted = nullptr;
    StudyCharts* m_charts = nullptr;
    SweepChart* m_lines = nullptr;
    SweepChart* m_nearFloat = nullptr;
    HeatChart* m_map = nullptr;
};

} // namespace quantoscope::ui
