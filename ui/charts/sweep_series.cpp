// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/sweep_series.h"

#include <algorithm>
#include <cmath>
#include <map>

#include <QCoreApplication>

#include "ui/charts/number_format.h"
#include "ui/charts/range_words.h"

namespace quantoscope::ui {

namespace {

QString tr(const char* text) { return QCoreApplication::translate("quantoscope::ui::SweepSeries", text); }

/// Float sorts after every word-length.
int sortKey(sweep::Bits bits) { return bits.value_or(quant::maxBits + 1); }

/// Those asked for, whether there are points of them yet or not, and those of the points.
std::vector<sweep::Bits> distinct(const std::vector<sweep::Bits>& asked, const std::vector<sweep::SweepPoint>& points,
    sweep::Bits sweep::SweepPoint::*member)
{
    std::map<int, sweep::Bits> found;
    for (const sweep::Bits bits : asked)
        found.emplace(sortKey(bits), bits);
    for (const auto& point : points)
        found.emplace(sortKey(point.*member), point.*member);
    std::vector<sweep::Bits> result;
    for (const auto& [key, bits] : found)
        result.push_back(bits);
    return result;
}

/// Float stands one step to the right of the largest word-length.
double xOf(sweep::Bits bits, const std::vector<sweep::Bits>& all)
{
    if (bits)
        return *bits;
    const auto largest = std::find_if(all.rbegin(), all.rend(), [](sweep::Bits b) { return b.has_value(); });
    return largest == all.rend() ? 0.0 : **largest + 1.0;
}

} // namespace

SweepSeries sweepSeries(const sweep::SweepResult& result)
{
    const auto weights = distinct(result.weightBits, result.points, &sweep::SweepPoint::weightBits);
    const auto activations = distinct(result.activationBits, result.points, &sweep::SweepPoint::activationBits);

    SweepSeries series;
    series.overWeights = weights.size() > 1 || activations.size() <= 1;
    const auto xMember = series.overWeights ? &sweep::SweepPoint::weightBits : &sweep::SweepPoint::activationBits;
    const auto lineMember = series.overWeights ? &sweep::SweepPoint::activationBits : &sweep::SweepPoint::weightBits;
    const auto& xs = series.overWeights ? weights : activations;
    const auto& groups = series.overWeights ? activations : weights;
    series.xTitle = series.overWeights ? tr("Weight word-length [bits]") : tr("Activation word-length [bits]");
    series.lineTitle = series.overWeights ? tr("Activations") : tr("Weights");
    series.title = tr("Accuracy against word-length");
    for (const QString& text : { inWords(result.scope), QString::fromStdString(result.data) })
        if (!text.isEmpty())
            series.captions << text;

    for (const sweep::Bits bits : xs)
        series.ticks.push_back({ xOf(bits, xs), formatBits(bits) });
    for (std::size_t g = 0; g < groups.size(); ++g) {
        SweepSeries::Line line;
        line.bits = groups[g];
        line.label = groups[g] ? tr("%1 bits").arg(*groups[g]) : formatBits(groups[g]);
        line.position = groups.size() > 1 ? static_cast<double>(g) / static_cast<double>(groups.size() - 1) : 0.5;
        for (std::size_t i = 0; i < result.points.size(); ++i) {
            const auto& point = result.points[i];
            if (point.*lineMember == groups[g])
                line.points.push_back(
                    { xOf(point.*xMember, xs), point.top1, point.top1Interval.low, point.top1Interval.high, i });
        }
        std::sort(line.points.begin(), line.points.end(), [](const auto& a, const auto& b) { return a.x < b.x; });
        series.lines.push_back(std::move(line));
    }
    if (result.floatResult) {
        series.floatTop1 = result.floatResult->top1();
        series.floatInterval = result.floatResult->top1Interval();
    }
    return series;
}

SweepGrid sweepGrid(const sweep::SweepResult& result)
{
    const auto weights = distinct(result.weightBits, result.points, &sweep::SweepPoint::weightBits);
    const auto activations = distinct(result.activationBits, result.points, &sweep::SweepPoint::activationBits);
    SweepGrid grid;
    for (const sweep::Bits bits : weights)
        grid.columns.push_back(formatBits(bits));
    for (const sweep::Bits bits : activations)
        grid.rows.push_back(formatBits(bits));
    grid.cells.resize(weights.size() * activations.size());
    for (std::size_t i = 0; i < result.points.size(); ++i) {
        const auto& point = result.points[i];
        const auto column = std::find(weights.begin(), weights.end(), point.weightBits) - weights.begin();
        const auto row = std::find(activations.begin(), activations.end(), point.activationBits) - activations.begin();
        grid.cells[static_cast<std::size_t>(row) * weights.size() + static_cast<std::size_t>(column)] = i;
    }
    return grid;
}

AccuracyScale accuracyScale(const sweep::SweepResult& result)
{
    constexpr double reach = 10; // points below float
    if (result.points.empty())
        return {};
    const auto [lowest, highest] = std::ranges::minmax(result.points, {}, &sweep::SweepPoint::top1);
    const double reference = result.floatResult ? result.floatResult->top1() : highest.top1;
    AccuracyScale scale;
    scale.high = std::max(reference, highest.top1);
    scale.low = std::floor(std::max({ 0.0, reference - reach, lowest.top1 }));
    if (scale.low >= scale.high)
        scale.low = scale.high - 1;
    scale.clipped = lowest.top1 < scale.low;
    return scale;
}

} // namespace quantoscope::ui
