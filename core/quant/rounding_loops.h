// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/quant/encoding.h"

/// The loops behind quantize() and fakeQuantize(); private to this module.
///
/// For levels within +-2^22 everything happens in float32. With v = x / s the level relative to the zero point is
/// clamp(round(v), qmin - z, qmax - z); the bounds are integers, so clamping first gives the same, and what is left is
/// so small that adding and subtracting 1.5 * 2^23 rounds it half to even. It never yields a negative zero either. x /
/// s is correctly rounded, by a division or in a faster way that gives the same, so every instruction set gives the
/// same bits.
namespace quantoscope::quant::detail {

/// The grid of one channel: levels relative to the zero point.
struct ChannelGrid {
    float scale = 1;
    float low = 0; ///< qmin - z
    float high = 0; ///< qmax - z
    std::int32_t zeroPoint = 0;
};

/// A run of values that share a grid. `first` is the index of its first element in the whole tensor.
struct Run {
    const float* in = nullptr;
    std::size_t count = 0;
    std::uint64_t first = 0;
    std::uint64_t seed = 0;
};

void fakeQuantizeRun(Rounding rounding, const ChannelGrid& grid, const Run& run, float* out);
void quantizeRun(Rounding rounding, const ChannelGrid& grid, const Run& run, std::int32_t* levels);
/// sum (x - x^)^2 in float64, over a fixed number of lanes.
double squaredErrorOfRun(Rounding rounding, const ChannelGrid& grid, const Run& run);

/// Uniform in [0, 1) with 24 bits, from seed and element index alone: SplitMix64's output function (Steele, Lea, Flood
/// 2014) at a position that depends on both.
inline float uniformAt(std::uint64_t seed, std::uint64_t index)
{
    std::uint64_t z = (seed ^ 0x9E3779B97F4A7C15ULL) * 0xD1342543DE82EF95ULL + (index + 1) * 0x9E3779B97F4A7C15ULL;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    z ^= z >> 31;
    return static_cast<float>(static_cast<std::int32_t>(z >> 40)) * 0x1.0p-24F;
}

} // namespace quantoscope::quant::detail
