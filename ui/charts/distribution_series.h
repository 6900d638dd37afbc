// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <vector>

#include "core/calibration/stats.h"
#include "core/quant/encoding.h"

namespace quantoscope::ui {

/// A histogram ready to draw: bars of one width side by side.
struct DistributionSeries {
    double first = 0; ///< lower edge of bar 0
    double width = 0; ///< of every bar; 0: nothing to draw
    std::vector<double> shares; ///< percent of all values in each bar
    double low = 0; ///< what the values span
    double high = 0;

    bool empty() const { return shares.empty(); }
    double edge(std::size_t bar) const { return first + static_cast<double>(bar) * width; }
    /// The bar that holds `x`.
    std::optional<std::size_t> at(double x) const;
};

/// At most `bars` bars (a few less), by joining bins of the histogram, so that every count is exact.
DistributionSeries distributionSeries(const calibration::Histogram& histogram, int bars = 256);

/// `count` heights in [0, 1] over the whole span, with the root of the share so that tails stay visible; for a
/// thumbnail.
std::vector<float> thumbnail(const calibration::Histogram& histogram, int count);

/// What a per-tensor encoding makes of the values: one bar a level (levels are joined where they are narrower than
/// `barWidth`), scaled to the bar width of the plain histogram, so that equal heights mean equal density.
DistributionSeries quantizedSeries(
    const calibration::Histogram& histogram, const quant::Encoding& encoding, double barWidth);

/// The representable values of one channel, ascending.
std::vector<double> gridLevels(const quant::Encoding& encoding, std::size_t channel = 0);

/// What an encoding can represent: of one channel, or the widest span of all of them.
struct Span {
    double low = 0;
    double high = 0;
    friend bool operator==(const Span&, const Span&) = default;
};
Span representableSpan(const quant::Encoding& encoding, std::optional<std::size_t> channel = std::nullopt);

} // namespace quantoscope::ui
