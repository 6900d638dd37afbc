// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QSortFilterProxyModel>
#include <QWidget>

#include "ui/models/runs_model.h"

class QLabel;
class QPushButton;
class QTableView;

namespace quantoscope::ui {

/// Every evaluated configuration as a table to sort, copy and save; a row can be made the current plan again.
class RunsPage : public QWidget {
    Q_OBJECT

public:
    explicit RunsPage(Session& session, QWidget* parent = nullptr);

    QTableView* table() const { return m_table; }
    QString tsv() const;

private:
    void refresh();
    void restore();
    void save();

    Session& m_session;
    RunsModel m_model;
    QSortFilterProxyModel m_proxy;
    QTableView* m_table = nullptr;
    QLabel* m_empty = nullptr;
    QPushButton* m_restore = nullptr;
    QPushButton* m_copy = nullptr;
    QPushButton* m_save = nullptr;
};

} // namespace quantoscope::ui
