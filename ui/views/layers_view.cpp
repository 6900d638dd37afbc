// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/layers_view.h"

#include <algorithm>

#include <QAction>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QMenu>
#include <QShortcut>
#include <QTableView>
#include <QToolButton>
#include <QVBoxLayout>

#include "ui/charts/number_format.h"
#include "ui/models/runs_model.h"
#include "ui/views/elided_label.h"
#include "ui/views/layer_delegates.h"
#include "ui/views/measure_box.h"
#include "ui/views/table_menu.h"

namespace quantoscope::ui {

namespace {

constexpr int nameWidth = 128; // pixels
constexpr int narrowName = 84; ///< at least, in a dock of a small screen
constexpr int wholeName = 108; ///< with which all columns may share the room; narrower ones are hard to tell apart
constexpr int besideName = 140; ///< number, both word-lengths, scroll bar and margins: in sight in any dock
constexpr int wideName = 200; ///< where a large screen has room for it
constexpr int leastWidth = 256; ///< a window of 1024 has room for that on every page

} // namespace

LayersView::LayersView(Session& session, QWidget* parent)
    : QWidget(parent)
    , m_session(session)
    , m_model(session)
{
    m_proxy.setSourceModel(&m_model);
    m_filter = new QLineEdit;
    m_filter->setPlaceholderText(tr("Filter by name or operator"));
    m_filter->setClearButtonEnabled(true);
    m_filter->setAccessibleName(tr("Filter layers"));
    m_summary = new ElidedLabel;
    m_summary->setEnabled(false);
    m_summary->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    buildTable();

    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(4, 4, 4, 4);
    layout->setSpacing(4);
    auto* columns = new QToolButton;
    columns->setText(tr("Columns"));
    columns->setToolTip(tr("Choose what the table shows: errors, clipping, accumulators, shapes"));
    columns->setPopupMode(QToolButton::InstantPopup);
    columns->setMenu(m_columns);
    auto* top = new QHBoxLayout;
    top->setSpacing(4);
    top->addWidget(m_filter, 1);
    top->addWidget(columns);
    layout->addLayout(top);
    auto* colour = new QHBoxLayout;
    colour->setSpacing(8);
    m_measure = new MeasureBox(session);
    auto* label = new QLabel(tr("C&olour"));
    label->setBuddy(m_measure);
    colour->addWidget(label);
    colour->addWidget(m_measure);
    colour->addWidget(new MeasureLegend(session), 1);
    layout->addLayout(colour);
    layout->addWidget(m_table, 1);
    layout->addWidget(m_summary);

    connect(m_filter, &QLineEdit::textChanged, &m_proxy, &LayersFilter::setText);
    connect(&session, &Session::selectionChanged, this, &LayersView::showSelection);
    connect(&session, &Session::modelChanged, this, &LayersView::onModelChanged);
    setMinimumWidth(leastWidth);
    onModelChanged();
}

void LayersView::buildTable()
{
    m_table = new QTableView;
    m_table->setModel(&m_proxy);
    m_table->setAccessibleName(tr("Layers"));
    m_table->setSelectionBehavior(QAbstractItemView::SelectRows);
    m_table->setSelectionMode(QAbstractItemView::ExtendedSelection);
    m_table->setEditTriggers(QAbstractItemView::DoubleClicked | QAbstractItemView::EditKeyPressed
        | QAbstractItemView::AnyKeyPressed | QAbstractItemView::SelectedClicked);
    m_table->setAlternatingRowColors(true);
    m_table->setShowGrid(false);
    m_table->setWordWrap(false);
    m_table->setTextElideMode(Qt::ElideLeft); // the end of a name is what tells layers apart
    m_table->setVerticalScrollMode(QAbstractItemView::ScrollPerPixel);
    m_table->setHorizontalScrollMode(QAbstractItemView::ScrollPerPixel);
    m_table->verticalHeader()->hide();
    m_table->verticalHeader()->setDefaultSectionSize(28);
    m_table->setTabKeyNavigation(false);

    auto* bits = new BitsDelegate(
        [this](const QModelIndex& index, std::optional<int> value) { commitBits(index, value); }, this);
    m_table->setItemDelegateForColumn(LayersModel::WeightBits, bits);
    m_table->setItemDelegateForColumn(LayersModel::ActivationBits, bits);
    m_names = new NameDelegate(this);
    m_table->setItemDelegateForColumn(LayersModel::Name, m_names);
    m_table->setItemDelegateForColumn(LayersModel::Distribution, new ThumbnailDelegate(this));
    m_table->setItemDelegateForColumn(LayersModel::Number, new MeasureDelegate(this));

    QHeaderView* header = m_table->horizontalHeader();
    header->setSectionsMovable(true);
    header->setHighlightSections(false);
    header->setMinimumSectionSize(28);
    header->setContextMenuPolicy(Qt::CustomContextMenu);
    const int widths[LayersModel::ColumnCount]
        = { 36, nameWidth, 56, 40, 40, 50, 50, 84, 76, 76, 84, 84, 92, 72, 96, 88, 84, 80, 104, 104, 96, 88, 96 };
    m_nameWidth = nameWidth;
    m_table->viewport()->installEventFilter(this);
    for (int column = 0; column < LayersModel::ColumnCount; ++column) {
        m_table->setColumnWidth(column, widths[column]);
        m_table->setColumnHidden(column, LayersModel::isExtra(column));
    }
    // Word-lengths stand beside the name, so that a narrow dock shows them too.
    header->moveSection(
        header->visualIndex(LayersModel::Distribution), header->visualIndex(LayersModel::ActivationBits));
    m_table->setSortingEnabled(true);
    m_table->sortByColumn(LayersModel::Number, Qt::AscendingOrder);

    buildColumnMenu();
    connect(header, &QHeaderView::customContextMenuRequested, this,
        [this, header](const QPoint& position) { m_columns->exec(header->mapToGlobal(position)); });
    connect(
        m_table->selectionModel(), &QItemSelectionModel::currentRowChanged, this, [this](const QModelIndex& current) {
            if (current.isValid())
                m_session.selectLayer(m_proxy.mapToSource(current).row());
        });
    // From the filter into the table and back without the mouse.
    auto* find = new QAction(tr("Filter"), this);
    find->setShortcut(QKeySequence::Find);
    find->setShortcutContext(Qt::WidgetWithChildrenShortcut);
    connect(find, &QAction::triggered, this, [this] {
        m_filter->setFocus();
        m_filter->selectAll();
    });
    addAction(find);
    for (const int key : { Qt::Key_Return, Qt::Key_Down }) {
        auto* enter = new QShortcut(QKeySequence(key), m_filter);
        enter->setContext(Qt::WidgetShortcut);
        connect(enter, &QShortcut::activated, this, &LayersView::enterTable);
    }
    m_clearOwn = new QAction(tr("As in Options again"), m_table);
    m_clearOwn->setShortcut(Qt::Key_Delete);
    m_clearOwn->setShortcutContext(Qt::WidgetShortcut);
    m_clearOwn->setToolTip(tr("Take word-lengths and ranges of their own from the chosen layers"));
    connect(m_clearOwn, &QAction::triggered, this, [this] { m_session.clearOwnSettings(selectedLayers()); });
    auto* separator = new QAction(m_table);
    separator->setSeparator(true);
    m_table->addActions({ m_clearOwn, separator });
    attachTableMenu(m_table);
}

void LayersView::resizeEvent(QResizeEvent* event)
{
    QWidget::resizeEvent(event);
    shareRoom();
}

bool LayersView::eventFilter(QObject* watched, QEvent* event)
{
    if (event->type() == QEvent::Resize) // a scroll bar may have come
        shareRoom();
    return QWidget::eventFilter(watched, event);
}

void LayersView::shareRoom()
{
    const int given = m_table->columnWidth(LayersModel::Name);
    if (given != m_nameWidth)
        return; // a width that somebody chose stays
    // What as many of the other columns leave as can be seen whole beside a name; the word-lengths stay in sight in any
    // case.
    const QHeaderView* header = m_table->horizontalHeader();
    int room = std::clamp(width() - besideName, narrowName, nameWidth);
    int left = m_table->viewport()->width();
    for (int place = 0; place < header->count() && left >= wholeName; ++place) {
        const int column = header->logicalIndex(place);
        if (column == LayersModel::Name || header->isSectionHidden(column))
            continue;
        left -= header->sectionSize(column);
        if (left >= wholeName && place >= header->visualIndex(LayersModel::ActivationBits))
            room = left;
    }
    m_nameWidth = std::min(room, wideName);
    m_table->setColumnWidth(LayersModel::Name, m_nameWidth);
}

void LayersView::enterTable()
{
    m_table->setFocus();
    // The current layer may be filtered out.
    if (!m_table->currentIndex().isValid() && m_proxy.rowCount() > 0)
        m_table->setCurrentIndex(m_proxy.index(0, LayersModel::Name));
}

void LayersView::onModelChanged()
{
    QStringList names;
    if (const LoadedModelPtr& model = m_session.model())
        for (const LayerInfo& layer : model->layers)
            names << layer.name;
    m_names->setNames(names);
    updateSummary();
}

void LayersView::updateSummary()
{
    const LoadedModelPtr& model = m_session.model();
    if (!model) {
        m_summary->setText(tr("No model"));
        return;
    }
    std::int64_t parameters = 0;
    std::int64_t macs = 0;
    for (const LayerInfo& layer : model->layers) {
        parameters += layer.layer.parameters;
        macs += layer.layer.macs;
    }
    m_summary->setText(tr("%1 layers, %2 parameters, %3 MACs an image")
                           .arg(formatCount(static_cast<qint64>(model->layers.size())),
                               formatMetric(static_cast<double>(parameters)), formatMetric(static_cast<double>(macs))));
    m_summary->setToolTip(m_summary->text());
}

void LayersView::showSelection()
{
    const int layer = m_session.selectedLayer();
    if (layer < 0)
        return;
    const QModelIndex index = m_proxy.mapFromSource(m_model.index(layer, LayersModel::Name));
    if (!index.isValid() || index.row() == m_table->currentIndex().row())
        return;
    m_table->setCurrentIndex(index);
}

std::vector<int> LayersView::selectedLayers() const
{
    std::vector<int> rows;
    for (const QModelIndex& index : m_table->selectionModel()->selectedRows())
        rows.push_back(m_proxy.mapToSource(index).row());
    std::sort(rows.begin(), rows.end());
    return rows;
}

void LayersView::commitBits(const QModelIndex& index, std::optional<int> bits)
{
    std::vector<int> rows = selectedLayers();
    const int edited = m_proxy.mapToSource(index).row();
    if (std::find(rows.begin(), rows.end(), edited) == rows.end())
        rows = { edited };
    const Operand operand = LayersModel::operandOf(index.column());
    // A product of two activations has no weight to quantize.
    std::erase_if(rows, [&](int row) {
        return operand == Operand::Weight && !m_session.model()->layers[static_cast<std::size_t>(row)].weight;
    });
    m_session.editBits(rows, operand, bits);
}

QString LayersView::tsv() const
{
    std::vector<int> columns;
    const QHeaderView* header = m_table->horizontalHeader();
    for (int visual = 0; visual < header->count(); ++visual) {
        const int column = header->logicalIndex(visual);
        if (!header->isSectionHidden(column) && column != LayersModel::Distribution)
            columns.push_back(column);
    }
    return toTsv(m_proxy, columns);
}

// A state belongs to the columns of the version that wrote it.
static QByteArray columnsMark() { return QByteArray::number(LayersModel::ColumnCount) + ':'; }

QByteArray LayersView::saveColumns() const { return columnsMark() + m_table->horizontalHeader()->saveState(); }

void LayersView::restoreColumns(const QByteArray& state)
{
    if (!state.startsWith(columnsMark()))
        return;
    m_table->horizontalHeader()->restoreState(state.mid(columnsMark().size()));
    // One that a dock of another size gave follows this one.
    if (const int name = m_table->columnWidth(LayersModel::Name); name <= nameWidth || name == wideName)
        m_nameWidth = name;
}

void LayersView::buildColumnMenu()
{
    m_columns = new QMenu(this);
    m_columns->setToolTipsVisible(true);
    QHeaderView* header = m_table->horizontalHeader();
    for (int column = LayersModel::Distribution; column < LayersModel::ColumnCount; ++column) {
        QString title = m_model.headerData(column, Qt::Horizontal).toString();
        QAction* action = m_columns->addAction(title.replace(QLatin1Char('\n'), QLatin1Char(' ')));
        action->setToolTip(m_model.headerData(column, Qt::Horizontal, Qt::ToolTipRole).toString());
        action->setCheckable(true);
        connect(action, &QAction::toggled, header, [=, this](bool on) {
            header->setSectionHidden(column, !on);
            shareRoom();
        });
        connect(m_columns, &QMenu::aboutToShow, action, [=] { action->setChecked(!header->isSectionHidden(column)); });
    }
}

} // namespace quantoscope::ui
