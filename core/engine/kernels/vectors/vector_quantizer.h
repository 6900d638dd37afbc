// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>

#include "core/quant/encoding.h"

namespace quantoscope::engine {

/// What a VectorQuantizer does beside clamping.
enum class Quantizing {
    No,
    Any,
    FromZero, ///< the smallest value is zero: what is not a number becomes that by clamping
};

/// A clamp and a quantizer behind it as loops apply them to a vector: bit for bit quant::fakeQuantize() of the clamped
/// value. Neither does anything by default.
struct VectorQuantizer {
    float scale = 1;
    float reciprocal = 1;
    float lowest = 0; ///< smallest value that need not be clamped
    float highest = 0;
    bool quantizes = false;

    Quantizing kind() const
    {
        if (!quantizes)
            return Quantizing::No;
        return lowest == 0 ? Quantizing::FromZero : Quantizing::Any;
    }
    static VectorQuantizer none() { return clamp(-__builtin_inff(), __builtin_inff()); }
    static VectorQuantizer clamp(float low, float high)
    {
        VectorQuantizer result;
        result.lowest = low;
        result.highest = high;
        return result;
    }
    /// Empty where quantizer and clamp cannot be had in this form: several scales, a rounding other than half to even,
    /// scales near the ends of float32's range, a wide grid.
    static std::optional<VectorQuantizer> of(
        const quant::Encoding& encoding, float low = -__builtin_inff(), float high = __builtin_inff())
    {
        constexpr std::int64_t mostLevels = std::int64_t { 1 } << 16;
        if (encoding.perChannel() || encoding.rounding != quant::Rounding::HalfEven
            || std::int64_t { encoding.qmax } - encoding.qmin >= mostLevels)
            return std::nullopt;
        const float scale = encoding.scale.front();
        if (scale < 0x1p-70F || scale > 0x1p70F)
            return std::nullopt;
        // The larger of the bounds, and so on: clamping twice is clamping once where the ranges overlap, as they do
        // around zero.
        VectorQuantizer result = clamp(low, high);
        const float lowestLevel = static_cast<float>(encoding.qmin - encoding.zeroPoint.front()) * scale;
        const float highestLevel = static_cast<float>(encoding.qmax - encoding.zeroPoint.front()) * scale;
        if (low > highestLevel || high < lowestLevel)
            return std::nullopt;
        result.lowest = low > lowestLevel ? low : lowestLevel;
        result.highest = high < highestLevel ? high : highestLevel;
        result.scale = scale;
        result.reciprocal = 1 / scale;
        result.quantizes = true;
        return result;
    }
};

} // namespace quantoscope::engine
