// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/tensor_options.h"

#include <QCheckBox>
#include <QFormLayout>
#include <QHBoxLayout>

#include "ui/charts/number_format.h"
#include "ui/charts/range_words.h"
#include "ui/session/limits.h"
#include "ui/views/bits_spin_box.h"
#include "ui/views/choice_box.h"
#include "ui/views/option_words.h"
#include "ui/views/panel_form.h"
#include "ui/views/range_editor.h"

namespace quantoscope::ui {

namespace {

const QString perChannel = QStringLiteral("channel");
const QString perTensor = QStringLiteral("tensor");

const quant::OptionText& gridText(std::string_view word) { return *quant::findText(quant::gridTexts(), word); }

} // namespace

TensorOptions::TensorOptions(Session& session, Operand operand, QWidget* parent)
    : QWidget(parent)
    , m_session(session)
    , m_operand(operand)
{
    auto* form = makePanelForm();
    setLayout(form);
    build(operand == Operand::Weight ? tr("Weights") : tr("Activations"), form);
    wire();
    connect(&session, &Session::requestChanged, this, &TensorOptions::refresh);
    refresh();
}

void TensorOptions::build(const QString& title, QFormLayout* form)
{
    m_bits = new BitsSpinBox;
    m_bits->setAccessibleName(tr("%1: word-length").arg(title));
    form->addRow(m_operand == Operand::Weight ? tr("&Bits") : tr("B&its"), m_bits);
    m_scheme = new ChoiceBox(tr("%1: scheme").arg(title));
    m_scheme->add(quant::schemeTexts());
    form->addRow(tr("Scheme"), m_scheme);
    buildGrid(title, form);
    m_range = new RangeEditor(form, title, this);
    m_granularity = new ChoiceBox(tr("%1: granularity").arg(title));
    // Blocks are for files that have them; no plan is made with them.
    m_granularity->add(quant::granularityTexts().first(2));
    form->addRow(tr("Granularity"), m_granularity);
    m_rounding = new ChoiceBox(tr("%1: rounding").arg(title));
    m_rounding->add(quant::roundingTexts());
    form->addRow(tr("Rounding"), m_rounding);
}

void TensorOptions::buildGrid(const QString& title, QFormLayout* form)
{
    m_sign = new ChoiceBox(tr("%1: signed or unsigned integers").arg(title));
    m_sign->add(tr("automatic"), QStringLiteral("auto"),
        wrapped(tr("Signed for values of both signs, unsigned for the asymmetric scheme and for values that are never "
                   "negative.")));
    for (const char* word : { "signed", "unsigned" })
        m_sign->add(optionName(gridText(word)), QString::fromLatin1(word), optionTip(gridText(word)));
    m_narrow = new QCheckBox(tr("narrow"));
    auto* row = new QHBoxLayout;
    row->setSpacing(8);
    row->addWidget(m_sign, 1);
    row->addWidget(m_narrow);
    form->addRow(tr("Integers"), row);
}

void TensorOptions::wire()
{
    const QString name = m_operand == Operand::Weight ? tr("weight") : tr("activation");
    connect(m_bits, &QSpinBox::valueChanged, this,
        [=, this] { change(tr("%1 bits").arg(name), true, [this](auto& wish) { wish.bits = m_bits->bits(); }); });
    connect(m_scheme, &QComboBox::activated, this, [=, this] {
        change(tr("%1 scheme").arg(name), false, [this](auto& wish) { wish.scheme = m_scheme->key().toStdString(); });
    });
    connect(m_sign, &QComboBox::activated, this, [=, this] {
        if (const auto sign = quant::parseSignedness(m_sign->key().toStdString()))
            change(tr("%1 integers").arg(name), false, [&](auto& wish) { wish.sign = *sign; });
    });
    connect(m_narrow, &QCheckBox::toggled, this,
        [=, this](bool on) { change(tr("%1 narrow range").arg(name), false, [on](auto& wish) { wish.narrow = on; }); });
    connect(m_range, &RangeEditor::chosen, this, [=, this](const quant::RangeSpec& range) {
        change(tr("%1 range").arg(name), true, [&](auto& wish) { wish.range = range; });
    });
    connect(m_granularity, &QComboBox::activated, this, [=, this] {
        change(tr("%1 granularity").arg(name), false,
            [this](auto& wish) { wish.perChannel = m_granularity->key() == perChannel; });
    });
    connect(m_rounding, &QComboBox::activated, this, [=, this] {
        if (const auto rounding = quant::parseRounding(m_rounding->key().toStdString()))
            change(tr("%1 rounding").arg(name), false, [&](auto& wish) { wish.rounding = *rounding; });
    });
}

void TensorOptions::change(const QString& what, bool merge, const std::function<void(planning::TensorWish&)>& mutate)
{
    if (m_updating)
        return;
    planning::PlanRequest request = m_session.request();
    planning::TensorWish& changed = m_operand == Operand::Weight ? request.weights : request.activations;
    mutate(changed);
    // Saying what holds anyway is saying nothing, so that plans that are alike compare alike.
    if (changed.rounding == request.rounding)
        changed.rounding.reset();
    m_session.edit(request, what, merge ? what : QString());
}

const planning::TensorWish& TensorOptions::wish() const
{
    return m_operand == Operand::Weight ? m_session.request().weights : m_session.request().activations;
}

void TensorOptions::refresh()
{
    m_updating = true;
    const planning::TensorWish& shown = wish();
    refreshLimits();
    m_bits->setBits(shown.bits);
    m_scheme->setKey(QString::fromStdString(shown.scheme));
    m_sign->setKey(QString::fromStdString(quant::toString(shown.sign)));
    m_narrow->setChecked(shown.narrow);
    m_range->show(shown.range);
    m_granularity->setKey(shown.perChannel ? perChannel : perTensor);
    m_rounding->setKey(QString::fromStdString(quant::toString(shown.rounding.value_or(m_session.request().rounding))));
    const bool quantized = shown.bits.has_value();
    for (ChoiceBox* box : { m_scheme, m_sign, m_granularity, m_rounding })
        box->setEnabled(quantized);
    m_range->setEnabled(quantized);
    m_updating = false;
}

void TensorOptions::refreshLimits()
{
    const Wish& asked = m_session.wish();
    const auto why = [&](std::string_view name, const std::function<void(planning::TensorWish&)>& change) {
        return wish().bits ? refusal(asked, m_operand, name, change) : QString();
    };
    std::vector<std::optional<int>> allowed;
    QString bitsReason;
    for (int bits = quant::minBits; bits <= quant::maxBits + 1; ++bits) {
        const auto value = bits > quant::maxBits ? std::nullopt : std::optional(bits);
        const QString reason = refusal(asked, m_operand, setting::bits, [&](auto& w) { w.bits = value; });
        if (reason.isEmpty())
            allowed.push_back(value);
        else if (bitsReason.isEmpty())
            bitsReason = reason;
    }
    m_bits->setAllowed(std::move(allowed));
    m_bits->setToolTip(wrapped(tr("Word-length b: 2ᵇ levels, 2 to 16 bits, or float for no quantization. Each bit is "
                                  "worth about 6 dB."))
        + wrapped(bitsReason));

    m_scheme->setRefusals(
        [&](const QString& key) { return why(setting::scheme, [&](auto& w) { w.scheme = key.toStdString(); }); });
    m_sign->setRefusals([&](const QString& key) {
        return why(
            setting::sign, [&](auto& w) { w.sign = quant::parseSignedness(key.toStdString()).value_or(w.sign); });
    });
    m_granularity->setRefusals([&](const QString& key) {
        return why(setting::granularity, [&](auto& w) { w.perChannel = key == perChannel; });
    });
    m_rounding->setRefusals([&](const QString& key) {
        return why(setting::rounding, [&](auto& w) {
            if (const auto rounding = quant::parseRounding(key.toStdString()))
                w.rounding = *rounding;
        });
    });
    const QString other = why(setting::narrow, [&](auto& w) { w.narrow = !wish().narrow; });
    m_narrow->setEnabled(wish().bits && other.isEmpty());
    m_narrow->setToolTip(wrapped(other) + optionTip(gridText("narrow")));
}

QString TensorOptions::summary() const
{
    if (!wish().bits)
        return tr("float");
    return QStringList { tr("%1 bits").arg(*wish().bits), m_scheme->currentText(), m_granularity->currentText(),
        inWords(wish().range.toString()) }
        .join(QStringLiteral(", "));
}

} // namespace quantoscope::ui
