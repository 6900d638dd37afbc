// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/option_words.h"

#include <QCoreApplication>

namespace quantoscope::ui {

namespace {

QString translated(std::string_view text)
{
    return QCoreApplication::translate("quantoscope::quant::OptionText", std::string(text).c_str());
}

} // namespace

QString optionName(const quant::OptionText& text) { return translated(text.name); }

QString optionTip(const quant::OptionText& text)
{
    QString tip = wrapped(translated(text.sentence));
    if (!text.formula.empty())
        tip += QStringLiteral("<p style='white-space:pre-wrap'><i>%1</i></p>")
                   .arg(translated(text.formula).toHtmlEscaped());
    return tip;
}

QString wrapped(const QString& plainText)
{
    return plainText.isEmpty()
        ? QString()
        : QStringLiteral("<p>%1</p>").arg(plainText.toHtmlEscaped().replace(QLatin1Char('\n'), QStringLiteral("<br>")));
}

} // namespace quantoscope::ui
