// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/kernels/vectors/vector_functions.h"
#include "core/engine/kernels/vectors/vector_loops.h"

// Loops over elements that lie side by side; see vector_loops.h.
namespace quantoscope::engine::rows {

/// Part of a vector: what is behind it reads as zero and is left as it is.
template <int lanes> struct Rest {
    using V = typename Floats<lanes>::Vector;

    [[gnu::always_inline]] static void load(const float* from, std::int64_t count, V& to)
    {
        float values[lanes] = {};
        std::memcpy(values, from, static_cast<std::size_t>(count) * sizeof(float));
        Floats<lanes>::load(values, to);
    }
    [[gnu::always_inline]] static void store(const V& from, std::int64_t count, float* to)
    {
        float values[lanes];
        Floats<lanes>::store(from, values);
        std::memcpy(to, values, static_cast<std::size_t>(count) * sizeof(float));
    }
};

template <int lanes, Quantizing quantizing>
[[gnu::always_inline]] inline void quantizeRow(
    const VectorQuantizer& quantizer, const float* in, float* out, std::int64_t count)
{
    using F = Floats<lanes>;
    typename F::Vector x;
    std::int64_t i = 0;
    for (; i + lanes <= count; i += lanes) {
        F::load(in + i, x);
        clampAndQuantize<lanes, quantizing>(quantizer, x);
        F::store(x, out + i);
    }
    if (i == count)
        return;
    Rest<lanes>::load(in + i, count - i, x);
    clampAndQuantize<lanes, quantizing>(quantizer, x);
    Rest<lanes>::store(x, count - i, out + i);
}

/// See VectorFunctions::quantize.
template <int lanes> void quantize(const VectorQuantizer& quantizer, const Block& block)
{
    const VectorQuantizer own = quantizer; // which no store through a pointer can change
    withQuantizing(
        own.kind(), [&](auto quantizing) __attribute__((always_inline)) {
            for (std::int64_t row = 0; row < block.rows; ++row)
                quantizeRow<lanes, quantizing()>(
                    own, block.in + row * block.inPitch, block.out + row * block.outPitch, block.columns);
        });
}

/// One vector of a sum: `x` is it, clamped; returns it quantized in `quantized`.
template <int lanes, Quantizing quantizing>
[[gnu::always_inline]] inline void finishSum(
    const Sum& sum, typename Floats<lanes>::Vector& x, typename Floats<lanes>::Vector& quantized)
{
    clampAndQuantize<lanes, Quantizing::No>(sum.clamp, x);
    quantized = x;
    clampAndQuantize<lanes, quantizing>(sum.quantizer, quantized);
}

template <int lanes, Quantizing quantizing, bool both>
[[gnu::always_inline]] inline void addRow(
    const Sum& sum, const float* a, const float* b, float* plain, float* quantized, std::int64_t count)
{
    using F = Floats<lanes>;
    typename F::Vector x;
    typename F::Vector y;
    std::int64_t i = 0;
    for (; i + lanes <= count; i += lanes) {
        F::load(a + i, x);
        F::load(b + i, y);
        x += y;
        finishSum<lanes, quantizing>(sum, x, y);
        if constexpr (both)
            F::store(x, plain + i);
        F::store(y, quantized + i);
    }
    if (i == count)
        return;
    Rest<lanes>::load(a + i, count - i, x);
    Rest<lanes>::load(b + i, count - i, y);
    x += y;
    finishSum<lanes, quantizing>(sum, x, y);
    if constexpr (both)
        Rest<lanes>::store(x, count - i, plain + i);
    Rest<lanes>::store(y, count - i, quantized + i);
}

/// See VectorFunctions::add.
template <int lanes>
void add(const Sum& sum, const float* a, const float* b, float* plain, float* quantized, std::int64_t count)
{
    const Sum own = sum;
    withQuantizing(
        own.quantizer.kind(), [&](auto quantizing) __attribute__((always_inline)) {
            if (plain)
                addRow<lanes, quantizing(), true>(own, a, b, plain, quantized, count);
            else
                addRow<lanes, quantizing(), false>(own, a, b, plain, quantized, count);
        });
}

} // namespace quantoscope::engine::rows
