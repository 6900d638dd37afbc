// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/search_page.h"

#include <QCheckBox>
#include <QComboBox>
#include <QDoubleSpinBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QToolButton>
#include <QVBoxLayout>

#include "ui/charts/cost_words.h"
#include "ui/charts/number_format.h"
#include "ui/charts/pareto_chart.h"
#include "ui/models/study_texts.h"
#include "ui/session/study_choices.h"
#include "ui/views/elided_label.h"
#include "ui/views/interrupted_study.h"
#include "ui/views/option_words.h"
#include "ui/views/plan_panel.h"
#include "ui/views/study_button.h"
#include "ui/views/study_charts.h"
#include "ui/views/study_controls.h"

namespace quantoscope::ui {

namespace {

constexpr int dropBudget = 3; // the entry of the box that is no price

} // namespace

SearchPage::SearchPage(Session& session, Workbench& workbench, QWidget* parent)
    : QWidget(parent)
    , m_session(session)
    , m_workbench(workbench)
    , m_chart(new ParetoChart)
    , m_plan(new PlanPanel(session))
{
    auto* setup = new QVBoxLayout;
    setup->setSpacing(8);
    buildSetup(setup);
    m_answer = new ElidedLabel;
    m_answer->setEnabled(false);
    m_answer->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    m_charts = new StudyCharts([&session](cost::Metric metric) {
        return session.search() ? costSeries(*session.search(), metric) : CostSeries {};
    });
    m_charts->add(m_chart, tr("Accuracy and cost"));
    auto* bar = new QHBoxLayout;
    bar->setSpacing(8);
    bar->addWidget(m_charts->box());
    bar->addWidget(m_charts->nearFloatBox());
    bar->addWidget(m_answer, 1);
    bar->addWidget(m_charts->saveButton());
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(8, 8, 8, 4);
    layout->setSpacing(8);
    layout->addLayout(setup);
    layout->addLayout(bar);
    m_interrupted = new InterruptedStudy(workbench, Study::Search, m_start);
    layout->addWidget(m_interrupted);
    layout->addWidget(m_charts, 1);
    layout->addWidget(m_plan);

    const auto choose = [this](qsizetype point) {
        m_chosen = static_cast<std::size_t>(point);
        showChosen();
    };
    connect(m_chart, &ParetoChart::pointClicked, this, choose);
    connect(m_charts, &StudyCharts::pointClicked, this, choose);
    connect(m_plan, &PlanPanel::currentWanted, this, [this] {
        if (m_chosen)
            m_workbench.makeSearchPointCurrent(*m_chosen);
    });
    connect(&session, &Session::searchChanged, this, &SearchPage::refreshChart);
    for (const auto signal : { &Session::statsChanged, &Session::modelChanged })
        connect(&session, signal, this, &SearchPage::refreshState);
    connect(&workbench, &Workbench::studiesChanged, this, &SearchPage::refreshState);
    refreshState();
}

void SearchPage::buildSetup(QVBoxLayout* layout)
{
    m_budget = new QComboBox;
    for (const auto price : { sweep::Price::Size, sweep::Price::Bops, sweep::Price::Energy })
        m_budget->addItem(priceName(price), static_cast<int>(price));
    m_budget->addItem(tr("top-1 lost"), dropBudget);
    m_budget->setAccessibleName(tr("What the budget limits"));
    m_budget->setToolTip(
        wrapped(tr("Size, bit operations or energy of an image, in percent of the float network's; or how "
                   "many points of top-1 may be lost, as few bit operations as that allows.")));
    m_limit = new QDoubleSpinBox;
    m_limit->setAlignment(Qt::AlignRight);
    m_limit->setAccessibleName(tr("Budget"));
    const auto bits = [this](const QString& name) {
        auto* edit
            = StudyControls::bitsEdit(QStringLiteral("2..8"), name, tr("Word-lengths to choose from, as 2,4 or 2..8"));
        edit->setMaximumWidth(72);
        connect(edit, &QLineEdit::textChanged, this, &SearchPage::refreshState);
        return edit;
    };
    m_weightBits = bits(tr("Word-lengths of weights to choose from"));
    m_activationBits = bits(tr("Word-lengths of activations to choose from"));
    m_uniform = new QCheckBox(tr("Compare uniform"));
    m_uniform->setChecked(true);
    m_uniform->setToolTip(
        wrapped(tr("Also measure every pair of word-lengths that is the same in all layers, to compare with.")));
    m_problem = new QLabel;
    m_problem->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    m_start = new StudyButton(m_workbench, Study::Search, tr("Search"),
        tr("Choose a word-length for every weight and activation, and measure"));
    connect(m_budget, &QComboBox::currentIndexChanged, this, &SearchPage::budgetChosen);
    connect(m_start, &StudyButton::startWanted, this, &SearchPage::start);

    const auto label = [](const QString& text, QWidget* buddy) {
        auto* name = new QLabel(text);
        name->setBuddy(buddy);
        return name;
    };
    auto* budget = new QHBoxLayout;
    auto* choice = new QHBoxLayout;
    for (QHBoxLayout* row : { budget, choice }) {
        row->setSpacing(8);
        layout->addLayout(row);
    }
    budget->addWidget(label(tr("Budget"), m_budget));
    budget->addWidget(m_budget);
    budget->addWidget(m_limit);
    budget->addWidget(m_uniform);
    budget->addStretch(1);
    choice->addWidget(label(tr("Weights [bits]"), m_weightBits));
    choice->addWidget(m_weightBits);
    choice->addWidget(label(tr("Activations [bits]"), m_activationBits));
    choice->addWidget(m_activationBits);
    choice->addWidget(m_problem, 1);
    choice->addWidget(m_start);
    budgetChosen();
}

void SearchPage::budgetChosen()
{
    const bool drop = m_budget->currentData().toInt() == dropBudget;
    m_limit->setRange(drop ? 0.01 : 0.1, 100);
    m_limit->setDecimals(drop ? 2 : 1);
    m_limit->setSingleStep(drop ? 0.1 : 1);
    m_limit->setSuffix(drop ? tr(" points") : tr(" % of float"));
    const double usual[] = { 15, 5, 10, 1 };
    m_limit->setValue(usual[m_budget->currentIndex()]);
}

Result<SearchSettings> SearchPage::settings() const
{
    SearchSettings wanted;
    QS_TRY(wanted.weightBits, numbersOnly(m_weightBits->text()));
    QS_TRY(wanted.activationBits, numbersOnly(m_activationBits->text()));
    if (wanted.weightBits.empty() || wanted.activationBits.empty())
        return fail(ErrorCode::InvalidInput, tr("word-lengths are missing").toStdString(), {},
            tr("give some to choose from: 2,4 or 2..8").toStdString());
    const int kind = m_budget->currentData().toInt();
    if (kind != dropBudget)
        wanted.budget.price = static_cast<sweep::Price>(kind);
    wanted.budget.limit = m_limit->value();
    wanted.uniform = m_uniform->isChecked();
    return wanted;
}

QPushButton* SearchPage::startButton() const { return m_start; }

void SearchPage::start()
{
    if (const auto wanted = settings()) {
        m_chosen.reset();
        m_workbench.startSearch(*wanted);
    }
}

void SearchPage::refreshState()
{
    if (!m_start)
        return; // while the page is being built
    const auto wanted = settings();
    m_start->setReady(wanted.has_value());
    m_problem->clear();
    m_problem->setToolTip({});
    if (!wanted)
        StudyControls::showProblem(m_problem, wanted.error());
    refreshChart();
}

void SearchPage::refreshChart()
{
    if (!m_answer)
        return;
    const auto& search = m_session.search();
    const bool any = search && !search->points.empty();
    const bool running = m_workbench.running(Study::Search);
    m_chart->setResult(any ? search : nullptr);
    m_interrupted->refresh();
    const QString waiting = StudyControls::waiting(m_workbench, Study::Search);
    m_charts->refresh(any        ? QString()
            : !waiting.isEmpty() ? waiting
            : running            ? tr("What each layer alone costs is being found; points come after that…")
            : m_workbench.canStart(Study::Search)
            ? tr("Press Search for the mix of word-lengths that loses least within the budget.\nPoints appear as they "
                 "are "
                 "measured; a click on one shows its plan.")
            : tr("Open a model and labelled images, then search for word-lengths."));
    QString answer;
    if (any && search->chosen) {
        const sweep::SearchPoint& point = search->points[*search->chosen];
        answer = tr("Best within %1: top-1 %2, %3")
                     .arg(budgetText(search->budget), formatTop1(point.top1, point.images),
                         formatBytes(point.cost.sizeBytes));
    } else if (any && !running) {
        answer
            = search->complete ? tr("Nothing that was tried keeps to the budget") : tr("Cancelled before the answer");
    }
    m_answer->setText(answer);
    showChosen();
}

void SearchPage::showChosen()
{
    const auto& search = m_session.search();
    if (!search || (m_chosen && *m_chosen >= search->points.size()))
        m_chosen.reset();
    m_chart->setCurrent(m_chosen);
    m_charts->setCurrentPoint(m_chosen);
    if (m_chosen)
        m_plan->showPoint(
            describePoint(*search, *m_chosen), search->points[*m_chosen].plan, describeMix(*search, *m_chosen));
    else
        m_plan->clear();
}

} // namespace quantoscope::ui
