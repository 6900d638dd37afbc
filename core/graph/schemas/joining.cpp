// SPDX-License-Identifier: GPL-3.0-or-later
#include <numeric>

#include "core/graph/schemas/families.h"
#include "core/graph/schemas/helpers.h"

namespace quantoscope::graph::schemas {

namespace {

Result<void> inferConcat(InferenceContext& context)
{
    std::optional<DType> dtype;
    for (std::size_t i = 0; i < context.inputCount(); ++i) {
        QS_TRY(const auto common, commonType(context, { 0, i }));
        dtype = dtype ? dtype : common;
    }
    context.setOutput(0, { dtype, {} });
    if (!context.input(0).dims)
        return {};
    Dims joined = *context.input(0).dims;
    QS_TRY(const std::size_t axis, axisIn(context, context.node().intAttribute("axis", 1), joined.size()));
    for (std::size_t i = 1; i < context.inputCount(); ++i) {
        const auto& part = context.input(i).dims;
        if (!part) {
            joined[axis] = Dim();
            continue;
        }
        if (part->size() != joined.size())
            return context.error("shapes " + toString(joined) + " and " + toString(*part) + " have different ranks");
        for (std::size_t a = 0; a < joined.size(); ++a) {
            if (a == axis) {
                const bool known = joined[a].known() && (*part)[a].known();
                joined[a] = known ? Dim(joined[a].value + (*part)[a].value) : Dim();
            } else {
                QS_TRY(joined[a], unified(context, joined[a], (*part)[a], "extents on axis " + std::to_string(a)));
            }
        }
    }
    context.setOutput(0, { dtype, std::move(joined) });
    return {};
}

/// Extents of equal parts: as many as outputs, up to opset 17 exactly equal, since then the last may be smaller.
Result<std::vector<std::int64_t>> equalParts(const InferenceContext& context, std::int64_t extent, std::int64_t count)
{
    if (context.opset() < 18 && extent % count != 0)
        return context.error(
            "extent " + std::to_string(extent) + " cannot be split into " + std::to_string(count) + " equal parts");
    const std::int64_t part = (extent + count - 1) / count;
    std::vector<std::int64_t> parts;
    for (std::int64_t left = extent; count > 0; --count) {
        parts.push_back(std::min(part, left));
        left -= parts.back();
    }
    return parts;
}

Result<std::vector<std::int64_t>> splitParts(const InferenceContext& context, const Dim& extent)
{
    const auto count = static_cast<std::int64_t>(context.outputCount());
    const std::int64_t declared = context.node().intAttribute("num_outputs", count);
    if (declared != count || count == 0)
        return context.error(
            "num_outputs is " + std::to_string(declared) + ", but the node has " + std::to_string(count) + " outputs");
    const auto listed = context.attributeOrInputInts("split", 1);
    if (!listed) {
        if (context.hasInput(1) || !extent.known())
            return std::vector<std::int64_t>(static_cast<std::size_t>(count), -1);
        return equalParts(context, extent.value, count);
    }
    std::int64_t sum = 0;
    for (const std::int64_t part : *listed) {
        if (part < 0 || __builtin_add_overflow(sum, part, &sum))
            return context.error("split " + Shape(*listed).toString() + " has an element that is no extent");
    }
    if (static_cast<std::int64_t>(listed->size()) != count || (extent.known() && sum != extent.value))
        return context.error("split " + Shape(*listed).toString() + " does not divide extent " + extent.toString()
            + " among " + std::to_string(count) + " outputs");
    return *listed;
}

Result<void> inferSplit(InferenceContext& context)
{
    const ValueType& input = context.input(0);
    for (std::size_t i = 0; i < context.outputCount(); ++i)
        context.setOutput(i, { input.dtype, {} });
    if (!input.dims)
        return {};
    QS_TRY(const std::size_t axis, axisIn(context, context.node().intAttribute("axis", 0), input.dims->size()));
    QS_TRY(const auto parts, splitParts(context, (*input.dims)[axis]));
    for (std::size_t i = 0; i < parts.size(); ++i) {
        Dims dims = *input.dims;
        dims[axis] = parts[i] < 0 ? Dim() : Dim(parts[i]);
        context.setOutput(i, { input.dtype, std::move(dims) });
    }
    return {};
}

/// Pads are given for all axes, or since opset 18 for those of input 3.
Result<void> inferPad(InferenceContext& context)
{
    const ValueType& input = context.input(0);
    context.setOutput(0, { input.dtype, {} });
    if (!input.dims)
        return {};
    const std::size_t rank = input.dims->size();
    const auto pads = context.attributeOrInputInts("pads", 1);
    std::vector<std::int64_t> listed(rank);
    std::iota(listed.begin(), listed.end(), std::int64_t { 0 });
    if (context.hasInput(3))
        listed = context.inputInts(3).value_or(std::vector<std::int64_t> {});
    if (!pads || (context.hasInput(3) && !context.inputConstant(3))) {
        context.setOutput(0, { input.dtype, unknownDims(rank) });
        return {};
    }
    QS_TRY(const auto axes, axesIn(context, listed, rank));
    if (pads->size() != 2 * axes.size())
        return context.error("pads " + Shape(*pads).toString() + " has " + std::to_string(pads->size())
            + " elements, expected " + std::to_string(2 * axes.size()));
    Dims dims = *input.dims;
    for (std::size_t i = 0; i < axes.size(); ++i) {
        const std::int64_t before = (*pads)[i];
        const std::int64_t after = (*pads)[i + axes.size()];
        Dim& dim = dims[axes[i]];
        if (before == 0 && after == 0)
            continue;
        std::int64_t extent = 0;
        if (__builtin_add_overflow(before, after, &extent)
            || (dim.known() && __builtin_add_overflow(extent, dim.value, &extent)) || (dim.known() && extent < 0))
            return context.error("pads " + Shape(*pads).toString() + " do not fit the input " + toString(*input.dims));
        dim = dim.known() ? Dim(extent) : Dim();
    }
    context.setOutput(0, { input.dtype, std::move(dims) });
    return {};
}

constexpr std::string_view category = "Shape";

constexpr OpSchema table[] = {
    { "Concat", category, 7, 0, 1, -1, inferConcat },
    { "Pad", category, 7, 0, 1, 4, inferPad },
    { "Split", category, 7, 0, 1, 2, inferSplit },
};

} // namespace

std::span<const OpSchema> joining() { return table; }

} // namespace quantoscope::graph::schemas
