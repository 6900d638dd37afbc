// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/plan_panel.h"

#include <algorithm>

#include <QEvent>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QPushButton>
#include <QTableView>
#include <QToolButton>
#include <QVBoxLayout>

#include "ui/views/table_menu.h"

namespace quantoscope::ui {

namespace {

constexpr int leastText = 160; // pixels
constexpr int leastTable = 168; // pixels: the header and five layers
constexpr double tableShare = 0.33; // of the page, at most
constexpr int rowHeight = 24;
constexpr int leastName = 96;
constexpr int border = 2;
constexpr int besideColumns = 20; // scroll bar and frame

} // namespace

PlanPanel::PlanPanel(Session& session, QWidget* parent)
    : QWidget(parent)
    , m_session(session)
{
    m_summary = new QLabel;
    m_summary->setTextFormat(Qt::RichText);
    m_summary->setWordWrap(true);
    m_summary->setMinimumWidth(leastText); // whatever the names in it
    m_summary->setTextInteractionFlags(Qt::TextSelectableByMouse);
    m_makeCurrent = new QPushButton(tr("Make current"));
    m_makeCurrent->setToolTip(tr("Take this plan; undo takes it back"));
    m_other = new QPushButton(tr("Other")); // whoever shows it says what it does
    m_other->hide();
    m_showPlan = new QToolButton;
    m_showPlan->setText(tr("Plan"));
    m_showPlan->setToolTip(tr("Word-lengths and ranges of this plan, layer by layer"));
    m_showPlan->setCheckable(true);
    m_showPlan->setArrowType(Qt::RightArrow);
    m_showPlan->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
    m_table = new QTableView;
    m_table->setModel(&m_model);
    m_table->setAccessibleName(tr("Plan of the chosen point"));
    m_table->setSelectionBehavior(QAbstractItemView::SelectRows);
    m_table->setSelectionMode(QAbstractItemView::SingleSelection);
    m_table->setAlternatingRowColors(true);
    m_table->setShowGrid(false);
    m_table->setWordWrap(false);
    m_table->setTabKeyNavigation(false);
    m_table->setHorizontalScrollMode(QAbstractItemView::ScrollPerPixel);
    m_table->verticalHeader()->hide();
    m_table->verticalHeader()->setDefaultSectionSize(rowHeight);
    m_table->horizontalHeader()->setHighlightSections(false);
    m_table->setFixedHeight(leastTable);
    const int widths[PlanModel::ColumnCount] = { 36, leastName, 48, 128, 48, 128 };
    for (int column = 0; column < PlanModel::ColumnCount; ++column)
        m_table->setColumnWidth(column, widths[column]);
    m_table->hide();
    attachTableMenu(m_table);

    auto* buttons = new QHBoxLayout;
    buttons->setSpacing(8);
    buttons->addWidget(m_showPlan);
    buttons->addWidget(m_other);
    buttons->addWidget(m_makeCurrent);
    auto* line = new QHBoxLayout;
    line->setSpacing(8);
    line->addWidget(m_summary, 1);
    line->addLayout(buttons);
    line->setAlignment(buttons, Qt::AlignBottom); // where they stay when the text above the open table is shorter
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 4, 0, 0);
    layout->setSpacing(4);
    // The panel is the lowest thing of its page: the table opens upwards, and the button stays under the pointer.
    layout->addWidget(m_table);
    layout->addLayout(line);

    connect(m_makeCurrent, &QPushButton::clicked, this, &PlanPanel::currentWanted);
    connect(m_other, &QPushButton::clicked, this, &PlanPanel::otherWanted);
    connect(m_showPlan, &QToolButton::toggled, this, [this](bool on) {
        m_showPlan->setArrowType(on ? Qt::UpArrow : Qt::RightArrow);
        refresh();
    });
    connect(m_table->selectionModel(), &QItemSelectionModel::currentRowChanged, this, [this](const QModelIndex& index) {
        if (index.isValid())
            m_session.selectLayer(index.row());
    });
    hide();
}

void PlanPanel::showPoint(const QString& summary, quant::PlanPtr plan, const QString& inShort)
{
    m_text = summary;
    m_inShort = inShort;
    m_showPlan->setVisible(plan != nullptr);
    m_model.setPlan(m_session.model(), std::move(plan));
    refresh();
    show();
}

void PlanPanel::refresh()
{
    const bool open = m_showPlan->isChecked() && m_model.rowCount() > 0;
    // What the table shows layer by layer need not be told in short.
    m_summary->setText(open || m_inShort.isEmpty() ? m_text : m_text + QStringLiteral("<br>") + m_inShort);
    if (open) {
        const int all = m_table->horizontalHeader()->sizeHint().height() + m_model.rowCount() * rowHeight + 2 * border;
        const int share = static_cast<int>(tableShare * (parentWidget() ? parentWidget()->height() : 0));
        m_table->setFixedHeight(std::min(all, std::max(leastTable, share)));
        // What the other columns leave goes to the names, so that the last one is whole.
        const int others = m_table->horizontalHeader()->length() - m_table->columnWidth(PlanModel::Layer);
        m_table->setColumnWidth(PlanModel::Layer, std::max(leastName, contentsRect().width() - others - besideColumns));
    }
    m_table->setVisible(open);
}

bool PlanPanel::eventFilter(QObject* watched, QEvent* event)
{
    if (watched == parentWidget() && event->type() == QEvent::Resize && isVisible())
        refresh();
    return QWidget::eventFilter(watched, event);
}

void PlanPanel::changeEvent(QEvent* event)
{
    QWidget::changeEvent(event);
    if (event->type() == QEvent::ParentChange && parentWidget())
        parentWidget()->installEventFilter(this);
}

void PlanPanel::clear()
{
    m_model.setPlan(nullptr, nullptr);
    hide();
}

void PlanPanel::setOther(const QString& text, const QString& tip)
{
    m_other->setText(text);
    m_other->setToolTip(tip);
    m_other->setVisible(!text.isEmpty());
}

} // namespace quantoscope::ui
