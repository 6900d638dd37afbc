// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/table_menu.h"

#include <QAction>
#include <QClipboard>
#include <QFileDialog>
#include <QGuiApplication>
#include <QHeaderView>
#include <QTableView>

#include "core/base/file.h"
#include "ui/models/runs_model.h"
#include "ui/views/message_bar.h"

namespace quantoscope::ui {

namespace {

void save(QTableView* table)
{
    const QString path = QFileDialog::getSaveFileName(table, QTableView::tr("Save table"), QStringLiteral("table.tsv"),
        QTableView::tr("Tab-separated values (*.tsv)"));
    if (path.isEmpty())
        return;
    const auto written = base::writeFileAtomically(path.toStdString(), shownTable(*table).toStdString());
    if (!written)
        MessageBar::tell(table, written.error(), QTableView::tr("The table was not saved"));
}

} // namespace

QString shownTable(const QTableView& table)
{
    const QHeaderView* header = table.horizontalHeader();
    std::vector<int> columns;
    for (int visual = 0; visual < header->count(); ++visual)
        if (const int column = header->logicalIndex(visual); !table.isColumnHidden(column))
            columns.push_back(column);
    return toTsv(*table.model(), columns);
}

void attachTableMenu(QTableView* table)
{
    auto* copy = new QAction(QTableView::tr("Copy table"), table);
    copy->setShortcut(QKeySequence::Copy);
    copy->setShortcutContext(Qt::WidgetWithChildrenShortcut);
    QObject::connect(
        copy, &QAction::triggered, table, [table] { QGuiApplication::clipboard()->setText(shownTable(*table)); });
    auto* file = new QAction(QTableView::tr("Save table…"), table);
    QObject::connect(file, &QAction::triggered, table, [table] { save(table); });
    table->addActions({ copy, file });
    table->setContextMenuPolicy(Qt::ActionsContextMenu);
}

} // namespace quantoscope::ui
