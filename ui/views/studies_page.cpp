// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/studies_page.h"

#include <algorithm>

#include <QCheckBox>
#include <QComboBox>
#include <QGridLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QToolButton>
#include <QVBoxLayout>

#include "core/planning/glob.h"
#include "ui/charts/cost_words.h"
#include "ui/charts/heat_chart.h"
#include "ui/charts/number_format.h"
#include "ui/charts/range_words.h"
#include "ui/charts/sweep_chart.h"
#include "ui/models/study_texts.h"
#include "ui/views/elided_label.h"
#include "ui/views/interrupted_study.h"
#include "ui/views/plan_panel.h"
#include "ui/views/study_button.h"
#include "ui/views/study_charts.h"
#include "ui/views/study_controls.h"

namespace quantoscope::ui {

StudiesPage::StudiesPage(Session& session, Workbench& workbench, QWidget* parent)
    : QWidget(parent)
    , m_session(session)
    , m_workbench(workbench)
    , m_lines(new SweepChart)
    , m_nearFloat(new SweepChart(SweepChart::Extent::NearFloat))
    , m_map(new HeatChart)
{
    m_charts = new StudyCharts([&session](cost::Metric metric) {
        return session.sweep() ? costSeries(*session.sweep(), metric) : CostSeries {};
    });
    m_charts->add(m_lines, tr("Lines"));
    m_charts->add(m_nearFloat, tr("Lines near float"));
    m_charts->add(m_map, tr("Map"));
    auto* setup = new QGridLayout;
    buildSetup(setup);
    auto* bar = new QHBoxLayout;
    buildChartBar(bar);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(8, 8, 8, 4);
    layout->setSpacing(8);
    layout->addLayout(setup);
    layout->addLayout(bar);
    m_interrupted = new InterruptedStudy(workbench, Study::Sweep, m_start);
    layout->addWidget(m_interrupted);
    layout->addWidget(m_charts, 1);
    m_plan = new PlanPanel(session);
    layout->addWidget(m_plan);
    connect(m_plan, &PlanPanel::currentWanted, this, [this] {
        if (const auto point = chosenPoint())
            m_workbench.makePointCurrent(*point);
    });

    for (SweepChart* lines : { m_lines, m_nearFloat })
        connect(lines, &SweepChart::pointClicked, this, &StudiesPage::choose);
    connect(m_map, &HeatChart::pointClicked, this, &StudiesPage::choose);
    connect(m_charts, &StudyCharts::pointClicked, this, &StudiesPage::choose);
    connect(&session, &Session::sweepChanged, this, &StudiesPage::refreshCharts);
    connect(&session, &Session::statsChanged, this, &StudiesPage::refreshState);
    connect(&workbench, &Workbench::studiesChanged, this, &StudiesPage::refreshState);
    refreshCharts();
    refreshState();
}

void StudiesPage::buildSetup(QGridLayout* layout)
{
    layout->setSpacing(8);
    const auto bits = [&](const QString& title, const QString& name, int row) {
        auto* edit = StudyControls::bitsEdit(QStringLiteral("2..8"), name,
            tr("Word-lengths as 2..8 or 2,4,8; with float among them these tensors are left float too"));
        edit->setMaximumWidth(128);
        connect(edit, &QLineEdit::textChanged, this, &StudiesPage::refreshState);
        connect(edit, &QLineEdit::returnPressed, this, [this] {
            if (m_start->isEnabled() && !m_workbench.running(Study::Sweep))
                m_start->click();
        });
        auto* label = new QLabel(title);
        label->setBuddy(edit);
        layout->addWidget(label, row, 0);
        layout->addWidget(edit, row, 1);
        return edit;
    };
    m_points = new QLabel;
    m_points->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    m_start = new StudyButton(m_workbench, Study::Sweep, tr("Start sweep"),
        tr("Evaluate every combination with the current options, beginning anew"));
    m_weights = bits(tr("Weights [bits]"), tr("Word-lengths of weights"), 0);
    m_activations = bits(tr("Activations [bits]"), tr("Word-lengths of activations"), 1);
    // Beside what they are about, however wide the window is.
    layout->addWidget(m_points, 0, 2, 1, 2);
    layout->addWidget(m_start, 1, 2);
    layout->setColumnStretch(3, 1);
    connect(m_start, &StudyButton::startWanted, this, [this] { m_workbench.startSweep(settings()); });
}

void StudiesPage::buildChartBar(QHBoxLayout* layout)
{
    layout->setSpacing(8);
    m_bands = new QCheckBox(tr("95 % intervals"));
    m_bands->setChecked(true);
    m_bands->setToolTip(tr("Wilson score intervals: where the accuracy on ever more such images would lie"));
    m_contours = new QComboBox;
    m_contours->setAccessibleName(tr("Lines of equal cost"));
    m_contours->setToolTip(tr("Lines along which all word-lengths cost the same"));
    m_contours->addItem(tr("none"), -1);
    for (const auto metric : variedCosts)
        m_contours->addItem(costName(metric), static_cast<int>(metric));
    keepNarrow(m_contours, 8);
    m_contoursLabel = new QLabel(tr("Equal cost"));
    m_contoursLabel->setBuddy(m_contours);
    connect(m_contours, &QComboBox::currentIndexChanged, this, [this] {
        const int metric = m_contours->currentData().toInt();
        m_map->setContours(metric < 0 ? std::nullopt : std::optional(static_cast<cost::Metric>(metric)));
    });
    m_contours->setCurrentIndex(2);
    m_caption = new ElidedLabel;
    m_caption->setEnabled(false);
    m_caption->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    layout->addWidget(m_charts->box());
    layout->addWidget(m_bands);
    layout->addWidget(m_contoursLabel);
    layout->addWidget(m_contours);
    m_contoursLabel->hide();
    m_contours->hide();
    layout->addWidget(m_charts->nearFloatBox());
    layout->addWidget(m_caption, 1);
    layout->addWidget(m_charts->saveButton());
    connect(m_charts->box(), &QComboBox::currentIndexChanged, this, [this] {
        const BaseChart* chart = m_charts->currentChart();
        m_bands->setVisible(chart == m_lines || chart == m_nearFloat);
        m_contoursLabel->setVisible(chart == m_map);
        m_contours->setVisible(chart == m_map);
    });
    for (SweepChart* lines : { m_lines, m_nearFloat })
        connect(m_bands, &QCheckBox::toggled, lines, &SweepChart::setBandsVisible);
}

namespace {

/// "2..6,8,float" as sweep::parseBits() reads it.
QString bitsText(const std::vector<sweep::Bits>& bits)
{
    QString text = QString::fromStdString(sweep::toString(bits));
    for (const QChar other : QStringLiteral("{} "))
        text.remove(other);
    return text;
}

} // namespace

QPushButton* StudiesPage::startButton() const { return m_start; }

SweepSettings StudiesPage::settings() const
{
    return { sweep::parseBits(m_weights->text().toStdString()).value_or(std::vector<sweep::Bits>()),
        sweep::parseBits(m_activations->text().toStdString()).value_or(std::vector<sweep::Bits>()) };
}

void StudiesPage::setSettings(const SweepSettings& settings)
{
    m_weights->setText(bitsText(settings.weightBits));
    m_activations->setText(bitsText(settings.activationBits));
}

void StudiesPage::showAskedFor()
{
    // A sweep that was kept with a project says what it was of; one that was started here is what the fields say.
    const auto& sweep = m_session.sweep();
    if (!sweep || sweep->weightBits.empty() || sweep->activationBits.empty())
        return;
    if (sweep->weightBits == m_asked.weightBits && sweep->activationBits == m_asked.activationBits)
        return;
    m_asked = { sweep->weightBits, sweep->activationBits };
    setSettings(m_asked);
}

void StudiesPage::showNearFloat() { m_charts->showOwn(m_nearFloat); }

void StudiesPage::showMap() { m_charts->showOwn(m_map); }

void StudiesPage::refreshState()
{
    const SweepSettings wanted = settings();
    const int points = static_cast<int>(wanted.weightBits.size() * wanted.activationBits.size());
    m_points->setToolTip({});
    m_points->setEnabled(points == 0);
    m_points->setText(points == 1 ? tr("1 point") : tr("%1 points").arg(points));
    for (const QLineEdit* edit : { m_weights, m_activations })
        if (const auto bits = sweep::parseBits(edit->text().toStdString()); !bits)
            StudyControls::showProblem(m_points, bits.error());
    m_start->setReady(points > 0);
    refreshCharts();
}

void StudiesPage::refreshCharts()
{
    showAskedFor();
    const auto& sweep = m_session.sweep();
    m_lines->setResult(sweep);
    m_nearFloat->setResult(sweep);
    m_map->setResult(sweep);
    m_interrupted->refresh();
    const bool drawn = sweep && !sweep->points.empty();
    const QString waiting = StudyControls::waiting(m_workbench, Study::Sweep);
    const QString message = drawn           ? QString()
        : !waiting.isEmpty()                ? waiting
        : m_workbench.running(Study::Sweep) ? tr("The first point is being evaluated…")
        : m_workbench.canStart(Study::Sweep)
        ? tr("Start a sweep to see accuracy against word-length.\nPoints appear as they are "
             "finished; a click on one shows its plan.")
        : tr("Open a model and labelled images, then sweep the word-lengths.");
    m_charts->refresh(message);
    showChosen();
    const QString caption = sweep ? inWords(sweep->scope) : QString();
    m_caption->setText(caption);
    m_caption->setToolTip(sweep ? caption + QLatin1Char('\n') + QString::fromStdString(sweep->data) : QString());
}

void StudiesPage::choose(qsizetype point)
{
    const auto& sweep = m_session.sweep();
    if (!sweep || point < 0 || static_cast<std::size_t>(point) >= sweep->points.size())
        return;
    const sweep::SweepPoint& chosen = sweep->points[static_cast<std::size_t>(point)];
    m_chosen = std::pair(chosen.weightBits, chosen.activationBits);
    showChosen();
}

std::optional<std::size_t> StudiesPage::chosenPoint() const
{
    const auto& sweep = m_session.sweep();
    if (!sweep || !m_chosen)
        return std::nullopt;
    for (std::size_t i = 0; i < sweep->points.size(); ++i)
        if (std::pair(sweep->points[i].weightBits, sweep->points[i].activationBits) == *m_chosen)
            return i;
    return std::nullopt;
}

int StudiesPage::ownLayers() const
{
    const planning::PlanRequest& request = m_session.sweepRequest();
    if (!m_session.model())
        return 0;
    return static_cast<int>(std::ranges::count_if(m_session.model()->layers, [&](const LayerInfo& layer) {
        return std::ranges::any_of(request.overrides, [&](const planning::LayerOverride& item) {
            return (item.weights.bits || item.activations.bits)
                && planning::globMatches(item.pattern, layer.layer.name);
        });
    }));
}

void StudiesPage::showChosen()
{
    const auto point = chosenPoint();
    m_lines->setCurrent(point);
    m_nearFloat->setCurrent(point);
    m_map->setCurrent(point);
    m_charts->setCurrentPoint(point);
    if (point)
        m_plan->showPoint(
            describePoint(*m_session.sweep(), *point, ownLayers()), m_session.sweep()->points[*point].plan);
    else
        m_plan->clear();
}

} // namespace quantoscope::ui
