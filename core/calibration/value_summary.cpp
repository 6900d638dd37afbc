// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/calibration/value_summary.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace quantoscope::calibration::detail {

namespace {

/// E|x - point|, values spread evenly over their bin and exact zeros at zero. The histogram must not be empty.
double meanDistance(const Histogram& histogram, double point)
{
    const double width = histogram.binWidth();
    double sum = static_cast<double>(histogram.zeros()) * std::abs(point);
    for (std::size_t i = 0; width > 0 && i < histogram.counts().size(); ++i) {
        const std::int64_t bin = histogram.firstBin() + static_cast<std::int64_t>(i);
        const auto mass = static_cast<double>(histogram.counts()[i] - (bin == 0 ? histogram.zeros() : 0));
        const double a = static_cast<double>(bin) * width;
        const double below = std::clamp(point - a, 0.0, width);
        const double above = width - below;
        const bool inside = below > 0 && above > 0;
        sum += mass * (inside ? (below * below + above * above) / (2 * width) : std::abs(a + width / 2 - point));
    }
    return sum / static_cast<double>(histogram.total());
}

} // namespace

double ValueSummary::variance() const { return std::max(0.0, meanSquare - mean * mean); }

Range Range::limit(Range wish) const { return { std::clamp(wish.low, low, 0.0), std::clamp(wish.high, 0.0, high) }; }

Range seenRange(const Moments& moments)
{
    return { std::min(0.0, static_cast<double>(moments.min)), std::max(0.0, static_cast<double>(moments.max)) };
}

Range seenRange(std::span<const float> values)
{
    float low = 0;
    float high = 0;
    for (const float value : values) {
        low = value < low ? value : low;
        high = value > high ? value : high;
    }
    return { static_cast<double>(low), static_cast<double>(high) };
}

ValueSummary summarise(const Moments& moments, const Histogram& histogram)
{
    assert(moments.count > 0);
    ValueSummary result;
    result.seen = seenRange(moments);
    result.mean = moments.mean;
    result.meanSquare = moments.variance() + moments.mean * moments.mean;
    result.meanAbsolute = moments.meanAbsolute();
    if (histogram.total() > 0) {
        result.meanDeviation = meanDistance(histogram, result.mean);
        result.zeroShare = static_cast<double>(histogram.zeros()) / static_cast<double>(histogram.total());
    }
    return result;
}

ValueSummary summarise(std::span<const float> values)
{
    assert(!values.empty());
    const auto count = static_cast<double>(values.size());
    ValueSummary result;
    result.seen = seenRange(values);
    for (const float value : values) {
        const auto x = static_cast<double>(value);
        result.zeroShare += x == 0 ? 1 : 0;
        result.mean += x;
        result.meanSquare += x * x;
        result.meanAbsolute += std::abs(x);
    }
    result.zeroShare /= count;
    result.mean /= count;
    result.meanSquare /= count;
    result.meanAbsolute /= count;
    for (const float value : values)
        result.meanDeviation += std::abs(static_cast<double>(value) - result.mean);
    result.meanDeviation /= count;
    return result;
}

} // namespace quantoscope::calibration::detail
