// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/channel_series.h"

#include <algorithm>
#include <cmath>
#include <sstream>

namespace quantoscope::ui {

namespace {

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
