// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/graph/schemas/families.h"
#include "core/graph/schemas/helpers.h"

namespace quantoscope::graph::schemas {

namespace {

/// A constant operand; absent and empty ones ("scales or sizes, the other is empty") are the same.
TensorPtr operand(const InferenceContext& context, std::size_t i)
{
    const TensorPtr constant = context.inputConstant(i);
    return constant && constant->size() > 0 ? constant : nullptr;
}

/// True if the operand is there but its elements are not known.
bool undecided(const InferenceContext& context, std::size_t i)
{
    if (!context.hasInput(i) || context.inputConstant(i))
        return false;
    const auto shape = context.inputShape(i);
    return !shape || shape->size() > 0;
}

/// extent * scale in float32 and rounded down, which is what other runtimes compute.
Result<Dim> scaledExtent(const InferenceContext& context, const Dim& dim, float scale)
{
    if (!(scale > 0) || !std::isfinite(scale))
        return context.error("the scale " + std::to_string(scale) + " is not positive");
    if (!dim.known() || scale == 1.0f)
        return scale == 1.0f ? dim : Dim();
    const float scaled = std::floor(static_cast<float>(dim.value) * scale);
    if (scaled > 0x1.0p40f)
        return context.error("the scale " + std::to_string(scale) + " makes more than 2^40 elements");
    return Dim(static_cast<std::int64_t>(scaled));
}

Result<void> applyScales(
    InferenceContext& context, const std::vector<std::size_t>& axes, const std::vector<float>& scales)
{
    Dims dims = *context.input(0).dims;
    if (scales.size() != axes.size())
        return context.error("there are " + std::to_string(scales.size()) + " scales for " + std::to_string(axes.size())
            + " axes of " + toString(dims));
    for (std::size_t i = 0; i < axes.size(); ++i) {
        QS_TRY(dims[axes[i]], scaledExtent(context, dims[axes[i]], scales[i]));
    }
    context.setOutput(0, { context.input(0).dtype, std::move(dims) });
    return {};
}

std::vector<float> floats(const Tensor& tensor)
{
    const Tensor converted = tensor::convert(tensor.view(), DType::Float32);
    const auto values = converted.as<float>();
    return { values.begin(), values.end() };
}

/// With a policy other than "stretch" one scale, the smallest or largest, holds for all axes (opset 18).
Result<void> keepAspectRatio(const InferenceContext& context, const Dims& input, const std::vector<std::size_t>& axes,
    std::vector<std::int64_t>& sizes)
{
    const std::string policy = context.node().stringAttribute("keep_aspect_ratio_policy", "stretch");
    if (policy == "stretch")
        return {};
    if (policy != "not_larger" && policy != "not_smaller")
        return context.error(
            "keep_aspect_ratio_policy is '" + policy + "', expected stretch, not_larger or not_smaller");
    std::optional<double> chosen;
    for (std::size_t i = 0; i < axes.size(); ++i) {
        const Dim& dim = input[axes[i]];
        if (!dim.known() || dim.value == 0) {
            std::ranges::fill(sizes, -1);
            return {};
        }
        const double scale = static_cast<double>(sizes[i]) / static_cast<double>(dim.value);
        chosen = !chosen ? scale : policy == "not_larger" ? std::min(*chosen, scale) : std::max(*chosen, scale);
    }
    for (std::size_t i = 0; i < axes.size(); ++i) {
        const double size = std::floor(*chosen * static_cast<double>(input[axes[i]].value) + 0.5);
        if (size > 0x1.0p40)
            return context.error("the sizes make more than 2^40 elements with keep_aspect_ratio_policy " + policy);
        sizes[i] = static_cast<std::int64_t>(size);
    }
    return {};
}

Result<void> applySizes(InferenceContext& context, const std::vector<std::size_t>& axes, const Elements& elements)
{
    Dims dims = *context.input(0).dims;
    if (elements.size() != axes.size())
        return context.error("there are " + std::to_string(elements.size()) + " sizes for "
            + std::to_string(axes.size()) + " axes of " + toString(dims));
    std::vector<std::int64_t> sizes;
    for (const Element& element : elements) {
        if (element.value && *element.value < 0)
            return context.error("a size is " + std::to_string(*element.value));
        sizes.push_back(element.value.value_or(-1));
    }
    const bool known = std::ranges::none_of(sizes, [](std::int64_t size) { return size < 0; });
    const Dims input = dims;
    if (known)
        QS_CHECK(keepAspectRatio(context, input, axes, sizes));
    for (std::size_t i = 0; i < axes.size(); ++i)
        dims[axes[i]] = sizes[i] >= 0 ? Dim(sizes[i]) : Dim::named(elements[i].symbol);
    context.setOutput(0, { context.input(0).dtype, std::move(dims) });
    return {};
}

/// Opset 10: X, scales. Since 11: X, roi, scales, sizes, and since 18 only for the listed axes.
Result<void> inferResize(InferenceContext& context)
{
    const ValueType& input = context.input(0);
    context.setOutput(0, { input.dtype, {} });
    if (!input.dims)
        return {};
    const std::size_t scalesAt = context.opset() < 11 ? 1 : 2;
    context.setOutput(0, { input.dtype, unknownDims(input.dims->size()) });
    std::vector<std::int64_t> listed(input.dims->size());
    std::iota(listed.begin(), listed.end(), std::int64_t { 0 });
    QS_TRY(const auto axes, axesIn(context, context.node().intsAttribute("axes", listed), input.dims->size()));
    if (const TensorPtr scales = operand(context, scalesAt)) {
        if (context.node().stringAttribute("coordinate_transformation_mode", "") == "tf_crop_and_resize")
            return {}; // the region of interest decides; the declared shape is taken
        return applyScales(context, axes, floats(*scales));
    }
    if (scalesAt == 2 && context.hasInput(3)) {
        if (const auto elements = context.inputElements(3))
            return applySizes(context, axes, *elements);
    }
    if (!undecided(context, scalesAt) && !undecided(context, 3))
        return context.error("neither scales nor sizes are given");
    return {};
}

/// Opset 7: attribute; opset 9: input.
Result<void> inferUpsample(InferenceContext& context)
{
    const ValueType& input = context.input(0);
    context.setOutput(0, { input.dtype, {} });
    if (!input.dims)
        return {};
    std::vector<std::size_t> axes(input.dims->size());
    std::iota(axes.begin(), axes.end(), std::size_t { 0 });
    if (context.node().hasAttribute("scales"))
        return applyScales(context, axes, context.node().floatsAttribute("scales"));
    if (const TensorPtr scales = operand(context, 1))
        return applyScales(context, axes, floats(*scales));
    if (!undecided(context, 1))
        return context.error("scales are missing");
    context.setOutput(0, { input.dtype, unknownDims(axes.size()) });
    return {};
}

constexpr std::string_view category = "Resampling";

constexpr OpSchema table[] = {
    { "Resize", category, 10, 0, 1, 4, inferResize },
    { "Upsample", category, 7, 9, 1, 2, inferUpsample },
};

} // namespace

std::span<const OpSchema> resampling() { return table; }

} // namespace quantoscope::graph::schemas
