// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/runs_page.h"

#include <algorithm>
#include <numeric>

#include <QClipboard>
#include <QEvent>
#include <QGuiApplication>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QPainter>
#include <QPushButton>
#include <QSplitter>
#include <QStyledItemDelegate>
#include <QTableView>
#include <QToolButton>
#include <QVBoxLayout>

#include "core/base/file.h"
#include "ui/charts/number_format.h"
#include "ui/views/file_choice.h"
#include "ui/views/message_bar.h"
#include "ui/views/table_menu.h"

namespace quantoscope::ui {

namespace {

constexpr int scopeWidth = 200; // pixels, at least
constexpr int textWidth = 176;
constexpr int leastText = 160;
constexpr int textMargin = 16; // beside a text in its cell

QFont boldOf(QFont font)
{
    font.setBold(true);
    return font;
}

QString wholeTable(const QAbstractItemModel& model)
{
    std::vector<int> columns(static_cast<std::size_t>(model.columnCount()));
    std::iota(columns.begin(), columns.end(), 0);
    return toTsv(model, columns);
}

/// A dot before the number of the run whose options are the current ones, which bold type alone does not tell
/// everybody.
class CurrentRunDelegate : public QStyledItemDelegate {
public:
    using QStyledItemDelegate::QStyledItemDelegate;

    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override
    {
        QStyledItemDelegate::paint(painter, option, index);
        if (!index.data(RunsModel::CurrentRole).toBool())
            return;
        const bool selected = option.state & QStyle::State_Selected;
        painter->save();
        painter->setRenderHint(QPainter::Antialiasing);
        painter->setPen(Qt::NoPen);
        painter->setBrush(option.palette.color(selected ? QPalette::HighlightedText : QPalette::Text));
        painter->drawEllipse(QPointF(option.rect.left() + 6.5, option.rect.center().y() + 0.5), 3, 3);
        painter->restore();
    }
};

} // namespace

RunsPage::RunsPage(Session& session, Workbench& workbench, QWidget* parent)
    : QWidget(parent)
    , m_session(session)
    , m_workbench(workbench)
    , m_model(session)
    , m_layers(session)
{
    m_proxy.setSourceModel(&m_model);
    m_proxy.setSortRole(RunsModel::SortRole);
    m_proxy.setFilterKeyColumn(-1);
    m_proxy.setFilterCaseSensitivity(Qt::CaseInsensitive);
    m_layersOrder.setSourceModel(&m_layers);
    m_layersOrder.setSortRole(RunComparisonModel::SortRole);
    m_table = buildTable(m_proxy, tr("Runs"));
    m_table->setSelectionMode(QAbstractItemView::ExtendedSelection);
    m_table->setEditTriggers(QAbstractItemView::DoubleClicked | QAbstractItemView::EditKeyPressed);
    m_table->sortByColumn(RunsModel::Number, Qt::AscendingOrder);
    const int widths[RunsModel::ColumnCount]
        = { 40, 104, scopeWidth, textWidth, 44, 44, 64, 52, 96, 80, 80, 104, 68, 84, 68, 72, 80 };
    for (int column = 0; column < RunsModel::ColumnCount; ++column)
        m_table->setColumnWidth(column, widths[column]);
    m_table->viewport()->installEventFilter(this);
    // What came of it and what it costs stand beside the name; what was done to get there follows.
    QHeaderView* header = m_table->horizontalHeader();
    const int order[]
        = { RunsModel::Number, RunsModel::Name, RunsModel::WeightBits, RunsModel::ActivationBits, RunsModel::Top1,
              RunsModel::Top1Interval, RunsModel::Size, RunsModel::Energy, RunsModel::Scope, RunsModel::Corrections };
    for (int place = 0; place < static_cast<int>(std::size(order)); ++place)
        header->moveSection(header->visualIndex(order[place]), place);
    m_table->setItemDelegateForColumn(RunsModel::Number, new CurrentRunDelegate(this));
    m_empty = new QLabel(
        tr("Nothing has been evaluated yet. Press Evaluate (F5) once a model and labelled images are open."));
    m_empty->setAlignment(Qt::AlignCenter);
    m_empty->setWordWrap(true);
    m_empty->setEnabled(false);
    m_splitter = new QSplitter(Qt::Vertical);
    m_splitter->setObjectName(QStringLiteral("RunsSplitter"));
    m_splitter->setChildrenCollapsible(false);
    m_splitter->addWidget(m_table);
    m_splitter->addWidget(buildComparison());

    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(8, 8, 8, 8);
    layout->setSpacing(8);
    layout->addLayout(buildBar());
    layout->addWidget(m_splitter, 1);
    layout->addWidget(m_empty, 1);

    connect(m_table, &QTableView::doubleClicked, this, [this](const QModelIndex& index) {
        if (index.column() != RunsModel::Name) // there it is an edit
            restore();
    });
    connect(m_table->selectionModel(), &QItemSelectionModel::selectionChanged, this, &RunsPage::refresh);
    connect(&session, &Session::runsChanged, this, &RunsPage::refresh);
    connect(&session, &Session::runComparisonChanged, this, &RunsPage::refreshComparison);
    refresh();
    refreshComparison();
}

QTableView* RunsPage::buildTable(QAbstractItemModel& model, const QString& name)
{
    auto* table = new QTableView;
    table->setModel(&model);
    table->setAccessibleName(name);
    table->setSelectionBehavior(QAbstractItemView::SelectRows);
    table->setAlternatingRowColors(true);
    table->setShowGrid(false);
    table->setWordWrap(false);
    table->setTabKeyNavigation(false);
    table->setHorizontalScrollMode(QAbstractItemView::ScrollPerPixel);
    table->verticalHeader()->hide();
    table->verticalHeader()->setDefaultSectionSize(28);
    table->horizontalHeader()->setHighlightSections(false);
    table->setSortingEnabled(true);
    attachTableMenu(table);
    return table;
}

QLayout* RunsPage::buildBar()
{
    m_restore = new QPushButton(tr("Make current"));
    m_restore->setToolTip(tr("Take the options of the chosen run again; can be undone"));
    m_compare = new QPushButton(tr("Compare layers"));
    m_compare->setToolTip(tr("Set two chosen runs beside each other, layer by layer; hold Ctrl to choose the second. "
                             "With one chosen it is compared with the run before it"));
    m_filter = new QLineEdit;
    m_filter->setPlaceholderText(tr("Filter"));
    m_filter->setAccessibleName(tr("Filter of the runs"));
    m_filter->setToolTip(tr("Show only runs with this text in any column"));
    m_filter->setClearButtonEnabled(true);
    m_filter->setMaximumWidth(200);
    m_copy = new QPushButton(tr("Copy table"));
    m_copy->setToolTip(tr("All rows as they are shown, columns separated by tabs"));
    m_save = new QPushButton(tr("Save table…"));
    auto* bar = new QHBoxLayout;
    bar->setSpacing(8);
    bar->addWidget(m_restore);
    bar->addWidget(m_compare);
    bar->addWidget(m_filter);
    bar->addStretch(1);
    bar->addWidget(m_copy);
    bar->addWidget(m_save);
    connect(m_copy, &QPushButton::clicked, this, [this] { QGuiApplication::clipboard()->setText(tsv()); });
    connect(m_save, &QPushButton::clicked, this, &RunsPage::save);
    connect(m_restore, &QPushButton::clicked, this, &RunsPage::restore);
    connect(m_compare, &QPushButton::clicked, this, &RunsPage::compare);
    connect(m_filter, &QLineEdit::textChanged, &m_proxy, &QSortFilterProxyModel::setFilterFixedString);
    return bar;
}

QWidget* RunsPage::buildComparison()
{
    m_comparison = buildTable(m_layersOrder, tr("Layers of two runs"));
    m_comparison->setSelectionMode(QAbstractItemView::SingleSelection);
    m_comparison->sortByColumn(RunComparisonModel::Number, Qt::AscendingOrder);
    const int widths[RunComparisonModel::ColumnCount] = { 36, 104, 54, 54, 54, 54, 76, 76, 80, 76, 76, 80 };
    for (int column = 0; column < RunComparisonModel::ColumnCount; ++column)
        m_comparison->setColumnWidth(column, widths[column]);
    // How the errors differ is what one compares for; the errors themselves follow.
    QHeaderView* header = m_comparison->horizontalHeader();
    header->moveSection(header->visualIndex(RunComparisonModel::WeightDifference), RunComparisonModel::FirstWeightSqnr);
    header->moveSection(
        header->visualIndex(RunComparisonModel::ActivationDifference), RunComparisonModel::SecondWeightSqnr);
    m_comparison->verticalHeader()->setDefaultSectionSize(24);
    m_summary = new QLabel;
    m_summary->setWordWrap(true);
    m_summary->setMinimumWidth(leastText); // whatever the names in it
    m_summary->setTextInteractionFlags(Qt::TextSelectableByMouse);
    auto* copy = new QPushButton(tr("Copy table"));
    auto* close = new QPushButton(tr("Close"));
    auto* bar = new QHBoxLayout;
    bar->setSpacing(8);
    bar->addWidget(m_summary, 1);
    bar->addWidget(copy, 0, Qt::AlignTop);
    bar->addWidget(close, 0, Qt::AlignTop);
    m_comparisonPanel = new QWidget;
    auto* layout = new QVBoxLayout(m_comparisonPanel);
    layout->setContentsMargins(0, 4, 0, 0);
    layout->setSpacing(8);
    layout->addLayout(bar);
    layout->addWidget(m_comparison, 1);
    connect(copy, &QPushButton::clicked, this,
        [this] { QGuiApplication::clipboard()->setText(wholeTable(m_layersOrder)); });
    connect(close, &QPushButton::clicked, this, [this] { m_session.setRunComparison(nullptr); });
    // One selection everywhere: a layer chosen here is chosen in the window.
    connect(m_comparison->selectionModel(), &QItemSelectionModel::currentRowChanged, this,
        [this](const QModelIndex& index) {
            if (index.isValid())
                m_session.selectLayer(m_layersOrder.mapToSource(index).row());
        });
    return m_comparisonPanel;
}

bool RunsPage::eventFilter(QObject* watched, QEvent* event)
{
    if (event->type() == QEvent::Resize || event->type() == QEvent::Show)
        shareRoom();
    return QWidget::eventFilter(watched, event);
}

void RunsPage::shareRoom()
{
    // What a wide window leaves beside the columns goes to the long texts, until they fit.
    const QHeaderView* header = m_table->horizontalHeader();
    const std::pair<int, int> texts[] = { { RunsModel::Scope, scopeWidth }, { RunsModel::Corrections, textWidth } };
    int room = m_table->viewport()->width() - header->length();
    for (const auto& [column, least] : texts)
        room += m_table->columnWidth(column) - least;
    for (const auto& [column, least] : texts) {
        const int wanted = QFontMetrics(boldOf(m_table->font())).horizontalAdvance(longestText(column)) + textMargin;
        const int width = least + std::clamp(wanted - least, 0, std::max(0, room));
        room -= width - least;
        // A width that somebody chose stays.
        int& given = m_given[column == RunsModel::Scope ? 0 : 1];
        if (given == 0 || m_table->columnWidth(column) == given) {
            m_table->setColumnWidth(column, width);
            given = width;
        }
    }
}

QString RunsPage::longestText(int column) const
{
    QString longest;
    for (int row = 0; row < m_model.rowCount(); ++row)
        if (const QString text = m_model.index(row, column).data().toString(); text.size() > longest.size())
            longest = text;
    return longest;
}

QString RunsPage::tsv() const { return wholeTable(m_proxy); }

std::vector<int> RunsPage::chosen() const
{
    std::vector<int> rows;
    for (const QModelIndex& index : m_table->selectionModel()->selectedRows())
        rows.push_back(m_proxy.mapToSource(index).row());
    std::ranges::sort(rows);
    return rows;
}

void RunsPage::refresh()
{
    const bool any = !m_session.runs().empty();
    m_splitter->setVisible(any);
    m_empty->setVisible(!any);
    m_copy->setEnabled(any);
    m_save->setEnabled(any);
    m_filter->setEnabled(any);
    shareRoom();
    const auto rows = chosen();
    m_restore->setEnabled(rows.size() == 1);
    m_compare->setEnabled(m_session.model() && (rows.size() == 2 || (rows.size() == 1 && rows.front() > 0)));
}

void RunsPage::refreshComparison()
{
    const RunComparisonPtr& comparison = m_session.runComparison();
    m_comparisonPanel->setVisible(comparison != nullptr);
    if (!comparison)
        return;
    const auto title = [this](int run) {
        return tr("%1 (%2)").arg(run + 1).arg(RunsModel::title(m_session.runs()[static_cast<std::size_t>(run)]));
    };
    QString text = tr("Run <b>%1</b> against run <b>%2</b>")
                       .arg(title(comparison->second).toHtmlEscaped(), title(comparison->first).toHtmlEscaped());
    if (const auto& paired = comparison->outcomes) {
        const QString p = formatProbability(paired->pValue);
        text += tr(": top-1 %1 points (95 % from %2 to %3), p %4, same prediction on %5 of the images")
                    .arg(formatPoints(paired->delta, paired->images),
                        formatPoints(paired->deltaInterval.low, paired->images),
                        formatPoints(paired->deltaInterval.high, paired->images),
                        (p.startsWith(QLatin1Char('<')) ? p : QStringLiteral("= ") + p).toHtmlEscaped(),
                        formatTop1(paired->agreement, paired->images));
    } else {
        text += tr(": evaluated on different images");
    }
    text += comparison->images > 0 ? tr(". Errors over %1 images.").arg(formatCount(comparison->images))
                                   : tr(". Errors of the layers are being measured…");
    m_summary->setText(text);
    // The table has less room now; what is compared stays in sight.
    if (const QModelIndexList rows = m_table->selectionModel()->selectedRows(); !rows.empty())
        m_table->scrollTo(rows.back());
    if (m_table->currentIndex().isValid())
        m_table->scrollTo(m_table->currentIndex());
}

void RunsPage::compare()
{
    auto rows = chosen();
    if (rows.size() == 1)
        rows.insert(rows.begin(), rows.front() - 1);
    if (rows.size() == 2 && rows.front() >= 0)
        m_workbench.compareRuns(rows.front(), rows.back());
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
    const QString path
        = chooseNewFile(this, tr("Save runs"), QStringLiteral("runs.tsv"), tr("Tab-separated values (*.tsv)"));
    if (path.isEmpty())
        return;
    if (const auto written = base::writeFileAtomically(path.toStdString(), tsv().toStdString()); !written)
        MessageBar::tell(this, written.error(), tr("The table was not saved"));
}

} // namespace quantoscope::ui
