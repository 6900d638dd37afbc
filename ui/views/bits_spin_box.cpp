// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/bits_spin_box.h"

#include <algorithm>

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

void BitsSpinBox::fixup(QString& text) const { text = textFromValue(value()); }

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
