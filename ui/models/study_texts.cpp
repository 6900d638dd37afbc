// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/models/study_texts.h"

#include <algorithm>
#include <map>

#include <QCoreApplication>
#include <QRegularExpression>
#include <QStringList>

#include "ui/charts/cost_words.h"
#include "ui/charts/number_format.h"

namespace quantoscope::ui {

namespace {

QString tr(const char* text) { return QCoreApplication::translate("quantoscope::ui::StudyTexts", text); }

QString accuracy(double top1, const evaluation::Interval& interval, std::int64_t images)
{
    return tr("top-1 <b>%1</b> (%2 to %3)")
        .arg(formatTop1(top1, images), formatShare(interval.low, images), formatShare(interval.high, images));
}

QString difference(const evaluation::PairedComparison& paired)
{
    return tr("%1 points against float (%2 to %3)")
        .arg(formatPoints(paired.delta, paired.images), formatPoints(paired.deltaInterval.low, paired.images),
            formatPoints(paired.deltaInterval.high, paired.images));
}

QString costs(const cost::Cost& cost)
{
    return tr("%1, %2, %3 an image")
        .arg(formatBytes(cost.sizeBytes), formatCost(cost.bops, cost::Metric::Bops), formatEnergy(cost.energyPj));
}

/// "weights: 3 layers at 2 bits, 19 at 4"
QString mixOf(const sweep::SearchResult& result, const sweep::Assignment& bits, quant::Role role)
{
    std::map<int, int> counts;
    for (std::size_t i = 0; i < std::min(bits.size(), result.units.size()); ++i)
        if (result.units[i].role == role)
            ++counts[bits[i]];
    QStringList parts;
    for (const auto& [bit, count] : counts)
        parts << (parts.isEmpty() ? (count == 1 ? tr("%1 layer at %2 bits") : tr("%1 layers at %2 bits"))
                                  : tr("%1 at %2"))
                     .arg(count)
                     .arg(bit);
    return (role == quant::Role::Weight ? tr("weights: %1") : tr("activations: %1"))
        .arg(parts.join(QStringLiteral(", ")));
}

} // namespace

QString unitName(const sweep::QuantizedUnit& unit)
{
    return (unit.role == quant::Role::Weight ? tr("weights of %1") : tr("activations entering %1"))
        .arg(QString::fromStdString(unit.name));
}

QString trustText(const sweep::SensitivityResult& result)
{
    static const QRegularExpression estimate(QStringLiteral("(?<![\\w-])(kl|logit-mse|noise)(?![\\w-])"));
    QString text = QString::fromStdString(sweep::describeTrust(result));
    if (const auto match = estimate.match(text); match.hasMatch()) {
        const QString word = match.captured(1);
        text.replace(match.capturedStart(1), word.size(),
            word == QLatin1String("kl")          ? tr("KL divergence")
                : word == QLatin1String("noise") ? tr("quantization noise")
                                                 : tr("MSE of the logits"));
    }
    return text;
}

QString describePoint(const sweep::SweepResult& result, std::size_t point, int ownLayers)
{
    const sweep::SweepPoint& chosen = result.points[point];
    QString bits = formatWordLengths(chosen.weightBits, chosen.activationBits);
    if (ownLayers > 0)
        bits += ownLayers == 1 ? tr(" mixed (1 layer)") : tr(" mixed (%1 layers)").arg(ownLayers);
    return QStringLiteral("<b>%1</b> &nbsp; %2; %3<br>%4")
        .arg(bits, accuracy(chosen.top1, chosen.top1Interval, chosen.images), difference(chosen.againstFloat),
            costs(chosen.cost));
}

QString describePoint(const sweep::SensitivityResult& result, std::size_t point)
{
    const sweep::SensitivityPoint& chosen = result.points[point];
    QString text = tr("<b>%1</b> alone at <b>%2 bits</b>, everything else float")
                       .arg(unitName(result.units[chosen.unit]).toHtmlEscaped())
                       .arg(chosen.bits);
    if (chosen.measured)
        text += QStringLiteral("<br>%1; %2")
                    .arg(accuracy(chosen.measured->top1, chosen.measured->top1Interval,
                             chosen.measured->againstFloat.images),
                        difference(chosen.measured->againstFloat));
    text += tr("<br>SQNR %1 dB; divergence from float %2 nat")
                .arg(formatDecibel(chosen.sqnrDb), formatSignificant(chosen.estimate(sweep::Estimate::Divergence)));
    return text;
}

QString describePoint(const sweep::SearchResult& result, std::size_t point)
{
    const sweep::SearchPoint& chosen = result.points[point];
    QString text
        = QStringLiteral("<b>%1</b> &nbsp; %2; %3<br>%4")
              .arg(QString::fromStdString(chosen.label()), accuracy(chosen.top1, chosen.top1Interval, chosen.images),
                  difference(chosen.againstFloat), costs(chosen.cost));
    if (result.chosen == point)
        text += tr("<br>The answer: the closest to float that keeps to the budget");
    return text;
}

QString describeMix(const sweep::SearchResult& result, std::size_t point)
{
    const sweep::SearchPoint& chosen = result.points[point];
    return chosen.uniform ? QString()
                          : QStringLiteral("%1; %2").arg(mixOf(result, chosen.bits, quant::Role::Weight),
                              mixOf(result, chosen.bits, quant::Role::Activation));
}

} // namespace quantoscope::ui
