// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>

#include "core/quant/encoding.h"
#include "core/quant/rounding_loops.h"

namespace quantoscope::quant {

namespace {

using detail::ChannelGrid;
using detail::Run;

/// Levels the float32 loops hold exactly. Wider ones (a bias' int32) are computed in double.
constexpr std::int64_t widestFloatLevel = std::int64_t { 1 } << 22;

bool isWide(const Encoding& encoding) { return std::int64_t { encoding.qmax } - encoding.qmin > widestFloatLevel; }

ChannelGrid gridOf(const Encoding& encoding, std::size_t channel)
{
    const std::int32_t zero = encoding.zeroPoint[channel];
    return { encoding.scale[channel], static_cast<float>(encoding.qmin - zero),
        static_cast<float>(encoding.qmax - zero), zero };
}

double roundWide(Rounding rounding, double v, float uniform)
{
    switch (rounding) {
    case Rounding::HalfEven:
        return std::nearbyint(v);
    case Rounding::HalfAway:
        return std::round(v);
    case Rounding::Floor:
        return std::floor(v);
    case Rounding::Ceil:
        return std::ceil(v);
    case Rounding::Stochastic:
        return v - std::floor(v) > static_cast<double>(uniform) ? std::floor(v) + 1 : std::floor(v);
    }
    return v;
}

std::int32_t wideLevel(const Encoding& encoding, std::size_t channel, float x, std::uint64_t seed, std::uint64_t index)
{
    const std::int32_t zero = encoding.zeroPoint[channel];
    if (std::isnan(x))
        return zero;
    const double v = static_cast<double>(x) / static_cast<double>(encoding.scale[channel]);
    const double level = roundWide(encoding.rounding, v, detail::uniformAt(seed, index)) + zero;
    return static_cast<std::int32_t>(
        std::clamp(level, static_cast<double>(encoding.qmin), static_cast<double>(encoding.qmax)));
}

float valueOf(const Encoding& encoding, std::size_t channel, std::int32_t level)
{
    return static_cast<float>(std::int64_t { level } - encoding.zeroPoint[channel]) * encoding.scale[channel];
}

/// Calls `visit(channel, first, count)` for every run of elements that share a channel, in memory order.
template <typename Visit> void forEachRun(const Encoding& encoding, const Shape& shape, const Visit& visit)
{
    const auto size = static_cast<std::size_t>(shape.size());
    if (size == 0)
        return;
    if (!encoding.perChannel()) {
        visit(std::size_t { 0 }, std::size_t { 0 }, size);
        return;
    }
    assert(encoding.axis < shape.rank());
    const auto channels = static_cast<std::size_t>(shape[encoding.axis]);
    assert(encoding.scale.size() == channels);
    std::size_t inner = 1;
    for (int axis = encoding.axis + 1; axis < shape.rank(); ++axis)
        inner *= static_cast<std::size_t>(shape[axis]);
    std::size_t channel = 0;
    for (std::size_t first = 0; first < size; first += inner) {
        visit(channel, first, inner);
        channel = channel + 1 == channels ? 0 : channel + 1;
    }
}

} // namespace

void quantize(const Encoding& encoding, const Shape& shape, std::span<const float> values,
    std::span<std::int32_t> levels, std::uint64_t seed)
{
    assert(std::ssize(values) == shape.size() && values.size() == levels.size());
    forEachRun(encoding, shape, [&](std::size_t channel, std::size_t first, std::size_t count) {
        if (!isWide(encoding)) {
            detail::quantizeRun(encoding.rounding, gridOf(encoding, channel),
                Run { values.data() + first, count, first, seed }, levels.data() + first);
            return;
        }
        for (std::size_t i = first; i < first + count; ++i)
            levels[i] = wideLevel(encoding, channel, values[i], seed, i);
    });
}

void dequantize(
    const Encoding& encoding, const Shape& shape, std::span<const std::int32_t> levels, std::span<float> values)
{
    assert(std::ssize(values) == shape.size() && values.size() == levels.size());
    forEachRun(encoding, shape, [&](std::size_t channel, std::size_t first, std::size_t count) {
        for (std::size_t i = first; i < first + count; ++i)
            values[i] = valueOf(encoding, channel, levels[i]);
    });
}

void fakeQuantize(
    const Encoding& encoding, const Shape& shape, std::span<const float> in, std::span<float> out, std::uint64_t seed)
{
    assert(std::ssize(in) == shape.size() && in.size() == out.size());
    forEachRun(encoding, shape, [&](std::size_t channel, std::size_t first, std::size_t count) {
        if (!isWide(encoding)) {
            detail::fakeQuantizeRun(encoding.rounding, gridOf(encoding, channel),
                Run { in.data() + first, count, first, seed }, out.data() + first);
            return;
        }
        for (std::size_t i = first; i < first + count; ++i)
            out[i] = valueOf(encoding, channel, wideLevel(encoding, channel, in[i], seed, i));
    });
}

Tensor fakeQuantize(const Encoding& encoding, const TensorView& tensor, std::uint64_t seed)
{
    Tensor result = tensor::convert(tensor, DType::Float32);
    fakeQuantize(encoding, result.shape(), result.as<float>(), result.as<float>(), seed);
    return result;
}

double squaredError(const Encoding& encoding, std::size_t channel, std::span<const float> values)
{
    assert(!isWide(encoding));
    return detail::squaredErrorOfRun(
        encoding.rounding, gridOf(encoding, channel), Run { values.data(), values.size(), 0, 0 });
}

double QuantizationError::sqnrDb() const
{
    if (noisePower == 0)
        return std::numeric_limits<double>::infinity();
    return 10 * std::log10(signalPower / noisePower);
}

double QuantizationError::mse() const { return count == 0 ? 0 : noisePower / static_cast<double>(count); }

double QuantizationError::cosine() const
{
    const double norms = std::sqrt(signalPower) * std::sqrt(quantizedPower);
    if (norms == 0)
        return signalPower == quantizedPower ? 1 : 0;
    return dot / norms;
}

double QuantizationError::clippedPercent() const
{
    return count == 0 ? 0 : 100.0 * static_cast<double>(clipped) / static_cast<double>(count);
}

QuantizationError& QuantizationError::operator+=(const QuantizationError& other)
{
    count += other.count;
    signalPower += other.signalPower;
    noisePower += other.noisePower;
    clippingPower += other.clippingPower;
    dot += other.dot;
    quantizedPower += other.quantizedPower;
    clipped += other.clipped;
    return *this;
}

namespace {

void addPair(QuantizationError& error, double x, double y)
{
    ++error.count;
    error.signalPower += x * x;
    error.noisePower += (x - y) * (x - y);
    error.dot += x * y;
    error.quantizedPower += y * y;
}

} // namespace

QuantizationError measureError(const Encoding& encoding, const TensorView& tensor)
{
    const Tensor original = tensor::convert(tensor, DType::Float32);
    const Tensor quantized = fakeQuantize(encoding, original.view());
    const auto values = original.as<float>();
    const auto approximations = quantized.as<float>();
    QuantizationError error;
    forEachRun(encoding, original.shape(), [&](std::size_t channel, std::size_t first, std::size_t count) {
        const double halfStep = 0.5 * static_cast<double>(encoding.scale[channel]);
        const double low = static_cast<double>(encoding.low(channel)) - halfStep;
        const double high = static_cast<double>(encoding.high(channel)) + halfStep;
        for (std::size_t i = first; i < first + count; ++i) {
            const double x = static_cast<double>(values[i]);
            const double y = static_cast<double>(approximations[i]);
            addPair(error, x, y);
            if (x < low || x > high) {
                ++error.clipped;
                error.clippingPower += (x - y) * (x - y);
            }
        }
    });
    return error;
}

QuantizationError measureError(std::span<const float> reference, std::span<const float> actual)
{
    assert(reference.size() == actual.size());
    QuantizationError error;
    for (std::size_t i = 0; i < reference.size(); ++i)
        addPair(error, static_cast<double>(reference[i]), static_cast<double>(actual[i]));
    return error;
}

} // namespace quantoscope::quant
