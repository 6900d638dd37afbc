// SPDX-License-Identifier: GPL-3.0-or-later
// Pad in all its modes; negative pads crop.
#include <algorithm>
#include <array>
#include <cstring>

#include "core/engine/kernels/loops.h"
#include "core/engine/kernels/movement_operands.h"
#include "core/engine/kernels/tables.h"

namespace quantoscope::engine {

namespace {

Result<KernelPtr> createConstantPad(
    const KernelRequest& request, const std::vector<std::int64_t>& begins, std::size_t width)
{
    const auto& in = request.inputs.front();
    const auto& out = request.outputs.front();
    if (request.has(2) && (request.inputs[2].shape.size() != 1 || request.inputs[2].dtype != in.dtype))
        return request.invalid("the padding value must be one element of the data's type");
    const Strides from = layoutStrides(in.shape, in.layout);
    const Strides to = layoutStrides(out.shape, out.layout);
    Shape kept = in.shape;
    CopyPiece piece;
    for (int axis = 0; axis < in.shape.rank(); ++axis) {
        const auto a = static_cast<std::size_t>(axis);
        const std::int64_t source = std::max<std::int64_t>(0, -begins[a]);
        const std::int64_t target = std::max<std::int64_t>(0, begins[a]);
        kept[axis] = std::max<std::int64_t>(0, std::min(in.shape[axis] - source, out.shape[axis] - target));
        piece.fromOffset += source * from[a];
        piece.toOffset += target * to[a];
    }
    piece.loops = makeLoops<2>(kept.dims(), { from, to }, memoryOrder(out.shape.rank(), out.layout));
    const bool filled = kept != out.shape;
    return makeKernel([piece, width, filled, fallback = attributePadValue(request)](const KernelArguments& arguments) {
        if (filled) {
            const bool given = arguments.inputs.size() > 2 && arguments.inputs[2].data;
            const void* value = given ? arguments.inputs[2].data : fallback.data();
            withWidth(width, [&]<typename T>(Type<T>) {
                T element;
                std::memcpy(&element, value, sizeof(T));
                std::fill_n(arguments.outputs[0].out<T>(), arguments.outputs[0].size(), element);
            });
        }
        runCopies({ &piece, 1 }, width, arguments);
    });
}

/// The input index that lands at `i` (relative to the input's first element) of an axis of `extent` elements.
std::int64_t reflected(std::int64_t i, std::int64_t extent)
{
    const std::int64_t period = std::max<std::int64_t>(1, 2 * (extent - 1));
    const std::int64_t phase = ((i % period) + period) % period;
    return phase < extent ? phase : period - phase;
}

std::int64_t wrapped(std::int64_t i, std::int64_t extent) { return ((i % extent) + extent) % extent; }

std::int64_t clamped(std::int64_t i, std::int64_t extent) { return std::clamp<std::int64_t>(i, 0, extent - 1); }

Result<KernelPtr> createPad(const KernelRequest& request)
{
    const auto& in = request.inputs.front();
    const auto& out = request.outputs.front();
    QS_TRY(const std::size_t width, elementWidth(request, in.dtype));
    QS_TRY(const auto begins, readPadBegins(request));
    const std::string mode = request.node.stringAttribute("mode", "constant");
    if (mode == "constant")
        return createConstantPad(request, begins, width);
    const auto source = mode == "reflect" ? reflected : mode == "edge" ? clamped : mode == "wrap" ? wrapped : nullptr;
    if (!source)
        return request.invalid("mode '" + mode + "', expected constant, reflect, edge or wrap");
    if (in.shape.size() == 0 && out.shape.size() != 0)
        return request.invalid("an empty tensor can only be padded with a constant");
    std::vector<std::vector<std::int64_t>> sources;
    for (int axis = 0; axis < out.shape.rank(); ++axis) {
        auto& table = sources.emplace_back();
        for (std::int64_t i = 0; i < out.shape[axis]; ++i)
            table.push_back(source(i - begins[static_cast<std::size_t>(axis)], in.shape[axis]));
    }
    const TableCopy copy(sources, layoutStrides(in.shape, in.layout), memoryOrder(out.shape.rank(), out.layout));
    return makeKernel([copy, width](const KernelArguments& arguments) {
        copy.run(width, arguments.inputs[0].data, arguments.outputs[0].data);
    });
}

constexpr std::array table {
    KernelRegistration { "Pad", createPad, passThroughLayouts },
};

} // namespace

std::span<const KernelRegistration> padKernels() { return table; }

} // namespace quantoscope::engine
