// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <type_traits>

#include "core/tensor/tensor.h"

namespace quantoscope::tensor {

float halfToFloat(std::uint16_t h)
{
    const std::uint32_t sign = (h & 0x8000u) << 16;
    std::uint32_t exponent = (h >> 10) & 0x1Fu;
    std::uint32_t mantissa = h & 0x3FFu;
    if (exponent == 0x1F)
        return std::bit_cast<float>(sign | 0x7F800000u | (mantissa << 13));
    if (exponent == 0) {
        const float magnitude = static_cast<float>(mantissa) * 0x1.0p-24f;
        return sign ? -magnitude : magnitude;
    }
    return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (mantissa << 13));
}

std::uint16_t floatToHalf(float value)
{
    const auto bits = std::bit_cast<std::uint32_t>(value);
    const auto sign = static_cast<std::uint16_t>((bits >> 16) & 0x8000u);
    const std::uint32_t magnitude = bits & 0x7FFFFFFFu;
    if (magnitude > 0x7F800000u)
        return static_cast<std::uint16_t>(sign | 0x7E00u);
    if (magnitude >= 0x477FF000u) // 65520 and above round to infinity
        return static_cast<std::uint16_t>(sign | 0x7C00u);
    if (magnitude < 0x38800000u) { // subnormal: multiples of 2^-24
        const float scaled = std::bit_cast<float>(magnitude) * 0x1.0p24f;
        return static_cast<std::uint16_t>(sign | static_cast<std::uint16_t>(std::nearbyint(scaled)));
    }
    const std::uint32_t rounded = magnitude + 0xFFFu + ((magnitude >> 13) & 1u);
    return static_cast<std::uint16_t>(sign | ((rounded - 0x38000000u) >> 13));
}

float bfloat16ToFloat(std::uint16_t bits) { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }

std::uint16_t floatToBfloat16(float value)
{
    const auto bits = std::bit_cast<std::uint32_t>(value);
    if (std::isnan(value))
        return static_cast<std::uint16_t>((bits >> 16) | 0x40u);
    return static_cast<std::uint16_t>((bits + 0x7FFFu + ((bits >> 16) & 1u)) >> 16);
}

namespace {

int unpack(const std::uint8_t* bytes, std::int64_t i, int bits, bool isSigned)
{
    const std::int64_t bit = i * bits;
    const int raw = (bytes[bit / 8] >> (bit % 8)) & ((1 << bits) - 1);
    return isSigned && raw >= (1 << (bits - 1)) ? raw - (1 << bits) : raw;
}

void pack(std::uint8_t* bytes, std::int64_t i, int bits, int value)
{
    const std::int64_t bit = i * bits;
    const int mask = (1 << bits) - 1;
    const int others = bytes[bit / 8] & ~(mask << (bit % 8));
    bytes[bit / 8] = static_cast<std::uint8_t>(others | ((value & mask) << (bit % 8)));
}

/// Calls `visit(i, value)` with every element as double, int64 or uint64, whichever holds it exactly.
template <typename Visit> void forEach(DType dtype, const void* data, std::int64_t n, Visit visit)
{
    const auto plain = [&]<typename T, typename Wide>(T, Wide) {
        const auto* p = static_cast<const T*>(data);
        for (std::int64_t i = 0; i < n; ++i)
            visit(i, static_cast<Wide>(p[i]));
    };
    const auto* halves = static_cast<const std::uint16_t*>(data);
    const auto* raw = static_cast<const std::uint8_t*>(data);
    switch (dtype) {
    case DType::Float32:
        return plain(float {}, double {});
    case DType::Float64:
        return plain(double {}, double {});
    case DType::Float16:
        for (std::int64_t i = 0; i < n; ++i)
            visit(i, static_cast<double>(halfToFloat(halves[i])));
        return;
    case DType::BFloat16:
        for (std::int64_t i = 0; i < n; ++i)
            visit(i, static_cast<double>(bfloat16ToFloat(halves[i])));
        return;
    case DType::Int8:
        return plain(std::int8_t {}, std::int64_t {});
    case DType::UInt8:
        return plain(std::uint8_t {}, std::int64_t {});
    case DType::Int16:
        return plain(std::int16_t {}, std::int64_t {});
    case DType::UInt16:
        return plain(std::uint16_t {}, std::int64_t {});
    case DType::Int32:
        return plain(std::int32_t {}, std::int64_t {});
    case DType::UInt32:
        return plain(std::uint32_t {}, std::int64_t {});
    case DType::Int64:
        return plain(std::int64_t {}, std::int64_t {});
    case DType::UInt64:
        return plain(std::uint64_t {}, std::uint64_t {});
    case DType::Bool:
        for (std::int64_t i = 0; i < n; ++i)
            visit(i, static_cast<std::int64_t>(raw[i] != 0));
        return;
    case DType::Int4:
    case DType::UInt4:
    case DType::Int2:
    case DType::UInt2:
        for (std::int64_t i = 0; i < n; ++i)
            visit(i, static_cast<std::int64_t>(unpack(raw, i, bitWidth(dtype), isSigned(dtype))));
        return;
    }
}

template <typename Visit> void forEach(const TensorView& view, Visit visit)
{
    forEach(view.dtype(), view.data(), view.size(), visit);
}

/// float -> packed integer: truncated and saturated at the ends of the type; integers wrap when packed.
template <typename From> std::int32_t castToPacked(From value, DType to)
{
    if constexpr (std::is_floating_point_v<From>) {
        const int bits = bitWidth(to);
        const std::int32_t low = isSigned(to) ? -(1 << (bits - 1)) : 0;
        const std::int32_t high = (1 << (isSigned(to) ? bits - 1 : bits)) - 1;
        return std::isnan(value) ? 0 : static_cast<std::int32_t>(std::clamp<From>(std::trunc(value), low, high));
    } else {
        return static_cast<std::int32_t>(value);
    }
}

/// float -> integer truncates and saturates; integer -> integer wraps, as a C cast (and ONNX Runtime) does.
template <typename To, typename From> To castTo(From value)
{
    if constexpr (std::is_floating_point_v<To>) {
        return static_cast<To>(value);
    } else if constexpr (std::is_floating_point_v<From>) {
        if (std::isnan(value))
            return 0;
        const double truncated = std::trunc(value);
        if (truncated <= static_cast<double>(std::numeric_limits<To>::lowest()))
            return std::numeric_limits<To>::lowest();
        if (truncated >= static_cast<double>(std::numeric_limits<To>::max()))
            return std::numeric_limits<To>::max();
        return static_cast<To>(truncated);
    } else {
        return static_cast<To>(value);
    }
}

} // namespace

void convertElements(DType from, const void* source, DType to, void* target, std::int64_t count)
{
    const auto plain = [&]<typename T>(T) {
        auto* out = static_cast<T*>(target);
        forEach(from, source, count, [out](std::int64_t i, auto value) { out[i] = castTo<T>(value); });
    };
    auto* halves = static_cast<std::uint16_t*>(target);
    auto* raw = static_cast<std::uint8_t*>(target);
    switch (to) {
    case DType::Float32:
        plain(float {});
        break;
    case DType::Float64:
        plain(double {});
        break;
    case DType::Float16:
        forEach(from, source, count, [=](std::int64_t i, auto v) { halves[i] = floatToHalf(static_cast<float>(v)); });
        break;
    case DType::BFloat16:
        forEach(
            from, source, count, [=](std::int64_t i, auto v) { halves[i] = floatToBfloat16(static_cast<float>(v)); });
        break;
    case DType::Int8:
        plain(std::int8_t {});
        break;
    case DType::UInt8:
        plain(std::uint8_t {});
        break;
    case DType::Int16:
        plain(std::int16_t {});
        break;
    case DType::UInt16:
        plain(std::uint16_t {});
        break;
    case DType::Int32:
        plain(std::int32_t {});
        break;
    case DType::UInt32:
        plain(std::uint32_t {});
        break;
    case DType::Int64:
        plain(std::int64_t {});
        break;
    case DType::UInt64:
        plain(std::uint64_t {});
        break;
    case DType::Bool:
        forEach(from, source, count, [=](std::int64_t i, auto v) { raw[i] = v != 0 ? 1 : 0; });
        break;
    case DType::Int4:
    case DType::UInt4:
    case DType::Int2:
    case DType::UInt2:
        // The source may lie in the same bytes, so they are cleared one by one, and what is left of the last at the
        // end.
        forEach(from, source, count, [=](std::int64_t i, auto v) { pack(raw, i, bitWidth(to), castToPacked(v, to)); });
        if (const std::int64_t used = count * bitWidth(to) % 8)
            raw[count * bitWidth(to) / 8] &= static_cast<std::uint8_t>((1 << used) - 1);
        break;
    }
}

Tensor convert(const TensorView& from, DType to)
{
    Tensor result(to, from.shape());
    convertElements(from.dtype(), from.data(), to, result.data(), from.size());
    return result;
}

std::vector<double> toDoubles(const TensorView& view)
{
    std::vector<double> values(static_cast<std::size_t>(view.size()));
    forEach(view, [&](std::int64_t i, auto v) { values[static_cast<std::size_t>(i)] = static_cast<double>(v); });
    return values;
}

std::vector<std::int64_t> toInt64s(const TensorView& view)
{
    std::vector<std::int64_t> values(static_cast<std::size_t>(view.size()));
    forEach(view, [&](std::int64_t i, auto v) { values[static_cast<std::size_t>(i)] = castTo<std::int64_t>(v); });
    return values;
}

std::int64_t firstNonFinite(const TensorView& view)
{
    if (!isFloating(view.dtype()))
        return -1;
    std::int64_t first = -1;
    forEach(view, [&](std::int64_t i, auto v) {
        if constexpr (std::is_floating_point_v<decltype(v)>) {
            if (first < 0 && !std::isfinite(v))
                first = i;
        }
    });
    return first;
}

} // namespace quantoscope::tensor
