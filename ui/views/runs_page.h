// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QSortFilterProxyModel>
#include <QWidget>

#include "ui/models/run_comparison_model.h"
#include "ui/models/runs_model.h"
#include "ui/session/workbench.h"

class QLabel;
class QLineEdit;
class QPushButton;
class QSplitter;
class QTableView;

namespace quantoscope::ui {

/// Every evaluated configuration as a table to name, sort, filter, copy and save; a row can be made the current plan
/// again, and two can be set beside each other layer by layer.
class RunsPage : public QWidget {
    Q_OBJECT

public:
    RunsPage(Session& session, Workbench& workbench, QWidget* parent = nullptr);

    QTableView* table() const { return m_table; }
    QTableView* comparison() const { return m_comparison; }
    QLineEdit* filter() const { return m_filter; }
    QPushButton* compareButton() const { return m_compare; }
    QPushButton* restoreButton() const { return m_restore; }
    QString tsv() const;

protected:
    bool eventFilter(QObject* watched, QEvent* event) override; ///< the table has another width

private:
    QTableView* buildTable(QAbstractItemModel& model, const QString& name);
    QLayout* buildBar();
    QWidget* buildComparison();
    void refresh();
    void refreshComparison();
    void shareRoom(); ///< among the columns of long texts
    QString longestText(int column) const;
    void restore();
    void compare();
    void save();
    std::vector<int> chosen() const; ///< runs whose rows are selected, in their order

    Session& m_session;
    Workbench& m_workbench;
    RunsModel m_model;
    QSortFilterProxyModel m_proxy;
    RunComparisonModel m_layers;
    QSortFilterProxyModel m_layersOrder;
    int m_given[2] = { 0, 0 }; ///< widths that shareRoom() gave, in pixels
    QSplitter* m_splitter = nullptr;
    QTableView* m_table = nullptr;
    QTableView* m_comparison = nullptr;
    QWidget* m_comparisonPanel = nullptr;
    QLabel* m_summary = nullptr;
    QLabel* m_empty = nullptr;
    QLineEdit* m_filter = nullptr;
    QPushButton* m_restore = nullptr;
    QPushButton* m_compare = nullptr;
    QPushButton* m_copy = nullptr;
    QPushButton* m_save = nullptr;
};

} // namespace quantoscope::ui
