// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/calibration/histogram.h"
#include "core/calibration/moments.h"
#include "core/quant/encoding.h"
#include "ui/charts/distribution_series.h"

namespace quantoscope::ui {

/// What every channel of a tensor spans, and what its quantizer can represent of it.
struct ChannelSeries {
    std::vector<Span> values; ///< smallest and largest value, by channel
    std::vector<Span> representable; ///< likewise; empty: float
    Span all; ///< everything that is drawn

    bool empty() const { return values.empty(); }
    /// The step of the widest channel over that of the narrowest: how much finer than one grid for all of them the
    /// narrowest could be, were each to have its own. 0 where nothing can be said.
    double spread() const;
};

/// `encoding`: null where the tensor stays float; one channel, or as many as there are values.
ChannelSeries channelSeries(std::span<const float> low, std::span<const float> high, const quant::Encoding* encoding);
ChannelSeries channelSeries(std::span<const calibration::Moments> channels, const quant::Encoding* encoding);

/// How the values of every channel spread over the span of them all.
struct ChannelHeat {
    static constexpr std::size_t mostBands = 96;

    std::size_t bands = mostBands; ///< of values, of one height; fewer where a channel has few values
    Span span; ///< from the lower edge of the lowest band to the upper edge of the highest
    std::vector<float> percent; ///< of the channel's values in each band, channel after channel
    float grain = 0; ///< percent that one value is of the channel with the most
    std::size_t every = 1; ///< of how many values one was counted

    bool empty() const { return percent.empty(); }
    std::size_t channels() const { return percent.size() / bands; }
    float at(std::size_t channel, std::size_t band) const { return percent[channel * bands + band]; }
    /// The band a value is in; the nearest for values beyond.
    std::size_t bandOf(double value) const;
    double edge(std::size_t band) const
    {
        return span.low + (span.high - span.low) * static_cast<double>(band) / static_cast<double>(bands);
    }
};

/// `values` are [outer, channels, inner]. Of very large tensors some values stand for all of them.
ChannelHeat channelHeat(std::span<const float> values, std::size_t channels, std::size_t inner, const Span& span);
ChannelHeat channelHeat(std::span<const calibration::Histogram> channels, const Span& span);

std::string toCsv(const ChannelSeries& series);

} // namespace quantoscope::ui
