// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/corrections_panel.h"

#include <QCheckBox>
#include <QLabel>
#include <QPushButton>
#include <QVBoxLayout>

#include "ui/charts/range_words.h"
#include "ui/views/option_words.h"

namespace quantoscope::ui {

namespace {

const quant::OptionText& textOf(std::string_view word) { return *quant::findText(quant::correctionTexts(), word); }

QLabel* wrappingLabel()
{
    auto* label = new QLabel;
    label->setWordWrap(true);
    label->setTextInteractionFlags(Qt::TextSelectableByMouse);
    label->hide();
    return label;
}

} // namespace

CorrectionsPanel::CorrectionsPanel(Session& session, Workbench& workbench, QWidget* parent)
    : QWidget(parent)
    , m_session(session)
    , m_workbench(workbench)
{
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(12, 4, 4, 8);
    layout->setSpacing(4);
    m_fold = new QCheckBox(optionName(textOf("fold-batch-norm")));
    m_fold->setToolTip(optionTip(textOf("fold-batch-norm"))
        + wrapped(tr(
            "A switch prepares the model anew: runs and settings of single layers go until undo brings them back.")));
    layout->addWidget(m_fold);
    for (const CorrectionSwitch& item : correctionSwitches())
        addRow(item, layout);
    m_findBest = new QPushButton;
    m_reasons = wrappingLabel();
    layout->addSpacing(4);
    layout->addWidget(m_findBest);
    layout->addWidget(m_reasons);

    connect(m_findBest, &QPushButton::clicked, this, [this] {
        if (m_workbench.running(Study::BestFlow))
            m_workbench.cancel(Study::BestFlow);
        else
            m_workbench.findBest();
    });
    connect(m_fold, &QCheckBox::clicked, &workbench, &Workbench::setFoldBatchNorm);
    connect(&session, &Session::requestChanged, this, &CorrectionsPanel::refresh);
    connect(&session, &Session::modelChanged, this, &CorrectionsPanel::refresh);
    connect(&session, &Session::correctedChanged, this, &CorrectionsPanel::refreshOutcomes);
    connect(&session, &Session::accuracyChanged, this, &CorrectionsPanel::refreshOutcomes);
    for (const auto signal : { &Session::bestFlowChanged, &Session::statsChanged, &Session::modelChanged })
        connect(&session, signal, this, &CorrectionsPanel::refreshSearch);
    connect(&workbench, &Workbench::studiesChanged, this, &CorrectionsPanel::refreshSearch);
    refresh();
}

void CorrectionsPanel::addRow(const CorrectionSwitch& of, QVBoxLayout* layout)
{
    Row row { of, new QCheckBox(optionName(textOf(of.word))), wrappingLabel() };
    row.box->setToolTip(optionTip(textOf(of.word)));
    row.outcome->setContentsMargins(20, 0, 0, 4);
    layout->addWidget(row.box);
    layout->addWidget(row.outcome);
    connect(row.box, &QCheckBox::toggled, this, [this, of](bool on) {
        if (m_updating)
            return;
        planning::PlanRequest request = m_session.request();
        request.corrections.*of.member = on;
        // Both choose the factors of channels: one at a time.
        if (on && of.word == "balance")
            request.corrections.equalize = false;
        if (on && of.word == "equalize")
            request.corrections.balance = false;
        // Biases are absorbed along the scales that equalization finds.
        if (!request.corrections.equalize)
            request.corrections.absorbHighBias = false;
        m_session.edit(
            request, on ? tr("%1 on").arg(correctionName(of.word)) : tr("%1 off").arg(correctionName(of.word)));
    });
    m_rows.push_back(row);
}

QCheckBox* CorrectionsPanel::box(std::string_view word) const
{
    for (const Row& row : m_rows)
        if (row.of.word == word)
            return row.box;
    return nullptr;
}

QLabel* CorrectionsPanel::outcome(std::string_view word) const
{
    for (const Row& row : m_rows)
        if (row.of.word == word)
            return row.outcome;
    return nullptr;
}

void CorrectionsPanel::refresh()
{
    m_updating = true;
    m_fold->setChecked(!m_session.model() || m_session.model()->foldBatchNorm);
    // Weights of a quantized file are on their grids: folding anything into them would take them off.
    m_fold->setEnabled(!m_session.model() || !m_session.model()->plan);
    const planning::Corrections& asked = m_session.request().corrections;
    for (const Row& row : m_rows)
        row.box->setChecked(asked.*row.of.member);
    QCheckBox* absorb = box("absorb-high-bias");
    absorb->setEnabled(asked.equalize);
    absorb->setToolTip(
        (asked.equalize ? QString()
                        : wrapped(tr("Only together with cross-layer equalization, whose large biases it "
                                     "takes away.")))
        + optionTip(textOf("absorb-high-bias")));
    m_updating = false;
    refreshOutcomes();
    refreshSearch();
}

void CorrectionsPanel::refreshOutcomes()
{
    const auto corrected = m_session.currentCorrected();
    for (const Row& row : m_rows) {
        const flow::CorrectionOutcome* outcome
            = corrected ? findOutcome(corrected->network.corrections, row.of.word) : nullptr;
        row.outcome->setVisible(outcome && row.box->isChecked());
        if (!outcome) {
            row.outcome->clear();
            continue;
        }
        row.outcome->setText(outcomeMark(*outcome) + QLatin1Char(' ') + outcomeText(*outcome));
        row.outcome->setToolTip(wrapped(outcomeTip(*outcome)));
    }
}

void CorrectionsPanel::refreshSearch()
{
    const bool searching = m_workbench.running(Study::BestFlow);
    m_findBest->setText(searching ? tr("Cancel the search") : tr("Find best"));
    m_findBest->setEnabled(searching || m_workbench.canStart(Study::BestFlow));
    m_findBest->setToolTip(searching ? tr("Stop looking; the options stay as they are")
            : m_workbench.canEvaluate()
            ? optionTip(textOf("flow-best"))
            : wrapped(tr("Open a model and labelled images first: what helps is found out on calibration images.")));

    const BestFlowPtr& found = m_session.bestFlow();
    QStringList lines;
    if (found && found->request == m_session.request())
        for (const std::string& note : found->network.notes) // a name in quotes may be any word
            lines << QStringLiteral("• ")
                    + (note.find('\'') == std::string::npos ? inWords(note) : QString::fromStdString(note));
    m_reasons->setText(lines.join(QLatin1Char('\n')));
    m_reasons->setVisible(!lines.isEmpty());
}

QString CorrectionsPanel::summary() const
{
    QStringList names;
    for (const Row& row : m_rows)
        if (row.box->isChecked())
            names << row.box->text();
    return names.isEmpty() ? tr("none") : names.join(QStringLiteral(", "));
}

} // namespace quantoscope::ui
