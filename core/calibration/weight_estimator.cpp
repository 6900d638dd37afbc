// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <bit>
#include <cmath>
#include <vector>

#include "core/calibration/range_estimator.h"
#include "core/calibration/range_source.h"
#include "core/calibration/weight_search.h"

namespace quantoscope::calibration {

namespace {

using detail::Range;
using Method = quant::RangeSpec::Method;

/// The values one scale is chosen for.
using Values = std::vector<float>;

class ValueSource : public detail::RangeSource {
public:
    explicit ValueSource(const Values& values)
        : m_values(values)
    {
    }

    Range seen() const override { return detail::seenRange(m_values); }
    detail::ValueSummary summary() const override { return detail::summarise(m_values); }
    /// With linear interpolation between neighbours in order.
    double quantile(double share) const override
    {
        const double position = share * static_cast<double>(m_values.size() - 1);
        const auto below = static_cast<std::ptrdiff_t>(position);
        Values ordered = m_values;
        std::ranges::nth_element(ordered, ordered.begin() + below);
        const auto lower = static_cast<double>(ordered[static_cast<std::size_t>(below)]);
        const auto rest = std::ranges::subrange(ordered.begin() + below + 1, ordered.end());
        if (rest.empty())
            return lower;
        return std::lerp(
            lower, static_cast<double>(*std::ranges::min_element(rest)), position - static_cast<double>(below));
    }
    Histogram histogram() const override
    {
        // More bins than values would only be empty.
        constexpr std::size_t fewest = 64;
        Histogram result(
            static_cast<int>(std::clamp<std::size_t>(std::bit_ceil(m_values.size()), fewest, Histogram::targetBins)));
        result.add(m_values);
        return result;
    }
    Range leastSquares(const quant::QuantizerConfig& config, bool isSigned) const override
    {
        return detail::leastSquaresRange(m_values, config, isSigned);
    }

private:
    const Values& m_values;
};

/// The elements by channel, or all of them as one.
Result<std::vector<Values>> groupByScale(const TensorView& weight, const quant::Granularity& granularity)
{
    const Tensor converted = tensor::convert(weight, DType::Float32);
    const auto all = converted.as<float>();
    const auto& shape = weight.shape();
    switch (granularity.kind) {
    case quant::Granularity::Kind::PerTensor:
        return std::vector<Values> { Values(all.begin(), all.end()) };
    case quant::Granularity::Kind::PerBlock:
        return fail(ErrorCode::Unsupported,
            "one scale for each block of a weight is not offered: encodings have one a channel at "
            "most",
            {}, "use per tensor or per channel");
    case quant::Granularity::Kind::PerChannel:
        break;
    }
    if (granularity.axis < 0 || granularity.axis >= shape.rank())
        return fail(ErrorCode::InvalidInput,
            "channel axis " + std::to_string(granularity.axis) + " does not exist in shape " + shape.toString());
    std::int64_t inner = 1;
    for (int axis = granularity.axis + 1; axis < shape.rank(); ++axis)
        inner *= shape[axis];
    const std::int64_t channels = shape[granularity.axis];
    std::vector<Values> groups(static_cast<std::size_t>(channels));
    for (std::int64_t first = 0; first < std::ssize(all); first += inner) {
        const auto run = all.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(inner));
        auto& group = groups[static_cast<std::size_t>(first / inner % channels)];
        group.insert(group.end(), run.begin(), run.end());
    }
    return groups;
}

} // namespace

Result<quant::Encoding> estimateWeightEncoding(
    const TensorView& weight, const quant::QuantizerConfig& config, const quant::RangeSpec& range)
{
    QS_CHECK(config.validate());
    if (weight.size() == 0)
        return fail(ErrorCode::InvalidInput, "a weight of shape " + weight.shape().toString() + " has no elements");
    if (const auto index = tensor::firstNonFinite(weight); index >= 0)
        return fail(ErrorCode::InvalidInput, "element " + std::to_string(index) + " is not finite", {},
            "repair the model, such a weight has no range");
    QS_TRY(const auto groups, groupByScale(weight, config.granularity));
    double lowest = range.method == Method::Manual ? range.low : 0;
    double highest = range.method == Method::Manual ? range.high : 0;
    for (const auto& group : groups) {
        const Range seen = detail::seenRange(group);
        lowest = std::min(lowest, seen.low);
        highest = std::max(highest, seen.high);
    }
    const bool isSigned = quant::usesSignedGrid(config, lowest, highest);

    quant::Encoding encoding;
    encoding.rounding = config.rounding;
    if (config.granularity.kind == quant::Granularity::Kind::PerChannel)
        encoding.axis = config.granularity.axis;
    encoding.scale.assign(groups.size(), 1);
    encoding.zeroPoint.assign(groups.size(), 0);
    for (std::size_t c = 0; c < groups.size(); ++c) {
        const Range chosen = detail::estimateRange(ValueSource(groups[c]), config, range, isSigned);
        quant::setChannel(encoding, c, config, isSigned, chosen.low, chosen.high);
    }
    return encoding;
}

} // namespace quantoscope::calibration
