// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/number_format.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <QCoreApplication>
#include <QLocale>
#include <QRegularExpression>

namespace quantoscope::ui {

namespace {

const QLocale& locale()
{
    // Numbers are written the same on every machine: a figure copied from the window means the same in a paper.
    static const QLocale english(QLocale::English, QLocale::UnitedStates);
    return english;
}

constexpr QChar minus(0x2212);
const QString raised = QStringLiteral("⁰¹²³⁴⁵⁶⁷⁸⁹");
constexpr QChar raisedMinus(0x207b);

/// value with a unit of the 1000-ladder that starts at `units[0]`.
QString scaled(double value, const std::array<const char*, 5>& units)
{
    std::size_t step = 0;
    while (std::abs(value) >= 999.5 && step + 1 < units.size()) {
        value /= 1000;
        ++step;
    }
    const QString number = formatSignificant(value);
    return *units[step] ? number + QChar(0x00a0) + QString::fromUtf8(units[step]) : number;
}

} // namespace

QString formatCount(qint64 value) { return locale().toString(value); }

QString formatSignificant(double value, int digits)
{
    if (std::isnan(value))
        return QStringLiteral("–");
    if (std::isinf(value))
        return value > 0 ? QStringLiteral("∞") : QStringLiteral("−∞");
    if (value == 0)
        return QStringLiteral("0");
    // The magnitude of what is shown: 0.9996 is 1.00 in three digits.
    const double shown = QString::number(value, 'e', digits - 1).toDouble();
    const int magnitude = static_cast<int>(std::floor(std::log10(std::abs(shown))));
    if (magnitude < -4 || magnitude > 8)
        return typeset(locale().toString(value, 'e', digits - 1));
    return typeset(locale().toString(value, 'f', std::max(0, digits - 1 - magnitude)));
}

QString formatPercent(double percent, int decimals)
{
    return std::isnan(percent) ? QStringLiteral("–")
                               : locale().toString(percent, 'f', decimals) + QChar(0x00a0) + QLatin1Char('%');
}

QString formatSignedPercent(double points, int decimals)
{
    const QString number = locale().toString(std::abs(points), 'f', decimals);
    // A difference that rounds to nothing has no sign.
    const double half = 0.5 * std::pow(10.0, -decimals);
    if (std::abs(points) < half)
        return number;
    return (points < 0 ? QStringLiteral("−") : QStringLiteral("+")) + number;
}

int top1Decimals(qint64 images) { return images > 1000 ? 2 : 1; }

QString formatTop1(double percent, qint64 images) { return formatPercent(percent, top1Decimals(images)); }

QString formatPoints(double points, qint64 images) { return formatSignedPercent(points, top1Decimals(images)); }

QString formatShare(double percent, qint64 images)
{
    return std::isnan(percent) ? QStringLiteral("–") : locale().toString(percent, 'f', top1Decimals(images));
}

QString formatBytes(double bytes) { return scaled(bytes, { "B", "kB", "MB", "GB", "TB" }); }

QString formatEnergy(double picojoules) { return scaled(picojoules, { "pJ", "nJ", "µJ", "mJ", "J" }); }

QString formatMetric(double value) { return scaled(value, { "", "k", "M", "G", "T" }); }

QString formatDuration(double seconds)
{
    const auto total = static_cast<qint64>(std::llround(std::max(0.0, seconds)));
    const qint64 hours = total / 3600;
    const QString tail = QStringLiteral("%1:%2")
                             .arg((total / 60) % 60, hours > 0 ? 2 : 1, 10, QLatin1Char('0'))
                             .arg(total % 60, 2, 10, QLatin1Char('0'));
    return hours > 0 ? QString::number(hours) + QLatin1Char(':') + tail : tail;
}

QString formatProbability(double p) { return p < 0.001 ? QStringLiteral("< 0.001") : locale().toString(p, 'f', 3); }

QString formatBits(std::optional<int> bits)
{
    return bits ? QString::number(*bits) : QCoreApplication::translate("quantoscope::ui", "float");
}

QString formatWordLengths(std::optional<int> weights, std::optional<int> activations)
{
    const auto text = [](QChar kind, std::optional<int> bits) {
        return kind + (bits ? QString() : QStringLiteral(" ")) + formatBits(bits);
    };
    return text(u'W', weights) + (weights && activations ? QStringLiteral(" ") : QStringLiteral(", "))
        + text(u'A', activations);
}

QString formatDecibel(double db)
{
    if (std::isnan(db) || std::isinf(db))
        return formatSignificant(db);
    return typeset(locale().toString(db, 'f', 1));
}

QString typeset(QString number)
{
    const qsizetype e = number.indexOf(QLatin1Char('e'), 0, Qt::CaseInsensitive);
    if (e > 0) {
        const int power = number.mid(e + 1).toInt();
        QString exponent = power < 0 ? QString(raisedMinus) : QString();
        for (const QChar digit : QString::number(std::abs(power)))
            exponent += raised[digit.digitValue()];
        const QString mantissa = number.left(e);
        number = (mantissa == QStringLiteral("1") ? QString() : mantissa + QChar(0x00d7)) + QStringLiteral("10")
            + exponent;
    }
    return number.replace(QLatin1Char('-'), minus);
}

QString plainNumber(QString text)
{
    static const QRegularExpression power(QStringLiteral("×10(⁻?)([⁰¹²³⁴⁵⁶⁷⁸⁹]+)"));
    for (auto match = power.match(text); match.hasMatch(); match = power.match(text)) {
        QString exponent = match.captured(1).isEmpty() ? QStringLiteral("e") : QStringLiteral("e-");
        for (const QChar digit : match.captured(2))
            exponent += QString::number(raised.indexOf(digit));
        text.replace(match.capturedStart(), match.capturedLength(), exponent);
    }
    return text.replace(minus, QLatin1Char('-')).replace(QChar(0x00a0), QLatin1Char(' '));
}

} // namespace quantoscope::ui
