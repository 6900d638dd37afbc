// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/flips_page.h"

#include <algorithm>

#include <QComboBox>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QSplitter>
#include <QStackedWidget>
#include <QTableView>
#include <QVBoxLayout>

#include "ui/charts/confusion_chart.h"
#include "ui/charts/divergence_chart.h"
#include "ui/charts/number_format.h"
#include "ui/charts/range_words.h"
#include "ui/models/runs_model.h"
#include "ui/session/outcomes.h"
#include "ui/views/chart_menu.h"
#include "ui/views/elided_combo_box.h"
#include "ui/views/option_words.h"
#include "ui/views/table_menu.h"

namespace quantoscope::ui {

namespace {

constexpr int pictureSide = 168; // pixels
constexpr int leastText = 160;
enum Page { Empty, Images, Confusion };

} // namespace

FlipsPage::FlipsPage(Session& session, Workbench& workbench, QWidget* parent)
    : QWidget(parent)
    , m_session(session)
    , m_workbench(workbench)
{
    m_flipsOrder.setSourceModel(&m_flips);
    m_flipsOrder.setSortRole(FlipsModel::SortRole);
    m_changesOrder.setSourceModel(&m_changes);
    m_changesOrder.setSortRole(ConfusionModel::SortRole);
    auto* bar = buildBar();
    m_table = buildTable(m_flipsOrder, tr("Images seen as another class"));
    m_table->setIconSize({ 28, 28 });
    m_table->verticalHeader()->setDefaultSectionSize(32);
    const int widths[FlipsModel::ColumnCount] = { 92, 56, 78, 78, 80, 56, 66 };
    for (int column = 0; column < FlipsModel::ColumnCount; ++column)
        m_table->setColumnWidth(column, widths[column]);
    m_confusion = buildTable(m_changesOrder, tr("Changes of the confusion matrix"));
    for (int column = 0; column < ConfusionModel::ColumnCount; ++column)
        m_confusion->setColumnWidth(column, column < ConfusionModel::Float ? 112 : 82);

    auto* images = new QSplitter(Qt::Vertical);
    images->setObjectName(QStringLiteral("FlipsSplitter"));
    images->setChildrenCollapsible(false);
    images->addWidget(m_table);
    images->addWidget(buildDetails());
    images->setStretchFactor(0, 3);
    images->setStretchFactor(1, 2);
    images->setSizes({ 320, 260 });
    m_empty = new QLabel;
    m_empty->setAlignment(Qt::AlignCenter);
    m_empty->setWordWrap(true);
    m_empty->setEnabled(false);
    m_pages = new QStackedWidget;
    m_pages->addWidget(m_empty);
    m_pages->addWidget(images);
    m_matrix = new ConfusionChart;
    attachChartMenu(m_matrix);
    m_matrixKey = new QLabel;
    m_matrixKey->setWordWrap(true);
    m_matrixKey->setTextFormat(Qt::RichText);
    connect(m_matrix, &ConfusionChart::keyChanged, this, [this] { m_matrixKey->setText(m_matrix->key()); });
    auto* matrix = new QWidget;
    auto* withKey = new QVBoxLayout(matrix);
    withKey->setContentsMargins(0, 0, 0, 0);
    withKey->setSpacing(4);
    withKey->addWidget(m_matrixKey);
    withKey->addWidget(m_matrix, 1);
    auto* confusion = new QSplitter(Qt::Vertical);
    confusion->setObjectName(QStringLiteral("ConfusionSplitter"));
    confusion->setChildrenCollapsible(false);
    confusion->addWidget(matrix);
    confusion->addWidget(m_confusion);
    confusion->setStretchFactor(0, 3);
    confusion->setStretchFactor(1, 1);
    confusion->setSizes({ 420, 160 });
    m_pages->addWidget(confusion);

    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(8, 8, 8, 8);
    layout->setSpacing(8);
    layout->addLayout(bar);
    layout->addWidget(m_summary);
    layout->addWidget(m_pages, 1);

    connect(m_table->selectionModel(), &QItemSelectionModel::currentRowChanged, this, &FlipsPage::chooseImage);
    connect(&session, &Session::runsChanged, this, &FlipsPage::refreshRuns);
    connect(&session, &Session::requestChanged, this, &FlipsPage::follow);
    connect(&session, &Session::flipTraceChanged, this, &FlipsPage::showTrace);
    refreshRuns();
}

QHBoxLayout* FlipsPage::buildBar()
{
    m_runs = new ElidedComboBox;
    m_runs->setAccessibleName(tr("Run"));
    m_runs->setToolTip(tr("The evaluated configuration that is compared with the float network"));
    m_runs->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    m_runs->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    m_view = new QComboBox;
    m_view->setAccessibleName(tr("What is shown"));
    m_view->addItems({ tr("Images"), tr("Confusion") });
    m_summary = new QLabel;
    m_summary->setWordWrap(true);
    auto* label = new QLabel(tr("Run"));
    label->setBuddy(m_runs);
    auto* bar = new QHBoxLayout;
    bar->setSpacing(8);
    bar->addWidget(label);
    bar->addWidget(m_runs, 1);
    bar->addWidget(m_view);
    connect(m_runs, &QComboBox::currentIndexChanged, this, &FlipsPage::chooseRun);
    connect(m_runs, &QComboBox::activated, this, [this](int index) { m_following = index == followed(); });
    connect(m_view, &QComboBox::currentIndexChanged, this, &FlipsPage::chooseRun);
    return bar;
}

QTableView* FlipsPage::buildTable(QAbstractItemModel& model, const QString& name)
{
    auto* table = new QTableView;
    table->setModel(&model);
    table->setAccessibleName(name);
    table->setSelectionBehavior(QAbstractItemView::SelectRows);
    table->setSelectionMode(QAbstractItemView::SingleSelection);
    table->setAlternatingRowColors(true);
    table->setShowGrid(false);
    table->setWordWrap(false);
    table->setTabKeyNavigation(false);
    table->setHorizontalScrollMode(QAbstractItemView::ScrollPerPixel);
    table->verticalHeader()->hide();
    table->verticalHeader()->setDefaultSectionSize(24);
    table->horizontalHeader()->setHighlightSections(false);
    attachTableMenu(table);
    table->setSortingEnabled(true);
    table->sortByColumn(-1, Qt::AscendingOrder); // as found: the most surprising first
    return table;
}

QWidget* FlipsPage::buildDetails()
{
    m_picture = new QLabel;
    m_picture->setFixedSize(pictureSide, pictureSide);
    m_picture->setAlignment(Qt::AlignCenter);
    m_picture->setFrameShape(QFrame::StyledPanel);
    m_picture->setAccessibleName(tr("The chosen image as the network sees it"));
    m_facts = new QLabel;
    m_facts->setTextFormat(Qt::RichText);
    m_facts->setWordWrap(true);
    m_facts->setMinimumWidth(leastText); // whatever the names in it
    m_facts->setAlignment(Qt::AlignTop | Qt::AlignLeft);
    m_facts->setTextInteractionFlags(Qt::TextSelectableByMouse);
    m_chart = new DivergenceChart;
    attachChartMenu(m_chart);
    auto* details = new QWidget;
    auto* right = new QVBoxLayout;
    right->setSpacing(4);
    right->addWidget(m_facts);
    right->addWidget(m_chart, 1);
    auto* layout = new QHBoxLayout(details);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(8);
    layout->addWidget(m_picture, 0, Qt::AlignTop);
    layout->addLayout(right, 1);
    return details;
}

const Run* FlipsPage::run() const
{
    const int index = m_runs->currentData().toInt();
    const auto& runs = m_session.runs();
    return m_runs->currentIndex() >= 0 && index < static_cast<int>(runs.size()) ? &runs[static_cast<std::size_t>(index)]
                                                                                : nullptr;
}

const evaluation::Flip* FlipsPage::flip() const
{
    const QModelIndex index = m_flipsOrder.mapToSource(m_table->currentIndex());
    return index.isValid() ? &m_flips.flips()[static_cast<std::size_t>(index.row())] : nullptr;
}

void FlipsPage::refreshRuns()
{
    const auto& runs = m_session.runs();
    const QSignalBlocker quiet(m_runs);
    if (runs.size() < m_known)
        m_runs->clear();
    for (std::size_t i = runs.size() < m_known ? 0 : m_known; i < runs.size(); ++i) {
        if (runs[i].isFloat || !runs[i].floatResult)
            continue;
        m_runs->insertItem(0, QString(), static_cast<int>(i)); // the newest stands first
    }
    m_known = runs.size();
    for (int item = 0; item < m_runs->count(); ++item) { // names may have changed
        const int number = m_runs->itemData(item).toInt();
        const Run& run = runs[static_cast<std::size_t>(number)];
        m_runs->setItemText(item, describe(run, number));
        m_runs->setItemData(item, wrapped(inWords(run.scope.toStdString())), Qt::ToolTipRole);
    }
    if (m_runs->count() == 0)
        m_following = true;
    follow();
    chooseRun();
}

int FlipsPage::followed() const
{
    const auto& runs = m_session.runs();
    for (int i = 0; i < m_runs->count(); ++i) // the newest first
        if (runs[static_cast<std::size_t>(m_runs->itemData(i).toInt())].request == m_session.request())
            return i;
    return -1;
}

void FlipsPage::follow()
{
    // Studies bring runs by the dozen; what is looked at is what the badge speaks of. Until that is evaluated, and for
    // whoever chose another run, what is shown stays.
    if (const int place = followed(); m_following && place >= 0)
        m_runs->setCurrentIndex(place);
    else if (m_runs->currentIndex() < 0 && m_runs->count() > 0)
        m_runs->setCurrentIndex(0);
}

/// What tells runs apart first: the box may be too narrow for the rest.
QString FlipsPage::describe(const Run& run, int number)
{
    const QString corrections = keptCorrections(run.corrections);
    return tr("%1: %2, %3")
        .arg(number + 1)
        .arg(corrections.isEmpty() ? RunsModel::title(run) : tr("%1, %2").arg(RunsModel::title(run), corrections),
            formatTop1(run.result->top1(), run.result->images()));
}

QString FlipsPage::summary() const { return m_summary->text(); }

void FlipsPage::showConfusion() { m_view->setCurrentIndex(1); }

void FlipsPage::chooseRun()
{
    const Run* shown = run();
    if (shown) {
        m_flips.setRun(*shown);
        m_changes.setRun(*shown);
    } else {
        m_flips.clear();
        m_changes.clear();
    }
    m_matrix->setChanges(
        m_changes.changes(), [shown](std::int32_t label) { return classText(*shown->samples, label); });
    m_runs->setEnabled(m_runs->count() > 0);
    m_runs->setToolTip(shown ? shown->scope : QString());
    const auto& flips = m_flips.flips();
    const auto ofKind = [&flips](evaluation::FlipKind kind) {
        return formatCount(std::ranges::count(flips, kind, &evaluation::Flip::kind));
    };
    m_summary->setVisible(!flips.empty());
    m_summary->setText(
        shown ? tr(
            "%1 of %2 images are seen as another class: <b>%3</b> lost, <b>%4</b> gained, %5 between wrong classes.")
                    .arg(formatCount(static_cast<qint64>(flips.size())), formatCount(shown->result->images()),
                        ofKind(evaluation::FlipKind::Lost), ofKind(evaluation::FlipKind::Gained),
                        ofKind(evaluation::FlipKind::Moved))
              : QString());
    m_empty->setText(shown
            ? tr("The quantized network sees every image as the float network does.")
            : tr("Nothing quantized has been evaluated yet. Press Evaluate (F5) once a model and labelled "
                 "images are open."));
    m_pages->setCurrentIndex(flips.empty() ? Empty : m_view->currentIndex() == 0 ? Images : Confusion);
    if (!flips.empty())
        m_table->selectRow(0);
    chooseImage();
}

void FlipsPage::chooseImage()
{
    const auto* chosen = flip();
    const Run* shown = run();
    m_chart->setSeries({});
    if (!chosen || !shown) {
        m_picture->clear();
        m_facts->clear();
        return;
    }
    showPicture(chosen->image);
    m_facts->setText(describe(*chosen));
    m_chart->setMessage(tr("Following the image through both networks…"));
    if (isVisible())
        m_workbench.traceFlip(*shown, chosen->image);
}

void FlipsPage::showEvent(QShowEvent* event)
{
    QWidget::showEvent(event);
    chooseImage();
}

void FlipsPage::showPicture(std::int64_t image)
{
    const QImage picture = pictureOf(*m_flips.samples(), image);
    if (picture.isNull()) {
        m_picture->setText(tr("No picture"));
        return;
    }
    // Small pictures keep their pixels: what the network sees is that coarse.
    const bool small = std::max(picture.width(), picture.height()) * 2 <= pictureSide;
    m_picture->setPixmap(QPixmap::fromImage(picture.scaled(pictureSide - 4, pictureSide - 4, Qt::KeepAspectRatio,
        small ? Qt::FastTransformation : Qt::SmoothTransformation)));
}

QString FlipsPage::describe(const evaluation::Flip& flip) const
{
    const auto& samples = *m_flips.samples();
    const auto name = [&](std::int32_t c) { return classText(samples, c).toHtmlEscaped(); };
    return tr("<b>%1</b>, label %2<br>float says %3, quantized %4")
        .arg(QString::fromStdString(samples.dataset()->name(samples.originalIndex(flip.image))).toHtmlEscaped(),
            name(flip.before.label), name(flip.before.prediction), name(flip.after.prediction));
}

QString FlipsPage::describeTrace() const
{
    const auto& trace = *m_session.flipTrace();
    if (!trace.divergence)
        return tr("No tensor errs more than over %1 images: the image lay near the border between two classes.")
            .arg(formatCount(trace.usualImages));
    return tr("The networks part at <b>%1</b>: SQNR %2 dB, over %3 images %4 dB.")
        .arg(QString::fromStdString(trace.own[trace.divergence->tensor].name).toHtmlEscaped(),
            formatDecibel(trace.divergence->sqnrDb), formatCount(trace.usualImages),
            formatDecibel(trace.divergence->usualDb));
}

void FlipsPage::showTrace()
{
    const auto& trace = m_session.flipTrace();
    const auto* chosen = flip();
    const Run* shown = run();
    if (!trace || !chosen || !shown || trace->plan != shown->plan || trace->image != chosen->image)
        return;
    m_facts->setText(describe(*chosen) + QStringLiteral("<br>") + describeTrace());
    auto series = divergenceSeries(*trace->usual, trace->own, trace->divergence);
    m_chart->setMessage(series.empty() ? tr("No activation is quantized.") : QString());
    m_chart->setSeries(std::move(series));
}

} // namespace quantoscope::ui
