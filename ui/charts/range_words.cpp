// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/range_words.h"

#include <QCoreApplication>
#include <QRegularExpression>

#include "core/quant/option_texts.h"

namespace quantoscope::ui {

namespace {

QString tr(const char* text) { return QCoreApplication::translate("quantoscope::ui::RangeWords", text); }

QString translated(const quant::OptionText& text)
{
    return QCoreApplication::translate("quantoscope::quant::OptionText", std::string(text.name).c_str());
}

/// "percentile" and "99.9" or "0.1,99.9", empty where there is no parameter.
QString nameOf(const quant::OptionText& text, QString parameters)
{
    const QString name = translated(text);
    if (parameters.isEmpty())
        return name;
    if (text.word == "sigma")
        return tr("%1 standard deviations").arg(parameters);
    if (text.word == "aciq")
        return parameters == QLatin1String("gauss") ? tr("ACIQ (Gauss)") : tr("ACIQ (Laplace)");
    return name + QLatin1Char(' ') + parameters.replace(QLatin1Char(','), tr(" to "));
}

/// Words of `texts` that are options only where `pattern` finds them, in its first group.
QString replaceIn(const QString& text, const QRegularExpression& pattern, quant::OptionTexts texts)
{
    QString result;
    qsizetype from = 0;
    for (auto found = pattern.globalMatch(text); found.hasNext();) {
        const auto match = found.next();
        const quant::OptionText* option = quant::findText(texts, match.captured(1).toStdString());
        if (!option)
            continue;
        result += text.mid(from, match.capturedStart(1) - from) + translated(*option);
        from = match.capturedEnd(1);
    }
    return result + text.mid(from);
}

} // namespace

QString inWords(const std::string& description)
{
    // A word of its own, not a part of "asymmetric-power-of-two"; what follows a colon are its parameters.
    static const QRegularExpression word(
        QStringLiteral("(?<![\\w-])([a-z][a-z-]*)(?::([\\w.+-]+(?:,[\\w.+-]+)?))?(?![\\w-])"));
    // Where descriptions and reasons have them: "compute, weights ...", "the scope compute (possible: integer)".
    static const QRegularExpression scope(QStringLiteral(
        "(?:(?<![^ ])(?=[a-z]+(?:,|$))|(?<=scope )|(?<=scope ')|(?<=possible: ))(compute|integer)(?![\\w-])"));
    static const QRegularExpression rounding(
        QStringLiteral("(?:(?<=rounding )|(?=half-(?:even|away)))(?<![\\w-])([a-z-]+)"));
    const QString text = replaceIn(
        replaceIn(QString::fromStdString(description), scope, quant::scopeTexts()), rounding, quant::roundingTexts());
    QString result;
    qsizetype from = 0;
    for (auto found = word.globalMatch(text); found.hasNext();) {
        const auto match = found.next();
        const std::string key = match.captured(1).toStdString();
        const quant::OptionText* option = quant::findText(quant::rangeTexts(), key);
        if (!option && !match.hasCaptured(2))
            option = quant::findText(quant::schemeTexts(), key);
        if (!option)
            continue;
        result += text.mid(from, match.capturedStart() - from) + nameOf(*option, match.captured(2));
        from = match.capturedEnd();
    }
    return result + text.mid(from);
}

} // namespace quantoscope::ui
