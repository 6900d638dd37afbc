// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstring>
#include <type_traits>

#include <immintrin.h>

#include "core/engine/kernels/vectors/vector_quantizer.h"

// What hand-written loops are made of. They are compiled once an instruction set, by loops_*.cpp, which ask for it
// after every other header: vectors of a function are split up by what that function may use, even if it is inlined
// into one that may use more.
namespace quantoscope::engine {

/// A vector of floats; spelt out because the compiler drops the attribute where its argument depends on a template.
template <int lanes> struct FloatVector;
template <> struct FloatVector<8> {
    using Type = float __attribute__((vector_size(32)));
    using Unaligned = float __attribute__((vector_size(32), aligned(4)));
};
template <> struct FloatVector<16> {
    using Type = float __attribute__((vector_size(64)));
    using Unaligned = float __attribute__((vector_size(64), aligned(4)));
};

/// Floats that are computed with at once. For functions that are always inlined into one compiled for the processor's
/// instructions, and never across a call by value.
template <int lanes> struct Floats {
    using Vector = typename FloatVector<lanes>::Type;
    static_assert(sizeof(Vector) == lanes * sizeof(float));

    using Unaligned = typename FloatVector<lanes>::Unaligned;
    [[gnu::always_inline]] static void load(const float* from, Vector& to)
    {
        to = *reinterpret_cast<const Unaligned*>(from);
    }
    [[gnu::always_inline]] static void store(const Vector& from, float* to)
    {
        *reinterpret_cast<Unaligned*>(to) = from;
    }
    /// What is not a number stays so.
    [[gnu::always_inline]] static void raiseTo(float bound, Vector& x)
    {
        if constexpr (lanes == 16)
            x = _mm512_maskz_max_ps(__mmask16 { 0xFFFF }, _mm512_set1_ps(bound), x);
        else
            x = _mm256_max_ps(_mm256_set1_ps(bound), x);
    }
    /// What is not a number becomes the bound.
    [[gnu::always_inline]] static void raiseNumbersTo(float bound, Vector& x)
    {
        if constexpr (lanes == 16)
            x = _mm512_maskz_max_ps(__mmask16 { 0xFFFF }, x, _mm512_set1_ps(bound));
        else
            x = _mm256_max_ps(x, _mm256_set1_ps(bound));
    }
    [[gnu::always_inline]] static void lowerTo(float bound, Vector& x)
    {
        if constexpr (lanes == 16)
            x = _mm512_maskz_min_ps(__mmask16 { 0xFFFF }, _mm512_set1_ps(bound), x);
        else
            x = _mm256_min_ps(_mm256_set1_ps(bound), x);
    }
    /// a b + c, rounded once whatever the compiler makes of products and sums.
    [[gnu::always_inline]] static void multiplyAndAdd(const Vector& a, float b, const Vector& c, Vector& to)
    {
        if constexpr (lanes == 16)
            to = _mm512_fmadd_ps(a, _mm512_set1_ps(b), c);
        else
            to = _mm256_fmadd_ps(a, _mm256_set1_ps(b), c);
    }
};

/// See rounding_loops in core/quant for why this is exact.
template <int lanes, Quantizing quantizing>
[[gnu::always_inline]] inline void clampAndQuantize(const VectorQuantizer& quantizer, typename Floats<lanes>::Vector& x)
{
    using F = Floats<lanes>;
    using V = typename F::Vector;
    if constexpr (quantizing == Quantizing::Any)
        x = x == x ? x : V {};
    if constexpr (quantizing == Quantizing::FromZero)
        F::raiseNumbersTo(quantizer.lowest, x);
    else
        F::raiseTo(quantizer.lowest, x);
    F::lowerTo(quantizer.highest, x);
    if constexpr (quantizing != Quantizing::No) {
        constexpr float magic = 0x1.8p23F;
        const V quotient = x * quantizer.reciprocal;
        V remainder;
        F::multiplyAndAdd(quotient, -quantizer.scale, x, remainder);
        V level;
        F::multiplyAndAdd(remainder, quantizer.reciprocal, quotient, level);
        x = ((level + magic) - magic) * quantizer.scale;
    }
}

template <Quantizing value> using QuantizingConstant = std::integral_constant<Quantizing, value>;

/// Calls `visit` with what a quantizer does, as a type.
template <typename Visit> [[gnu::always_inline]] inline void withQuantizing(Quantizing quantizing, const Visit& visit)
{
    switch (quantizing) {
    case Quantizing::No:
        return visit(QuantizingConstant<Quantizing::No> {});
    case Quantizing::Any:
        return visit(QuantizingConstant<Quantizing::Any> {});
    case Quantizing::FromZero:
        return visit(QuantizingConstant<Quantizing::FromZero> {});
    }
}

} // namespace quantoscope::engine
