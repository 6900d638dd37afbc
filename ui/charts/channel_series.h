// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

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

std::string toCsv(const ChannelSeries& series);

} // namespace quantoscope::ui
