// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/distribution_series.h"

#include <algorithm>
#include <cmath>

namespace quantoscope::ui {

namespace {

/// Integer division that rounds towards minus infinity, so that joined bins stay aligned on both sides of zero.
std::int64_t floorDivide(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

} // namespace

std::optional<std::size_t> DistributionSeries::at(double x) const
{
    if (empty() || x < first)
        return std::nullopt;
    const auto bar = static_cast<std::size_t>((x - first) / width);
    return bar < shares.size() ? std::optional(bar) : std::nullopt;
}

DistributionSeries distributionSeries(const calibration::Histogram& histogram, int bars)
{
    DistributionSeries series;
    const auto& counts = histogram.counts();
    const double binWidth = histogram.binWidth();
    if (histogram.total() == 0 || binWidth <= 0)
        return series;
    series.low = histogram.low();
    series.high = histogram.high();
    const auto firstBin = static_cast<std::int64_t>(std::llround(series.low / binWidth));
    const auto lastBin = static_cast<std::int64_t>(std::llround(series.high / binWidth)) - 1;
    const std::int64_t join = std::max<std::int64_t>(1, (lastBin - firstBin + bars) / bars);
    const std::int64_t firstBar = floorDivide(firstBin, join);
    const std::int64_t lastBar = floorDivide(lastBin, join);
    series.width = binWidth * static_cast<double>(join);
    series.first = static_cast<double>(firstBar) * series.width;
    series.shares.assign(static_cast<std::size_t>(lastBar - firstBar + 1), 0);
    const double percent = 100.0 / static_cast<double>(histogram.total());
    for (std::size_t i = 0; i < counts.size(); ++i) {
        if (counts[i] == 0)
            continue;
        const std::int64_t bar = floorDivide(histogram.firstBin() + static_cast<std::int64_t>(i), join) - firstBar;
        series.shares[static_cast<std::size_t>(bar)] += static_cast<double>(counts[i]) * percent;
    }
    return series;
}

std::vector<float> thumbnail(const calibration::Histogram& histogram, int count)
{
    const DistributionSeries series = distributionSeries(histogram, count * 8);
    std::vector<float> heights(static_cast<std::size_t>(count), 0);
    if (series.empty())
        return heights;
    for (std::size_t i = 0; i < series.shares.size(); ++i)
        heights[i * heights.size() / series.shares.size()] += static_cast<float>(series.shares[i]);
    const float tallest = *std::max_element(heights.begin(), heights.end());
    for (float& height : heights)
        height = std::sqrt(height / tallest);
    return heights;
}

DistributionSeries quantizedSeries(
    const calibration::Histogram& histogram, const quant::Encoding& encoding, double barWidth)
{
    DistributionSeries series;
    if (histogram.total() == 0 || histogram.binWidth() <= 0 || barWidth <= 0)
        return series;
    const double scale = static_cast<double>(encoding.scale.front());
    const double zero = encoding.zeroPoint.front();
    const double binWidth = histogram.binWidth();
    const auto levelCount = static_cast<std::size_t>(encoding.qmax - encoding.qmin + 1);
    const auto join = static_cast<std::size_t>(std::max(1.0, std::ceil(barWidth / scale)));
    series.width = scale * static_cast<double>(join);
    series.first = (encoding.qmin - zero - 0.5) * scale;
    series.shares.assign((levelCount + join - 1) / join, 0);
    const double factor = 100.0 / static_cast<double>(histogram.total()) * barWidth / series.width;
    for (std::size_t i = 0; i < histogram.counts().size(); ++i) {
        const std::uint64_t count = histogram.counts()[i];
        if (count == 0)
            continue;
        const double centre
            = (static_cast<double>(histogram.firstBin() + static_cast<std::int64_t>(i)) + 0.5) * binWidth;
        const double level = std::clamp<double>(std::nearbyint(centre / scale) + zero, encoding.qmin, encoding.qmax);
        const auto bar = static_cast<std::size_t>(level - encoding.qmin) / join;
        series.shares[bar] += static_cast<double>(count) * factor;
    }
    series.low = series.first;
    series.high = series.edge(series.shares.size());
    return series;
}

std::vector<double> gridLevels(const quant::Encoding& encoding, std::size_t channel)
{
    std::vector<double> levels;
    levels.reserve(static_cast<std::size_t>(encoding.qmax - encoding.qmin + 1));
    const double scale = static_cast<double>(encoding.scale[channel]);
    for (std::int32_t q = encoding.qmin; q <= encoding.qmax; ++q)
        levels.push_back((q - encoding.zeroPoint[channel]) * scale);
    return levels;
}

Span representableSpan(const quant::Encoding& encoding, std::optional<std::size_t> channel)
{
    if (channel)
        return { static_cast<double>(encoding.low(*channel)), static_cast<double>(encoding.high(*channel)) };
    Span span { static_cast<double>(encoding.low(0)), static_cast<double>(encoding.high(0)) };
    for (std::size_t c = 1; c < encoding.scale.size(); ++c) {
        span.low = std::min(span.low, static_cast<double>(encoding.low(c)));
        span.high = std::max(span.high, static_cast<double>(encoding.high(c)));
    }
    return span;
}

} // namespace quantoscope::ui
