// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/options_study_page.h"

#include <QComboBox>
#include <QGridLayout>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QSplitter>
#include <QTableView>
#include <QToolButton>
#include <QVBoxLayout>

#include "ui/charts/number_format.h"
#include "ui/charts/options_chart.h"
#include "ui/charts/range_words.h"
#include "ui/session/limits.h"
#include "ui/views/check_list_button.h"
#include "ui/views/interrupted_study.h"
#include "ui/views/option_words.h"
#include "ui/views/line_scroll.h"
#include "ui/views/plan_panel.h"
#include "ui/views/section.h"
#include "ui/views/study_button.h"
#include "ui/views/study_charts.h"
#include "ui/views/study_controls.h"
#include "ui/views/table_menu.h"

namespace quantoscope::ui {

namespace {

QString wordOf(const quant::OptionText& text) { return QString::fromUtf8(text.word.data()); }

void addTexts(CheckListButton* button, quant::OptionTexts texts)
{
    for (const quant::OptionText& text : texts)
        button->add(optionName(text), wordOf(text), optionTip(text));
}

/// Every estimator but the one by hand, with the parameter one would begin with.
void addRanges(CheckListButton* button)
{
    for (const quant::OptionText& text : quant::rangeTexts()) {
        const auto method = static_cast<quant::RangeSpec::Method>(&text - quant::rangeTexts().data());
        if (method != quant::RangeSpec::Method::Manual)
            button->add(inWords(usualRange(method).toString()), QString::fromStdString(usualRange(method).toString()),
                optionTip(text));
    }
}

} // namespace

OptionsStudyPage::OptionsStudyPage(Session& session, Workbench& workbench, QWidget* parent)
    : QWidget(parent)
    , m_session(session)
    , m_workbench(workbench)
    , m_model(session)
    , m_chart(new OptionsChart)
    , m_charts(new StudyCharts([&session](cost::Metric metric) {
        return session.optionsStudy() ? costSeries(*session.optionsStudy(), metric) : CostSeries {};
    }))
{
    m_charts->add(m_chart, tr("Ranked"),
        new LineScroll(
            m_chart, [this] { return m_chart->series().lines; }, tr("Scroll combinations")));
    m_proxy.setSourceModel(&m_model);
    m_proxy.setSortRole(OptionsModel::SortRole);
    m_section = new Section(tr("What to compare"), QStringLiteral("options-study"), buildSetup());
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(8, 4, 8, 4);
    layout->setSpacing(4);
    layout->addWidget(m_section);
    layout->addLayout(buildBar());
    m_interrupted = new InterruptedStudy(workbench, Study::Options, m_start);
    layout->addWidget(m_interrupted);
    layout->addWidget(buildResults(), 1);

    connect(m_chart, &OptionsChart::pointClicked, this, &OptionsStudyPage::showRow);
    connect(m_charts, &StudyCharts::pointClicked, this, [this](qsizetype row) { showRow(static_cast<int>(row)); });
    connect(&session, &Session::optionsStudyChanged, this, &OptionsStudyPage::refreshResults);
    for (const auto signal : { &Session::statsChanged, &Session::runsChanged, &Session::requestChanged })
        connect(&session, signal, this, &OptionsStudyPage::refreshSetup);
    connect(&workbench, &Workbench::studiesChanged, this, &OptionsStudyPage::refreshSetup);
    connect(&workbench, &Workbench::studiesChanged, this, &OptionsStudyPage::refreshResults);
    refreshSetup();
    refreshResults();
}

QWidget* OptionsStudyPage::buildSetup()
{
    auto* setup = new QWidget;
    auto* grid = new QGridLayout(setup);
    grid->setContentsMargins(24, 4, 0, 4);
    grid->setHorizontalSpacing(8);
    grid->setVerticalSpacing(4);
    const QString titles[] = { tr("Bits"), tr("Range"), tr("Scheme"), tr("Granularity") };
    for (int row = 0; row < 4; ++row)
        grid->addWidget(new QLabel(titles[row]), row + 1, 0);
    m_weights = buildSide(tr("Weights"), grid, 1);
    m_activations = buildSide(tr("Activations"), grid, 2);
    m_corrections = new CheckListButton(tr("Sets of corrections"));
    for (const QString& set : usualCorrectionSets())
        m_corrections->add(correctionSetName(set), set, {});
    connect(m_corrections, &CheckListButton::changed, this, &OptionsStudyPage::refreshSetup);
    grid->addWidget(new QLabel(tr("Corrections")), 5, 0);
    grid->addWidget(m_corrections, 5, 1, 1, 2);
    grid->setColumnStretch(1, 1);
    grid->setColumnStretch(2, 1);
    StudyChoices first;
    first.weightBits = QStringLiteral("4");
    first.activationBits = QStringLiteral("8");
    first.weightRanges = QStringList { QStringLiteral("min-max"), QStringLiteral("mse") };
    first.corrections = QStringList { QStringLiteral("none"), QStringLiteral("bias-correction") };
    setChoices(first);
    return setup;
}

OptionsStudyPage::Side OptionsStudyPage::buildSide(const QString& title, QGridLayout* layout, int column)
{
    Side side;
    layout->addWidget(new QLabel(title), 0, column);
    side.bits = new QLineEdit;
    side.bits->setAccessibleName(tr("%1: word-lengths").arg(title));
    side.bits->setPlaceholderText(tr("as in Options"));
    side.bits->setToolTip(tr("Word-lengths as 4,8 or 2..8 or 4,float; empty: what Options say"));
    side.ranges = new CheckListButton(tr("%1: ranges").arg(title));
    addRanges(side.ranges);
    side.schemes = new CheckListButton(tr("%1: schemes").arg(title));
    addTexts(side.schemes, quant::schemeTexts());
    side.granularities = new CheckListButton(tr("%1: granularities").arg(title));
    addTexts(side.granularities, quant::granularityTexts().first(2));
    layout->addWidget(side.bits, 1, column);
    int row = 2;
    for (CheckListButton* button : { side.ranges, side.schemes, side.granularities }) {
        layout->addWidget(button, row++, column);
        connect(button, &CheckListButton::changed, this, &OptionsStudyPage::refreshSetup);
    }
    connect(side.bits, &QLineEdit::textChanged, this, &OptionsStudyPage::refreshSetup);
    return side;
}

QHBoxLayout* OptionsStudyPage::buildBar()
{
    m_workload = new QLabel;
    m_workload->setWordWrap(true);
    m_start = new StudyButton(
        m_workbench, Study::Options, tr("Compare"), tr("Evaluate every combination on the same images and rank them"));
    auto* bar = new QHBoxLayout;
    bar->setSpacing(8);
    bar->addWidget(m_workload, 1);
    bar->addWidget(m_charts->nearFloatBox());
    bar->addWidget(m_charts->box());
    bar->addWidget(m_start);
    bar->addWidget(m_charts->saveButton());
    connect(m_start, &StudyButton::startWanted, this, &OptionsStudyPage::start);
    return bar;
}

void OptionsStudyPage::buildTable()
{
    m_table = new QTableView;
    m_table->setModel(&m_proxy);
    m_table->setAccessibleName(tr("Options compared"));
    m_table->setSelectionBehavior(QAbstractItemView::SelectRows);
    m_table->setSelectionMode(QAbstractItemView::SingleSelection);
    m_table->setAlternatingRowColors(true);
    m_table->setShowGrid(false);
    m_table->setWordWrap(false);
    m_table->setTabKeyNavigation(false);
    m_table->setHorizontalScrollMode(QAbstractItemView::ScrollPerPixel);
    m_table->verticalHeader()->hide();
    m_table->verticalHeader()->setDefaultSectionSize(24);
    m_table->horizontalHeader()->setHighlightSections(false);
    attachTableMenu(m_table);
    m_table->setSortingEnabled(true);
    m_table->sortByColumn(OptionsModel::Number, Qt::AscendingOrder);
    const int widths[OptionsModel::ColumnCount] = { 32, 48, 48, 44, 52, 60, 100, 64, 272, 272, 216, 68, 80 };
    for (int column = 0; column < OptionsModel::ColumnCount; ++column)
        m_table->setColumnWidth(column, widths[column]);
    connect(m_table->selectionModel(), &QItemSelectionModel::currentRowChanged, this, [this](const QModelIndex& index) {
        if (index.isValid())
            showRow(m_proxy.mapToSource(index).row());
    });
}

QWidget* OptionsStudyPage::buildResults()
{
    buildTable();
    m_leftOut = new QLabel;
    m_leftOut->setEnabled(false);
    m_plan = new PlanPanel(m_session);
    connect(m_plan, &PlanPanel::currentWanted, this,
        [this] { m_workbench.makeRowCurrent(static_cast<std::size_t>(m_shown)); });
    auto* below = new QWidget;
    auto* column = new QVBoxLayout(below);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(4);
    column->addWidget(m_table, 1);
    column->addWidget(m_leftOut);
    column->addWidget(m_plan);
    m_table->setMinimumHeight(84);
    m_below = below;
    auto* splitter = new QSplitter(Qt::Vertical);
    splitter->setObjectName(QStringLiteral("OptionsStudySplitter"));
    splitter->setChildrenCollapsible(false);
    splitter->addWidget(m_charts);
    splitter->addWidget(below);
    splitter->setSizes({ 260, 280 });
    splitter->setStretchFactor(0, 3);
    splitter->setStretchFactor(1, 2);
    return splitter;
}

StudyChoices OptionsStudyPage::choices() const
{
    return { m_weights.bits->text(), m_activations.bits->text(), m_weights.ranges->checked(),
        m_activations.ranges->checked(), m_weights.schemes->checked(), m_activations.schemes->checked(),
        m_weights.granularities->checked(), m_activations.granularities->checked(), m_corrections->checked() };
}

void OptionsStudyPage::setChoices(const StudyChoices& choices)
{
    m_weights.bits->setText(choices.weightBits);
    m_activations.bits->setText(choices.activationBits);
    m_weights.ranges->setChecked(choices.weightRanges);
    m_activations.ranges->setChecked(choices.activationRanges);
    m_weights.schemes->setChecked(choices.weightSchemes);
    m_activations.schemes->setChecked(choices.activationSchemes);
    m_weights.granularities->setChecked(choices.weightGranularities);
    m_activations.granularities->setChecked(choices.activationGranularities);
    m_corrections->setChecked(choices.corrections);
}

void OptionsStudyPage::start()
{
    if (auto settings = studySettings(choices(), m_session.request())) {
        m_section->setOpen(false);
        m_workbench.startOptionsStudy(std::move(*settings));
    }
}

void OptionsStudyPage::refreshSetup()
{
    if (!m_start)
        return; // while the page is being built
    const auto settings = studySettings(choices(), m_session.request());
    m_start->setReady(settings.has_value());
    if (!settings) {
        StudyControls::showProblem(m_workload, settings.error());
        return;
    }
    const auto seconds = studySeconds(m_session, *settings);
    const QString count = tr("%1 points").arg(formatCount(settings->combinations()));
    m_workload->setText(seconds ? tr("%1, about %2").arg(count, formatDuration(*seconds)) : count);
    m_workload->setToolTip(
        wrapped(tr("At the speed of the latest evaluation. What corrections take comes on top; statistics and the "
                   "float network's answers are shared. Combinations that contradict themselves are left out.")));
    m_section->setSummary(tr("Weights %1; activations %2; corrections %3")
                              .arg(sideText(m_weights), sideText(m_activations), m_corrections->summary()));
}

QString OptionsStudyPage::sideText(const Side& side) const
{
    QStringList parts;
    if (!side.bits->text().isEmpty())
        parts << tr("%1 bits").arg(side.bits->text());
    for (const CheckListButton* button : { side.ranges, side.schemes, side.granularities })
        if (!button->checked().isEmpty())
            parts << button->summary();
    return parts.isEmpty() ? tr("as in Options") : parts.join(QStringLiteral(", "));
}

int OptionsStudyPage::currentRow() const
{
    const auto& study = m_session.optionsStudy();
    return study && m_shown < static_cast<int>(study->rows.size()) ? m_shown : -1;
}

void OptionsStudyPage::refreshResults()
{
    const auto& study = m_session.optionsStudy();
    const bool any = study && !study->rows.empty();
    m_chart->setStudy(study);
    m_interrupted->refresh();
    const QString waiting = StudyControls::waiting(m_workbench, Study::Options);
    m_charts->refresh(any                         ? QString()
            : !waiting.isEmpty()                  ? waiting
            : m_workbench.running(Study::Options) ? tr("The first combination is being evaluated…")
            : m_workbench.canStart(Study::Options)
            ? tr("Choose what to compare, then press Compare.\nRows appear ranked as they are finished; a click on one "
                 "shows its settings.")
            : tr("Open a model and labelled images, then compare quantization options on them."));
    m_below->setVisible(any);
    // Of one pair of word-lengths ranks are what rows are numbered by.
    m_table->setColumnHidden(OptionsModel::Rank, m_chart->series().headings.empty());
    // Ranks move while rows come in: what was looked at is another row by then.
    if (m_workbench.running(Study::Options))
        m_shown = -1;
    showRow(currentRow());
}

void OptionsStudyPage::showRow(int row)
{
    m_shown = row;
    const auto point = row < 0 ? std::nullopt : std::optional(static_cast<std::size_t>(row));
    m_chart->setCurrent(point);
    m_charts->setCurrentPoint(point);
    showLeftOut();
    if (row < 0)
        return m_plan->clear();
    const auto& study = *m_session.optionsStudy();
    const auto at = static_cast<std::size_t>(row);
    m_plan->showPoint(OptionsModel::describe(study, at), study.rows[at].plan);
    const QModelIndex index = m_proxy.mapFromSource(m_model.index(row, OptionsModel::Number));
    if (index.row() != m_table->currentIndex().row())
        m_table->setCurrentIndex(index);
}

void OptionsStudyPage::showLeftOut()
{
    const auto& study = m_session.optionsStudy();
    QStringList lines;
    if (study && m_shown < 0)
        for (const sweep::LeftOut& item : study->leftOut)
            lines << tr("%1: %2").arg(QString::fromStdString(item.what), QString::fromStdString(item.why));
    m_leftOut->setVisible(!lines.isEmpty());
    m_leftOut->setText(lines.isEmpty() ? QString() : tr("%1 combinations left out").arg(lines.size()));
    m_leftOut->setToolTip(wrapped(lines.join(QLatin1Char('\n'))));
}

QPushButton* OptionsStudyPage::startButton() const { return m_start; }

QPushButton* OptionsStudyPage::currentButton() const { return m_plan->currentButton(); }

QLabel* OptionsStudyPage::details() const { return m_plan->summary(); }

} // namespace quantoscope::ui
