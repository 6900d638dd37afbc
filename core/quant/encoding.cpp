// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/quant/encoding.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "core/quant/json_fields.h"

namespace quantoscope::quant {

int Encoding::bits() const
{
    int bits = 1;
    const auto holds = [this](int b) {
        const std::int64_t high = std::int64_t { 1 } << (isSigned() ? b - 1 : b);
        return qmax < high && (!isSigned() || qmin >= -high);
    };
    while (!holds(bits))
        ++bits;
    return bits;
}

float Encoding::low(std::size_t channel) const
{
    return static_cast<float>(std::int64_t { qmin } - zeroPoint[channel]) * scale[channel];
}

float Encoding::high(std::size_t channel) const
{
    return static_cast<float>(std::int64_t { qmax } - zeroPoint[channel]) * scale[channel];
}

Result<void> Encoding::validate() const
{
    const auto invalid = [](std::string what) { return fail(ErrorCode::InvalidInput, std::move(what)); };
    if (qmin >= qmax)
        return invalid("level bounds " + std::to_string(qmin) + ".." + std::to_string(qmax) + " are not ascending");
    if (scale.empty() || scale.size() != zeroPoint.size())
        return invalid("an encoding with " + std::to_string(scale.size()) + " scales and "
            + std::to_string(zeroPoint.size()) + " zero points; both must be given once a channel");
    if (scale.size() > 1 && !perChannel())
        return invalid(std::to_string(scale.size()) + " scales without a channel axis");
    for (std::size_t c = 0; c < scale.size(); ++c) {
        if (!(scale[c] > 0) || !std::isfinite(scale[c]))
            return invalid("scale " + std::to_string(scale[c]) + " of channel " + std::to_string(c)
                + " is not a positive finite number");
        if (zeroPoint[c] < qmin || zeroPoint[c] > qmax)
            return invalid("zero point " + std::to_string(zeroPoint[c]) + " of channel " + std::to_string(c)
                + " lies outside " + std::to_string(qmin) + ".." + std::to_string(qmax));
    }
    return {};
}

Json Encoding::toJson() const
{
    Json json {
        { "scale", detail::toJson(scale) },
        { "zero_point", zeroPoint },
        { "qmin", qmin },
        { "qmax", qmax },
    };
    if (perChannel())
        json["axis"] = axis;
    json["rounding"] = toString(rounding);
    return json;
}

Result<Encoding> Encoding::fromJson(const Json& json)
{
    using Limits = std::numeric_limits<std::int32_t>;
    Encoding encoding;
    QS_TRY(encoding.scale, detail::readFloats(json, "scale"));
    QS_TRY(encoding.zeroPoint, detail::readInt32s(json, "zero_point"));
    QS_TRY(encoding.qmin, detail::readInt(json, "qmin", Limits::min(), Limits::max()));
    QS_TRY(encoding.qmax, detail::readInt(json, "qmax", Limits::min(), Limits::max()));
    if (json.contains("axis")) {
        QS_TRY(encoding.axis, detail::readInt(json, "axis", 0, 15));
    }
    QS_TRY(const auto rounding, detail::readText(json, "rounding"));
    QS_TRY(encoding.rounding, parseRounding(rounding));
    QS_CHECK(encoding.validate());
    return encoding;
}

std::optional<std::string> qFormat(const Encoding& encoding)
{
    const auto isZero = [](std::int32_t zero) { return zero == 0; };
    int exponent = 0;
    const auto isPowerOfTwo = [&exponent](float scale) { return std::frexp(scale, &exponent) == 0.5F; };
    if (!std::ranges::all_of(encoding.zeroPoint, isZero) || !std::ranges::all_of(encoding.scale, isPowerOfTwo))
        return std::nullopt;
    const int magnitudeBits = encoding.bits() - (encoding.isSigned() ? 1 : 0);
    const auto format = [&](float scale) {
        const int fractionBits = -std::ilogb(scale);
        return (encoding.isSigned() ? "Q" : "UQ") + std::to_string(magnitudeBits - fractionBits) + '.'
            + std::to_string(fractionBits);
    };
    const auto [finest, coarsest] = std::ranges::minmax_element(encoding.scale);
    return *finest == *coarsest ? format(*finest) : format(*finest) + " to " + format(*coarsest);
}

Bounds integerBounds(const QuantizerConfig& config, bool isSigned)
{
    if (!isSigned)
        return { 0, (1 << config.bits) - 1 };
    const std::int32_t half = 1 << (config.bits - 1);
    return { config.narrowRange ? -half + 1 : -half, half - 1 };
}

bool usesSignedGrid(const QuantizerConfig& config, double low, double /*high*/)
{
    switch (config.signedness) {
    case Signedness::Signed:
        return true;
    case Signedness::Unsigned:
        return false;
    case Signedness::Auto:
        break;
    }
    return config.symmetric && low < 0;
}

namespace {

/// The step as it will be stored: a normal float32, a power of two where asked for. Subnormal steps would lose their
/// precision (and with it the bound on the error), so the smallest normal number stands in for them.
double storableStep(double step, ScaleRestriction restriction)
{
    if (!(step > 0))
        return 1;
    step = std::max(step, static_cast<double>(std::numeric_limits<float>::min()));
    if (restriction == ScaleRestriction::None)
        return std::min(step, static_cast<double>(std::numeric_limits<float>::max()));
    int exponent = 0;
    if (std::frexp(step, &exponent) == 0.5)
        --exponent;
    return std::ldexp(1.0, std::min(exponent, std::numeric_limits<float>::max_exponent - 1));
}

} // namespace

void setChannel(
    Encoding& encoding, std::size_t channel, const QuantizerConfig& config, bool isSigned, double low, double high)
{
    assert(low <= high && channel < encoding.scale.size());
    low = std::min(low, 0.0);
    high = std::max(high, 0.0);
    const auto [qmin, qmax] = integerBounds(config, isSigned);
    encoding.qmin = qmin;
    encoding.qmax = qmax;
    double step = 1;
    std::int32_t zero = 0;
    if (!config.symmetric) {
        step = storableStep((high - low) / (qmax - qmin), config.scale);
        zero = static_cast<std::int32_t>(
            std::clamp(std::nearbyint(qmin - low / step), static_cast<double>(qmin), static_cast<double>(qmax)));
    } else if (isSigned || low == 0) {
        step = storableStep(std::max(-low, high) / qmax, config.scale);
    } else {
        zero = 1 << (config.bits - 1);
        step = storableStep(std::max(-low, high) / (qmax - zero), config.scale);
    }
    encoding.scale[channel] = static_cast<float>(step);
    encoding.zeroPoint[channel] = zero;
}

Encoding encodingForRange(const QuantizerConfig& config, double low, double high)
{
    Encoding encoding;
    encoding.rounding = config.rounding;
    setChannel(encoding, 0, config, usesSignedGrid(config, low, high), low, high);
    return encoding;
}

Encoding encodingForRanges(
    const QuantizerConfig& config, int axis, std::span<const double> low, std::span<const double> high)
{
    assert(!low.empty() && low.size() == high.size() && axis >= 0);
    Encoding encoding;
    encoding.rounding = config.rounding;
    encoding.axis = axis;
    encoding.scale.assign(low.size(), 1);
    encoding.zeroPoint.assign(low.size(), 0);
    const bool isSigned = usesSignedGrid(config, *std::ranges::min_element(low), *std::ranges::max_element(high));
    for (std::size_t c = 0; c < low.size(); ++c)
        setChannel(encoding, c, config, isSigned, low[c], high[c]);
    return encoding;
}

} // namespace quantoscope::quant
