// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <limits>
#include <numeric>

#include "core/graph/schemas/families.h"
#include "core/graph/schemas/helpers.h"

namespace quantoscope::graph::schemas {

namespace {

using Ints = std::vector<std::int64_t>;

constexpr std::int64_t farEnd = std::numeric_limits<std::int32_t>::max();

/// Elements that `start`, `end` and `step` pick of an axis. Where it steps backwards from before the first element,
/// that one is picked (ONNX clamps the start into the axis; Python would pick nothing).
Dim slicedExtent(const Dim& dim, std::int64_t start, std::int64_t end, std::int64_t step)
{
    if (!dim.known())
        return start == 0 && end >= farEnd && step == 1 ? dim : Dim();
    const std::int64_t extent = dim.value;
    start += start < 0 ? extent : 0;
    end += end < 0 ? extent : 0;
    if (step > 0) {
        start = std::clamp<std::int64_t>(start, 0, extent);
        end = std::clamp<std::int64_t>(end, 0, extent);
        return end <= start ? Dim(0) : Dim((end - start - 1) / step + 1);
    }
    if (extent == 0)
        return Dim(0);
    start = std::clamp<std::int64_t>(start, 0, extent - 1);
    end = std::clamp<std::int64_t>(end, -1, extent - 1);
    // -(step + 1) + 1 as unsigned: the smallest int64 has no positive counterpart.
    const std::uint64_t stride = ~static_cast<std::uint64_t>(step) + 1;
    return start <= end ? Dim(0)
                        : Dim(static_cast<std::int64_t>((static_cast<std::uint64_t>(start - end) - 1) / stride) + 1);
}

/// Which axes a Slice cuts, empty if that is not known.
Result<std::optional<std::vector<std::size_t>>> slicedAxes(
    const InferenceContext& context, std::size_t rank, std::size_t count)
{
    Ints listed(count);
    std::iota(listed.begin(), listed.end(), std::int64_t { 0 });
    if (context.node().hasAttribute("axes") || context.hasInput(3)) {
        const auto given = context.attributeOrInputInts("axes", 3);
        if (!given)
            return std::optional<std::vector<std::size_t>>();
        listed = *given;
    }
    QS_TRY(auto axes, axesIn(context, listed, rank));
    return std::optional(std::move(axes));
}

/// Attributes up to opset 9, inputs since.
Result<void> inferSlice(InferenceContext& context)
{
    const ValueType& input = context.input(0);
    context.setOutput(0, { input.dtype, {} });
    if (!input.dims)
        return {};
    const std::size_t rank = input.dims->size();
    const auto starts = context.attributeOrInputInts("starts", 1);
    const auto ends = context.attributeOrInputInts("ends", 2);
    const auto listed = context.attributeOrInputInts("axes", 3);
    const auto steps = context.hasInput(4) ? context.inputInts(4) : std::nullopt;
    const std::size_t count = starts ? starts->size() : ends ? ends->size() : listed ? listed->size() : rank;
    QS_TRY(const auto axes, slicedAxes(context, rank, count));
    if (!axes) {
        context.setOutput(0, { input.dtype, unknownDims(rank) });
        return {};
    }
    const auto fits = [&](const std::optional<Ints>& list) { return !list || list->size() == axes->size(); };
    if (!fits(starts) || !fits(ends) || !fits(steps))
        return context.error("starts, ends, axes and steps have different lengths");
    const bool known = starts && ends && (steps || !context.hasInput(4));
    Dims dims = *input.dims;
    for (std::size_t i = 0; i < axes->size(); ++i) {
        Dim& dim = dims[(*axes)[i]];
        const std::int64_t step = steps ? (*steps)[i] : 1;
        if (step == 0)
            return context.error("a step is 0");
        dim = known ? slicedExtent(dim, (*starts)[i], (*ends)[i], step) : Dim();
    }
    context.setOutput(0, { input.dtype, std::move(dims) });
    return {};
}

Result<void> inferGather(InferenceContext& context)
{
    const ValueType& data = context.input(0);
    const auto& indices = context.input(1).dims;
    context.setOutput(0, { data.dtype, {} });
    if (!data.dims || !indices)
        return {};
    QS_TRY(const std::size_t axis, axisIn(context, context.node().intAttribute("axis", 0), data.dims->size()));
    if (const auto chosen = context.inputInts(1); chosen && (*data.dims)[axis].known()) {
        const std::int64_t extent = (*data.dims)[axis].value;
        const auto wrong = std::ranges::find_if(*chosen, [&](std::int64_t i) { return i < -extent || i >= extent; });
        if (wrong != chosen->end())
            return context.error("index " + std::to_string(*wrong) + " is outside axis " + std::to_string(axis) + " of "
                + toString(*data.dims));
    }
    const auto at = data.dims->begin() + static_cast<std::ptrdiff_t>(axis);
    Dims dims(data.dims->begin(), at);
    dims.insert(dims.end(), indices->begin(), indices->end());
    dims.insert(dims.end(), at + 1, data.dims->end());
    context.setOutput(0, { data.dtype, std::move(dims) });
    return {};
}

Result<void> inferGatherElements(InferenceContext& context)
{
    const auto& data = context.input(0).dims;
    const auto& indices = context.input(1).dims;
    if (data) {
        QS_CHECK(axisIn(context, context.node().intAttribute("axis", 0), data->size()));
        if (indices && indices->size() != data->size())
            return context.error(
                "data " + toString(*data) + " and indices " + toString(*indices) + " have different ranks");
    }
    context.setOutput(0, { context.input(0).dtype, indices });
    return {};
}

Result<void> inferGatherND(InferenceContext& context)
{
    const ValueType& data = context.input(0);
    const auto& indices = context.input(1).dims;
    context.setOutput(0, { data.dtype, {} });
    if (!data.dims || !indices || indices->empty() || !indices->back().known())
        return {};
    const std::int64_t batch = context.node().intAttribute("batch_dims", 0);
    const auto rank = static_cast<std::int64_t>(data.dims->size());
    if (batch < 0 || batch >= static_cast<std::int64_t>(indices->size()) || indices->back().value > rank - batch
        || indices->back().value < 1)
        return context.error("indices " + toString(*indices) + " do not fit data " + toString(*data.dims)
            + " with batch_dims " + std::to_string(batch));
    Dims dims(indices->begin(), indices->end() - 1);
    dims.insert(
        dims.end(), data.dims->begin() + static_cast<std::ptrdiff_t>(batch + indices->back().value), data.dims->end());
    context.setOutput(0, { data.dtype, std::move(dims) });
    return {};
}

Result<void> inferScatter(InferenceContext& context)
{
    QS_CHECK(commonType(context, { 0, 2 }));
    return inferSame(context);
}

Result<void> inferOneHot(InferenceContext& context)
{
    const auto& indices = context.input(0).dims;
    context.setOutput(0, { context.input(2).dtype, {} });
    if (!indices)
        return {};
    QS_TRY(const std::size_t axis, axisIn(context, context.node().intAttribute("axis", -1), indices->size() + 1));
    Dim depth;
    if (const TensorPtr constant = context.inputConstant(1)) {
        const auto numbers = tensor::toInt64s(constant->view());
        if (numbers.size() != 1 || numbers[0] < 1)
            return context.error("depth is not one positive number");
        depth = numbers[0];
    }
    Dims dims = *indices;
    dims.insert(dims.begin() + static_cast<std::ptrdiff_t>(axis), depth);
    context.setOutput(0, { context.input(2).dtype, std::move(dims) });
    return {};
}

Result<void> inferTrilu(InferenceContext& context)
{
    if (const auto& dims = context.input(0).dims; dims && dims->size() < 2)
        return context.error("input has shape " + toString(*dims) + ", expected at least a matrix");
    return inferSame(context);
}

constexpr std::string_view category = "Indexing";

constexpr OpSchema table[] = {
    { "Gather", category, 7, 0, 2, 2, inferGather },
    { "GatherElements", category, 11, 0, 2, 2, inferGatherElements },
    { "GatherND", category, 11, 0, 2, 2, inferGatherND },
    { "OneHot", category, 9, 0, 3, 3, inferOneHot },
    { "ReverseSequence", category, 10, 0, 2, 2, inferSame },
    { "Scatter", category, 9, 10, 3, 3, inferScatter },
    { "ScatterElements", category, 11, 0, 3, 3, inferScatter },
    { "ScatterND", category, 11, 0, 3, 3, inferScatter },
    { "Slice", category, 7, 0, 1, 5, inferSlice },
    { "Trilu", category, 14, 0, 1, 2, inferTrilu },
};

} // namespace

std::span<const OpSchema> indexing() { return table; }

} // namespace quantoscope::graph::schemas
