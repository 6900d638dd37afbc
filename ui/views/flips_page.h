// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>

#include <QSortFilterProxyModel>
#include <QWidget>

#include "ui/models/confusion_model.h"
#include "ui/models/flips_model.h"
#include "ui/session/workbench.h"

class QComboBox;
class QHBoxLayout;
class QLabel;
class QStackedWidget;
class QTableView;

namespace quantoscope::ui {

class ConfusionChart;
class DivergenceChart;

/// What broke: the images of a run that the quantized network sees as another class, each with its picture, both
/// predictions, and where on the way through the network it goes astray; or what became of the confusion matrix.
class FlipsPage : public QWidget {
    Q_OBJECT

public:
    FlipsPage(Session& session, Workbench& workbench, QWidget* parent = nullptr);

    QTableView* table() const { return m_table; }
    QTableView* confusion() const { return m_confusion; }
    QComboBox* runs() const { return m_runs; }
    ConfusionChart* matrix() const { return m_matrix; }
    DivergenceChart* chart() const { return m_chart; }
    QString summary() const;
    void showConfusion();

protected:
    void showEvent(QShowEvent* event) override; ///< images are followed through the network only while they are seen

private:
    QHBoxLayout* buildBar();
    QTableView* buildTable(QAbstractItemModel& model, const QString& name);
    QWidget* buildDetails();
    void refreshRuns();
    void follow(); ///< to the run of the current options, unless a person chose another
    int followed() const; ///< its place in the box; -1: it was not evaluated
    void chooseRun();
    void chooseImage();
    void showTrace();
    void showPicture(std::int64_t image);
    static QString describe(const Run& run, int number);
    QString describe(const evaluation::Flip& flip) const;
    QString describeTrace() const;
    const Run* run() const; ///< the one shown; null: none
    const evaluation::Flip* flip() const; ///< the one selected; null: none

    Session& m_session;
    Workbench& m_workbench;
    FlipsModel m_flips;
    ConfusionModel m_changes;
    QSortFilterProxyModel m_flipsOrder;
    QSortFilterProxyModel m_changesOrder;
    std::size_t m_known = 0; ///< runs in the box
    bool m_following = true;
    QComboBox* m_runs = nullptr;
    QComboBox* m_view = nullptr;
    QLabel* m_summary = nullptr;
    QLabel* m_empty = nullptr;
    QStackedWidget* m_pages = nullptr;
    QTableView* m_table = nullptr;
    ConfusionChart* m_matrix = nullptr;
    QLabel* m_matrixKey = nullptr;
    QTableView* m_confusion = nullptr;
    QLabel* m_picture = nullptr;
    QLabel* m_facts = nullptr;
    DivergenceChart* m_chart = nullptr;
};

} // namespace quantoscope::ui
