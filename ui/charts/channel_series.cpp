// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/channel_series.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <sstream>

namespace quantoscope::ui {

namespace {

constexpr std::size_t mostValues = 8'000'000; // that are counted while somebody waits

/// Counts to percent of each channel.
void normalize(ChannelHeat& heat)
{
    for (std::size_t c = 0; c < heat.channels(); ++c) {
        const auto row = std::span(heat.percent).subspan(c * heat.bands, heat.bands);
        const float total = std::accumulate(row.begin(), row.end(), 0.0F);
        if (total > 0)
            for (float& value : row)
                value *= 100 / total;
    }
}

/// Adds the values of a histogram's bin to the bands of a channel. They are taken to lie evenly in their bin: the bins
/// of a channel with a wide range may be wider than bands, which would leave every other band empty.
void spread(const ChannelHeat& heat, std::span<float> row, std::int64_t bin, double width, double count)
{
    const double low = static_cast<double>(bin) * width;
    const double high = low + width;
    const std::size_t last = heat.bandOf(high);
    for (std::size_t band = heat.bandOf(low); band <= last; ++band) {
        // What lies beyond the span counts for the band at its end.
        const double from = band == 0 ? low : std::max(low, heat.edge(band));
        const double to = band + 1 == heat.bands ? high : std::min(high, heat.edge(band + 1));
        if (to > from)
            row[band] += static_cast<float>(count * (to - from) / width);
    }
}

std::size_t bandsFor(double valuesPerChannel)
{
    constexpr int fewest = 16;
    return static_cast<std::size_t>(telling(valuesPerChannel, fewest, static_cast<int>(ChannelHeat::mostBands)));
}

double size(const Span& span) { return std::max(std::abs(span.low), std::abs(span.high)); }

} // namespace

double ChannelSeries::spread() const
{
    double least = 0;
    double most = 0;
    for (const Span& span : values) {
        if (size(span) > 0)
            least = least > 0 ? std::min(least, size(span)) : size(span);
        most = std::max(most, size(span));
    }
    return least > 0 ? most / least : 0;
}

ChannelSeries channelSeries(std::span<const float> low, std::span<const float> high, const quant::Encoding* encoding)
{
    ChannelSeries series;
    for (std::size_t c = 0; c < std::min(low.size(), high.size()); ++c) {
        series.values.push_back({ static_cast<double>(low[c]), static_cast<double>(high[c]) });
        if (encoding) {
            const std::size_t one = encoding->scale.size() > 1 ? std::min(c, encoding->scale.size() - 1) : 0;
            series.representable.push_back(
                { static_cast<double>(encoding->low(one)), static_cast<double>(encoding->high(one)) });
        }
    }
    for (const auto* spans : { &series.values, &series.representable })
        for (const Span& span : *spans) {
            series.all.low = std::min(series.all.low, span.low);
            series.all.high = std::max(series.all.high, span.high);
        }
    return series;
}

ChannelSeries channelSeries(std::span<const calibration::Moments> channels, const quant::Encoding* encoding)
{
    std::vector<float> low, high;
    for (const calibration::Moments& channel : channels) {
        low.push_back(channel.min);
        high.push_back(channel.max);
    }
    return channelSeries(low, high, encoding);
}

std::size_t ChannelHeat::bandOf(double value) const
{
    const auto count = static_cast<double>(bands);
    const double at = span.high > span.low ? (value - span.low) / (span.high - span.low) * count : 0;
    return static_cast<std::size_t>(std::clamp(at, 0.0, count - 1));
}

ChannelHeat channelHeat(std::span<const float> values, std::size_t channels, std::size_t inner, const Span& span)
{
    ChannelHeat heat;
    heat.span = span;
    heat.bands = bandsFor(static_cast<double>(values.size()) / static_cast<double>(std::max<std::size_t>(1, channels)));
    heat.percent.assign(channels * heat.bands, 0);
    heat.every = 1 + values.size() / mostValues;
    std::vector<std::uint32_t> counts(heat.percent.size(), 0);
    const auto bands = static_cast<float>(heat.bands);
    const float scale = static_cast<float>(static_cast<double>(heat.bands) / std::max(span.high - span.low, 1e-300));
    const auto low = static_cast<float>(span.low);
    for (std::size_t begin = 0, c = 0; begin + inner <= values.size(); begin += inner, c = (c + 1) % channels)
        for (std::size_t i = begin; i < begin + inner; i += heat.every) {
            const float at = std::clamp((values[i] - low) * scale, 0.0F, bands - 1);
            if (at == at) // not a NaN
                ++counts[c * heat.bands + static_cast<std::size_t>(at)];
        }
    std::ranges::transform(counts, heat.percent.begin(), [](std::uint32_t count) { return static_cast<float>(count); });
    normalize(heat);
    return heat;
}

ChannelHeat channelHeat(std::span<const calibration::Histogram> channels, const Span& span)
{
    ChannelHeat heat;
    heat.span = span;
    std::uint64_t most = 0;
    for (const calibration::Histogram& histogram : channels)
        most = std::max(most, histogram.total());
    heat.bands = bandsFor(static_cast<double>(most));
    heat.grain = 100 / static_cast<float>(std::max<std::uint64_t>(1, most));
    heat.percent.assign(channels.size() * heat.bands, 0);
    for (std::size_t c = 0; c < channels.size(); ++c) {
        const calibration::Histogram& histogram = channels[c];
        const auto row = std::span(heat.percent).subspan(c * heat.bands, heat.bands);
        for (std::size_t i = 0; i < histogram.counts().size(); ++i)
            if (const auto count = histogram.counts()[i]; count > 0)
                spread(heat, row, histogram.firstBin() + static_cast<std::int64_t>(i), histogram.binWidth(),
                    static_cast<double>(count));
    }
    normalize(heat);
    return heat;
}

std::string toCsv(const ChannelSeries& series)
{
    std::ostringstream out;
    out << "channel,low,high,representable_low,representable_high\n";
    for (std::size_t c = 0; c < series.values.size(); ++c) {
        out << c << ',' << series.values[c].low << ',' << series.values[c].high << ',';
        if (c < series.representable.size())
            out << series.representable[c].low << ',' << series.representable[c].high << '\n';
        else
            out << ",\n";
    }
    return out.str();
}

} // namespace quantoscope::ui
