// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/options_panel.h"

#include <QCheckBox>
#include <QComboBox>
#include <QFormLayout>
#include <QGroupBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QScrollArea>
#include <QVBoxLayout>

#include "ui/charts/number_format.h"
#include "ui/charts/theme.h"
#include "ui/views/bits_spin_box.h"

namespace quantoscope::ui {

namespace {

QComboBox* choice(const std::vector<std::pair<QString, QString>>& entries, const QString& tip, const QString& name)
{
    auto* box = new QComboBox;
    for (const auto& [text, key] : entries)
        box->addItem(text, key);
    box->setToolTip(tip);
    box->setAccessibleName(name);
    box->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    box->setMinimumContentsLength(8);
    return box;
}

void choose(QComboBox* box, const QString& key, const QString& text)
{
    int index = box->findData(key);
    if (index < 0) {
        // A plan from elsewhere may ask for what this panel does not offer; show it rather than something else.
        box->addItem(text, key);
        index = box->count() - 1;
    }
    box->setCurrentIndex(index);
}

QFormLayout* makeForm()
{
    auto* form = new QFormLayout;
    form->setContentsMargins(8, 8, 8, 8);
    form->setHorizontalSpacing(12);
    form->setVerticalSpacing(8);
    form->setFieldGrowthPolicy(QFormLayout::AllNonFixedFieldsGrow);
    form->setLabelAlignment(Qt::AlignLeft);
    return form;
}

} // namespace

OptionsPanel::OptionsPanel(Session& session, QWidget* parent)
    : QWidget(parent)
    , m_session(session)
{
    auto* content = new QWidget;
    auto* layout = new QVBoxLayout(content);
    layout->setContentsMargins(8, 8, 8, 8);
    layout->setSpacing(8);
    buildGeneral(layout);
    m_weights = buildGroup(tr("Weights"), Operand::Weight, layout);
    m_activations = buildGroup(tr("Activations"), Operand::Activation, layout);
    buildFooter(layout);
    layout->addStretch(1);

    auto* scroll = new QScrollArea;
    scroll->setWidget(content);
    scroll->setWidgetResizable(true);
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    auto* outer = new QVBoxLayout(this);
    outer->setContentsMargins(0, 0, 0, 0);
    outer->addWidget(scroll);

    wire(m_weights, Operand::Weight);
    wire(m_activations, Operand::Activation);
    connect(&session, &Session::requestChanged, this, &OptionsPanel::refresh);
    connect(&session, &Session::analysisChanged, this, &OptionsPanel::refreshNotes);
    refresh();
    refreshNotes();
}

void OptionsPanel::buildGeneral(QVBoxLayout* layout)
{
    auto* form = makeForm();
    form->setContentsMargins(0, 0, 0, 0);
    m_scope = choice({ { tr("compute"), QStringLiteral("compute") }, { tr("integer"), QStringLiteral("integer") } },
        tr("Which tensors are quantized. Compute: weights and inputs of convolutions and matrix products, the rest "
           "stays float. Integer: every tensor from image to output, bias as int32 with scale s_x s_w."),
        tr("Scope"));
    form->addRow(tr("&Scope"), m_scope);
    m_rounding = choice(
        { { tr("half to even"), QStringLiteral("half-even") }, { tr("half away from 0"), QStringLiteral("half-away") },
            { tr("down (floor)"), QStringLiteral("floor") }, { tr("up (ceiling)"), QStringLiteral("ceil") },
            { tr("stochastic"), QStringLiteral("stochastic") } },
        tr("How x / s becomes an integer. ONNX rounds halves to even; stochastic rounds up with the probability of the "
           "fraction."),
        tr("Rounding"));
    form->addRow(tr("&Rounding"), m_rounding);
    m_firstLast = new QCheckBox(tr("&First and last"));
    m_firstLast->setToolTip(
        tr("The first and the last compute layer get word-lengths of their own, as most publications do; 8 is usual."));
    m_firstLastBits = new BitsSpinBox;
    m_firstLastBits->setMaximum(quant::maxBits);
    m_firstLastBits->setSuffix(tr(" bits"));
    m_firstLastBits->setBits(8);
    m_firstLastBits->setAccessibleName(tr("Word-length of the first and the last layer"));
    form->addRow(m_firstLast, m_firstLastBits);
    layout->addLayout(form);

    connect(m_scope, &QComboBox::activated, this, [this] {
        change(tr("scope"), {}, [this](auto& request) {
            request.scope
                = m_scope->currentData() == QStringLiteral("integer") ? quant::Scope::Integer : quant::Scope::Compute;
        });
    });
    connect(m_rounding, &QComboBox::activated, this, [this] {
        if (const auto rounding = quant::parseRounding(m_rounding->currentData().toString().toStdString()))
            change(tr("rounding"), {}, [&](auto& request) { request.rounding = *rounding; });
    });
    const auto firstLast = [this] {
        m_firstLastBits->setEnabled(m_firstLast->isChecked());
        change(tr("first and last layer"), QStringLiteral("first-last"), [this](auto& request) {
            request.firstLastBits = m_firstLast->isChecked() ? m_firstLastBits->bits() : std::nullopt;
        });
    };
    connect(m_firstLast, &QCheckBox::toggled, this, firstLast);
    connect(m_firstLastBits, &QSpinBox::valueChanged, this, firstLast);
}

OptionsPanel::Group OptionsPanel::buildGroup(const QString& title, Operand operand, QVBoxLayout* layout)
{
    const bool weight = operand == Operand::Weight;
    auto* box = new QGroupBox(title);
    auto* form = makeForm();
    box->setLayout(form);
    Group group;
    group.bits = new BitsSpinBox;
    group.bits->setAccessibleName(tr("%1: word-length").arg(title));
    group.bits->setToolTip(
        tr("Word-length b: 2^b levels, 2 to 16 bits, or float for no quantization. Each bit is worth about 6 dB."));
    form->addRow(weight ? tr("&Bits") : tr("B&its"), group.bits);
    group.scheme
        = choice({ { tr("symmetric"), QStringLiteral("symmetric") }, { tr("asymmetric"), QStringLiteral("asymmetric") },
                     { tr("power of two"), QStringLiteral("power-of-two") } },
            tr("Where zero lies. Symmetric: z = 0 for signed values, unsigned for values that are never negative. "
               "Asymmetric: z = "
               "round(−min / s). Power of two: symmetric with s = 2^k, so that scaling is a shift."),
            tr("%1: scheme").arg(title));
    form->addRow(tr("Scheme"), group.scheme);
    group.range = choice(
        { { tr("min-max"), QStringLiteral("min-max") }, { tr("least squared error"), QStringLiteral("mse") } },
        tr("How the clipping range is found. Min-max: all that was seen. Least squared error: the range that minimises "
           "Σ(x − x̂)², which cuts off rare large values."),
        tr("%1: range").arg(title));
    form->addRow(tr("Range"), group.range);
    group.granularity
        = choice({ { tr("per tensor"), QStringLiteral("tensor") }, { tr("per channel"), QStringLiteral("channel") } },
            weight ? tr("One scale for the whole tensor, or one for each output channel.")
                   : tr("One scale for the whole tensor, or one for each channel; few runtimes can do the latter."),
            tr("%1: granularity").arg(title));
    form->addRow(tr("Scale"), group.granularity);
    layout->addWidget(box);
    return group;
}

void OptionsPanel::buildFooter(QVBoxLayout* layout)
{
    m_clearOverrides = new QPushButton;
    m_clearOverrides->setToolTip(tr("Give every layer the options above again"));
    auto* reset = new QPushButton(tr("Reset all options"));
    reset->setToolTip(tr("Back to 8 bits, min-max, weights symmetric per channel, activations asymmetric per tensor"));
    m_cost = new QLabel;
    m_cost->setTextFormat(Qt::RichText);
    m_notes = new QLabel;
    for (QLabel* label : { m_cost, m_notes })
        label->setWordWrap(true);
    layout->addWidget(m_clearOverrides);
    layout->addWidget(reset);
    layout->addWidget(m_cost);
    layout->addWidget(m_notes);
    connect(m_clearOverrides, &QPushButton::clicked, this,
        [this] { change(tr("layers as in Options"), {}, [](auto& request) { request.overrides.clear(); }); });
    connect(reset, &QPushButton::clicked, this,
        [this] { change(tr("reset of all options"), {}, [](auto& request) { request = planning::PlanRequest {}; }); });
}

void OptionsPanel::wire(const Group& group, Operand operand)
{
    const QString name = operand == Operand::Weight ? tr("weight") : tr("activation");
    const auto member
        = operand == Operand::Weight ? &planning::PlanRequest::weights : &planning::PlanRequest::activations;
    connect(group.bits, &QSpinBox::valueChanged, this, [=, this] {
        change(tr("%1 bits").arg(name), name + QStringLiteral("-bits"),
            [&](auto& request) { (request.*member).bits = group.bits->bits(); });
    });
    connect(group.scheme, &QComboBox::activated, this, [=, this] {
        change(tr("%1 scheme").arg(name), {},
            [&](auto& request) { (request.*member).scheme = group.scheme->currentData().toString().toStdString(); });
    });
    connect(group.range, &QComboBox::activated, this, [=, this] {
        if (const auto range = quant::RangeSpec::parse(group.range->currentData().toString().toStdString()))
            change(tr("%1 range").arg(name), {}, [&](auto& request) { (request.*member).range = *range; });
    });
    connect(group.granularity, &QComboBox::activated, this, [=, this] {
        change(tr("%1 granularity").arg(name), {}, [&](auto& request) {
            (request.*member).perChannel = group.granularity->currentData() == QStringLiteral("channel");
        });
    });
}

void OptionsPanel::change(
    const QString& text, const QString& key, const std::function<void(planning::PlanRequest&)>& mutate)
{
    if (m_updating)
        return;
    planning::PlanRequest request = m_session.request();
    mutate(request);
    m_session.edit(request, text, key);
}

void OptionsPanel::show(const Group& group, const planning::TensorWish& wish)
{
    group.bits->setBits(wish.bits);
    const QString scheme = QString::fromStdString(wish.scheme);
    const QString range = QString::fromStdString(wish.range.toString());
    choose(group.scheme, scheme, scheme);
    choose(group.range, range, range);
    choose(group.granularity, wish.perChannel ? QStringLiteral("channel") : QStringLiteral("tensor"), {});
    for (QComboBox* box : { group.scheme, group.range, group.granularity })
        box->setEnabled(wish.bits.has_value());
}

void OptionsPanel::refresh()
{
    m_updating = true;
    const planning::PlanRequest& request = m_session.request();
    choose(m_scope, QString::fromStdString(quant::toString(request.scope)), {});
    const QString rounding = QString::fromStdString(quant::toString(request.rounding));
    choose(m_rounding, rounding, rounding);
    m_firstLast->setChecked(request.firstLastBits.has_value());
    m_firstLastBits->setEnabled(request.firstLastBits.has_value());
    if (request.firstLastBits)
        m_firstLastBits->setBits(request.firstLastBits);
    show(m_weights, request.weights);
    show(m_activations, request.activations);
    const int overrides = static_cast<int>(request.overrides.size());
    m_clearOverrides->setText(tr("Clear layer settings (%1)").arg(overrides));
    m_clearOverrides->setVisible(overrides > 0);
    m_updating = false;
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
    }
    QStringList notes;
    if (analysis)
        for (const std::string& note : analysis->notes)
            notes << QStringLiteral("• ") + QString::fromStdString(note);
    m_notes->setText(notes.join(QLatin1Char('\n')));
    m_notes->setVisible(!notes.isEmpty());
}

} // namespace quantoscope::ui
