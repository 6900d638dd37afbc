// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/kernels/vectors/depthwise_plan.h"
#include "core/engine/kernels/vectors/vector_loops.h"

// The loops of depthwise.cpp; see vector_loops.h.
namespace quantoscope::engine::depthwise {

/// What is computed without leaving the nearest cache: some channels of some columns of all rows of an image.
struct Part {
    std::int64_t channel = 0;
    std::int64_t channels = 0;
    std::int64_t column = 0; ///< of the results
    std::int64_t columns = 0;
};

/// One row of the input, or of padding, as far as the part needs it.
template <int lanes, Quantizing quantizing>
[[gnu::always_inline]] inline void bringRow(
    const Plan& plan, const Part& part, const float* in, std::int64_t row, float* to)
{
    using F = Floats<lanes>;
    const std::int64_t first = part.column * plan.strideAcross - plan.padLeft;
    const std::int64_t count = (part.columns - 1) * plan.strideAcross + plan.kernelWidth;
    const float* const from = in + (row * plan.width + first) * plan.channels + part.channel;
    const bool isInside = row >= 0 && row < plan.height;
    for (std::int64_t w = 0; w < count; ++w, to += chunkChannels) {
        if (!isInside || first + w < 0 || first + w >= plan.width) {
            std::memset(to, 0, static_cast<std::size_t>(part.channels) * sizeof(float));
            continue;
        }
        const float* const position = from + w * plan.channels;
        for (std::int64_t c = 0; c < part.channels; c += lanes) {
            typename F::Vector x;
            F::load(position + c, x);
            if constexpr (quantizing != Quantizing::No)
                clampAndQuantize<lanes, quantizing>(plan.input, x);
            F::store(x, to + c);
        }
    }
}

/// `across` neighbouring results of one vector of channels; `rows` are where their windows begin. kernel, stride: 0
/// where they are only known at run time. A function of its own so that the compiler does not keep an address for every
/// load across calls.
template <int lanes, int across, int kernel, int stride, Quantizing quantizing>
[[gnu::noinline]] void computeSome(
    const Plan& plan, const float* const* rows, const float* weight, const float* bias, float* out)
{
    using F = Floats<lanes>;
    using V = typename F::Vector;
    const std::int64_t kernelHeight = kernel > 0 ? kernel : plan.kernelHeight;
    const std::int64_t kernelWidth = kernel > 0 ? kernel : plan.kernelWidth;
    const std::int64_t step = stride > 0 ? stride : plan.strideAcross;
    V sums[across];
    V start;
    F::load(bias, start);
#pragma GCC unroll 8
    for (int i = 0; i < across; ++i)
        sums[i] = start;
#pragma GCC unroll 4
    for (std::int64_t y = 0; y < kernelHeight; ++y) {
        const float* const from = rows[y];
#pragma GCC unroll 4
        for (std::int64_t x = 0; x < kernelWidth; ++x) {
            V factor;
            F::load(weight + (y * kernelWidth + x) * channelGroup, factor);
#pragma GCC unroll 8
            for (int i = 0; i < across; ++i) {
                V value;
                F::load(from + (i * step + x) * chunkChannels, value);
                sums[i] += value * factor;
            }
        }
    }
    const std::int64_t pitch = plan.channels;
#pragma GCC unroll 8
    for (int i = 0; i < across; ++i) {
        clampAndQuantize<lanes, quantizing>(plan.output, sums[i]);
        F::store(sums[i], out + i * pitch);
    }
}

/// One row of the part, from column `from` on in groups of `across`; returns the first that is left.
template <int lanes, int across, int kernel, int stride, Quantizing quantizing>
[[gnu::always_inline]] inline std::int64_t computeColumns(
    const Plan& plan, const Part& part, const float* const* rows, std::int64_t from, float* out)
{
    const std::int64_t step = stride > 0 ? stride : plan.strideAcross;
    const std::int64_t kernelHeight = kernel > 0 ? kernel : plan.kernelHeight;
    const std::int64_t taps = kernel > 0 ? kernel * kernel : plan.kernelHeight * plan.kernelWidth;
    for (; from + across <= part.columns; from += across)
        for (std::int64_t c = 0; c < part.channels; c += lanes) {
            const float* windows[maxKernelHeight];
            for (std::int64_t y = 0; y < kernelHeight; ++y)
                windows[y] = rows[y] + from * step * chunkChannels + c;
            const std::int64_t channel = part.channel + c;
            const std::int64_t group = channel / channelGroup;
            computeSome<lanes, across, kernel, stride, quantizing>(plan, windows,
                plan.weight + group * taps * channelGroup + channel % channelGroup, plan.bias + channel,
                out + from * plan.channels + c);
        }
    return from;
}

/// One part of one image; `buffer` holds bufferFloats().
template <int lanes, int kernel, int stride, Quantizing quantizeInput, Quantizing quantizeOutput>
[[gnu::always_inline]] inline void convolvePart(
    const Plan& plan, const Part& part, const float* in, float* out, float* buffer)
{
    constexpr int most = lanes == 16 ? 8 : 4;
    std::int64_t brought = 0; // padded rows before this one are in the buffer, each in its place modulo its height
    for (std::int64_t h = 0; h < plan.outputHeight; ++h) {
        const std::int64_t first = h * plan.strideDown;
        if (brought < first)
            brought = first;
        for (; brought < first + plan.kernelHeight; ++brought)
            bringRow<lanes, quantizeInput>(
                plan, part, in, brought - plan.padTop, buffer + brought % plan.kernelHeight * plan.rowFloats());
        const float* rows[maxKernelHeight];
        for (std::int64_t y = 0; y < plan.kernelHeight; ++y)
            rows[y] = buffer + (first + y) % plan.kernelHeight * plan.rowFloats();
        float* const to = out + (h * plan.outputWidth + part.column) * plan.channels + part.channel;
        std::int64_t column = computeColumns<lanes, most, kernel, stride, quantizeOutput>(plan, part, rows, 0, to);
        column = computeColumns<lanes, most / 2, kernel, stride, quantizeOutput>(plan, part, rows, column, to);
        computeColumns<lanes, 1, kernel, stride, quantizeOutput>(plan, part, rows, column, to);
    }
}

template <int lanes, int kernel, int stride, Quantizing quantizeInput, Quantizing quantizeOutput>
[[gnu::always_inline]] inline void convolveAll(const Plan& plan, const float* in, float* out, float* buffer)
{
    const std::int64_t inputSize = plan.height * plan.width * plan.channels;
    const std::int64_t outputSize = plan.outputHeight * plan.outputWidth * plan.channels;
    for (std::int64_t n = 0; n < plan.batch; ++n)
        for (std::int64_t c = 0; c < plan.channels; c += plan.chunk)
            for (std::int64_t w = 0; w < plan.outputWidth; w += bandColumns) {
                const std::int64_t channels = plan.channels - c;
                const std::int64_t columns = plan.outputWidth - w;
                const Part part { c, channels < plan.chunk ? channels : plan.chunk, w,
                    columns < bandColumns ? columns : bandColumns };
                convolvePart<lanes, kernel, stride, quantizeInput, quantizeOutput>(
                    plan, part, in + n * inputSize, out + n * outputSize, buffer);
            }
}

template <int lanes, int kernel, int stride>
[[gnu::always_inline]] inline void convolveQuantized(const Plan& plan, const float* in, float* out, float* buffer)
{
    withQuantizing(
        plan.input.kind(), [&](auto input) __attribute__((always_inline)) {
            withQuantizing(
                plan.output.kind(), [&](auto output) __attribute__((always_inline)) {
                    convolveAll<lanes, kernel, stride, input(), output()>(plan, in, out, buffer);
                });
        });
}

/// `buffer` holds bufferFloats().
template <int lanes>
[[gnu::always_inline]] inline void convolve(const Plan& plan, const float* in, float* out, float* buffer)
{
    const bool three = plan.kernelHeight == 3 && plan.kernelWidth == 3;
    if (three && plan.strideAcross == 1)
        return convolveQuantized<lanes, 3, 1>(plan, in, out, buffer);
    if (three && plan.strideAcross == 2)
        return convolveQuantized<lanes, 3, 2>(plan, in, out, buffer);
    convolveQuantized<lanes, 0, 0>(plan, in, out, buffer);
}

} // namespace quantoscope::engine::depthwise
