// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/runs_page.h"

#include <numeric>

#include <QClipboard>
#include <QFileDialog>
#include <QGuiApplication>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QPushButton>
#include <QTableView>
#include <QVBoxLayout>

#include "core/base/file.h"
#include "ui/views/message_bar.h"

namespace quantoscope::ui {

RunsPage::RunsPage(Session& session, QWidget* parent)
    : QWidget(parent)
    , m_session(session)
    , m_model(session)
{
    m_proxy.setSourceModel(&m_model);
    m_proxy.setSortRole(RunsModel::SortRole);
    m_table = new QTableView;
    m_table->setModel(&m_proxy);
    m_table->setAccessibleName(tr("Runs"));
    m_table->setSelectionBehavior(QAbstractItemView::SelectRows);
    m_table->setSelectionMode(QAbstractItemView::SingleSelection);
    m_table->setAlternatingRowColors(true);
    m_table->setShowGrid(false);
    m_table->setWordWrap(false);
    m_table->setTabKeyNavigation(false);
    m_table->setHorizontalScrollMode(QAbstractItemView::ScrollPerPixel);
    m_table->verticalHeader()->hide();
    m_table->verticalHeader()->setDefaultSectionSize(28);
    m_table->horizontalHeader()->setHighlightSections(false);
    m_table->setSortingEnabled(true);
    m_table->sortByColumn(RunsModel::Number, Qt::AscendingOrder);
    const int widths[RunsModel::ColumnCount] = { 32, 200, 176, 44, 44, 64, 56, 108, 80, 80, 120, 68, 80, 76, 76, 80 };
    for (int column = 0; column < RunsModel::ColumnCount; ++column)
        m_table->setColumnWidth(column, widths[column]);
    // What came of it stands beside the word-lengths; what was done to get there follows.
    QHeaderView* header = m_table->horizontalHeader();
    for (const int column : { RunsModel::Images, RunsModel::Corrections })
        header->moveSection(header->visualIndex(column), header->visualIndex(RunsModel::Top1Interval));
    m_empty = new QLabel(
        tr("Nothing has been evaluated yet. Press Evaluate (F5) once a model and labelled images are open."));
    m_empty->setAlignment(Qt::AlignCenter);
    m_empty->setWordWrap(true);
    m_empty->setEnabled(false);

    m_restore = new QPushButton(tr("Make current"));
    m_restore->setToolTip(tr("Take the options of the chosen run again"));
    m_copy = new QPushButton(tr("Copy table"));
    m_save = new QPushButton(tr("Save table…"));
    auto* bar = new QHBoxLayout;
    bar->setSpacing(8);
    bar->addWidget(m_restore);
    bar->addStretch(1);
    bar->addWidget(m_copy);
    bar->addWidget(m_save);

    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(8, 8, 8, 8);
    layout->setSpacing(8);
    layout->addLayout(bar);
    layout->addWidget(m_table, 1);
    layout->addWidget(m_empty, 1);

    connect(m_copy, &QPushButton::clicked, this, [this] { QGuiApplication::clipboard()->setText(tsv()); });
    connect(m_save, &QPushButton::clicked, this, &RunsPage::save);
    connect(m_restore, &QPushButton::clicked, this, &RunsPage::restore);
    connect(m_table, &QTableView::doubleClicked, this, &RunsPage::restore);
    connect(m_table->selectionModel(), &QItemSelectionModel::selectionChanged, this, &RunsPage::refresh);
    connect(&session, &Session::runsChanged, this, &RunsPage::refresh);
    refresh();
}

QString RunsPage::tsv() const
{
    std::vector<int> columns(RunsModel::ColumnCount);
    std::iota(columns.begin(), columns.end(), 0);
    return toTsv(m_proxy, columns);
}

void RunsPage::refresh()
{
    const bool any = !m_session.runs().empty();
    m_table->setVisible(any);
    m_empty->setVisible(!any);
    m_copy->setEnabled(any);
    m_save->setEnabled(any);
    m_restore->setEnabled(m_table->selectionModel()->hasSelection());
}

void RunsPage::restore()
{
    const QModelIndex index = m_proxy.mapToSource(m_table->currentIndex());
    if (!index.isValid())
        return;
    const Run& run = m_session.runs()[static_cast<std::size_t>(index.row())];
    planning::PlanRequest request = run.request;
    if (run.isFloat) {
        request.weights.bits.reset();
        request.activations.bits.reset();
        request.overrides.clear();
    }
    m_session.edit(request, tr("options of run %1").arg(index.row() + 1));
}

void RunsPage::save()
{
    const QString path = QFileDialog::getSaveFileName(
        this, tr("Save runs"), QStringLiteral("runs.tsv"), tr("Tab-separated values (*.tsv)"));
    if (path.isEmpty())
        return;
    if (const auto written = base::writeFileAtomically(path.toStdString(), tsv().toStdString()); !written)
        MessageBar::tell(this, written.error(), tr("The table was not saved"));
}

} // namespace quantoscope::ui
