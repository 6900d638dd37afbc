// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/sensitivity_series.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <iterator>
#include <limits>
#include <map>
#include <set>

#include <QCoreApplication>

#include "ui/charts/range_words.h"

namespace quantoscope::ui {

namespace {

QString tr(const char* text) { return QCoreApplication::translate("quantoscope::ui::SensitivitySeries", text); }

double harmOf(const sweep::SensitivityPoint& point)
{
    return point.measured ? -point.measured->againstFloat.delta : point.estimate(sweep::Estimate::Divergence);
}

/// Gives every unit that has a point its line, under a heading for its kind.
std::map<std::size_t, double> placeLines(
    const sweep::SensitivityResult& result, SensitivityOrder order, SensitivitySeries& series)
{
    // What is seen decides who harms most: the bar of the fewest bits, among equal ones that of the next.
    constexpr double none = -std::numeric_limits<double>::infinity();
    std::set<int> tried;
    for (const auto& point : result.points)
        tried.insert(point.bits);
    std::map<std::size_t, std::vector<double>> harm;
    for (const auto& point : result.points) {
        auto& harms = harm.try_emplace(point.unit, tried.size(), none).first->second;
        if (const double of = harmOf(point); std::isfinite(of))
            harms[static_cast<std::size_t>(std::distance(tried.begin(), tried.find(point.bits)))] = of;
    }
    std::map<std::size_t, double> lineOf;
    for (const auto role : { quant::Role::Weight, quant::Role::Activation }) {
        std::vector<std::size_t> units;
        for (const auto& [unit, of] : harm)
            if (result.units[unit].role == role)
                units.push_back(unit);
        if (order == SensitivityOrder::Harm)
            std::ranges::stable_sort(units, std::greater<>(), [&](std::size_t unit) { return harm.at(unit); });
        if (!units.empty())
            series.lines.push_back({ static_cast<double>(series.lines.size()),
                role == quant::Role::Weight ? tr("Weights") : tr("Activations"), true, 0 });
        for (const std::size_t unit : units) {
            lineOf[unit] = static_cast<double>(series.lines.size());
            series.lines.push_back({ lineOf[unit], QString::fromStdString(result.units[unit].name), false, unit });
        }
    }
    return lineOf;
}

SensitivitySeries::Mark markOf(const sweep::SensitivityPoint& point, double y, std::size_t index)
{
    if (!point.measured) {
        const double value = point.estimate(sweep::Estimate::Divergence);
        return { y, value, value, value, index };
    }
    const auto& paired = point.measured->againstFloat;
    return { y, -paired.delta, -paired.deltaInterval.high, -paired.deltaInterval.low, index };
}

} // namespace

SensitivitySeries sensitivitySeries(const sweep::SensitivityResult& result, SensitivityOrder order)
{
    SensitivitySeries series;
    series.title = tr("What each layer alone costs");
    const std::string& data = result.data.empty() ? result.estimatedOn : result.data;
    for (const QString& text : { inWords(result.scope), QString::fromStdString(data) })
        if (!text.isEmpty())
            series.captions << text;
    series.measured = std::ranges::any_of(result.points, [](const auto& p) { return p.measured.has_value(); });
    series.valueTitle = series.measured ? tr("Top-1 lost against float [points]") : tr("Divergence from float [nat]");
    if (series.measured)
        series.captions << tr("Whiskers: 95 % interval of the paired difference");
    const auto lineOf = placeLines(result, order, series);
    std::map<int, SensitivitySeries::WordLength> byBits;
    for (std::size_t i = 0; i < result.points.size(); ++i) {
        const auto& point = result.points[i];
        byBits[point.bits].marks.push_back(markOf(point, lineOf.at(point.unit), i));
    }
    for (auto& [bits, wordLength] : byBits) {
        wordLength.bits = bits;
        wordLength.label = tr("%1 bits").arg(bits);
        wordLength.position = byBits.size() > 1
            ? static_cast<double>(series.wordLengths.size()) / static_cast<double>(byBits.size() - 1)
            : 0.5;
        std::ranges::sort(wordLength.marks, {}, &SensitivitySeries::Mark::y);
        series.wordLengths.push_back(std::move(wordLength));
    }
    return series;
}

} // namespace quantoscope::ui
