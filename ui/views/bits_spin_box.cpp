// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/bits_spin_box.h"

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
        return QValidator::Acceptable;
    bool number = false;
    const int bits = word.toInt(&number);
    return number && bits >= quant::minBits && bits <= quant::maxBits ? QValidator::Acceptable : QValidator::Invalid;
}

} // namespace quantoscope::ui
