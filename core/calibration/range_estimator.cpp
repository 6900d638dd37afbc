// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/calibration/range_estimator.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/calibration/range_search.h"

namespace quantoscope::calibration {

namespace {

using detail::Range;
using Method = quant::RangeSpec::Method;

/// The value below which `share` of everything seen lies: values spread evenly over their bin, exact zeros at zero.
double quantile(const Histogram& histogram, double share)
{
    const double target = share * static_cast<double>(histogram.total());
    double below = 0;
    for (std::size_t i = 0; i < histogram.counts().size(); ++i) {
        const std::int64_t bin = histogram.firstBin() + static_cast<std::int64_t>(i);
        const double edge = static_cast<double>(bin) * histogram.binWidth();
        const auto zeros = bin == 0 ? static_cast<double>(histogram.zeros()) : 0;
        const double others = static_cast<double>(histogram.counts()[i]) - zeros;
        if (zeros > 0 && below + zeros >= target)
            return edge;
        below += zeros;
        if (others > 0 && below + others >= target)
            return edge + (target - below) / others * histogram.binWidth();
        below += others;
    }
    return histogram.high();
}

/// Each tail loses 100 - P percent of all values.
Range percentileRange(const TensorStats& stats, double percent)
{
    const double share = percent / 100;
    return { quantile(stats.histogram(), 1 - share), quantile(stats.histogram(), share) };
}

Range sigmaRange(const TensorStats& stats, double factor)
{
    const double reach = factor * std::sqrt(stats.variance());
    return { stats.mean() - reach, stats.mean() + reach };
}

Result<Range> chooseRange(const TensorStats& stats, const quant::QuantizerConfig& config, const quant::RangeSpec& range)
{
    const Range seen { std::min(0.0, static_cast<double>(stats.min())),
        std::max(0.0, static_cast<double>(stats.max())) };
    const auto withinSeen = [&seen](Range wish) {
        return Range { std::clamp(wish.low, seen.low, 0.0), std::clamp(wish.high, 0.0, seen.high) };
    };
    switch (range.method) {
    case Method::MinMax:
        return seen;
    case Method::Mse:
        return detail::leastSquaresRange(detail::DensityModel(stats.histogram()), config, seen.low, seen.high);
    case Method::Percentile:
        return withinSeen(percentileRange(stats, range.parameter));
    case Method::Sigma:
        return withinSeen(sigmaRange(stats, range.parameter));
    case Method::Manual:
        return Range { range.low, range.high };
    case Method::Entropy:
    case Method::Aciq:
        break;
    }
    return fail(ErrorCode::Unsupported, "the range method '" + range.toString() + "' is not offered", {},
        "use min-max, mse, percentile:P or sigma:K");
}

Result<quant::Encoding> perChannelEncoding(
    const TensorStats& stats, const quant::QuantizerConfig& config, const quant::RangeSpec& range)
{
    if (range.method != Method::MinMax)
        return fail(ErrorCode::Unsupported,
            "activations per channel take their ranges from min-max, not from '" + range.toString() + "'", {},
            "use --activation-range min-max or --activation-granularity tensor");
    if (config.granularity.axis != 1 || stats.channels().empty())
        return fail(ErrorCode::Unsupported,
            "no channel ranges were observed along axis " + std::to_string(config.granularity.axis), {},
            "use --activation-granularity tensor");
    std::vector<double> low;
    std::vector<double> high;
    for (const auto& channel : stats.channels()) {
        low.push_back(static_cast<double>(channel.min));
        high.push_back(static_cast<double>(channel.max));
    }
    return quant::encodingForRanges(config, config.granularity.axis, low, high);
}

} // namespace

Result<quant::Encoding> estimateEncoding(
    const TensorStats& stats, const quant::QuantizerConfig& config, const quant::RangeSpec& range)
{
    QS_CHECK(config.validate());
    if (stats.count() == 0)
        return fail(ErrorCode::InvalidInput, "no finite value was seen during calibration", {},
            "calibrate with images that reach this tensor");
    switch (config.granularity.kind) {
    case quant::Granularity::Kind::PerTensor:
        break;
    case quant::Granularity::Kind::PerChannel:
        return perChannelEncoding(stats, config, range);
    case quant::Granularity::Kind::PerBlock:
        return fail(
            ErrorCode::Unsupported, "activations cannot be quantized per block", {}, "use per tensor or per channel");
    }
    QS_TRY(const auto chosen, chooseRange(stats, config, range));
    // The grid is chosen by what was seen: clipping must not turn a signed tensor into an unsigned one.
    quant::Encoding encoding;
    encoding.rounding = config.rounding;
    const double lowest = std::min(chosen.low, static_cast<double>(stats.min()));
    const double highest = std::max(chosen.high, static_cast<double>(stats.max()));
    quant::setChannel(encoding, 0, config, quant::usesSignedGrid(config, lowest, highest), chosen.low, chosen.high);
    return encoding;
}

} // namespace quantoscope::calibration
