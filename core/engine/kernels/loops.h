// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "core/engine/kernels/support.h"

namespace quantoscope::engine {

using Strides = std::vector<std::int64_t>;

/// Distance in elements between neighbours along each logical axis of a tensor stored in `layout`.
Strides layoutStrides(const Shape& shape, Layout layout);

/// layoutStrides() of `operand` seen as a tensor of the rank of `target` (aligned at the last axis), 0 along every axis
/// that is broadcast. `operand` must broadcast to `target`.
Strides broadcastStrides(const Shape& operand, Layout layout, const Shape& target);

/// Logical axes from the slowest to the fastest in memory.
std::vector<int> memoryOrder(int rank, Layout layout);

/// A nest of loops over N operands with a stride each per loop; never empty: a scalar has one loop of extent 1.
template <std::size_t N> struct Loops {
    int rank = 1;
    std::array<std::int64_t, largestRank> extents { 1 };
    std::array<std::array<std::int64_t, largestRank>, N> strides {};

    std::int64_t rowExtent() const { return extents[static_cast<std::size_t>(rank - 1)]; }
    std::int64_t rowStride(std::size_t operand) const { return strides[operand][static_cast<std::size_t>(rank - 1)]; }
};

/// Loops over `extents` in `order` (slowest first), with loops of extent 1 dropped and neighbours merged where every
/// operand allows it: equal shapes become one loop, per-channel operands two or three.
template <std::size_t N>
Loops<N> makeLoops(
    std::span<const std::int64_t> extents, const std::array<Strides, N>& strides, std::span<const int> order)
{
    Loops<N> loops;
    std::size_t used = 0;
    for (const int axis : order) {
        const auto a = static_cast<std::size_t>(axis);
        if (extents[a] == 1)
            continue;
        bool merges = used > 0;
        for (std::size_t k = 0; k < N && merges; ++k)
            merges = loops.strides[k][used - 1] == strides[k][a] * extents[a];
        if (merges) {
            loops.extents[used - 1] *= extents[a];
        } else {
            loops.extents[used] = extents[a];
            ++used;
        }
        for (std::size_t k = 0; k < N; ++k)
            loops.strides[k][used - 1] = strides[k][a];
    }
    if (used == 0)
        for (std::size_t k = 0; k < N; ++k)
            loops.strides[k][0] = 1; // one element: any stride will do, 1 takes the fast path
    loops.rank = used ? static_cast<int>(used) : 1;
    return loops;
}

/// Calls `row(offsets)` with the operands' offsets at the start of every innermost loop.
template <std::size_t N, typename Row> void forEachRow(const Loops<N>& loops, Row row)
{
    const auto outer = static_cast<std::size_t>(loops.rank - 1);
    for (std::size_t d = 0; d <= outer; ++d)
        if (loops.extents[d] == 0)
            return;
    std::array<std::int64_t, largestRank> index {};
    std::array<std::int64_t, N> offsets {};
    while (true) {
        row(offsets);
        std::size_t d = outer;
        for (; d > 0; --d) {
            const std::size_t loop = d - 1;
            if (++index[loop] < loops.extents[loop]) {
                for (std::size_t k = 0; k < N; ++k)
                    offsets[k] += loops.strides[k][loop];
                break;
            }
            index[loop] = 0;
            for (std::size_t k = 0; k < N; ++k)
                offsets[k] -= loops.strides[k][loop] * (loops.extents[loop] - 1);
        }
        if (d == 0)
            return;
    }
}

/// Loops over the first output of `request` in memory order; operands are the inputs named, then the output itself.
/// An input that does not broadcast to the output is an error.
template <std::size_t Inputs>
Result<Loops<Inputs + 1>> broadcastLoops(const KernelRequest& request, const std::array<std::size_t, Inputs>& inputs)
{
    const auto& out = request.outputs.front();
    std::array<Strides, Inputs + 1> strides;
    for (std::size_t k = 0; k < Inputs; ++k) {
        const auto& operand = request.inputs[inputs[k]];
        const auto merged = tensor::broadcast(operand.shape, out.shape);
        if (!merged || *merged != out.shape)
            return request.invalid("input " + std::to_string(inputs[k]) + " of shape " + operand.shape.toString()
                + " cannot be broadcast to " + out.shape.toString());
        strides[k] = broadcastStrides(operand.shape, operand.layout, out.shape);
    }
    strides[Inputs] = layoutStrides(out.shape, out.layout);
    return makeLoops<Inputs + 1>(out.shape.dims(), strides, memoryOrder(out.shape.rank(), out.layout));
}

/// Copies elements of `width` bytes: operand 0 is the source, operand 1 the target.
void copyStrided(const Loops<2>& loops, std::size_t width, const void* from, void* to);

/// One block of a data movement: from `input` at element `fromOffset` to `output` at `toOffset`.
struct CopyPiece {
    Loops<2> loops;
    std::int64_t fromOffset = 0;
    std::int64_t toOffset = 0;
    std::size_t input = 0;
    std::size_t output = 0;
};

/// A kernel that does the pieces one after the other.
KernelPtr makeCopyKernel(std::vector<CopyPiece> pieces, std::size_t width);

/// Does the pieces on the buffers given; what makeCopyKernel() runs.
void runCopies(std::span<const CopyPiece> pieces, std::size_t width, const KernelArguments& arguments);

/// Moves elements by a source offset per output axis: out[i, j, ...] = in[offsets[0][i] + offsets[1][j] + ...].
/// What padding by reflection and nearest-neighbour resizing are.
struct TableCopy {
    std::vector<std::vector<std::int64_t>> offsets; ///< in the output's memory order
    bool denseRows = false; ///< the last table counts 0, 1, 2, ...

    TableCopy() = default;
    /// `sources[axis][i]`: logical input index for output index i; an offset of -1 is not allowed.
    TableCopy(
        const std::vector<std::vector<std::int64_t>>& sources, const Strides& inputStrides, std::span<const int> order);
    void run(std::size_t width, const void* from, void* to) const;
};

} // namespace quantoscope::engine
