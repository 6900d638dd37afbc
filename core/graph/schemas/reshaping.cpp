// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>

#include "core/graph/schemas/families.h"
#include "core/graph/schemas/helpers.h"
#include "core/graph/schemas/reshape.h"

namespace quantoscope::graph::schemas {

namespace {

/// Number of elements of a shape operand, if its own type tells.
std::optional<std::size_t> operandLength(const InferenceContext& context, std::size_t i)
{
    const auto& dims = context.input(i).dims;
    if (!dims || dims->size() != 1 || !dims->front().known() || dims->front().value > 64)
        return std::nullopt;
    return static_cast<std::size_t>(dims->front().value);
}

Result<void> inferReshape(InferenceContext& context)
{
    const ValueType& input = context.input(0);
    context.setOutput(0, { input.dtype, {} });
    const auto elements = context.inputElements(1);
    if (!elements) {
        if (const auto rank = operandLength(context, 1))
            context.setOutput(0, { input.dtype, unknownDims(*rank) });
        return {};
    }
    if (!input.dims) {
        context.setOutput(0, { input.dtype, unknownDims(elements->size()) });
        return {};
    }
    QS_TRY(Dims dims, reshapedDims(context, *input.dims, *elements));
    context.setOutput(0, { input.dtype, std::move(dims) });
    return {};
}

Result<void> inferFlatten(InferenceContext& context)
{
    const ValueType& input = context.input(0);
    context.setOutput(0, { input.dtype, unknownDims(2) });
    if (!input.dims)
        return {};
    const auto rank = static_cast<std::int64_t>(input.dims->size());
    std::int64_t axis = context.node().intAttribute("axis", 1);
    if (axis < -rank || axis > rank)
        return context.error("axis " + std::to_string(axis) + " is outside a tensor of rank " + std::to_string(rank));
    axis += axis < 0 ? rank : 0;
    const std::span<const Dim> dims(*input.dims);
    QS_TRY(const Dim outer, product(context, dims.first(static_cast<std::size_t>(axis))));
    QS_TRY(const Dim inner, product(context, dims.subspan(static_cast<std::size_t>(axis))));
    context.setOutput(0, { input.dtype, Dims { outer, inner } });
    return {};
}

Result<void> inferTranspose(InferenceContext& context)
{
    const ValueType& input = context.input(0);
    context.setOutput(0, { input.dtype, {} });
    if (!input.dims)
        return {};
    const auto rank = input.dims->size();
    std::vector<std::int64_t> order(rank);
    for (std::size_t i = 0; i < rank; ++i)
        order[i] = static_cast<std::int64_t>(rank - 1 - i);
    order = context.node().intsAttribute("perm", order);
    QS_TRY(const auto axes, axesIn(context, order, rank));
    if (axes.size() != rank)
        return context.error(
            "perm " + Shape(order).toString() + " does not order the axes of " + toString(*input.dims));
    Dims dims;
    for (const std::size_t axis : axes)
        dims.push_back((*input.dims)[axis]);
    context.setOutput(0, { input.dtype, std::move(dims) });
    return {};
}

Result<void> inferSqueeze(InferenceContext& context)
{
    const ValueType& input = context.input(0);
    context.setOutput(0, { input.dtype, {} });
    const auto listed = context.attributeOrInputInts("axes", 1);
    if (!input.dims || (!listed && context.hasInput(1)))
        return {};
    std::vector<bool> dropped(input.dims->size());
    if (listed) {
        QS_TRY(const auto axes, axesIn(context, *listed, input.dims->size()));
        for (const std::size_t axis : axes) {
            const Dim& dim = (*input.dims)[axis];
            if (dim.known() && dim.value != 1)
                return context.error("axis " + std::to_string(axis) + " of " + toString(*input.dims)
                    + " cannot be squeezed, its extent is not 1");
            dropped[axis] = true;
        }
    } else {
        if (!toShape(*input.dims))
            return {};
        for (std::size_t i = 0; i < dropped.size(); ++i)
            dropped[i] = (*input.dims)[i] == Dim(1);
    }
    Dims dims;
    for (std::size_t i = 0; i < dropped.size(); ++i) {
        if (!dropped[i])
            dims.push_back((*input.dims)[i]);
    }
    context.setOutput(0, { input.dtype, std::move(dims) });
    return {};
}

Result<void> inferUnsqueeze(InferenceContext& context)
{
    const ValueType& input = context.input(0);
    context.setOutput(0, { input.dtype, {} });
    const auto listed = context.attributeOrInputInts("axes", 1);
    if (!input.dims || !listed)
        return {};
    const std::size_t rank = input.dims->size() + listed->size();
    QS_TRY(const auto axes, axesIn(context, *listed, rank));
    Dims dims;
    std::size_t next = 0;
    for (std::size_t i = 0; i < rank; ++i)
        dims.push_back(std::ranges::find(axes, i) != axes.end() ? Dim(1) : (*input.dims)[next++]);
    context.setOutput(0, { input.dtype, std::move(dims) });
    return {};
}

Result<void> inferExpand(InferenceContext& context)
{
    const ValueType& input = context.input(0);
    context.setOutput(0, { input.dtype, {} });
    const auto elements = context.inputElements(1);
    if (!input.dims || !elements) {
        if (const auto rank = operandLength(context, 1); rank && input.dims)
            context.setOutput(0, { input.dtype, unknownDims(std::max(*rank, input.dims->size())) });
        return {};
    }
    Dims wanted;
    for (const Element& element : *elements) {
        if (element.value && *element.value < 0)
            return context.error("the new shape has the extent " + std::to_string(*element.value));
        wanted.push_back(element.value ? Dim(*element.value) : Dim::named(element.symbol));
    }
    QS_TRY(Dims dims, broadcastDims(context, *input.dims, wanted));
    context.setOutput(0, { input.dtype, std::move(dims) });
    return {};
}

Result<void> inferTile(InferenceContext& context)
{
    const ValueType& input = context.input(0);
    context.setOutput(0, { input.dtype, {} });
    if (!input.dims)
        return {};
    Dims dims = unknownDims(input.dims->size());
    if (const auto repeats = context.inputInts(1)) {
        if (repeats->size() != dims.size())
            return context.error("repeats " + Shape(*repeats).toString()
                + " does not have one element for each axis of " + toString(*input.dims));
        for (std::size_t i = 0; i < dims.size(); ++i) {
            const std::int64_t count = (*repeats)[i];
            if (count < 0)
                return context.error("repeats " + Shape(*repeats).toString() + " has a negative element");
            const Dim factors[] = { (*input.dims)[i], count };
            QS_TRY(dims[i], product(context, factors));
        }
    }
    context.setOutput(0, { input.dtype, std::move(dims) });
    return {};
}

Result<std::int64_t> blockSize(const InferenceContext& context)
{
    QS_CHECK(requireRank(context, 0, 4));
    const std::int64_t block = context.node().intAttribute("blocksize", 0);
    if (block < 1 || block > (1 << 15))
        return context.error("blocksize is " + std::to_string(block) + ", expected a small positive number");
    return block;
}

Result<Dim> divided(const InferenceContext& context, const Dim& dim, std::int64_t divisor)
{
    if (!dim.known())
        return divisor == 1 ? dim : Dim();
    if (dim.value % divisor != 0)
        return context.error("extent " + dim.toString() + " of " + toString(*context.input(0).dims)
            + " is not a multiple of " + std::to_string(divisor));
    return Dim(dim.value / divisor);
}

Result<Dim> multiplied(const InferenceContext& context, const Dim& dim, std::int64_t factor)
{
    const Dim factors[] = { dim, factor };
    return product(context, factors);
}

Result<void> inferDepthToSpace(InferenceContext& context)
{
    QS_TRY(const std::int64_t block, blockSize(context));
    const ValueType& input = context.input(0);
    Dims dims = input.dims.value_or(unknownDims(4));
    QS_TRY(dims[1], divided(context, dims[1], block * block));
    QS_TRY(dims[2], multiplied(context, dims[2], block));
    QS_TRY(dims[3], multiplied(context, dims[3], block));
    context.setOutput(0, { input.dtype, std::move(dims) });
    return {};
}

Result<void> inferSpaceToDepth(InferenceContext& context)
{
    QS_TRY(const std::int64_t block, blockSize(context));
    const ValueType& input = context.input(0);
    Dims dims = input.dims.value_or(unknownDims(4));
    QS_TRY(dims[1], multiplied(context, dims[1], block * block));
    QS_TRY(dims[2], divided(context, dims[2], block));
    QS_TRY(dims[3], divided(context, dims[3], block));
    context.setOutput(0, { input.dtype, std::move(dims) });
    return {};
}

constexpr std::string_view category = "Shape";

constexpr OpSchema table[] = {
    { "DepthToSpace", category, 7, 0, 1, 1, inferDepthToSpace },
    { "Expand", category, 8, 0, 2, 2, inferExpand },
    { "Flatten", category, 7, 0, 1, 1, inferFlatten },
    { "Reshape", category, 7, 0, 2, 2, inferReshape },
    { "SpaceToDepth", category, 7, 0, 1, 1, inferSpaceToDepth },
    { "Squeeze", category, 7, 0, 1, 2, inferSqueeze },
    { "Tile", category, 7, 0, 2, 2, inferTile },
    { "Transpose", category, 7, 0, 1, 1, inferTranspose },
    { "Unsqueeze", category, 7, 0, 1, 2, inferUnsqueeze },
};

} // namespace

std::span<const OpSchema> reshaping() { return table; }

} // namespace quantoscope::graph::schemas
