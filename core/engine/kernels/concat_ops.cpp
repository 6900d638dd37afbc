// SPDX-License-Identifier: GPL-3.0-or-later
// Concat, Split and Slice: blocks of a tensor moved as they are, in either layout.
#include <algorithm>
#include <array>

#include "core/engine/kernels/fused_quantizers.h"
#include "core/engine/kernels/loops.h"
#include "core/engine/kernels/movement_operands.h"
#include "core/engine/kernels/tables.h"
#include "core/engine/kernels/vectors/vector_functions.h"

namespace quantoscope::engine {

namespace {

/// Loops over a block of `extents`, ordered by the target's memory.
Loops<2> blockLoops(const Shape& extents, const Strides& from, const Strides& to, Layout targetLayout)
{
    return makeLoops<2>(extents.dims(), { from, to }, memoryOrder(extents.rank(), targetLayout));
}

/// ChannelsLast for all as soon as one computed operand is.
LayoutChoice concatLayouts(const KernelRequest& request)
{
    const Layout wanted = std::ranges::any_of(request.inputs,
                              [](const auto& o) { return !o.constant && o.layout == Layout::ChannelsLast; })
        ? Layout::ChannelsLast
        : Layout::Plain;
    LayoutChoice choice { {}, { wanted } };
    for (const auto& input : request.inputs)
        choice.inputs.push_back(input.constant ? Layout::Plain : wanted);
    return choice;
}

/// Whether the parts can be quantized while they are moved.
bool quantizesParts(const KernelRequest& request)
{
    const auto isMovable = [](const OperandInfo& part) { return part.dtype == DType::Float32 && !part.constant; };
    return vectorFunctions() && !request.inputQuantizer && !deliversBoth(request) && request.outputQuantizer
        && std::ranges::all_of(request.inputs, isMovable) && VectorQuantizer::of(*request.outputQuantizer);
}

/// Takes the innermost loop off; returns its extent and strides.
Loops<2> takeInnermost(Loops<2>& loops)
{
    const auto last = static_cast<std::size_t>(loops.rank - 1);
    Loops<2> taken;
    taken.extents[0] = loops.extents[last];
    for (std::size_t k = 0; k < 2; ++k)
        taken.strides[k][0] = loops.strides[k][last];
    if (--loops.rank == 0)
        loops = {};
    return taken;
}

/// A piece as a nest of loops over matrices with dense rows.
struct MatrixPiece {
    explicit MatrixPiece(const CopyPiece& piece)
        : input(piece.input)
        , fromOffset(piece.fromOffset)
        , toOffset(piece.toOffset)
        , outer(piece.loops)
    {
        if (outer.rowStride(0) == 1 && outer.rowStride(1) == 1)
            columns = takeInnermost(outer).extents[0];
        const Loops<2> inner = takeInnermost(outer);
        rows = inner.extents[0];
        inPitch = inner.strides[0][0];
        outPitch = inner.strides[1][0];
    }

    std::size_t input;
    std::int64_t fromOffset;
    std::int64_t toOffset;
    Loops<2> outer;
    std::int64_t rows = 1;
    std::int64_t columns = 1;
    std::int64_t inPitch = 0;
    std::int64_t outPitch = 0;
};

/// The pieces, each element quantized on its way.
KernelPtr makeQuantizedCopy(const std::vector<CopyPiece>& pieces, const quant::Encoding& encoding)
{
    const auto run = [pieces = std::vector<MatrixPiece>(pieces.begin(), pieces.end()),
                         quantizer = *VectorQuantizer::of(encoding)](const KernelArguments& arguments) {
        for (const MatrixPiece& piece : pieces) {
            const float* const in = arguments.inputs[piece.input].in<float>() + piece.fromOffset;
            float* const out = arguments.outputs[0].out<float>() + piece.toOffset;
            forEachRow(piece.outer, [&](const std::array<std::int64_t, 2>& at) {
                vectorFunctions()->quantize(
                    quantizer, { in + at[0], piece.inPitch, out + at[1], piece.outPitch, piece.rows, piece.columns });
            });
        }
    };
    return makeKernel(run, { .implementation = "parts quantized on their way" });
}

Result<KernelPtr> createConcat(const KernelRequest& request)
{
    const auto& out = request.outputs.front();
    QS_TRY(const std::size_t width, elementWidth(request, out.dtype));
    QS_TRY(const int axis, checkedAxis(request, request.node.intAttribute("axis", 1), out.shape.rank()));
    const Strides outStrides = layoutStrides(out.shape, out.layout);
    std::vector<CopyPiece> pieces;
    std::int64_t position = 0;
    for (std::size_t i = 0; i < request.inputs.size(); ++i) {
        const auto& in = request.inputs[i];
        if (in.dtype != out.dtype)
            return request.invalid("operands of different element types");
        if (in.shape.rank() != out.shape.rank())
            return request.invalid("input " + std::to_string(i) + " of shape " + in.shape.toString()
                + " cannot be a part of " + out.shape.toString());
        pieces.push_back({ blockLoops(in.shape, layoutStrides(in.shape, in.layout), outStrides, out.layout), 0,
            position * outStrides[static_cast<std::size_t>(axis)], i, 0 });
        position += in.shape[axis];
    }
    if (position != out.shape[axis])
        return request.invalid("parts of " + std::to_string(position) + " along axis " + std::to_string(axis)
            + " do not make " + out.shape.toString());
    if (request.outputQuantizer)
        return makeQuantizedCopy(pieces, *request.outputQuantizer);
    return makeCopyKernel(std::move(pieces), width);
}

LayoutChoice splitLayouts(const KernelRequest& request)
{
    LayoutChoice choice = passThroughLayouts(request);
    std::ranges::fill(choice.outputs, request.inputs.front().layout);
    return choice;
}

Result<KernelPtr> createSplit(const KernelRequest& request)
{
    const auto& in = request.inputs.front();
    QS_TRY(const std::size_t width, elementWidth(request, in.dtype));
    QS_TRY(const int axis, checkedAxis(request, request.node.intAttribute("axis", 0), in.shape.rank()));
    const Strides inStrides = layoutStrides(in.shape, in.layout);
    std::vector<CopyPiece> pieces;
    std::int64_t position = 0;
    for (std::size_t i = 0; i < request.outputs.size(); ++i) {
        const auto& out = request.outputs[i];
        if (!out.present)
            return request.unsupported("a Split with an output left out");
        pieces.push_back({ blockLoops(out.shape, inStrides, layoutStrides(out.shape, out.layout), out.layout),
            position * inStrides[static_cast<std::size_t>(axis)], 0, 0, i });
        position += out.shape[axis];
    }
    if (position != in.shape[axis])
        return request.invalid("parts of " + std::to_string(position) + " do not make up axis " + std::to_string(axis)
            + " of " + in.shape.toString());
    return makeCopyKernel(std::move(pieces), width);
}

/// Where a slice begins, how far it steps and how many elements it takes along one axis. ONNX clamps the start into the
/// axis, also when stepping backwards.
struct Cut {
    std::int64_t start = 0;
    std::int64_t step = 1;
    std::int64_t count = 0;
};

Cut makeCut(std::int64_t start, std::int64_t end, std::int64_t step, std::int64_t extent)
{
    if (extent == 0)
        return {};
    const bool backwards = step < 0;
    const auto fromEnd = [extent](std::int64_t i) { return i < 0 ? i + extent : i; };
    const std::int64_t first = std::clamp<std::int64_t>(fromEnd(start), 0, backwards ? extent - 1 : extent);
    const std::int64_t last = std::clamp<std::int64_t>(fromEnd(end), backwards ? -1 : 0, extent);
    const std::int64_t distance = backwards ? first - last : last - first;
    // As unsigned: the smallest int64 has no positive counterpart.
    const std::uint64_t stride = backwards ? ~static_cast<std::uint64_t>(step) + 1 : static_cast<std::uint64_t>(step);
    if (distance <= 0)
        return { first, step, 0 };
    return { first, step, static_cast<std::int64_t>((static_cast<std::uint64_t>(distance) - 1) / stride) + 1 };
}

Result<KernelPtr> createSlice(const KernelRequest& request)
{
    const auto& in = request.inputs.front();
    const auto& out = request.outputs.front();
    QS_TRY(const std::size_t width, elementWidth(request, in.dtype));
    QS_TRY(const SliceOperands slice, readSliceOperands(request));
    QS_TRY(const auto axes, checkedAxes(request, slice.axes, in.shape.rank()));
    Strides from = layoutStrides(in.shape, in.layout);
    Shape extents = in.shape;
    std::int64_t offset = 0;
    for (std::size_t i = 0; i < axes.size(); ++i) {
        const auto a = static_cast<std::size_t>(axes[i]);
        const Cut cut = makeCut(slice.starts[i], slice.ends[i], slice.steps[i], in.shape[axes[i]]);
        extents[axes[i]] = cut.count;
        if (cut.count > 0)
            offset += cut.start * from[a];
        from[a] *= cut.count > 1 ? cut.step : 1; // the step of a single element may be anything
    }
    if (extents != out.shape)
        return request.invalid("slices to " + extents.toString() + ", but " + out.shape.toString() + " was inferred");
    return makeCopyKernel(
        { { blockLoops(extents, from, layoutStrides(out.shape, out.layout), out.layout), offset } }, width);
}

constexpr std::array table {
    KernelRegistration {
        .opType = "Concat", .create = createConcat, .layouts = concatLayouts, .fusesQuantizers = quantizesParts },
    KernelRegistration { "Split", createSplit, splitLayouts },
    KernelRegistration { "Slice", createSlice, passThroughLayouts },
};

} // namespace

std::span<const KernelRegistration> concatKernels() { return table; }

} // namespace quantoscope::engine
