// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/sensitivity_series.h"

#include <algorithm>
#include <map>

#include <QCoreApplication>

namespace quantoscope::ui {

namespace {

QString tr(const char* text) { return QCoreApplication::translate("quantoscope::ui::SensitivitySeries", text); }

/// Gives every unit that has a point its line, under a heading for its kind.
std::map<std::size_t, double> placeLines(const sweep::SensitivityResult& result, SensitivitySeries& series)
{
    std::map<std::size_t, double> lineOf;
    for (const auto role : { quant::Role::Weight, quant::Role::Activation }) {
        bool headed = false;
        for (std::size_t unit = 0; unit < result.units.size(); ++unit) {
            const bool hasPoint = std::ranges::any_of(result.points, [&](const auto& p) { return p.unit == unit; });
            if (result.units[unit].role != role || !hasPoint)
                continue;
            if (!headed)
                series.lines.push_back({ static_cast<double>(series.lines.size()),
                    role == quant::Role::Weight ? tr("Weights") : tr("Activations"), true });
            headed = true;
            lineOf[unit] = static_cast<double>(series.lines.size());
            series.lines.push_back({ lineOf[unit], QString::fromStdString(result.units[unit].name), false });
        }
    }
    return lineOf;
}

SensitivitySeries::Bar barOf(const sweep::SensitivityPoint& point, double y, std::size_t index)
{
    if (!point.measured) {
        const double value = point.estimate(sweep::Estimate::Divergence);
        return { y, value, value, value, index };
    }
    const auto& paired = point.measured->againstFloat;
    return { y, -paired.delta, -paired.deltaInterval.high, -paired.deltaInterval.low, index };
}

} // namespace

SensitivitySeries sensitivitySeries(const sweep::SensitivityResult& result)
{
    SensitivitySeries series;
    series.title = tr("What each layer alone costs");
    for (const auto& text : { result.scope, result.data.empty() ? result.estimatedOn : result.data })
        if (!text.empty())
            series.captions << QString::fromStdString(text);
    series.measured = std::ranges::any_of(result.points, [](const auto& p) { return p.measured.has_value(); });
    series.valueTitle = series.measured ? tr("Top-1 lost against float [points]") : tr("Divergence from float [nat]");
    if (series.measured)
        series.captions << tr("Whiskers: 95 % interval of the paired difference");
    const auto lineOf = placeLines(result, series);
    std::map<int, SensitivitySeries::WordLength> byBits;
    for (std::size_t i = 0; i < result.points.size(); ++i) {
        const auto& point = result.points[i];
        byBits[point.bits].bars.push_back(barOf(point, lineOf.at(point.unit), i));
    }
    for (auto& [bits, wordLength] : byBits) {
        wordLength.bits = bits;
        wordLength.label = tr("%1 bits").arg(bits);
        wordLength.position = byBits.size() > 1
            ? static_cast<double>(series.wordLengths.size()) / static_cast<double>(byBits.size() - 1)
            : 0.5;
        std::ranges::sort(wordLength.bars, {}, &SensitivitySeries::Bar::y);
        series.wordLengths.push_back(std::move(wordLength));
    }
    return series;
}

} // namespace quantoscope::ui
