// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/bits_spin_box.h"

#include <algorithm>

#include <QKeyEvent>
#include <QLineEdit>
#include <QToolTip>

#include "core/quant/config.h"
#include "ui/charts/number_format.h"

namespace quantoscope::ui {

namespace {

constexpr int floatValue = quant::maxBits + 1;

}

BitsSpinBox::BitsSpinBox(QWidget* parent)
    : QSpinBox(parent)
{
    setRange(quant::minBits, floatValue);
    setAlignment(Qt::AlignRight);
}

std::optional<int> BitsSpinBox::bits() const { return value() == floatValue ? std::nullopt : std::optional(value()); }

void BitsSpinBox::setBits(std::optional<int> bits) { setValue(bits.value_or(floatValue)); }

void BitsSpinBox::setAllowed(std::vector<std::optional<int>> bits) { m_allowed = std::move(bits); }

bool BitsSpinBox::allowed(int value) const
{
    const auto isValue = [value](std::optional<int> bits) { return bits.value_or(floatValue) == value; };
    return m_allowed.empty() || std::ranges::any_of(m_allowed, isValue);
}

void BitsSpinBox::stepBy(int steps)
{
    const int direction = steps < 0 ? -1 : 1;
    int reached = value();
    for (int next = value() + direction; steps != 0 && next >= minimum() && next <= maximum(); next += direction)
        if (allowed(next)) {
            reached = next;
            steps -= direction;
        }
    setValue(reached);
    selectAll();
}

void BitsSpinBox::keyPressEvent(QKeyEvent* event)
{
    QString text = lineEdit()->text();
    int position = lineEdit()->cursorPosition();
    if (lineEdit()->hasSelectedText()) {
        position = lineEdit()->selectionStart();
        text.remove(position, lineEdit()->selectionLength());
    }
    text.insert(position, event->text());
    const bool letter = !event->text().isEmpty() && event->text().front().isPrint();
    const bool refused = letter && validate(text, position) == QValidator::Invalid;
    QSpinBox::keyPressEvent(event);
    if (refused)
        sayWhatFits();
}

void BitsSpinBox::sayWhatFits() const
{
    QToolTip::showText(mapToGlobal(QPoint(0, height())), tr("2 to 16 bits, or float"), const_cast<BitsSpinBox*>(this));
}

void BitsSpinBox::fixup(QString& text) const
{
    text = textFromValue(value());
    sayWhatFits();
}

QString BitsSpinBox::textFromValue(int value) const
{
    return formatBits(value == floatValue ? std::nullopt : std::optional(value));
}

int BitsSpinBox::valueFromText(const QString& text) const
{
    const QString word = text.trimmed();
    const bool isFloat = !word.isEmpty() && formatBits(std::nullopt).startsWith(word, Qt::CaseInsensitive);
    return isFloat ? floatValue : word.toInt();
}

QValidator::State BitsSpinBox::validate(QString& text, int& /*position*/) const
{
    const QString word = text.trimmed();
    if (word.isEmpty() || word == QLatin1String("1"))
        return QValidator::Intermediate;
    if (formatBits(std::nullopt).startsWith(word, Qt::CaseInsensitive))
        return allowed(floatValue) ? QValidator::Acceptable : QValidator::Intermediate;
    bool number = false;
    const int bits = word.toInt(&number);
    if (!number || bits < quant::minBits || bits > quant::maxBits)
        return QValidator::Invalid;
    return allowed(bits) ? QValidator::Acceptable : QValidator::Intermediate;
}

} // namespace quantoscope::ui
