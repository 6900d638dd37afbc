// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/energy_dialog.h"

#include <algorithm>
#include <cmath>

#include <QComboBox>
#include <QDialogButtonBox>
#include <QFileInfo>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QVBoxLayout>

#include <nlohmann/json.hpp>

#include "core/base/file.h"
#include "ui/charts/number_format.h"
#include "ui/views/file_choice.h"
#include "ui/views/option_words.h"

namespace quantoscope::ui {

using cost::EnergyModel;

namespace {

const QString energyFolder = QStringLiteral("energy");

constexpr int significantDigits = 10;
constexpr double mostPicojoules = 1e9;

QString shown(double value) { return QLocale().toString(value, 'g', significantDigits); }

} // namespace

EnergyDialog::EnergyDialog(Session& session, QWidget* parent)
    : QDialog(parent)
    , m_session(session)
    , m_kind(session.energyModel().kind)
{
    setObjectName(QStringLiteral("EnergyDialog"));
    setWindowTitle(tr("Energy model"));
    setModal(false);
    m_model = new QComboBox;
    m_model->setAccessibleName(tr("Energy model"));
    connect(m_model, &QComboBox::activated, this, &EnergyDialog::choose);
    auto* choice = new QFormLayout;
    choice->addRow(tr("&Model"), m_model);
    m_description = new QLabel;
    m_description->setWordWrap(true);
    m_source = new QLabel;
    m_source->setWordWrap(true);
    m_source->setForegroundRole(QPalette::PlaceholderText);
    for (QLabel* label : { m_description, m_source })
        label->setTextInteractionFlags(Qt::TextSelectableByMouse);
    m_fields = new QWidget;
    m_examples = new QLabel;
    m_examples->setWordWrap(true);
    m_message = new QLabel;
    m_message->setWordWrap(true);
    m_message->hide();

    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Close);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::hide);
    const QPushButton* load = buttons->addButton(tr("&Open…"), QDialogButtonBox::ActionRole);
    connect(load, &QPushButton::clicked, this, [this] { chooseFile(false); });
    const QPushButton* keep = buttons->addButton(tr("&Save as…"), QDialogButtonBox::ActionRole);
    connect(keep, &QPushButton::clicked, this, [this] { chooseFile(true); });
    for (auto* button : buttons->findChildren<QPushButton*>())
        button->setAutoDefault(false); // Enter ends a number

    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(16, 16, 16, 16);
    layout->setSpacing(12);
    layout->addLayout(choice);
    layout->addWidget(m_description);
    layout->addWidget(m_source);
    layout->addWidget(m_fields);
    layout->addWidget(m_examples);
    layout->addWidget(m_message);
    layout->addStretch(1);
    layout->addWidget(buttons);
    connect(&session, &Session::energyModelChanged, this, &EnergyDialog::refresh);
    rebuildFields();
    refresh();
    resize(520, sizeHint().height());
}

EnergyDialog::~EnergyDialog() { ignoreFields(); }

/// A field that has the focus ends its edit when it is destroyed.
void EnergyDialog::ignoreFields()
{
    for (QLineEdit* edit : m_fields->findChildren<QLineEdit*>())
        edit->disconnect(this);
}

QLineEdit* EnergyDialog::field(const QString& name) const
{
    const auto all = m_fields->findChildren<QLineEdit*>();
    const auto found = std::ranges::find(all, name, [](const QLineEdit* edit) { return edit->accessibleName(); });
    return found == all.end() ? nullptr : *found;
}

QString EnergyDialog::examples() const { return m_examples->text(); }

QString EnergyDialog::message() const { return m_message->text(); }

void EnergyDialog::say(const QString& message)
{
    m_message->setText(message.isEmpty() ? QString() : QStringLiteral("⚠ ") + message);
    m_message->setVisible(!message.isEmpty());
}

void EnergyDialog::apply(EnergyModel model)
{
    model = cost::withOwnName(std::move(model));
    // Back at a built-in model's numbers, it is that model again.
    const auto& all = cost::builtInEnergyModels();
    const auto same = std::ranges::find_if(all, [&model](EnergyModel known) {
        known.name += " (edited)";
        return known == model;
    });
    m_session.editEnergyModel(same == all.end() ? model : *same);
}

void EnergyDialog::refresh()
{
    const EnergyModel& model = m_session.energyModel();
    refreshModels();
    m_description->setText(QString::fromStdString(model.description));
    m_source->setText(QString::fromStdString(model.source));
    if (model.kind != m_kind) {
        m_kind = model.kind;
        rebuildFields();
    }
    for (const auto& show : m_showers)
        show(model);
    m_examples->setText(examplesOf(model));
}

QString EnergyDialog::examplesOf(const EnergyModel& model)
{
    const bool apart = model.kind == EnergyModel::Kind::Operations;
    const auto energy = [&](int weights, int activations, double add) {
        const double all = model.perMac(weights, activations);
        return apart ? tr("%1 + %2").arg(formatEnergy(all - add), formatEnergy(add)) : formatEnergy(all);
    };
    const double add = model.add.at(model.accumulatorBits);
    QStringList parts;
    for (const auto& [weights, activations] : { std::pair(8, 8), std::pair(4, 8), std::pair(4, 4) })
        parts << tr("W%1 A%2: %3").arg(weights).arg(activations).arg(energy(weights, activations, add));
    parts << tr("float: %1").arg(energy(32, 32, model.floatAdd));
    for (QString& part : parts)
        part.replace(QLatin1Char(' '), QChar(0x00a0)); // lines break between them alone
    QString text
        = (apart ? tr("Multiply + add, %1") : tr("One multiply-accumulate, %1")).arg(parts.join(QStringLiteral("; ")));
    if (apart)
        text += tr(". The wider operand decides what a multiply takes: W4 A8 costs as much as W8 A8.");
    return text;
}

void EnergyDialog::refreshModels()
{
    m_offered = cost::builtInEnergyModels();
    if (std::ranges::find(m_offered, m_session.energyModel()) == m_offered.end())
        m_offered.push_back(m_session.energyModel());
    m_model->clear();
    for (const EnergyModel& model : m_offered) {
        m_model->addItem(QString::fromStdString(model.name));
        m_model->setItemData(m_model->count() - 1, wrapped(QString::fromStdString(model.description)), Qt::ToolTipRole);
    }
    m_model->setCurrentIndex(
        static_cast<int>(std::ranges::find(m_offered, m_session.energyModel()) - m_offered.begin()));
}

void EnergyDialog::choose()
{
    say({});
    const auto index = static_cast<std::size_t>(m_model->currentIndex());
    if (index < m_offered.size())
        m_session.editEnergyModel(EnergyModel(m_offered[index])); // a copy: the list is made anew
}

std::vector<EnergyDialog::Number> EnergyDialog::numbersOf(EnergyModel::Kind kind)
{
    const auto number = [](const QString& label, const QString& unit, const QString& tip, double EnergyModel::*member) {
        return Number { label, unit, tip, 0, mostPicojoules,
            [member](const EnergyModel& model) { return model.*member; },
            [member](EnergyModel& model, double value) { model.*member = value; } };
    };
    switch (kind) {
    case EnergyModel::Kind::WordLength:
        return { number(tr("A bit of word-length"), tr("pJ"), tr("A multiply-accumulate takes this · (b_w + b_a) / 2."),
            &EnergyModel::picojoules) };
    case EnergyModel::Kind::Bops:
        return { number(tr("A bit operation"), tr("pJ"), tr("A multiply-accumulate takes this · b_w · b_a."),
            &EnergyModel::picojoules) };
    case EnergyModel::Kind::Operations:
        break;
    }
    using Operation = EnergyModel::Operation;
    const auto part = [](const QString& label, const QString& unit, const QString& tip,
                          Operation EnergyModel::*operation, double Operation::*member) {
        return Number { label, unit, tip, 0, mostPicojoules,
            [=](const EnergyModel& model) { return model.*operation.*member; },
            [=](EnergyModel& model, double value) { model.*operation.*member = value; } };
    };
    const QString multiply
        = tr("An integer multiply takes quadratic · b² + linear · b, with b the larger word-length of its operands.");
    const QString add = tr("An integer add takes quadratic · b² + linear · b, with b the bits of the accumulator.");
    const QString stays = tr("Counted where an operand stays float.");
    return { part(tr("Multiply, quadratic"), tr("pJ / bit²"), multiply, &EnergyModel::multiply, &Operation::quadratic),
        part(tr("Multiply, linear"), tr("pJ / bit"), multiply, &EnergyModel::multiply, &Operation::linear),
        part(tr("Add, quadratic"), tr("pJ / bit²"), add, &EnergyModel::add, &Operation::quadratic),
        part(tr("Add, linear"), tr("pJ / bit"), add, &EnergyModel::add, &Operation::linear),
        Number { tr("Accumulator"), tr("bits"), tr("What adding to a sum is counted with."), 8, 64,
            [](const EnergyModel& model) { return model.accumulatorBits; },
            [](EnergyModel& model, double value) { model.accumulatorBits = static_cast<int>(std::lround(value)); } },
        number(tr("Float multiply"), tr("pJ"), stays, &EnergyModel::floatMultiply),
        number(tr("Float add"), tr("pJ"), stays, &EnergyModel::floatAdd),
        number(tr("On-chip memory"), tr("pJ / bit"), tr("Moving one bit to or from memory on the chip."),
            &EnergyModel::onChipBit),
        number(tr("Off-chip memory"), tr("pJ / bit"), tr("Moving one bit to or from memory beside the chip."),
            &EnergyModel::offChipBit) };
}

void EnergyDialog::rebuildFields()
{
    m_showers.clear();
    ignoreFields();
    delete m_fields->layout();
    qDeleteAll(m_fields->findChildren<QWidget*>(QString(), Qt::FindDirectChildrenOnly));
    auto* form = new QFormLayout(m_fields);
    form->setContentsMargins(0, 0, 0, 0);
    for (const Number& number : numbersOf(m_kind))
        add(number);
    if (m_kind != EnergyModel::Kind::Operations)
        return;
    addPlace(tr("Weights are"), tr("Where they are kept; each parameter is read once an image."),
        &EnergyModel::weightsOffChip);
    addPlace(tr("Activations are"),
        tr("Where they are kept; each is written once, and read once by every node that needs it."),
        &EnergyModel::activationsOffChip);
}

void EnergyDialog::add(const Number& number)
{
    auto* edit = new QLineEdit;
    edit->setAlignment(Qt::AlignRight);
    edit->setAccessibleName(number.label);
    edit->setToolTip(wrapped(number.tip));
    auto* unit = new QLabel(number.unit);
    unit->setMinimumWidth(fontMetrics().horizontalAdvance(tr("pJ / bit²")));
    auto* row = new QHBoxLayout;
    row->setSpacing(8);
    row->addWidget(edit, 1);
    row->addWidget(unit);
    auto* caption = new QLabel(number.label);
    caption->setBuddy(edit);
    caption->setToolTip(edit->toolTip());
    static_cast<QFormLayout*>(m_fields->layout())->addRow(caption, row);
    connect(edit, &QLineEdit::editingFinished, this, [this, number, edit] { take(number, edit); });
    m_showers.emplace_back([number, edit](const EnergyModel& model) { edit->setText(shown(number.get(model))); });
}

void EnergyDialog::take(const Number& number, QLineEdit* edit)
{
    const QString before = shown(number.get(m_session.energyModel()));
    if (edit->text() == before)
        return;
    bool read = false;
    const double typed = QLocale().toDouble(edit->text(), &read);
    const bool whole = number.least > 0;
    if (!read || !(typed >= number.least && typed <= number.most) || (whole && typed != std::floor(typed))) {
        say(tr("%1: “%2” is not taken, a number from %3 to %4 is wanted. It stays at %5.")
                .arg(number.label, edit->text(), shown(number.least), shown(number.most), before));
        edit->setText(before);
        return;
    }
    say({});
    EnergyModel model = m_session.energyModel();
    number.set(model, typed);
    apply(std::move(model));
}

void EnergyDialog::addPlace(const QString& label, const QString& tip, bool EnergyModel::*offChip)
{
    auto* box = new QComboBox;
    box->addItems({ tr("on-chip"), tr("off-chip") });
    box->setAccessibleName(label);
    box->setToolTip(wrapped(tip));
    static_cast<QFormLayout*>(m_fields->layout())->addRow(label, box);
    connect(box, &QComboBox::activated, this, [this, offChip](int index) {
        say({});
        EnergyModel model = m_session.energyModel();
        model.*offChip = index == 1;
        apply(std::move(model));
    });
    m_showers.emplace_back([box, offChip](const EnergyModel& model) { box->setCurrentIndex(model.*offChip ? 1 : 0); });
}

void EnergyDialog::chooseFile(bool save)
{
    const QString kinds = tr("Energy models (*.json)");
    QString path = save ? chooseNewFile(this, tr("Save energy model"),
                       inRememberedFolder(energyFolder,
                           QString::fromStdString(m_session.energyModel().name).remove(QStringLiteral(" (edited)"))
                               + QStringLiteral(".json")),
                       kinds)
                        : ui::chooseFile(this, tr("Open energy model"), rememberedFolder(energyFolder), kinds);
    if (path.isEmpty())
        return;
    if (save && QFileInfo(path).suffix().isEmpty())
        path += QStringLiteral(".json");
    if (save)
        this->save(path);
    else
        open(path);
}

void EnergyDialog::open(const QString& path)
{
    // A name that is no file would be taken for a built-in model's.
    const auto model = cost::findEnergyModel(path.toStdString());
    say(model ? QString() : QString::fromStdString(model.error().message()));
    if (!model)
        return;
    rememberFolderOf(energyFolder, path);
    m_session.editEnergyModel(*model);
}

void EnergyDialog::save(const QString& path)
{
    const auto written = base::writeFileAtomically(path.toStdString(), m_session.energyModel().toJson().dump(4) + "\n");
    say(written ? QString() : QString::fromStdString(written.error().message()));
    if (written)
        rememberFolderOf(energyFolder, path);
}

} // namespace quantoscope::ui
