// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/kernels/movement_operands.h"

#include <algorithm>
#include <cstring>
#include <numeric>

namespace quantoscope::engine {

Result<SliceOperands> readSliceOperands(const KernelRequest& request)
{
    SliceOperands slice;
    const auto starts = request.attributeOrInts("starts", 1);
    const auto ends = request.attributeOrInts("ends", 2);
    const auto axes = request.attributeOrInts("axes", 3);
    const auto steps = request.ints(4);
    const bool lacksAxes = request.has(3) && !axes;
    const bool lacksSteps = request.has(4) && !steps;
    if (!starts || !ends || lacksAxes || lacksSteps)
        return request.unsupported("a Slice whose bounds are computed while the model runs",
            "fix the shapes of the model so that they become constants");
    slice.starts = *starts;
    slice.ends = *ends;
    slice.axes = axes.value_or(std::vector<std::int64_t> {});
    if (!axes)
        for (std::size_t i = 0; i < starts->size(); ++i)
            slice.axes.push_back(static_cast<std::int64_t>(i));
    slice.steps = steps.value_or(std::vector<std::int64_t>(starts->size(), 1));
    if (slice.ends.size() != starts->size() || slice.axes.size() != starts->size()
        || slice.steps.size() != starts->size())
        return request.invalid("starts, ends, axes and steps differ in length");
    if (std::ranges::find(slice.steps, 0) != slice.steps.end())
        return request.invalid("a step of 0");
    return slice;
}

Result<std::vector<std::int64_t>> readPadBegins(const KernelRequest& request)
{
    const auto& in = request.inputs.front();
    const auto& out = request.outputs.front();
    const auto pads = request.attributeOrInts("pads", 1);
    if (!pads || (request.has(3) && !request.ints(3)))
        return request.unsupported("a Pad whose widths are computed while the model runs",
            "fix the shapes of the model so that they become constants");
    std::vector<int> axes(static_cast<std::size_t>(in.shape.rank()));
    std::iota(axes.begin(), axes.end(), 0);
    if (const auto given = request.ints(3)) {
        QS_TRY(axes, checkedAxes(request, *given, in.shape.rank()));
    }
    if (pads->size() != 2 * axes.size())
        return request.invalid("got " + std::to_string(pads->size()) + " pads for " + std::to_string(axes.size())
            + " axes, expected two an axis");
    Shape padded = in.shape;
    std::vector<std::int64_t> begins(static_cast<std::size_t>(in.shape.rank()), 0);
    for (std::size_t i = 0; i < axes.size(); ++i) {
        begins[static_cast<std::size_t>(axes[i])] = (*pads)[i];
        padded[axes[i]] += (*pads)[i] + (*pads)[i + axes.size()];
    }
    if (padded != out.shape)
        return request.invalid("pads to " + padded.toString() + ", but " + out.shape.toString() + " was inferred");
    return begins;
}

std::array<std::byte, 8> attributePadValue(const KernelRequest& request)
{
    const auto scalar = Tensor::scalar(request.node.floatAttribute("value", 0.0F));
    const Tensor value = tensor::convert(scalar.view(), request.inputs.front().dtype);
    std::array<std::byte, 8> bytes {};
    std::memcpy(bytes.data(), value.data(), value.bytes());
    return bytes;
}

Result<std::vector<int>> readPermutation(const KernelRequest& request)
{
    const Shape& shape = request.inputs.front().shape;
    std::vector<std::int64_t> reversed;
    for (int axis = shape.rank(); axis-- > 0;)
        reversed.push_back(axis);
    QS_TRY(auto perm, checkedAxes(request, request.node.intsAttribute("perm", reversed), shape.rank()));
    if (static_cast<int>(perm.size()) != shape.rank())
        return request.invalid("perm has " + std::to_string(perm.size()) + " axes, the tensor " + shape.toString()
            + " has " + std::to_string(shape.rank()));
    return perm;
}

} // namespace quantoscope::engine
