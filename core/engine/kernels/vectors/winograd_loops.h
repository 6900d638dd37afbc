// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/kernels/vectors/vector_loops.h"
#include "core/engine/kernels/vectors/winograd_plan.h"

// The loops of winograd.cpp; see vector_loops.h.
namespace quantoscope::engine::winograd {

/// Where a tile lies: image and the first row and column of its results.
struct Tile {
    std::int64_t image = 0;
    std::int64_t row = 0;
    std::int64_t column = 0;
};

[[gnu::always_inline]] inline Tile tileAt(const Plan& plan, std::int64_t index)
{
    const std::int64_t perImage = plan.tilesDown * plan.tilesAcross;
    const std::int64_t within = index % perImage;
    return { index / perImage, within / plan.tilesAcross * outputSide, within % plan.tilesAcross * outputSide };
}

/// B^T d.
template <typename V> [[gnu::always_inline]] inline void transformInput(const V (&d)[inputSide], V (&t)[inputSide])
{
    const V even = d[4] - 4.0F * d[2];
    const V odd = d[3] - 4.0F * d[1];
    const V evenOnce = d[4] - d[2];
    const V oddTwice = 2.0F * (d[3] - d[1]);
    t[0] = 4.0F * d[0] - 5.0F * d[2] + d[4];
    t[1] = even + odd;
    t[2] = even - odd;
    t[3] = evenOnce + oddTwice;
    t[4] = evenOnce - oddTwice;
    t[5] = 4.0F * d[1] - 5.0F * d[3] + d[5];
}

/// A^T m.
template <typename V> [[gnu::always_inline]] inline void transformProduct(const V (&m)[inputSide], V (&y)[outputSide])
{
    const V sum = m[1] + m[2];
    const V difference = m[1] - m[2];
    const V sumTwo = m[3] + m[4];
    const V differenceTwo = m[3] - m[4];
    y[0] = m[0] + sum + sumTwo;
    y[1] = difference + 2.0F * differenceTwo;
    y[2] = sum + 4.0F * sumTwo;
    y[3] = difference + 8.0F * differenceTwo + m[5];
}

/// B^T d B for one vector of channels, which begin `c` floats behind each position.
template <int lanes>
[[gnu::noinline]] void readVector(const float* const* from, std::int64_t c, float* to, std::int64_t pitch)
{
    using F = Floats<lanes>;
    using V = typename F::Vector;
    V columns[inputSide][inputSide]; // [x][y]
#pragma GCC unroll 6
    for (int x = 0; x < inputSide; ++x) {
        V d[inputSide];
#pragma GCC unroll 6
        for (int y = 0; y < inputSide; ++y)
            F::load(from[y * inputSide + x] + c, d[y]);
        transformInput(d, columns[x]);
    }
#pragma GCC unroll 6
    for (int y = 0; y < inputSide; ++y) {
        V d[inputSide];
        V t[inputSide];
#pragma GCC unroll 6
        for (int x = 0; x < inputSide; ++x)
            d[x] = columns[x][y];
        transformInput(d, t);
#pragma GCC unroll 6
        for (int x = 0; x < inputSide; ++x, to += pitch)
            F::store(t[x], to);
    }
}

/// One tile of the input into row `row` of the matrices of all points.
template <int lanes>
[[gnu::always_inline]] inline void readTile(
    const Plan& plan, const float* in, const Tile& tile, std::int64_t row, float* transformed)
{
    const float* from[points];
    for (int y = 0; y < inputSide; ++y)
        for (int x = 0; x < inputSide; ++x) {
            const std::int64_t h = tile.row + y - plan.padTop;
            const std::int64_t w = tile.column + x - plan.padLeft;
            const bool inside = h >= 0 && h < plan.height && w >= 0 && w < plan.width;
            from[y * inputSide + x]
                = inside ? in + ((tile.image * plan.height + h) * plan.width + w) * plan.channels : plan.zeros;
        }
    float* const to = transformed + row * plan.channels;
    const std::int64_t pitch = plan.inputPitch();
    for (std::int64_t c = 0; c < plan.channels; c += lanes)
        readVector<lanes>(from, c, to + c, pitch);
}

/// A^T m A for one vector of channels; `rows` x `across` of the results lie within the output.
template <int lanes, Quantizing quantizing>
[[gnu::noinline]] void writeVector(const Plan& plan, const float* from, std::int64_t pitch, const float* biasOf,
    std::int64_t rows, std::int64_t across, float* to)
{
    using F = Floats<lanes>;
    using V = typename F::Vector;
    V columns[inputSide][outputSide]; // [x][y]
#pragma GCC unroll 6
    for (int x = 0; x < inputSide; ++x) {
        V m[inputSide];
#pragma GCC unroll 6
        for (int y = 0; y < inputSide; ++y)
            F::load(from + (y * inputSide + x) * pitch, m[y]);
        transformProduct(m, columns[x]);
    }
    V bias;
    F::load(biasOf, bias);
    const std::int64_t down = plan.outputWidth * plan.outputs;
#pragma GCC unroll 4
    for (int y = 0; y < outputSide; ++y, to += down) {
        V m[inputSide];
        V result[outputSide];
#pragma GCC unroll 6
        for (int x = 0; x < inputSide; ++x)
            m[x] = columns[x][y];
        transformProduct(m, result);
        if (y >= rows)
            break;
#pragma GCC unroll 4
        for (int x = 0; x < outputSide; ++x) {
            V v = result[x] + bias;
            clampAndQuantize<lanes, quantizing>(plan.output, v);
            if (x < across)
                F::store(v, to + x * plan.outputs);
        }
    }
}

/// Row `row` of the products of all points into one tile of the output.
template <int lanes, Quantizing quantizing>
[[gnu::always_inline]] inline void writeTile(
    const Plan& plan, const float* products, std::int64_t row, const Tile& tile, float* out)
{
    const float* const from = products + row * plan.outputs;
    const std::int64_t pitch = plan.productPitch();
    const std::int64_t rows = plan.outputHeight - tile.row < outputSide ? plan.outputHeight - tile.row : outputSide;
    const std::int64_t columnsLeft = plan.outputWidth - tile.column;
    const std::int64_t across = columnsLeft < outputSide ? columnsLeft : outputSide;
    float* const to
        = out + ((tile.image * plan.outputHeight + tile.row) * plan.outputWidth + tile.column) * plan.outputs;
    for (std::int64_t c = 0; c < plan.outputs; c += lanes)
        writeVector<lanes, quantizing>(plan, from + c, pitch, plan.bias + c, rows, across, to + c);
}

/// rows x columns vectors of the product of a [rows, depth] matrix and a [depth, columns x lanes] panel.
template <int lanes, int rows, int columns>
[[gnu::always_inline]] inline void multiplyTile(const float* left, std::int64_t leftPitch, const float* panel,
    std::int64_t depth, float* out, std::int64_t outPitch)
{
    using F = Floats<lanes>;
    using V = typename F::Vector;
    V sums[rows][columns] = {};
    for (std::int64_t k = 0; k < depth; ++k, panel += columns * lanes) {
        V right[columns];
#pragma GCC unroll 8
        for (int j = 0; j < columns; ++j)
            F::load(panel + j * lanes, right[j]);
#pragma GCC unroll 16
        for (int i = 0; i < rows; ++i) {
            const float one = left[i * leftPitch + k];
#pragma GCC unroll 8
            for (int j = 0; j < columns; ++j)
                sums[i][j] += right[j] * one;
        }
    }
#pragma GCC unroll 16
    for (int i = 0; i < rows; ++i)
#pragma GCC unroll 8
        for (int j = 0; j < columns; ++j)
            F::store(sums[i][j], out + i * outPitch + j * lanes);
}

/// One point: `rows`, a multiple of rowGroup, tiles times the weight.
template <int lanes>
[[gnu::always_inline]] inline void multiplyPoint(
    const Plan& plan, const float* left, const float* weight, std::int64_t rows, float* out)
{
    constexpr int step = lanes == 16 ? 8 : 4; // sums that the registers hold
    for (std::int64_t first = 0; first < plan.outputs;) {
        const bool wide = plan.outputs - first >= 2 * lanes;
        for (std::int64_t row = 0; row < rows; row += step) {
            const float* const from = left + row * plan.channels;
            float* const to = out + row * plan.outputs + first;
            if (wide)
                multiplyTile<lanes, step, 2>(from, plan.channels, weight, plan.channels, to, plan.outputs);
            else
                multiplyTile<lanes, step, 1>(from, plan.channels, weight, plan.channels, to, plan.outputs);
        }
        const std::int64_t width = wide ? 2 * lanes : lanes;
        weight += plan.channels * width;
        first += width;
    }
}

/// The whole batch; `scratch` holds points * (inputPitch + productPitch) floats.
template <int lanes, Quantizing quantizing>
[[gnu::always_inline]] inline void convolve(const Plan& plan, const float* in, float* out, float* scratch)
{
    float* const transformed = scratch;
    float* const products = scratch + points * plan.inputPitch();
    for (std::int64_t first = 0; first < plan.tiles; first += plan.block) {
        const std::int64_t count = plan.tiles - first < plan.block ? plan.tiles - first : plan.block;
        const std::int64_t rows = (count + rowGroup - 1) / rowGroup * rowGroup;
        for (std::int64_t t = 0; t < count; ++t)
            readTile<lanes>(plan, in, tileAt(plan, first + t), t, transformed);
        for (int p = 0; p < points; ++p) {
            float* const matrix = transformed + p * plan.inputPitch();
            if (rows > count)
                std::memset(matrix + count * plan.channels, 0,
                    static_cast<std::size_t>((rows - count) * plan.channels) * sizeof(float));
            multiplyPoint<lanes>(
                plan, matrix, plan.weight + p * plan.channels * plan.outputs, rows, products + p * plan.productPitch());
        }
        for (std::int64_t t = 0; t < count; ++t)
            writeTile<lanes, quantizing>(plan, products, t, tileAt(plan, first + t), out);
    }
}

} // namespace quantoscope::engine::winograd
