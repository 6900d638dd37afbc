// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "core/calibration/range_estimator.h"

namespace quantoscope::calibration {

namespace {

using Method = quant::RangeSpec::Method;

struct Range {
    double low = 0;
    double high = 0;
};

/// The values one scale is chosen for.
using Values = std::vector<float>;

Range extremes(const Values& values)
{
    if (values.empty())
        return {};
    const auto [low, high] = std::ranges::minmax(values);
    return { static_cast<double>(low), static_cast<double>(high) };
}

/// Each tail loses 100 - P percent, with linear interpolation between neighbours in order.
Range percentileRange(Values values, double percent)
{
    std::ranges::sort(values);
    const auto at = [&values](double share) {
        const double position = share * static_cast<double>(values.size() - 1);
        const auto below = static_cast<std::size_t>(position);
        const auto above = std::min(below + 1, values.size() - 1);
        return std::lerp(static_cast<double>(values[below]), static_cast<double>(values[above]),
            position - static_cast<double>(below));
    };
    return { at(1 - percent / 100), at(percent / 100) };
}

Range sigmaRange(const Values& values, double factor)
{
    const auto count = static_cast<double>(values.size());
    double mean = 0;
    for (const float value : values)
        mean += static_cast<double>(value) / count;
    double variance = 0;
    for (const float value : values)
        variance += std::pow(static_cast<double>(value) - mean, 2) / count;
    const double reach = factor * std::sqrt(variance);
    return { mean - reach, mean + reach };
}

double squaredError(const Values& values, const Values& approximations)
{
    double sum = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
        const double difference = static_cast<double>(values[i]) - static_cast<double>(approximations[i]);
        sum += difference * difference;
    }
    return sum;
}

/// The candidates k / 100 of the full range, k = 100..10, in descending order so that ties go to the larger.
Range leastSquaresRange(const Values& values, const quant::QuantizerConfig& config, bool isSigned)
{
    const Range full = extremes(values);
    const Shape shape { std::ssize(values) };
    Values approximations(values.size());
    quant::Encoding encoding;
    encoding.rounding = config.rounding;
    double least = std::numeric_limits<double>::infinity();
    Range best = full;
    for (int k = 100; k >= 10; --k) {
        const Range candidate { full.low * k / 100, full.high * k / 100 };
        quant::setChannel(encoding, 0, config, isSigned, candidate.low, candidate.high);
        quant::fakeQuantize(encoding, shape, values, approximations);
        if (const double error = squaredError(values, approximations); error < least) {
            least = error;
            best = candidate;
        }
    }
    return best;
}

Result<Range> chooseRange(
    const Values& values, const quant::QuantizerConfig& config, const quant::RangeSpec& range, bool isSigned)
{
    const Range full = extremes(values);
    const auto withinFull = [&full](Range wish) {
        return Range { std::max(wish.low, full.low), std::min(wish.high, full.high) };
    };
    switch (range.method) {
    case Method::MinMax:
        return full;
    case Method::Mse:
        return leastSquaresRange(values, config, isSigned);
    case Method::Percentile:
        return withinFull(percentileRange(values, range.parameter));
    case Method::Sigma:
        return withinFull(sigmaRange(values, range.parameter));
    case Method::Manual:
        return Range { range.low, range.high };
    case Method::Entropy:
    case Method::Aciq:
        break;
    }
    return fail(ErrorCode::Unsupported, "the range method '" + range.toString() + "' is not offered", {},
        "use min-max, mse, percentile:P or sigma:K");
}

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
        return fail(
            ErrorCode::Unsupported, "weights cannot be quantized per block yet", {}, "use per tensor or per channel");
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
        lowest = std::min(lowest, extremes(group).low);
        highest = std::max(highest, extremes(group).high);
    }
    const bool isSigned = quant::usesSignedGrid(config, lowest, highest);

    quant::Encoding encoding;
    encoding.rounding = config.rounding;
    if (config.granularity.kind == quant::Granularity::Kind::PerChannel)
        encoding.axis = config.granularity.axis;
    encoding.scale.assign(groups.size(), 1);
    encoding.zeroPoint.assign(groups.size(), 0);
    for (std::size_t c = 0; c < groups.size(); ++c) {
        QS_TRY(const auto chosen, chooseRange(groups[c], config, range, isSigned));
        quant::setChannel(encoding, c, config, isSigned, std::min(chosen.low, chosen.high), chosen.high);
    }
    return encoding;
}

} // namespace quantoscope::calibration
