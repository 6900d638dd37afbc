// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/distribution_series.h"

#include <algorithm>
#include <cmath>

namespace quantoscope::ui {

namespace {

constexpr double linearBins = 16; // of a histogram, that lie evenly around zero on a logarithmic axis

/// Integer division that rounds towards minus infinity, so that joined bins stay aligned on both sides of zero.
std::int64_t floorDivide(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

} // namespace

std::optional<std::size_t> DistributionSeries::at(double x) const
{
    if (!edges.empty()) {
        if (x < edges.front() || x >= edges.back())
            return std::nullopt;
        return static_cast<std::size_t>(std::ranges::upper_bound(edges, x) - edges.begin()) - 1;
    }
    if (empty() || x < first)
        return std::nullopt;
    const auto bar = static_cast<std::size_t>((x - first) / width);
    return bar < shares.size() ? std::optional(bar) : std::nullopt;
}

namespace {

/// The bins from the first to the last that is not empty.
struct Occupied {
    std::int64_t first;
    std::int64_t last;
};

Occupied occupiedBins(const calibration::Histogram& histogram)
{
    const double width = histogram.binWidth();
    return { static_cast<std::int64_t>(std::llround(histogram.low() / width)),
        static_cast<std::int64_t>(std::llround(histogram.high() / width)) - 1 };
}

bool hasBins(const calibration::Histogram& histogram) { return histogram.total() > 0 && histogram.binWidth() > 0; }

/// Bars of `join` bins each.
DistributionSeries joinedBins(const calibration::Histogram& histogram, std::int64_t join)
{
    DistributionSeries series;
    const auto& counts = histogram.counts();
    const double binWidth = histogram.binWidth();
    series.low = histogram.low();
    series.high = histogram.high();
    const auto [firstBin, lastBin] = occupiedBins(histogram);
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

} // namespace

int telling(double values, int fewest, int most)
{
    return static_cast<int>(std::clamp(4 * std::sqrt(values), static_cast<double>(fewest), static_cast<double>(most)));
}

int barsFor(const calibration::Histogram& histogram)
{
    constexpr int fewest = 24;
    constexpr int most = 256;
    return telling(static_cast<double>(histogram.total()), fewest, most);
}

DistributionSeries distributionSeries(const calibration::Histogram& histogram, int bars)
{
    if (!hasBins(histogram))
        return {};
    const auto [first, last] = occupiedBins(histogram);
    return joinedBins(histogram, std::max<std::int64_t>(1, (last - first + bars) / bars));
}

DistributionSeries matchingSeries(const calibration::Histogram& histogram, double barWidth)
{
    if (!hasBins(histogram) || barWidth <= 0)
        return {};
    const auto join = static_cast<std::int64_t>(std::ceil(barWidth / histogram.binWidth() - 1e-9));
    DistributionSeries series = joinedBins(histogram, std::max<std::int64_t>(1, join));
    for (double& share : series.shares)
        share *= barWidth / series.width;
    return series;
}

ValueScale scaleFor(const calibration::Histogram& histogram) { return { linearBins * histogram.binWidth() }; }

DistributionSeries distributionSeries(const calibration::Histogram& histogram, const ValueScale& scale, int bars)
{
    if (!scale.logarithmic())
        return distributionSeries(histogram, bars);
    DistributionSeries series;
    const double binWidth = histogram.binWidth();
    if (histogram.total() == 0 || binWidth <= 0)
        return series;
    series.low = histogram.low();
    series.high = histogram.high();
    const double from = scale.toAxis(series.low);
    const double to = scale.toAxis(series.high);
    for (int i = 0; i <= bars; ++i) {
        // On the edge of a bin.
        const double edge = std::nearbyint(scale.toValue(from + (to - from) * i / bars) / binWidth) * binWidth;
        if (series.edges.empty() || edge > series.edges.back())
            series.edges.push_back(edge);
    }
    series.first = series.edges.front();
    series.shares.assign(series.edges.size() - 1, 0);
    const double percent = 100.0 / static_cast<double>(histogram.total());
    std::size_t bar = 0;
    for (std::size_t i = 0; i < histogram.counts().size(); ++i) {
        const double centre
            = (static_cast<double>(histogram.firstBin() + static_cast<std::int64_t>(i)) + 0.5) * binWidth;
        while (bar + 1 < series.shares.size() && centre >= series.edges[bar + 1])
            ++bar;
        series.shares[bar] += static_cast<double>(histogram.counts()[i]) * percent;
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

namespace {

/// How many of the histogram's values become each level, from qmin on.
std::vector<double> levelCounts(const calibration::Histogram& histogram, const quant::Encoding& encoding)
{
    std::vector<double> counts(static_cast<std::size_t>(encoding.qmax - encoding.qmin + 1), 0);
    const double scale = static_cast<double>(encoding.scale.front());
    const double zero = encoding.zeroPoint.front();
    for (std::size_t i = 0; i < histogram.counts().size(); ++i) {
        const std::uint64_t count = histogram.counts()[i];
        if (count == 0)
            continue;
        const double centre
            = (static_cast<double>(histogram.firstBin() + static_cast<std::int64_t>(i)) + 0.5) * histogram.binWidth();
        const double level = std::clamp<double>(std::nearbyint(centre / scale) + zero, encoding.qmin, encoding.qmax);
        counts[static_cast<std::size_t>(level - encoding.qmin)] += static_cast<double>(count);
    }
    return counts;
}

} // namespace

DistributionSeries quantizedSeries(
    const calibration::Histogram& histogram, const quant::Encoding& encoding, double barWidth)
{
    DistributionSeries series;
    if (histogram.total() == 0 || histogram.binWidth() <= 0 || barWidth <= 0)
        return series;
    const double scale = static_cast<double>(encoding.scale.front());
    const std::vector<double> counts = levelCounts(histogram, encoding);
    const auto join = static_cast<std::size_t>(std::max(1.0, std::ceil(barWidth / scale)));
    series.width = scale * static_cast<double>(join);
    series.first = (encoding.qmin - encoding.zeroPoint.front() - 0.5) * scale;
    series.shares.assign((counts.size() + join - 1) / join, 0);
    const double factor = 100.0 / static_cast<double>(histogram.total()) * barWidth / series.width;
    for (std::size_t level = 0; level < counts.size(); ++level)
        series.shares[level / join] += counts[level] * factor;
    series.low = series.first;
    series.high = series.edge(series.shares.size());
    return series;
}

DistributionSeries quantizedSeries(const calibration::Histogram& histogram, const quant::Encoding& encoding,
    const ValueScale& scale, const std::vector<double>& edges)
{
    DistributionSeries series;
    if (histogram.total() == 0 || histogram.binWidth() <= 0 || edges.size() < 2)
        return series;
    series.edges = edges;
    series.first = series.low = edges.front();
    series.high = edges.back();
    series.shares.assign(edges.size() - 1, 0);
    const std::vector<double> counts = levelCounts(histogram, encoding);
    const double step = static_cast<double>(encoding.scale.front());
    const double percent = 100.0 / static_cast<double>(histogram.total());
    std::size_t bar = 0;
    for (std::size_t level = 0; level < counts.size(); ++level) {
        // What becomes this level, as far as there are bars; a level beyond them goes to the last.
        const double q = encoding.qmin + static_cast<double>(level) - encoding.zeroPoint.front();
        const double low = std::clamp((q - 0.5) * step, edges.front(), edges.back());
        const double high = std::clamp((q + 0.5) * step, edges.front(), edges.back());
        while (bar + 1 < series.shares.size() && edges[bar + 1] <= low)
            ++bar;
        if (counts[level] == 0)
            continue;
        // One height all along: what a bar gets depends on how much of it lies in what becomes this level.
        const auto covered = [&](std::size_t b) {
            const double whole = scale.toAxis(edges[b + 1]) - scale.toAxis(edges[b]);
            return (scale.toAxis(std::min(high, edges[b + 1])) - scale.toAxis(std::max(low, edges[b]))) / whole;
        };
        double bars = 0;
        for (std::size_t b = bar; b < series.shares.size() && edges[b] < high; ++b)
            bars += covered(b);
        if (bars <= 0) {
            series.shares[bar] += counts[level] * percent;
            continue;
        }
        for (std::size_t b = bar; b < series.shares.size() && edges[b] < high; ++b)
            series.shares[b] += counts[level] * percent * covered(b) / bars;
    }
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
