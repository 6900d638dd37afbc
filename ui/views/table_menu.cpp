// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/table_menu.h"

#include <algorithm>

#include <QAction>
#include <QClipboard>
#include <QGuiApplication>
#include <QHeaderView>
#include <QTableView>

#include "core/base/file.h"
#include "ui/models/runs_model.h"
#include "ui/views/file_choice.h"
#include "ui/views/message_bar.h"

namespace quantoscope::ui {

namespace {

void save(QTableView* table)
{
    const QString path = chooseNewFile(table, QTableView::tr("Save table"), QStringLiteral("table.tsv"),
        QTableView::tr("Tab-separated values (*.tsv)"));
    if (path.isEmpty())
        return;
    const auto written = base::writeFileAtomically(path.toStdString(), shownTable(*table).toStdString());
    if (!written)
        MessageBar::tell(table, written.error(), QTableView::tr("The table was not saved"));
}

std::vector<int> shownColumns(const QTableView& table)
{
    const QHeaderView* header = table.horizontalHeader();
    std::vector<int> columns;
    for (int visual = 0; visual < header->count(); ++visual)
        if (const int column = header->logicalIndex(visual); !table.isColumnHidden(column))
            columns.push_back(column);
    return columns;
}

/// The chosen rows as they are shown, from top to bottom; all of them where none is chosen.
QString chosenRows(const QTableView& table)
{
    std::vector<int> rows;
    for (const QModelIndex& index : table.selectionModel()->selectedRows())
        rows.push_back(index.row());
    std::ranges::sort(rows);
    return toTsv(*table.model(), shownColumns(table), rows.empty() ? nullptr : &rows);
}

QAction* copyAction(
    QTableView* table, const QString& text, const QKeySequence& keys, QString (*copied)(const QTableView&))
{
    auto* action = new QAction(text, table);
    action->setShortcut(keys);
    action->setShortcutContext(Qt::WidgetWithChildrenShortcut);
    QObject::connect(
        action, &QAction::triggered, table, [table, copied] { QGuiApplication::clipboard()->setText(copied(*table)); });
    return action;
}

} // namespace

QString shownTable(const QTableView& table) { return toTsv(*table.model(), shownColumns(table)); }

void attachTableMenu(QTableView* table)
{
    QAction* rows = copyAction(table, QTableView::tr("Copy chosen rows"), QKeySequence::Copy, chosenRows);
    QAction* copy = copyAction(table, QTableView::tr("Copy table"), Qt::CTRL | Qt::SHIFT | Qt::Key_C, shownTable);
    auto* file = new QAction(QTableView::tr("Save table…"), table);
    QObject::connect(file, &QAction::triggered, table, [table] { save(table); });
    table->addActions({ rows, copy, file });
    table->setContextMenuPolicy(Qt::ActionsContextMenu);
}

} // namespace quantoscope::ui
