// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/calibration/range_estimator.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "core/calibration/range_search.h"
#include "core/calibration/range_source.h"

namespace quantoscope::calibration {

namespace {

using detail::Range;
using Method = quant::RangeSpec::Method;

class TensorSource : public detail::RangeSource {
public:
    explicit TensorSource(const TensorStats& stats)
        : m_stats(stats)
    {
    }

    Range seen() const override { return detail::seenRange(m_stats.moments().tensor); }
    detail::ValueSummary summary() const override
    {
        return detail::summarise(m_stats.moments().tensor, m_stats.histogram());
    }
    double quantile(double share) const override { return m_stats.quantile(share); }
    Histogram histogram() const override { return m_stats.histogram(); }
    Range leastSquares(const quant::QuantizerConfig& config, bool isSigned) const override
    {
        return detail::leastSquaresRange(detail::DensityModel(m_stats.histogram()), config, isSigned, seen());
    }

private:
    const TensorStats& m_stats;
};

/// One channel: exact moments, and a histogram that may be of a sample.
class ChannelSource : public detail::RangeSource {
public:
    ChannelSource(const Moments& moments, const Histogram& histogram)
        : m_moments(moments)
        , m_histogram(histogram)
    {
    }

    Range seen() const override { return detail::seenRange(m_moments); }
    detail::ValueSummary summary() const override { return detail::summarise(m_moments, m_histogram); }
    double quantile(double share) const override
    {
        // The ends are known exactly, the histogram's are those of its bins.
        return share == 0 ? static_cast<double>(m_moments.min)
            : share == 1  ? static_cast<double>(m_moments.max)
                          : m_histogram.quantile(share);
    }
    Histogram histogram() const override { return m_histogram; }
    Range leastSquares(const quant::QuantizerConfig& config, bool isSigned) const override
    {
        return detail::leastSquaresRange(detail::DensityModel(m_histogram), config, isSigned, seen());
    }

private:
    const Moments& m_moments;
    const Histogram& m_histogram;
};

/// The grid is chosen by what was seen: clipping must not turn a signed tensor into an unsigned one.
bool usesSignedGrid(const TensorStats& stats, const quant::QuantizerConfig& config, const quant::RangeSpec& range)
{
    const bool manual = range.method == Method::Manual;
    const double lowest = std::min(static_cast<double>(stats.min()), manual ? range.low : 0);
    const double highest = std::max(static_cast<double>(stats.max()), manual ? range.high : 0);
    return quant::usesSignedGrid(config, lowest, highest);
}

bool needsHistogram(Method method)
{
    return method != Method::MinMax && method != Method::Sigma && method != Method::Manual;
}

Result<void> checkChannels(
    const TensorStats& stats, const quant::QuantizerConfig& config, const quant::RangeSpec& range)
{
    if (config.granularity.axis != 1 || stats.channels().empty())
        return fail(ErrorCode::Unsupported,
            "no channel ranges were observed along axis " + std::to_string(config.granularity.axis), {},
            "use --activation-granularity tensor");
    if (needsHistogram(range.method) && stats.channelHistograms().empty())
        return fail(ErrorCode::Unsupported,
            "the tensor has " + std::to_string(stats.channels().size())
                + " channels, too many to keep a histogram of each, which '" + range.toString() + "' needs",
            {}, "use min-max or sigma:K for activations, or --activation-granularity tensor");
    return {};
}

Result<quant::Encoding> perChannelEncoding(
    const TensorStats& stats, const quant::QuantizerConfig& config, const quant::RangeSpec& range)
{
    QS_CHECK(checkChannels(stats, config, range));
    const bool isSigned = usesSignedGrid(stats, config, range);
    const auto channels = stats.channels().size();
    quant::Encoding encoding;
    encoding.rounding = config.rounding;
    encoding.axis = config.granularity.axis;
    encoding.scale.assign(channels, 1);
    encoding.zeroPoint.assign(channels, 0);
    const Histogram none;
    for (std::size_t c = 0; c < channels; ++c) {
        const auto& moments = stats.channels()[c];
        const auto& histogram = stats.channelHistograms().empty() ? none : stats.channelHistograms()[c];
        const Range chosen = moments.count == 0
            ? Range {}
            : detail::estimateRange(ChannelSource(moments, histogram), config, range, isSigned);
        quant::setChannel(encoding, c, config, isSigned, chosen.low, chosen.high);
    }
    return encoding;
}

} // namespace

Range detail::estimateRange(
    const TensorStats& stats, const quant::QuantizerConfig& config, const quant::RangeSpec& range)
{
    return estimateRange(TensorSource(stats), config, range, usesSignedGrid(stats, config, range));
}

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
    const Range chosen = detail::estimateRange(stats, config, range);
    quant::Encoding encoding;
    encoding.rounding = config.rounding;
    quant::setChannel(encoding, 0, config, usesSignedGrid(stats, config, range), chosen.low, chosen.high);
    return encoding;
}

} // namespace quantoscope::calibration
