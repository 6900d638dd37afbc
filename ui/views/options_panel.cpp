// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/options_panel.h"

#include <QLabel>
#include <QPushButton>
#include <QScrollArea>
#include <QVBoxLayout>

#include "core/planning/profile_rules.h"
#include "ui/charts/number_format.h"
#include "ui/views/bits_spin_box.h"
#include "ui/views/corrections_panel.h"
#include "ui/views/general_options.h"
#include "ui/views/option_words.h"
#include "ui/views/panel_form.h"
#include "ui/views/section.h"
#include "ui/views/tensor_options.h"

namespace quantoscope::ui {

OptionsPanel::OptionsPanel(Session& session, Workbench& workbench, QWidget* parent)
    : QWidget(parent)
    , m_session(session)
    , m_general(new GeneralOptions(session))
    , m_weights(new TensorOptions(session, Operand::Weight))
    , m_activations(new TensorOptions(session, Operand::Activation))
    , m_corrections(new CorrectionsPanel(session, workbench))
{
    auto* content = new QWidget;
    auto* layout = new QVBoxLayout(content);
    layout->setContentsMargins(4, 4, 8, 8);
    layout->setSpacing(0);
    m_generalSection = addSection(tr("Hardware and scope"), QStringLiteral("general"), m_general, layout);
    m_weightsSection = addSection(tr("Weights"), QStringLiteral("weights"), m_weights, layout);
    m_activationsSection = addSection(tr("Activations"), QStringLiteral("activations"), m_activations, layout);
    m_correctionsSection = addSection(tr("Corrections"), QStringLiteral("corrections"), m_corrections, layout);
    buildFooter(layout);
    layout->addStretch(1);
    keepWheelForScrolling(content);

    m_scroll = new QScrollArea;
    m_scroll->setWidget(content);
    m_scroll->setWidgetResizable(true);
    m_scroll->setFrameShape(QFrame::NoFrame);
    m_scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    // Room for the scroll bar, so that the controls keep their width when parts unfold.
    m_scroll->setMinimumWidth(content->minimumSizeHint().width() + 20);
    auto* outer = new QVBoxLayout(this);
    outer->setContentsMargins(0, 0, 0, 0);
    outer->addWidget(m_scroll);

    connect(&session, &Session::requestChanged, this, &OptionsPanel::refresh);
    connect(&session, &Session::analysisChanged, this, &OptionsPanel::refreshNotes);
    connect(&session, &Session::correctedChanged, this, &OptionsPanel::refreshNotes);
    refresh();
    refreshNotes();
}

void OptionsPanel::ensureCorrectionsVisible() { m_scroll->ensureWidgetVisible(m_correctionsSection, 0, 0); }

BitsSpinBox* OptionsPanel::weightBits() const { return m_weights->bits(); }

BitsSpinBox* OptionsPanel::activationBits() const { return m_activations->bits(); }

Section* OptionsPanel::addSection(const QString& title, const QString& name, QWidget* content, QVBoxLayout* layout)
{
    auto* section = new Section(title, name, content);
    layout->addWidget(section);
    return section;
}

void OptionsPanel::buildFooter(QVBoxLayout* layout)
{
    m_clearOverrides = new QPushButton;
    m_clearOverrides->setToolTip(tr("Give every layer the options above again"));
    auto* reset = new QPushButton(tr("Reset all options"));
    reset->setToolTip(tr("Back to what the hardware profile takes where nothing is said"));
    m_cost = new QLabel;
    m_cost->setTextFormat(Qt::RichText);
    m_notes = new QLabel;
    for (QLabel* label : { m_cost, m_notes })
        label->setWordWrap(true);
    auto* footer = new QVBoxLayout;
    footer->setContentsMargins(12, 8, 4, 0);
    footer->setSpacing(8);
    for (QWidget* widget : std::initializer_list<QWidget*> { m_cost, m_clearOverrides, reset, m_notes })
        footer->addWidget(widget);
    layout->addLayout(footer);
    connect(m_clearOverrides, &QPushButton::clicked, this, [this] {
        planning::PlanRequest request = m_session.request();
        request.overrides.clear();
        m_session.edit(request, tr("layers as in Options"));
    });
    connect(reset, &QPushButton::clicked, this,
        [this] { m_session.edit(planning::defaultsFor(m_session.profile()), tr("reset of all options")); });
}

void OptionsPanel::refresh()
{
    const int overrides = static_cast<int>(m_session.request().overrides.size());
    m_clearOverrides->setText(tr("Clear layer settings (%1)").arg(overrides));
    m_clearOverrides->setVisible(overrides > 0);
    m_generalSection->setSummary(m_general->summary());
    m_weightsSection->setSummary(m_weights->summary());
    m_activationsSection->setSummary(m_activations->summary());
    m_correctionsSection->setSummary(m_corrections->summary());
}

void OptionsPanel::refreshNotes()
{
    const AnalysisPtr& analysis = m_session.analysis();
    m_cost->setVisible(analysis != nullptr);
    if (analysis) {
        const cost::Cost& cost = analysis->cost;
        const double share = cost.parameters > 0 ? 25.0 * cost.sizeBytes / static_cast<double>(cost.parameters) : 0;
        m_cost->setText(tr("<table cellspacing='2'><tr><td>Size&nbsp;&nbsp;</td><td "
                           "align='right'><b>%1</b></td><td>&nbsp;%2&nbsp;% of "
                           "float</td></tr><tr><td>Energy&nbsp;&nbsp;</td><td align='right'><b>%3</b></td><td>&nbsp;an "
                           "image</td></tr></table>")
                            .arg(formatBytes(cost.sizeBytes), formatSignificant(share), formatEnergy(cost.energyPj)));
        m_cost->setToolTip(
            wrapped(tr("All parameters at their word-length, and the energy of one image's arithmetic and memory "
                       "under the energy model %1 (Run, Energy model…).")
                        .arg(QString::fromStdString(m_session.energyModel().name))));
    }
    QStringList notes;
    if (analysis)
        for (const std::string& note : analysis->notes)
            notes << QStringLiteral("• ") + QString::fromStdString(note);
    // What the network with corrections has to say beyond the plan; the search's reasons stand with the corrections.
    if (const auto corrected = m_session.currentCorrected(); corrected && !m_session.bestFlow())
        for (const std::string& note : corrected->network.notes)
            if (const QString line = QStringLiteral("• ") + QString::fromStdString(note); !notes.contains(line))
                notes << line;
    m_notes->setText(notes.join(QLatin1Char('\n')));
    m_notes->setVisible(!notes.isEmpty());
}

} // namespace quantoscope::ui
