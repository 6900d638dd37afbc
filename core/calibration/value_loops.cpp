// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/calibration/value_loops.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace quantoscope::calibration::detail {

namespace {

/// So many that compilers keep the loop over them, and vectorise it.
constexpr std::size_t lanes = 32;

/// Running sums, lane by lane: the order of additions is the same whatever instructions do them.
struct LaneSums {
    std::array<float, lanes> low;
    std::array<float, lanes> high;
    std::array<float, lanes> check {}; ///< x - x is 0 for finite x and NaN otherwise
    std::array<double, lanes> sum {};
    std::array<double, lanes> squares {};
    std::array<double, lanes> absolute {};

    [[gnu::always_inline]] void add(const float* values, std::size_t count, double origin)
    {
        for (std::size_t lane = 0; lane < count; ++lane) {
            const float value = values[lane];
            low[lane] = value < low[lane] ? value : low[lane];
            high[lane] = value > high[lane] ? value : high[lane];
            check[lane] += value - value;
        }
        for (std::size_t lane = 0; lane < count; ++lane) {
            const auto value = static_cast<double>(values[lane]);
            const double distance = value - origin;
            sum[lane] += distance;
            squares[lane] += distance * distance;
            absolute[lane] += std::abs(value);
        }
    }
};

[[gnu::always_inline]] inline RunSums sumsLoop(const float* values, std::size_t count, float shift)
{
    LaneSums inLanes;
    inLanes.low.fill(values[0]);
    inLanes.high.fill(values[0]);
    std::size_t i = 0;
    for (; i + lanes <= count; i += lanes)
        inLanes.add(values + i, lanes, shift);
    inLanes.add(values + i, count - i, shift);
    RunSums sums { inLanes.low[0], inLanes.high[0], true, 0, 0, 0 };
    for (std::size_t lane = 0; lane < lanes; ++lane) {
        sums.low = std::min(sums.low, inLanes.low[lane]);
        sums.high = std::max(sums.high, inLanes.high[lane]);
        sums.finite = sums.finite && inLanes.check[lane] == 0;
        sums.sum += inLanes.sum[lane];
        sums.squares += inLanes.squares[lane];
        sums.absolute += inLanes.absolute[lane];
    }
    return sums;
}

[[gnu::always_inline]] inline std::size_t binsLoop(
    const float* values, std::size_t count, float inverseWidth, std::int32_t first, std::int32_t* bins)
{
    std::int32_t zeros = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const float value = values[i];
        const float scaled = value * inverseWidth; // exact, unless it becomes so small that only its sign counts
        const auto truncated = static_cast<std::int32_t>(scaled);
        const std::int32_t belowZero = value < 0 ? 1 : 0;
        const std::int32_t inexact = scaled < static_cast<float>(truncated) ? 1 : 0;
        const std::int32_t inFirst = truncated == 0 ? 1 : 0;
        bins[i] = truncated - (belowZero & (inexact | inFirst)) - first;
        zeros += value == 0 ? 1 : 0;
    }
    return static_cast<std::size_t>(zeros);
}

// One copy of each loop for each instruction set: the body is inlined and so takes over the instructions of its caller.
struct Loops {
    RunSums (*sums)(const float*, std::size_t, float);
    std::size_t (*bins)(const float*, std::size_t, float, std::int32_t, std::int32_t*);
};

RunSums sumsBaseline(const float* values, std::size_t count, float shift) { return sumsLoop(values, count, shift); }
std::size_t binsBaseline(
    const float* values, std::size_t count, float inverseWidth, std::int32_t first, std::int32_t* bins)
{
    return binsLoop(values, count, inverseWidth, first, bins);
}

#if defined(__x86_64__) && defined(__GNUC__)

[[gnu::target("avx2")]] RunSums sumsAvx2(const float* values, std::size_t count, float shift)
{
    return sumsLoop(values, count, shift);
}
[[gnu::target("avx2")]] std::size_t binsAvx2(
    const float* values, std::size_t count, float inverseWidth, std::int32_t first, std::int32_t* bins)
{
    return binsLoop(values, count, inverseWidth, first, bins);
}
[[gnu::target("avx512f,avx512dq,avx512vl,prefer-vector-width=512")]] RunSums sumsAvx512(
    const float* values, std::size_t count, float shift)
{
    return sumsLoop(values, count, shift);
}
[[gnu::target("avx512f,avx512dq,avx512vl,prefer-vector-width=512")]] std::size_t binsAvx512(
    const float* values, std::size_t count, float inverseWidth, std::int32_t first, std::int32_t* bins)
{
    return binsLoop(values, count, inverseWidth, first, bins);
}

Loops chooseLoops()
{
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        return { sumsAvx512, binsAvx512 };
    if (__builtin_cpu_supports("avx2"))
        return { sumsAvx2, binsAvx2 };
    return { sumsBaseline, binsBaseline };
}

#else

Loops chooseLoops() { return { sumsBaseline, binsBaseline }; }

#endif

const Loops& loops()
{
    static const Loops chosen = chooseLoops();
    return chosen;
}

} // namespace

RunSums sumsOf(const float* values, std::size_t count, float shift) { return loops().sums(values, count, shift); }

std::size_t binsOf(const float* values, std::size_t count, float inverseWidth, std::int32_t first, std::int32_t* bins)
{
    return loops().bins(values, count, inverseWidth, first, bins);
}

} // namespace quantoscope::calibration::detail
