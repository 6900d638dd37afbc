// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <vector>

#include <QWidget>

#include "ui/models/layers_filter.h"
#include "ui/models/layers_model.h"

class QLabel;
class QLineEdit;
class QMenu;
class QTableView;

namespace quantoscope::ui {

class MeasureBox;
class NameDelegate;

/// The layers table with its filter. The current row is the session's selected layer, both ways; word-lengths are
/// edited in place, for all selected rows at once.
class LayersView : public QWidget {
    Q_OBJECT

public:
    explicit LayersView(Session& session, QWidget* parent = nullptr);

    QTableView* table() const { return m_table; }
    QLineEdit* filter() const { return m_filter; }
    QMenu* columnMenu() const { return m_columns; }
    MeasureBox* measureBox() const { return m_measure; }
    /// What is visible, as text for the clipboard.
    QString tsv() const;
    QByteArray saveColumns() const;
    void restoreColumns(const QByteArray& state);

protected:
    void resizeEvent(QResizeEvent* event) override;
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    void buildTable();
    void showSelection();
    void commitBits(const QModelIndex& index, std::optional<int> bits);
    std::vector<int> selectedLayers() const;
    void buildColumnMenu();
    void onModelChanged();
    void updateSummary();
    void enterTable();
    void shareRoom();

    Session& m_session;
    LayersModel m_model;
    LayersFilter m_proxy;
    QTableView* m_table = nullptr;
    NameDelegate* m_names = nullptr;
    int m_nameWidth = 0; ///< of the column, as the dock gave it
    QMenu* m_columns = nullptr;
    QAction* m_clearOwn = nullptr;
    QLineEdit* m_filter = nullptr;
    MeasureBox* m_measure = nullptr;
    QLabel* m_summary = nullptr;
};

} // namespace quantoscope::ui
