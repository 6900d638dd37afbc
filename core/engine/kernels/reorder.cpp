// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>

#include "core/engine/kernels/integer/instruction_sets.h"
#include "core/engine/kernels/internal.h"
#include "core/engine/kernels/vectors/vector_functions.h"

namespace quantoscope::engine {

namespace {

/// A few rows of a matrix of bytes or words become its columns: the channels of an image. Rows lie `pitch` apart.
template <typename T, int rows> void interleave(const T* in, std::int64_t pitch, std::int64_t columns, T* out)
{
    withWidestVectors([=]() __attribute__((always_inline)) {
        const std::int64_t count = columns;
        const std::int64_t step = pitch;
        const T* __restrict const from = in;
        T* __restrict const to = out;
        for (std::int64_t c = 0; c < count; ++c)
            for (int r = 0; r < rows; ++r)
                to[c * rows + r] = from[r * step + c];
    });
}

/// A stack of matrices, each transposed: [N, rows, columns] -> [N, columns, rows].
class TransposeKernel : public Kernel {
public:
    TransposeKernel(std::int64_t count, std::int64_t rows, std::int64_t columns, int elementBytes)
        : m_count(count)
        , m_rows(rows)
        , m_columns(columns)
        , m_elementBytes(elementBytes)
    {
    }

    void run(const KernelArguments& arguments) const override
    {
        const void* from = arguments.inputs[0].data;
        void* to = arguments.outputs[0].data;
        switch (m_elementBytes) {
        case 1:
            return transpose<std::uint8_t>(from, to);
        case 2:
            return transpose<std::uint16_t>(from, to);
        case 4:
            return transpose<std::uint32_t>(from, to);
        default:
            return transpose<std::uint64_t>(from, to);
        }
    }
    std::string_view implementation() const override { return "transpose"; }
    bool isAlias() const override { return m_rows == 1 || m_columns == 1; }

private:
    /// In tiles, so that both sides stay within a few cache lines.
    template <typename T> void transpose(const void* from, void* to) const
    {
        constexpr std::int64_t tile = 16;
        const std::int64_t size = m_rows * m_columns;
        for (std::int64_t n = 0; n < m_count; ++n) {
            const T* in = static_cast<const T*>(from) + n * size;
            T* out = static_cast<T*>(to) + n * size;
            if (m_rows == 3) {
                interleave<T, 3>(in, m_columns, m_columns, out);
                continue;
            }
            if (m_rows == 4) {
                interleave<T, 4>(in, m_columns, m_columns, out);
                continue;
            }
            for (std::int64_t c0 = 0; c0 < m_columns; c0 += tile) {
                const std::int64_t c1 = std::min(m_columns, c0 + tile);
                for (std::int64_t r0 = 0; r0 < m_rows; r0 += tile) {
                    const std::int64_t r1 = std::min(m_rows, r0 + tile);
                    for (std::int64_t c = c0; c < c1; ++c) {
                        for (std::int64_t r = r0; r < r1; ++r)
                            out[c * m_rows + r] = in[r * m_columns + c];
                    }
                }
            }
        }
    }

    std::int64_t m_count;
    std::int64_t m_rows;
    std::int64_t m_columns;
    int m_elementBytes;
};

/// The channels of images, [N, channels, positions] -> [N, positions, channels], quantized in blocks that stay in the
/// nearest cache.
template <int channels> class QuantizedReorderKernel : public Kernel {
public:
    QuantizedReorderKernel(std::int64_t count, std::int64_t positions, const VectorQuantizer& quantizer)
        : m_count(count)
        , m_positions(positions)
        , m_quantizer(quantizer)
    {
    }

    void run(const KernelArguments& arguments) const override
    {
        constexpr std::int64_t most = 512;
        std::array<float, channels * most> block;
        const float* in = arguments.inputs[0].in<float>();
        float* out = arguments.outputs[0].out<float>();
        for (std::int64_t n = 0; n < m_count; ++n, in += channels * m_positions)
            for (std::int64_t p = 0; p < m_positions; p += most) {
                const std::int64_t columns = std::min(most, m_positions - p);
                vectorFunctions()->quantize(
                    m_quantizer, { in + p, m_positions, block.data(), most, channels, columns });
                interleave<float, channels>(block.data(), most, columns, out);
                out += channels * columns;
            }
    }
    std::string_view implementation() const override { return "transpose behind a quantizer"; }

private:
    std::int64_t m_count;
    std::int64_t m_positions;
    VectorQuantizer m_quantizer;
};

std::int64_t positionsOf(const Shape& shape)
{
    std::int64_t positions = 1;
    for (int axis = 2; axis < shape.rank(); ++axis)
        positions *= shape[axis];
    return positions;
}

class CopyKernel : public Kernel {
public:
    explicit CopyKernel(std::size_t bytes)
        : m_bytes(bytes)
    {
    }
    void run(const KernelArguments& arguments) const override
    {
        if (m_bytes > 0)
            std::memcpy(arguments.outputs[0].data, arguments.inputs[0].data, m_bytes);
    }
    std::string_view implementation() const override { return "copy"; }

private:
    std::size_t m_bytes;
};

} // namespace

KernelPtr makeReorder(DType dtype, const Shape& shape, [[maybe_unused]] Layout from, Layout to)
{
    assert(from != to && shape.rank() >= 3 && !tensor::isPacked(dtype));
    const std::int64_t channels = shape[1];
    const std::int64_t positions = positionsOf(shape);
    const int bytes = tensor::bitWidth(dtype) / 8;
    if (to == Layout::ChannelsLast)
        return std::make_unique<TransposeKernel>(shape[0], channels, positions, bytes);
    return std::make_unique<TransposeKernel>(shape[0], positions, channels, bytes);
}

bool quantizedReorderSuits(DType dtype, const Shape& shape, const quant::Encoding& encoding)
{
    return vectorFunctions() && dtype == DType::Float32 && shape.rank() >= 3 && shape.rank() <= 5
        && (shape[1] == 3 || shape[1] == 4) && VectorQuantizer::of(encoding);
}

KernelPtr makeQuantizedReorder(const Shape& shape, const quant::Encoding& encoding)
{
    const VectorQuantizer quantizer = *VectorQuantizer::of(encoding);
    if (shape[1] == 3)
        return std::make_unique<QuantizedReorderKernel<3>>(shape[0], positionsOf(shape), quantizer);
    return std::make_unique<QuantizedReorderKernel<4>>(shape[0], positionsOf(shape), quantizer);
}

KernelPtr makeCopy(std::size_t bytes) { return std::make_unique<CopyKernel>(bytes); }

} // namespace quantoscope::engine
