// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <vector>

#include "core/calibration/stats.h"
#include "core/quant/encoding.h"
#include "ui/charts/value_scale.h"

namespace quantoscope::ui {

/// A histogram ready to draw: bars side by side, of one width, or on a logarithmic axis with edges of their own.
struct DistributionSeries {
    double first = 0; ///< lower edge of bar 0
    double width = 0; ///< of every bar; 0: nothing to draw, or `edges` has the widths
    std::vector<double> edges = {}; ///< one more than bars; empty: all have one width
    std::vector<double> shares; ///< percent of all values in each bar
    double low = 0; ///< what the values span
    double high = 0;

    bool empty() const { return shares.empty(); }
    double edge(std::size_t bar) const { return edges.empty() ? first + static_cast<double>(bar) * width : edges[bar]; }
    /// The bar that holds `x`.
    std::optional<std::size_t> at(double x) const;
};

/// Into how many bars `values` values may be counted before most bars hold none or one of them: 4 sqrt(values), within
/// `fewest` and `most`. (A square root is the customary rule; four times as many keep single peaks in sight.)
int telling(double values, int fewest, int most);

/// How many bars to draw of what a histogram holds: 256, or fewer where it holds little.
int barsFor(const calibration::Histogram& histogram);

/// At most `bars` bars (a few less), by joining bins of the histogram, so that every count is exact.
DistributionSeries distributionSeries(const calibration::Histogram& histogram, int bars);

/// The same for a logarithmic axis: bars of about one width there. None is narrower than a bin, so every count is
/// exact.
DistributionSeries distributionSeries(const calibration::Histogram& histogram, const ValueScale& scale, int bars);

/// The histogram in bars at least as wide as those of a series with equal bars (`barWidth`) that it is drawn over, and
/// scaled to them, so that equal heights mean equal density.
DistributionSeries matchingSeries(const calibration::Histogram& histogram, double barWidth);

/// A logarithmic axis that shows all the octaves that bins of the histogram can tell apart.
ValueScale scaleFor(const calibration::Histogram& histogram);

/// `count` heights in [0, 1] over the whole span, with the root of the share so that tails stay visible; for a
/// thumbnail.
std::vector<float> thumbnail(const calibration::Histogram& histogram, int count);

/// What a per-tensor encoding makes of the values: one bar a level (levels are joined where they are narrower than
/// `barWidth`), scaled to the bar width of the plain histogram, so that equal heights mean equal density.
DistributionSeries quantizedSeries(
    const calibration::Histogram& histogram, const quant::Encoding& encoding, double barWidth);

/// The same over the bars of a logarithmic axis: a level's share spreads over the values that become it.
DistributionSeries quantizedSeries(const calibration::Histogram& histogram, const quant::Encoding& encoding,
    const ValueScale& scale, const std::vector<double>& edges);

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
