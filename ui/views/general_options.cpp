// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/general_options.h"

#include <algorithm>

#include <QCheckBox>
#include <QFormLayout>
#include <QLabel>
#include <QPushButton>

#include "ui/session/limits.h"
#include "ui/views/bits_spin_box.h"
#include "ui/views/choice_box.h"
#include "ui/views/option_words.h"
#include "ui/views/panel_form.h"

namespace quantoscope::ui {

namespace {

constexpr qsizetype mostNotes = 2; // the tip has all of them
const QString floatBias = QStringLiteral("float");

std::optional<int> biasBitsOf(const QString& key)
{
    return key == floatBias ? std::nullopt : std::optional(key.toInt());
}

QString keyOf(std::optional<int> biasBits) { return biasBits ? QString::number(*biasBits) : floatBias; }

} // namespace

GeneralOptions::GeneralOptions(Session& session, QWidget* parent)
    : QWidget(parent)
    , m_session(session)
{
    auto* form = makePanelForm();
    setLayout(form);
    buildProfile(form);
    m_scope = new ChoiceBox(tr("Scope"));
    m_scope->add(quant::scopeTexts());
    form->addRow(tr("&Scope"), m_scope);
    connect(m_scope, &QComboBox::activated, this, [this] {
        if (const auto scope = quant::parseScope(m_scope->key().toStdString()))
            change(tr("scope"), {}, [&](auto& request) { request.scope = *scope; });
    });
    buildFirstLast(form);
    buildBiases(form);
    connect(&session, &Session::requestChanged, this, &GeneralOptions::refresh);
    refresh();
}

void GeneralOptions::buildProfile(QFormLayout* form)
{
    m_profile = new ChoiceBox(tr("Hardware profile"));
    for (const quant::HardwareProfile& profile : quant::builtInProfiles())
        m_profile->add(QString::fromStdString(profile.name), QString::fromStdString(profile.name),
            wrapped(QString::fromStdString(profile.description)));
    form->addRow(tr("&Profile"), m_profile);
    m_profileNote = new QLabel;
    m_profileNote->setWordWrap(true);
    form->addRow(m_profileNote);
    m_fit = new QPushButton(tr("Make it fit"));
    m_fit->setToolTip(tr("Change what the profile does not allow to the nearest that it does"));
    form->addRow(m_fit);
    connect(m_profile, &QComboBox::activated, this, [this] {
        const auto& all = quant::builtInProfiles();
        const auto found = std::ranges::find(all, m_profile->key().toStdString(), &quant::HardwareProfile::name);
        if (found != all.end())
            m_session.chooseProfile(*found);
    });
    connect(m_fit, &QPushButton::clicked, &m_session, &Session::fitProfile);
}

void GeneralOptions::buildFirstLast(QFormLayout* form)
{
    m_firstLast = new QCheckBox(tr("&First, last"));
    m_firstLastBits = new BitsSpinBox;
    m_firstLastBits->setMaximum(quant::maxBits);
    m_firstLastBits->setSuffix(tr(" bits"));
    m_firstLastBits->setBits(8);
    m_firstLastBits->setAccessibleName(tr("Word-length of the first and the last layer"));
    form->addRow(m_firstLast, m_firstLastBits);
    const auto edited = [this] {
        change(tr("first and last layer"), QStringLiteral("first-last"), [this](auto& request) {
            request.firstLastBits = m_firstLast->isChecked() ? m_firstLastBits->bits() : std::nullopt;
        });
    };
    connect(m_firstLast, &QCheckBox::toggled, this, edited);
    connect(m_firstLastBits, &QSpinBox::valueChanged, this, edited);
}

void GeneralOptions::buildBiases(QFormLayout* form)
{
    m_biasBits = new ChoiceBox(tr("Word-length of biases"));
    const QString tip = wrapped(tr(
        "Biases are integers with the scale s_x s_w of what they are added to. Fewer bits than 32 may not hold them."));
    for (int bits = quant::maxBiasBits; bits >= quant::minBiasBits; --bits)
        m_biasBits->add(tr("%1 bits").arg(bits), QString::number(bits), tip);
    m_biasBits->add(tr("float"), floatBias, wrapped(tr("Biases stay as they are.")));
    form->addRow(tr("Biases"), m_biasBits);
    m_biasRoom = new ChoiceBox(tr("What to do with a bias that does not fit"));
    m_biasRoom->add(tr("coarser weights"), QStringLiteral("raise"),
        wrapped(tr("Where a bias does not fit, the weights' scale of that channel is raised until it does: its weights "
                   "get coarser.")));
    m_biasRoom->add(tr("shifted bias"), QStringLiteral("shift"),
        wrapped(tr("Where a bias does not fit, it is stored at s_x s_w 2ᵏ and shifted left by k before it is added.")));
    form->addRow(tr("  overflow"), m_biasRoom);
    connect(m_biasBits, &QComboBox::activated, this, [this] {
        change(tr("bias bits"), {}, [this](auto& request) { request.biasBits = biasBitsOf(m_biasBits->key()); });
    });
    connect(m_biasRoom, &QComboBox::activated, this, [this] {
        if (const auto room = quant::parseBiasRoom(m_biasRoom->key().toStdString()))
            change(tr("bias overflow"), {}, [&](auto& request) { request.biasRoom = *room; });
    });
}

void GeneralOptions::change(
    const QString& text, const QString& key, const std::function<void(planning::PlanRequest&)>& mutate)
{
    if (m_updating)
        return;
    planning::PlanRequest request = m_session.request();
    mutate(request);
    m_session.edit(request, text, key);
}

void GeneralOptions::refresh()
{
    m_updating = true;
    const planning::PlanRequest& request = m_session.request();
    m_scope->setKey(QString::fromStdString(quant::toString(request.scope)));
    m_firstLast->setChecked(request.firstLastBits.has_value());
    if (request.firstLastBits)
        m_firstLastBits->setBits(request.firstLastBits);
    m_biasBits->setKey(keyOf(request.biasBits));
    m_biasRoom->setKey(QString::fromStdString(quant::toString(request.biasRoom)));
    refreshLimits();
    refreshProfile();
    m_updating = false;
}

void GeneralOptions::refreshLimits()
{
    const Wish& wish = m_session.wish();
    const planning::PlanRequest& request = wish.request;
    m_scope->setRefusals([&](const QString& key) {
        return refusal(
            wish, setting::scope, [&](auto& r) { r.scope = quant::parseScope(key.toStdString()).value_or(r.scope); });
    });
    const QString fixed = refusal(wish, setting::firstLast,
        [&](auto& r) { r.firstLastBits = request.firstLastBits ? std::nullopt : m_firstLastBits->bits(); });
    m_firstLast->setEnabled(fixed.isEmpty());
    m_firstLastBits->setEnabled(fixed.isEmpty() && request.firstLastBits);
    const QString tip = wrapped(fixed)
        + wrapped(
            tr("The first and the last compute layer get word-lengths of their own, as most publications do; 8 is "
               "usual."));
    m_firstLast->setToolTip(tip);
    m_firstLastBits->setToolTip(tip);

    const bool integer = request.scope == quant::Scope::Integer;
    m_biasBits->setRefusals([&](const QString& key) {
        return refusal(wish, setting::bias, [&](auto& r) { r.biasBits = biasBitsOf(key); });
    });
    m_biasRoom->setRefusals([&](const QString& key) {
        return refusal(wish, setting::bias,
            [&](auto& r) { r.biasRoom = quant::parseBiasRoom(key.toStdString()).value_or(r.biasRoom); });
    });
    m_biasBits->setEnabled(integer);
    m_biasRoom->setEnabled(integer && request.biasBits);
    if (!integer)
        m_biasBits->setToolTip(wrapped(tr("Only the integer scope quantizes biases; here they stay float.")));
}

void GeneralOptions::refreshProfile()
{
    m_profile->setKey(QString::fromStdString(m_session.profile().name));
    const QStringList broken = violations(m_session.wish());
    const QStringList& lines = broken.isEmpty() ? m_session.wish().notes : broken;
    QStringList shown = lines.mid(0, mostNotes);
    if (!lines.isEmpty())
        shown.prepend(broken.isEmpty() ? tr("Changed to fit:") : tr("⚠ Not allowed:"));
    if (lines.size() > mostNotes)
        shown << tr("and %1 more").arg(lines.size() - mostNotes);
    m_profileNote->setText(shown.join(QLatin1Char('\n')));
    m_profileNote->setToolTip(wrapped(lines.join(QLatin1Char('\n'))));
    m_profileNote->setVisible(!lines.isEmpty());
    m_fit->setVisible(!broken.isEmpty());
}

QString GeneralOptions::summary() const
{
    QStringList parts { m_profile->currentText(), m_scope->currentText() };
    if (m_firstLast->isChecked())
        parts << tr("first and last at %1").arg(m_firstLastBits->value());
    return parts.join(QStringLiteral(", "));
}

} // namespace quantoscope::ui
