// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/quant/rounding_loops.h"

#include <array>
#include <type_traits>

namespace quantoscope::quant::detail {

namespace {

/// Half to even for |v| <= 2^22.
constexpr float roundingMagic = 0x1.8p23F;

template <Rounding rounding> [[gnu::always_inline]] inline float roundLevel(float v, [[maybe_unused]] float uniform)
{
    const float even = (v + roundingMagic) - roundingMagic;
    const float floor = even > v ? even - 1 : even;
    if constexpr (rounding == Rounding::HalfEven)
        return even;
    else if constexpr (rounding == Rounding::Floor)
        return floor;
    else if constexpr (rounding == Rounding::Ceil)
        return even < v ? even + 1 : even;
    else if constexpr (rounding == Rounding::HalfAway)
        return v > 0 ? (v - even == 0.5F ? even + 1 : even) : (v - even == -0.5F ? even - 1 : even);
    else
        return v - floor > uniform ? floor + 1 : floor;
}

/// How x / s is found.
enum class Quotient {
    Divided, ///< by a division
    /// By a product with the reciprocal and a correction, several times as fast where products and sums come in one:
    /// r = fl(1 / s), q = fl(x r), fl(q + fl(x - q s) r) is x / s correctly rounded (Markstein 1990) unless something
    /// over- or underflows on the way.
    Corrected,
    /// The same where the lowest level is zero, as behind a Relu: what is not a number becomes that by clamping.
    CorrectedFromZero,
};

/// A grid with what Quotient::Corrected needs.
struct Steps {
    float scale = 1;
    float reciprocal = 1;
    float lowest = 0; ///< values beyond give the same level; infinities would not survive the correction
    float highest = 0;
    float low = 0;
    float high = 0;
};

template <Rounding rounding> [[gnu::always_inline]] inline Steps stepsOf(const ChannelGrid& grid)
{
    // Half to even leads back to the bound itself; the others are clamped again.
    const float beyond = rounding == Rounding::HalfEven ? 0 : 1;
    return { grid.scale, 1 / grid.scale, (grid.low - beyond) * grid.scale, (grid.high + beyond) * grid.scale, grid.low,
        grid.high };
}

/// Whether the correction is exact wherever a level changes: the remainder, about 2^-48 of the scale there, must be
/// normal. Where quotients next to zero underflow, it is not; that is nothing to those who round to the nearest.
template <Rounding rounding> bool isCorrectable(float scale)
{
    constexpr bool nearest = rounding == Rounding::HalfEven || rounding == Rounding::HalfAway;
    return nearest && scale >= 0x1p-70F && scale <= 0x1p70F;
}

template <Rounding rounding> bool isFromZero(const ChannelGrid& grid)
{
    return rounding == Rounding::HalfEven && grid.low == 0 && isCorrectable<rounding>(grid.scale);
}

/// The level relative to the zero point, as float; NaN gives 0, that is the zero point.
template <Rounding rounding, Quotient quotient>
[[gnu::always_inline]] inline float relativeLevel(float x, const Steps& steps, float uniform)
{
    float v = x;
    if constexpr (quotient != Quotient::Divided) {
        if constexpr (quotient == Quotient::Corrected)
            x = x == x ? x : 0;
        x = x > steps.lowest ? x : steps.lowest;
        x = x < steps.highest ? x : steps.highest;
        const float q = x * steps.reciprocal;
        v = __builtin_fmaf(__builtin_fmaf(-q, steps.scale, x), steps.reciprocal, q);
        if constexpr (rounding == Rounding::HalfEven)
            return roundLevel<rounding>(v, uniform);
    } else {
        v = x / steps.scale;
        v = v == v ? v : 0;
    }
    v = v > steps.low ? v : steps.low;
    v = v < steps.high ? v : steps.high;
    return roundLevel<rounding>(v, uniform);
}

template <Rounding rounding>
[[gnu::always_inline]] inline float uniformFor([[maybe_unused]] const Run& run, [[maybe_unused]] std::size_t i)
{
    if constexpr (rounding == Rounding::Stochastic)
        return uniformAt(run.seed, run.first + i);
    else
        return 0;
}

template <Rounding rounding, Quotient quotient>
[[gnu::always_inline]] inline void fakeQuantizeLoop(const ChannelGrid& grid, const Run& run, float* out)
{
    const Steps steps = stepsOf<rounding>(grid);
    const float* const in = run.in;
#pragma GCC ivdep // in place or apart
    for (std::size_t i = 0; i < run.count; ++i)
        out[i] = relativeLevel<rounding, quotient>(in[i], steps, uniformFor<rounding>(run, i)) * steps.scale;
}

template <Rounding rounding, Quotient quotient>
[[gnu::always_inline]] inline void quantizeLoop(const ChannelGrid& grid, const Run& run, std::int32_t* levels)
{
    const Steps steps = stepsOf<rounding>(grid);
    const std::int32_t zeroPoint = grid.zeroPoint;
    const float* const in = run.in;
    for (std::size_t i = 0; i < run.count; ++i) {
        const float level = relativeLevel<rounding, quotient>(in[i], steps, uniformFor<rounding>(run, i));
        levels[i] = static_cast<std::int32_t>(level) + zeroPoint;
    }
}

template <Rounding rounding, Quotient quotient>
[[gnu::always_inline]] inline void squaredErrorLoop(const ChannelGrid& grid, const Run& run, double* sum)
{
    constexpr std::size_t lanes = 16;
    const Steps steps = stepsOf<rounding>(grid);
    const float* const in = run.in;
    const auto squared = [&](std::size_t i) {
        const float y = relativeLevel<rounding, quotient>(in[i], steps, uniformFor<rounding>(run, i)) * steps.scale;
        const double difference = static_cast<double>(in[i]) - static_cast<double>(y);
        return difference * difference;
    };
    std::array<double, lanes> sums {};
    std::size_t i = 0;
    for (; i + lanes <= run.count; i += lanes)
        for (std::size_t lane = 0; lane < lanes; ++lane)
            sums[lane] += squared(i + lane);
    for (; i < run.count; ++i)
        sums[0] += squared(i);
    *sum = 0;
    for (const double part : sums)
        *sum += part;
}

template <typename Out> using RunFunction = void (*)(const ChannelGrid&, const Run&, Out*);

/// One copy of each loop for each instruction set: the body is inlined and so takes over the instructions of its
/// caller.
template <Rounding rounding> void fakeQuantizeBaseline(const ChannelGrid& grid, const Run& run, float* out)
{
    fakeQuantizeLoop<rounding, Quotient::Divided>(grid, run, out);
}
template <Rounding rounding> void quantizeBaseline(const ChannelGrid& grid, const Run& run, std::int32_t* levels)
{
    quantizeLoop<rounding, Quotient::Divided>(grid, run, levels);
}
template <Rounding rounding> void squaredErrorBaseline(const ChannelGrid& grid, const Run& run, double* sum)
{
    squaredErrorLoop<rounding, Quotient::Divided>(grid, run, sum);
}

#if defined(__x86_64__) && defined(__GNUC__)

template <Rounding rounding>
[[gnu::target("avx2,fma")]] void fakeQuantizeAvx2(const ChannelGrid& grid, const Run& run, float* out)
{
    if (isFromZero<rounding>(grid))
        return fakeQuantizeLoop<rounding, Quotient::CorrectedFromZero>(grid, run, out);
    if (isCorrectable<rounding>(grid.scale))
        return fakeQuantizeLoop<rounding, Quotient::Corrected>(grid, run, out);
    fakeQuantizeLoop<rounding, Quotient::Divided>(grid, run, out);
}
template <Rounding rounding>
[[gnu::target("avx2,fma")]] void quantizeAvx2(const ChannelGrid& grid, const Run& run, std::int32_t* levels)
{
    if (isCorrectable<rounding>(grid.scale))
        return quantizeLoop<rounding, Quotient::Corrected>(grid, run, levels);
    quantizeLoop<rounding, Quotient::Divided>(grid, run, levels);
}
template <Rounding rounding>
[[gnu::target("avx2,fma")]] void squaredErrorAvx2(const ChannelGrid& grid, const Run& run, double* sum)
{
    if (isCorrectable<rounding>(grid.scale))
        return squaredErrorLoop<rounding, Quotient::Corrected>(grid, run, sum);
    squaredErrorLoop<rounding, Quotient::Divided>(grid, run, sum);
}
template <Rounding rounding>
[[gnu::target("avx512f,avx512dq,prefer-vector-width=512")]] void fakeQuantizeAvx512(
    const ChannelGrid& grid, const Run& run, float* out)
{
    if (isFromZero<rounding>(grid))
        return fakeQuantizeLoop<rounding, Quotient::CorrectedFromZero>(grid, run, out);
    if (isCorrectable<rounding>(grid.scale))
        return fakeQuantizeLoop<rounding, Quotient::Corrected>(grid, run, out);
    fakeQuantizeLoop<rounding, Quotient::Divided>(grid, run, out);
}
template <Rounding rounding>
[[gnu::target("avx512f,avx512dq,prefer-vector-width=512")]] void quantizeAvx512(
    const ChannelGrid& grid, const Run& run, std::int32_t* levels)
{
    if (isCorrectable<rounding>(grid.scale))
        return quantizeLoop<rounding, Quotient::Corrected>(grid, run, levels);
    quantizeLoop<rounding, Quotient::Divided>(grid, run, levels);
}
template <Rounding rounding>
[[gnu::target("avx512f,avx512dq,prefer-vector-width=512")]] void squaredErrorAvx512(
    const ChannelGrid& grid, const Run& run, double* sum)
{
    if (isCorrectable<rounding>(grid.scale))
        return squaredErrorLoop<rounding, Quotient::Corrected>(grid, run, sum);
    squaredErrorLoop<rounding, Quotient::Divided>(grid, run, sum);
}

enum class InstructionSet { Baseline, Avx2, Avx512 };

InstructionSet instructionSet()
{
    static const InstructionSet set = [] {
        if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq"))
            return InstructionSet::Avx512;
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? InstructionSet::Avx2
                                                                               : InstructionSet::Baseline;
    }();
    return set;
}

template <typename Out> RunFunction<Out> pick(RunFunction<Out> baseline, RunFunction<Out> avx2, RunFunction<Out> avx512)
{
    switch (instructionSet()) {
    case InstructionSet::Avx512:
        return avx512;
    case InstructionSet::Avx2:
        return avx2;
    case InstructionSet::Baseline:
        break;
    }
    return baseline;
}

template <Rounding rounding> void fakeQuantizeWith(const ChannelGrid& grid, const Run& run, float* out)
{
    pick<float>(fakeQuantizeBaseline<rounding>, fakeQuantizeAvx2<rounding>, fakeQuantizeAvx512<rounding>)(
        grid, run, out);
}
template <Rounding rounding> void quantizeWith(const ChannelGrid& grid, const Run& run, std::int32_t* levels)
{
    pick<std::int32_t>(quantizeBaseline<rounding>, quantizeAvx2<rounding>, quantizeAvx512<rounding>)(grid, run, levels);
}
template <Rounding rounding> void squaredErrorWith(const ChannelGrid& grid, const Run& run, double* sum)
{
    pick<double>(squaredErrorBaseline<rounding>, squaredErrorAvx2<rounding>, squaredErrorAvx512<rounding>)(
        grid, run, sum);
}

#else

template <Rounding rounding> void fakeQuantizeWith(const ChannelGrid& grid, const Run& run, float* out)
{
    fakeQuantizeBaseline<rounding>(grid, run, out);
}
template <Rounding rounding> void quantizeWith(const ChannelGrid& grid, const Run& run, std::int32_t* levels)
{
    quantizeBaseline<rounding>(grid, run, levels);
}
template <Rounding rounding> void squaredErrorWith(const ChannelGrid& grid, const Run& run, double* sum)
{
    squaredErrorBaseline<rounding>(grid, run, sum);
}

#endif

/// Calls `visit` with the rounding as a type.
template <typename Visit> void dispatch(Rounding rounding, const Visit& visit)
{
    switch (rounding) {
    case Rounding::HalfEven:
        return visit(std::integral_constant<Rounding, Rounding::HalfEven> {});
    case Rounding::HalfAway:
        return visit(std::integral_constant<Rounding, Rounding::HalfAway> {});
    case Rounding::Floor:
        return visit(std::integral_constant<Rounding, Rounding::Floor> {});
    case Rounding::Ceil:
        return visit(std::integral_constant<Rounding, Rounding::Ceil> {});
    case Rounding::Stochastic:
        return visit(std::integral_constant<Rounding, Rounding::Stochastic> {});
    }
}

} // namespace

void fakeQuantizeRun(Rounding rounding, const ChannelGrid& grid, const Run& run, float* out)
{
    dispatch(rounding, [&](auto r) { fakeQuantizeWith<r>(grid, run, out); });
}

void quantizeRun(Rounding rounding, const ChannelGrid& grid, const Run& run, std::int32_t* levels)
{
    dispatch(rounding, [&](auto r) { quantizeWith<r>(grid, run, levels); });
}

double squaredErrorOfRun(Rounding rounding, const ChannelGrid& grid, const Run& run)
{
    double sum = 0;
    dispatch(rounding, [&](auto r) { squaredErrorWith<r>(grid, run, &sum); });
    return sum;
}

} // namespace quantoscope::quant::detail
