// SPDX-License-Identifier: GPL-3.0-or-later
// Transpose, Concat, Slice and Pad as their definitions say: where does the element at this index come from?
#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "core/engine/kernels/movement_operands.h"
#include "core/engine/kernels/reference/indexing.h"
#include "core/engine/kernels/tables.h"

namespace quantoscope::engine {

namespace {

using namespace reference;

/// Fills the output element by element: `source(index)` is the offset in input 0, or empty for the bytes of `fill`.
template <typename Source>
void fillFrom(const KernelArguments& arguments, std::size_t width, const void* fill, Source source)
{
    const auto* from = arguments.inputs[0].in<std::byte>();
    auto* to = arguments.outputs[0].out<std::byte>();
    forEachIndex(arguments.outputs[0].shape->dims(), [&](const Index& index) {
        const std::optional<std::int64_t> offset = source(index);
        std::memcpy(to, offset ? from + static_cast<std::size_t>(*offset) * width : fill, width);
        to += width;
    });
}

Result<KernelPtr> createTranspose(const KernelRequest& request)
{
    const Shape& shape = request.inputs[0].shape;
    QS_TRY(const std::size_t width, elementWidth(request, request.inputs[0].dtype));
    QS_TRY(const auto perm, readPermutation(request));
    return makeKernel(
        [perm, width, extents = shape.dims()](const KernelArguments& arguments) {
            fillFrom(arguments, width, nullptr, [&](const Index& index) -> std::optional<std::int64_t> {
                Index source {};
                for (std::size_t axis = 0; axis < perm.size(); ++axis)
                    source[static_cast<std::size_t>(perm[axis])] = index[axis];
                return offsetOf(extents, source);
            });
        },
        traits);
}

Result<KernelPtr> createConcat(const KernelRequest& request)
{
    const Shape& out = request.outputs[0].shape;
    QS_TRY(const std::size_t width, elementWidth(request, request.outputs[0].dtype));
    QS_TRY(const int axis, checkedAxis(request, request.node.intAttribute("axis", 1), out.rank()));
    std::int64_t total = 0;
    for (const auto& input : request.inputs) {
        if (input.shape.rank() != out.rank() || input.dtype != request.outputs[0].dtype)
            return request.invalid("a part of shape " + input.shape.toString() + " for " + out.toString());
        total += input.shape[axis];
    }
    if (total != out[axis])
        return request.invalid("parts of " + std::to_string(total) + " do not make " + out.toString());
    return makeKernel(
        [width, a = static_cast<std::size_t>(axis)](const KernelArguments& arguments) {
            auto* to = arguments.outputs[0].out<std::byte>();
            forEachIndex(arguments.outputs[0].shape->dims(), [&](Index index) {
                std::size_t part = 0;
                for (; index[a] >= arguments.inputs[part].shape->dims()[a]; ++part)
                    index[a] -= arguments.inputs[part].shape->dims()[a];
                const auto offset = static_cast<std::size_t>(offsetOf(arguments.inputs[part].shape->dims(), index));
                std::memcpy(to, arguments.inputs[part].in<std::byte>() + offset * width, width);
                to += width;
            });
        },
        traits);
}

/// The elements start:end:step picks from an axis. ONNX clamps the start into the axis, also when stepping backwards.
std::vector<std::int64_t> picked(std::int64_t start, std::int64_t end, std::int64_t step, std::int64_t extent)
{
    std::vector<std::int64_t> picks;
    if (extent == 0)
        return picks;
    start += start < 0 ? extent : 0;
    end += end < 0 ? extent : 0;
    const bool backwards = step < 0;
    std::int64_t i = std::clamp<std::int64_t>(start, 0, backwards ? extent - 1 : extent);
    const std::int64_t last = std::clamp<std::int64_t>(end, backwards ? -1 : 0, extent);
    while (backwards ? i > last : i < last) {
        picks.push_back(i);
        if (step > extent || step < -extent)
            break; // the next would lie outside, and might overflow
        i += step;
    }
    return picks;
}

Result<KernelPtr> createSlice(const KernelRequest& request)
{
    const Shape& in = request.inputs[0].shape;
    QS_TRY(const std::size_t width, elementWidth(request, request.inputs[0].dtype));
    QS_TRY(const SliceOperands slice, readSliceOperands(request));
    QS_TRY(const auto axes, checkedAxes(request, slice.axes, in.rank()));
    std::vector<std::vector<std::int64_t>> picks;
    for (const auto extent : in)
        picks.push_back(picked(0, extent, 1, extent));
    for (std::size_t i = 0; i < axes.size(); ++i)
        picks[static_cast<std::size_t>(axes[i])] = picked(slice.starts[i], slice.ends[i], slice.steps[i], in[axes[i]]);
    Shape out = in;
    for (int axis = 0; axis < in.rank(); ++axis)
        out[axis] = static_cast<std::int64_t>(picks[static_cast<std::size_t>(axis)].size());
    if (out != request.outputs[0].shape)
        return request.invalid("slices to " + out.toString());
    return makeKernel(
        [picks, width, extents = in.dims()](const KernelArguments& arguments) {
            fillFrom(arguments, width, nullptr, [&](const Index& index) -> std::optional<std::int64_t> {
                Index source {};
                for (std::size_t axis = 0; axis < picks.size(); ++axis)
                    source[axis] = picks[axis][static_cast<std::size_t>(index[axis])];
                return offsetOf(extents, source);
            });
        },
        traits);
}

/// One step at a time toward the inside, as a mirror would reflect.
std::int64_t bounced(std::int64_t i, std::int64_t extent)
{
    while (extent > 1 && (i < 0 || i >= extent))
        i = i < 0 ? -i : 2 * (extent - 1) - i;
    return extent > 1 ? i : 0;
}

Result<KernelPtr> createPad(const KernelRequest& request)
{
    const Shape& in = request.inputs[0].shape;
    QS_TRY(const std::size_t width, elementWidth(request, request.inputs[0].dtype));
    QS_TRY(const auto begins, readPadBegins(request));
    const std::string mode = request.node.stringAttribute("mode", "constant");
    if (mode != "constant" && (mode == "wrap" || in.size() == 0))
        return request.unsupported("mode '" + mode + "' here"); // the fast kernel decides
    return makeKernel(
        [=, extents = in.dims(), fallback = attributePadValue(request)](const KernelArguments& arguments) {
            const bool given = arguments.inputs.size() > 2 && arguments.inputs[2].data;
            const void* fill = given ? arguments.inputs[2].data : fallback.data();
            fillFrom(arguments, width, fill, [&](const Index& index) -> std::optional<std::int64_t> {
                Index source {};
                for (std::size_t axis = 0; axis < extents.size(); ++axis) {
                    source[axis] = index[axis] - begins[axis];
                    if (mode == "reflect")
                        source[axis] = bounced(source[axis], extents[axis]);
                    else if (mode == "edge")
                        source[axis] = source[axis] < 0 ? 0 : std::min(source[axis], extents[axis] - 1);
                    else if (source[axis] < 0 || source[axis] >= extents[axis])
                        return std::nullopt;
                }
                return offsetOf(extents, source);
            });
        },
        traits);
}

constexpr std::array table {
    KernelRegistration { "Transpose", createTranspose },
    KernelRegistration { "Concat", createConcat },
    KernelRegistration { "Slice", createSlice },
    KernelRegistration { "Pad", createPad },
};

} // namespace

std::span<const KernelRegistration> referenceMovementKernels() { return table; }

} // namespace quantoscope::engine
