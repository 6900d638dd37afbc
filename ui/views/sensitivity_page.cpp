// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/sensitivity_page.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <QCheckBox>
#include <QComboBox>
#include <QGridLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QToolButton>
#include <QVBoxLayout>

#include "ui/charts/number_format.h"
#include "ui/charts/sensitivity_chart.h"
#include "ui/models/study_texts.h"
#include "ui/session/study_choices.h"
#include "ui/views/elided_label.h"
#include "ui/views/interrupted_study.h"
#include "ui/views/line_scroll.h"
#include "ui/views/option_words.h"
#include "ui/views/plan_panel.h"
#include "ui/views/study_button.h"
#include "ui/views/study_charts.h"
#include "ui/views/study_controls.h"

namespace quantoscope::ui {

SensitivityPage::SensitivityPage(Session& session, Workbench& workbench, QWidget* parent)
    : QWidget(parent)
    , m_session(session)
    , m_workbench(workbench)
    , m_chart(new SensitivityChart)
    , m_plan(new PlanPanel(session))
    , m_charts(new StudyCharts([&session](cost::Metric metric) {
        return session.sensitivity() ? costSeries(*session.sensitivity(), metric) : CostSeries {};
    }))
{
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(8, 8, 8, 4);
    layout->setSpacing(8);
    layout->addLayout(buildSetup());
    layout->addLayout(buildBar());
    m_interrupted = new InterruptedStudy(workbench, Study::Sensitivity, m_start);
    layout->addWidget(m_interrupted);
    m_charts->add(m_chart, tr("By layer"),
        new LineScroll(
            m_chart, [this] { return static_cast<double>(m_chart->series().lines.size()); }, tr("Scroll layers")));
    layout->addWidget(m_charts, 1);
    layout->addWidget(m_plan);
    m_plan->setOther(
        tr("Set this layer"), tr("Give this layer this word-length in the current plan; undo takes it back"));

    const auto choose = [this](qsizetype point) {
        const sweep::SensitivityPoint& chosen = m_session.sensitivity()->points[static_cast<std::size_t>(point)];
        m_chosen = std::pair(chosen.unit, chosen.bits);
        showChosen();
        selectLayer();
    };
    connect(m_chart, &SensitivityChart::pointClicked, this, choose);
    connect(m_charts, &StudyCharts::pointClicked, this, choose);
    connect(m_charts->box(), &QComboBox::currentIndexChanged, m_order, [this] {
        for (QWidget* ordering : { static_cast<QWidget*>(m_orderLabel), static_cast<QWidget*>(m_order) })
            ordering->setVisible(!m_charts->showsCosts());
    });
    connect(m_plan, &PlanPanel::currentWanted, this, [this] {
        if (const auto point = chosenPoint())
            m_workbench.makeSensitivityCurrent(*point);
    });
    connect(m_plan, &PlanPanel::otherWanted, this, [this] {
        if (const auto point = chosenPoint())
            m_workbench.applySensitivity(*point);
    });
    connect(&session, &Session::sensitivityChanged, this, &SensitivityPage::refreshChart);
    for (const auto signal : { &Session::statsChanged, &Session::modelChanged, &Session::runsChanged })
        connect(&session, signal, this, &SensitivityPage::refreshState);
    connect(&workbench, &Workbench::studiesChanged, this, &SensitivityPage::refreshState);
    refreshState();
}

QGridLayout* SensitivityPage::buildSetup()
{
    const auto bits = [this](const QString& name) {
        auto* edit = StudyControls::bitsEdit(QStringLiteral("2,3,4,6"), name,
            tr("Word-lengths to try as 2,4 or 2..8; empty: these tensors are not looked at"));
        edit->setMaximumWidth(96);
        connect(edit, &QLineEdit::textChanged, this, &SensitivityPage::refreshState);
        return edit;
    };
    m_weightBits = bits(tr("Word-lengths of weights to try"));
    m_activationBits = bits(tr("Word-lengths of activations to try"));
    m_measure = new QCheckBox(tr("Measure accuracy"));
    m_measure->setChecked(true);
    m_measure->setToolTip(wrapped(tr("Run every point on the labelled images. Without it only the divergence from the "
                                     "float network on the calibration images is found, which is quicker.")));
    connect(m_measure, &QCheckBox::toggled, this, &SensitivityPage::refreshState);
    m_workload = new QLabel;
    m_workload->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    m_start = new StudyButton(
        m_workbench, Study::Sensitivity, tr("Start"), tr("Quantize every layer alone with the current options"));
    connect(m_start, &StudyButton::startWanted, this, &SensitivityPage::start);
    auto* weights = new QLabel(tr("Weights [bits]"));
    weights->setBuddy(m_weightBits);
    auto* activations = new QLabel(tr("Activations [bits]"));
    activations->setBuddy(m_activationBits);
    // Two rows, as narrow as a small window is.
    auto* setup = new QGridLayout;
    setup->setSpacing(8);
    setup->addWidget(weights, 0, 0);
    setup->addWidget(m_weightBits, 0, 1);
    setup->addWidget(m_measure, 0, 2, 1, 2);
    setup->addWidget(activations, 1, 0);
    setup->addWidget(m_activationBits, 1, 1);
    setup->addWidget(m_workload, 1, 2);
    setup->addWidget(m_start, 1, 3);
    setup->setColumnStretch(2, 1);
    return setup;
}

QHBoxLayout* SensitivityPage::buildBar()
{
    m_order = new QComboBox;
    m_order->addItems({ tr("as in the network"), tr("most harmful first") });
    m_order->setAccessibleName(tr("Order of layers"));
    m_order->setToolTip(wrapped(tr("The most harmful layer loses most at the fewest bits; among equal ones the next "
                                   "word-length decides.")));
    connect(m_order, &QComboBox::currentIndexChanged, this,
        [this](int index) { m_chart->setOrder(index == 0 ? SensitivityOrder::Network : SensitivityOrder::Harm); });
    m_trust = new ElidedLabel;
    m_trust->setEnabled(false);
    m_trust->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    m_orderLabel = new QLabel(tr("Order"));
    m_orderLabel->setBuddy(m_order);
    auto* bar = new QHBoxLayout;
    bar->setSpacing(8);
    bar->addWidget(m_charts->box());
    bar->addWidget(m_orderLabel);
    bar->addWidget(m_order);
    bar->addWidget(m_charts->nearFloatBox());
    bar->addWidget(m_trust, 1);
    bar->addWidget(m_charts->saveButton());
    return bar;
}

Result<SensitivitySettings> SensitivityPage::settings() const
{
    SensitivitySettings wanted;
    QS_TRY(wanted.weightBits, numbersOnly(m_weightBits->text()));
    QS_TRY(wanted.activationBits, numbersOnly(m_activationBits->text()));
    if (wanted.weightBits.empty() && wanted.activationBits.empty())
        return fail(ErrorCode::InvalidInput, tr("there is no word-length to try").toStdString(), {},
            tr("give some: 2,4 or 2..8").toStdString());
    wanted.measure = m_measure->isChecked();
    return wanted;
}

QPushButton* SensitivityPage::startButton() const { return m_start; }

void SensitivityPage::start()
{
    if (const auto wanted = settings()) {
        m_chosen.reset();
        m_workbench.startSensitivity(*wanted);
    }
}

void SensitivityPage::refreshState()
{
    if (!m_start)
        return; // while the page is being built
    const auto wanted = settings();
    m_start->setReady(wanted.has_value());
    if (!wanted) {
        StudyControls::showProblem(m_workload, wanted.error());
    } else if (m_session.model()) {
        std::set<std::string> weights, inputs;
        for (const LayerInfo& layer : m_session.model()->layers) {
            if (!layer.weightTensor.empty())
                weights.insert(layer.weightTensor);
            inputs.insert(layer.inputTensor);
        }
        const auto points = static_cast<qint64>(
            weights.size() * wanted->weightBits.size() + inputs.size() * wanted->activationBits.size());
        const auto seconds = wanted->measure ? secondsFor(m_session, points) : std::nullopt;
        m_workload->setText(seconds ? tr("%1 points, at most %2").arg(formatCount(points), formatDuration(*seconds))
                                    : tr("%1 points").arg(formatCount(points)));
        m_workload->setToolTip(wrapped(tr("At the speed of the latest evaluation. A point computes only the layers "
                                          "behind the one that is quantized, so it takes less.")));
    } else {
        m_workload->clear();
    }
    refreshChart();
}

void SensitivityPage::refreshChart()
{
    const auto& study = m_session.sensitivity();
    const bool any = study && !study->points.empty();
    m_chart->setResult(any ? study : nullptr);
    m_interrupted->refresh();
    const QString waiting = StudyControls::waiting(m_workbench, Study::Sensitivity);
    m_charts->refresh(any                             ? QString()
            : !waiting.isEmpty()                      ? waiting
            : m_workbench.running(Study::Sensitivity) ? tr("The first point is being evaluated…")
            : m_workbench.canStart(Study::Sensitivity)
            ? tr("Press Start to see what each layer alone costs.\nPoints appear as they are finished; a click on one "
                 "shows "
                 "its plan. The table and the graph can be coloured by the result.")
            : tr("Open a model and labelled images, then see which layers suffer most."));
    const QString trust = any && !study->trust.empty() ? trustText(*study) : QString();
    m_trust->setText(trust);
    m_trust->setToolTip(wrapped(trust));
    showChosen();
}

std::optional<std::size_t> SensitivityPage::chosenPoint() const
{
    const auto& study = m_session.sensitivity();
    if (!study || !m_chosen)
        return std::nullopt;
    for (std::size_t i = 0; i < study->points.size(); ++i)
        if (std::pair(study->points[i].unit, study->points[i].bits) == *m_chosen)
            return i;
    return std::nullopt;
}

void SensitivityPage::showChosen()
{
    const auto point = chosenPoint();
    m_chart->setCurrent(point);
    m_charts->setCurrentPoint(point);
    if (point)
        m_plan->showPoint(
            describePoint(*m_session.sensitivity(), *point), m_session.sensitivity()->points[*point].plan);
    else
        m_plan->clear();
}

void SensitivityPage::selectLayer()
{
    const auto& study = m_session.sensitivity();
    if (!study || !m_chosen || m_chosen->first >= study->units.size())
        return;
    const sweep::QuantizedUnit& unit = study->units[m_chosen->first];
    if (const LoadedModelPtr& model = m_session.model(); model && !unit.layers.empty())
        for (std::size_t i = 0; i < model->layers.size(); ++i)
            if (model->layers[i].layer.name == unit.layers.front())
                m_session.selectLayer(static_cast<int>(i));
}

} // namespace quantoscope::ui
