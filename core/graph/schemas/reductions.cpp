// SPDX-License-Identifier: GPL-3.0-or-later
#include <numeric>

#include "core/graph/schemas/families.h"
#include "core/graph/schemas/helpers.h"

namespace quantoscope::graph::schemas {

namespace {

Dims reduced(const Dims& dims, const std::vector<std::size_t>& axes, bool keep)
{
    std::vector<bool> gone(dims.size());
    for (const std::size_t axis : axes)
        gone[axis] = true;
    Dims result;
    for (std::size_t i = 0; i < dims.size(); ++i) {
        if (!gone[i])
            result.push_back(dims[i]);
        else if (keep)
            result.push_back(1);
    }
    return result;
}

/// Axes are an attribute, or an input for ReduceSum since opset 13 and for the others since 18.
Result<void> inferReduce(InferenceContext& context)
{
    const ValueType& input = context.input(0);
    context.setOutput(0, { input.dtype, {} });
    if (!input.dims)
        return {};
    const std::size_t rank = input.dims->size();
    const bool keep = context.node().intAttribute("keepdims", 1) != 0;
    auto listed = context.attributeOrInputInts("axes", 1);
    if (!listed && context.hasInput(1)) {
        if (keep)
            context.setOutput(0, { input.dtype, unknownDims(rank) });
        return {};
    }
    if (!listed || listed->empty()) {
        if (context.node().intAttribute("noop_with_empty_axes", 0) != 0)
            return inferSame(context);
        listed.emplace(rank);
        std::iota(listed->begin(), listed->end(), std::int64_t { 0 });
    }
    QS_TRY(const auto axes, axesIn(context, *listed, rank));
    context.setOutput(0, { input.dtype, reduced(*input.dims, axes, keep) });
    return {};
}

Result<void> inferArg(InferenceContext& context)
{
    const auto& dims = context.input(0).dims;
    context.setOutput(0, { DType::Int64, {} });
    if (!dims)
        return {};
    QS_TRY(const std::size_t axis, axisIn(context, context.node().intAttribute("axis", 0), dims->size()));
    context.setOutput(0, { DType::Int64, reduced(*dims, { axis }, context.node().intAttribute("keepdims", 1) != 0) });
    return {};
}

/// k is an attribute up to opset 9, an input since.
Result<void> inferTopK(InferenceContext& context)
{
    const ValueType& input = context.input(0);
    context.setOutput(0, { input.dtype, {} });
    context.setOutput(1, { DType::Int64, {} });
    if (!input.dims)
        return {};
    Dims dims = *input.dims;
    QS_TRY(const std::size_t axis, axisIn(context, context.node().intAttribute("axis", -1), dims.size()));
    std::optional<std::int64_t> k;
    if (context.node().hasAttribute("k"))
        k = context.node().intAttribute("k", -1);
    else if (const auto given = context.inputInts(1); given && given->size() == 1)
        k = given->front();
    if (k && (*k < 0 || (dims[axis].known() && *k > dims[axis].value)))
        return context.error("k is " + std::to_string(*k) + ", but axis " + std::to_string(axis) + " of "
            + toString(*input.dims) + " has only " + dims[axis].toString() + " elements");
    dims[axis] = k ? Dim(*k) : Dim();
    context.setOutput(0, { input.dtype, dims });
    context.setOutput(1, { DType::Int64, std::move(dims) });
    return {};
}

constexpr std::string_view category = "Reduction";

constexpr OpSchema table[] = {
    { "ArgMax", category, 7, 0, 1, 1, inferArg },
    { "ArgMin", category, 7, 0, 1, 1, inferArg },
    { "CumSum", category, 11, 0, 2, 2, inferSame },
    { "ReduceL1", category, 7, 0, 1, 2, inferReduce },
    { "ReduceL2", category, 7, 0, 1, 2, inferReduce },
    { "ReduceLogSum", category, 7, 0, 1, 2, inferReduce },
    { "ReduceLogSumExp", category, 7, 0, 1, 2, inferReduce },
    { "ReduceMax", category, 7, 0, 1, 2, inferReduce },
    { "ReduceMean", category, 7, 0, 1, 2, inferReduce },
    { "ReduceMin", category, 7, 0, 1, 2, inferReduce },
    { "ReduceProd", category, 7, 0, 1, 2, inferReduce },
    { "ReduceSum", category, 7, 0, 1, 2, inferReduce },
    { "ReduceSumSquare", category, 7, 0, 1, 2, inferReduce },
    { "TopK", category, 7, 0, 1, 2, inferTopK },
};

} // namespace

std::span<const OpSchema> reductions() { return table; }

} // namespace quantoscope::graph::schemas
