// SPDX-License-Identifier: GPL-3.0-or-later
// Rearrangements by strides alone: Transpose, Expand, Tile, DepthToSpace, SpaceToDepth.
#include <array>

#include "core/engine/kernels/loops.h"
#include "core/engine/kernels/movement_operands.h"
#include "core/engine/kernels/tables.h"

namespace quantoscope::engine {

namespace {

/// The input in whatever layout it has, the output Plain.
LayoutChoice anyToPlain(const KernelRequest& request)
{
    LayoutChoice choice { std::vector<Layout>(request.inputs.size(), Layout::Plain), { Layout::Plain } };
    choice.inputs.front() = request.inputs.front().layout;
    return choice;
}

Result<KernelPtr> createTranspose(const KernelRequest& request)
{
    const auto& in = request.inputs.front();
    const auto& out = request.outputs.front();
    QS_TRY(const std::size_t width, elementWidth(request, in.dtype));
    const int rank = in.shape.rank();
    QS_TRY(const auto perm, readPermutation(request));
    const Strides own = layoutStrides(in.shape, in.layout);
    Strides from;
    for (const int axis : perm)
        from.push_back(own[static_cast<std::size_t>(axis)]);
    return makeCopyKernel({ { makeLoops<2>(out.shape.dims(), { from, layoutStrides(out.shape, out.layout) },
                              memoryOrder(rank, out.layout)) } },
        width);
}

Result<KernelPtr> createExpand(const KernelRequest& request)
{
    QS_TRY(const std::size_t width, elementWidth(request, request.inputs.front().dtype));
    QS_TRY(const auto loops, broadcastLoops(request, std::array<std::size_t, 1> { 0 }));
    return makeCopyKernel({ { loops } }, width);
}

/// Every axis becomes two: the repeat, along which the source stands still, and the axis itself.
Result<KernelPtr> createTile(const KernelRequest& request)
{
    const auto& in = request.inputs.front();
    const auto& out = request.outputs.front();
    QS_TRY(const std::size_t width, elementWidth(request, in.dtype));
    if (in.shape.rank() != out.shape.rank())
        return request.invalid(in.shape.toString() + " cannot be tiled to " + out.shape.toString());
    const Strides own = layoutStrides(in.shape, in.layout);
    const Strides target = layoutStrides(out.shape, out.layout);
    std::vector<std::int64_t> extents;
    Strides from;
    Strides to;
    for (int axis = 0; axis < in.shape.rank(); ++axis) {
        const auto a = static_cast<std::size_t>(axis);
        const std::int64_t extent = in.shape[axis];
        if (extent ? out.shape[axis] % extent != 0 : out.shape[axis] != 0)
            return request.invalid(in.shape.toString() + " cannot be tiled to " + out.shape.toString());
        extents.insert(extents.end(), { extent ? out.shape[axis] / extent : 0, extent });
        from.insert(from.end(), { 0, own[a] });
        to.insert(to.end(), { target[a] * extent, target[a] });
    }
    if (extents.size() > static_cast<std::size_t>(largestRank))
        return request.unsupported("Tile of a tensor of rank " + std::to_string(in.shape.rank()));
    return makeCopyKernel(
        { { makeLoops<2>(extents, { from, to }, memoryOrder(static_cast<int>(extents.size()), Layout::Plain)) } },
        width);
}

/// Which part of a channel index counts the blocks.
enum class BlockOrder {
    BlocksFirst, ///< channel = (bh * b + bw) * C + c: ONNX "DCR"
    BlocksLast, ///< channel = (c * b + bh) * b + bw: ONNX "CRD"
};

/// Loops over (n, c, h, bh, w, bw); operand 0 holds blocks in its channels (`deep`), operand 1 in space (`wide`).
struct BlockStrides {
    Strides deep;
    Strides wide;
    std::vector<std::int64_t> extents;
};

BlockStrides blockStrides(const OperandInfo& deep, const OperandInfo& wide, std::int64_t block, BlockOrder order)
{
    const Strides d = layoutStrides(deep.shape, deep.layout);
    const Strides w = layoutStrides(wide.shape, wide.layout);
    const std::int64_t channels = wide.shape[1];
    const bool first = order == BlockOrder::BlocksFirst;
    return { { d[0], first ? d[1] : d[1] * block * block, d[2], first ? d[1] * channels * block : d[1] * block, d[3],
                 first ? d[1] * channels : d[1] },
        { w[0], w[1], w[2] * block, w[2], w[3] * block, w[3] },
        { deep.shape[0], channels, deep.shape[2], block, deep.shape[3], block } };
}

Result<KernelPtr> createBlockMove(const KernelRequest& request, bool toSpace)
{
    const auto& in = request.inputs.front();
    const auto& out = request.outputs.front();
    QS_TRY(const std::size_t width, elementWidth(request, in.dtype));
    const std::int64_t block = request.node.intAttribute("blocksize", 0);
    const std::string mode = request.node.stringAttribute("mode", "DCR");
    if (mode != "DCR" && mode != "CRD")
        return request.invalid("mode '" + mode + "', expected DCR or CRD");
    const auto& deep = toSpace ? in : out;
    const auto& wide = toSpace ? out : in;
    if (block < 1 || deep.shape.rank() != 4 || wide.shape.rank() != 4 || deep.shape[1] != wide.shape[1] * block * block
        || deep.shape[2] * block != wide.shape[2] || deep.shape[3] * block != wide.shape[3])
        return request.invalid("blocks of " + std::to_string(block) + " do not take " + in.shape.toString() + " to "
            + out.shape.toString());
    const auto strides
        = blockStrides(deep, wide, block, mode == "DCR" ? BlockOrder::BlocksFirst : BlockOrder::BlocksLast);
    const auto& from = toSpace ? strides.deep : strides.wide;
    const auto& to = toSpace ? strides.wide : strides.deep;
    const std::vector<int> order = out.layout == Layout::ChannelsLast ? std::vector { 0, 2, 3, 4, 5, 1 }
        : toSpace                                                     ? std::vector { 0, 1, 2, 3, 4, 5 }
                                                                      : std::vector { 0, 3, 5, 1, 2, 4 };
    return makeCopyKernel({ { makeLoops<2>(strides.extents, { from, to }, order) } }, width);
}

Result<KernelPtr> createDepthToSpace(const KernelRequest& request) { return createBlockMove(request, true); }

Result<KernelPtr> createSpaceToDepth(const KernelRequest& request) { return createBlockMove(request, false); }

constexpr std::array table {
    KernelRegistration { "Transpose", createTranspose, anyToPlain },
    KernelRegistration { "Expand", createExpand, anyToPlain },
    KernelRegistration { "Tile", createTile, anyToPlain },
    KernelRegistration { "DepthToSpace", createDepthToSpace, passThroughLayouts },
    KernelRegistration { "SpaceToDepth", createSpaceToDepth, passThroughLayouts },
};

} // namespace

std::span<const KernelRegistration> permuteKernels() { return table; }

} // namespace quantoscope::engine
