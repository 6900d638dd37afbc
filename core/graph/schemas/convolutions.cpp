// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/graph/schemas/families.h"
#include "core/graph/schemas/helpers.h"
#include "core/graph/windows.h"

namespace quantoscope::graph::schemas {

namespace {

using Extents = std::vector<std::int64_t>;

/// Extents of [N, C, ...] behind the first two, -1 where not known.
Extents spatial(const Dims& dims)
{
    Extents extents;
    for (std::size_t i = 2; i < dims.size(); ++i)
        extents.push_back(dims[i].known() ? dims[i].value : -1);
    return extents;
}

/// [N, channels, ...]: unknown extents (-1) become unknown dims, spatial symbols are not carried over.
Dims withSpatial(const Dim& batch, const Dim& channels, const Extents& extents)
{
    Dims dims { batch, channels };
    for (const std::int64_t extent : extents)
        dims.push_back(extent < 0 ? Dim() : Dim(extent));
    return dims;
}

Result<void> requireSpatial(const InferenceContext& context, const Dims& dims)
{
    if (dims.size() < 3)
        return context.error("input has shape " + toString(dims) + ", expected [N, C, D1, ...]");
    return {};
}

struct Operands {
    Dims input;
    Dims weight;
    std::int64_t group = 1;
};

/// Empty if the input's or the weight's rank is not known; checks what Conv and ConvTranspose have in common.
Result<std::optional<Operands>> convolutionOperands(const InferenceContext& context)
{
    QS_CHECK(commonType(context, { 0, 1, 2 }));
    const auto& input = context.input(0).dims;
    const auto& weight = context.input(1).dims;
    if (input)
        QS_CHECK(requireSpatial(context, *input));
    if (!input || !weight)
        return std::optional<Operands>();
    if (weight->size() != input->size())
        return context.error(
            "input " + toString(*input) + " and weight " + toString(*weight) + " have different ranks");
    const std::int64_t group = context.node().intAttribute("group", 1);
    if (group < 1)
        return context.error("group is " + std::to_string(group) + ", expected at least 1");
    return std::optional(Operands { *input, *weight, group });
}

/// Kernel extents if the weight's are all known, otherwise none, so that kernel_shape decides.
Extents kernelOf(const Dims& weight)
{
    Extents kernel = spatial(weight);
    for (const std::int64_t extent : kernel) {
        if (extent < 1)
            return {};
    }
    return kernel;
}

/// The channels of the input must be those the weight was made for.
Result<void> requireChannels(const InferenceContext& context, const Operands& operands, const Dim& expected)
{
    const Dim& channels = operands.input[1];
    if (channels.known() && expected.known() && channels.value != expected.value)
        return context.error("input " + toString(operands.input) + " has " + channels.toString()
            + " channels, but weight " + toString(operands.weight) + " with group " + std::to_string(operands.group)
            + " expects " + expected.toString());
    return {};
}

Result<Dim> timesGroup(const InferenceContext& context, const Dim& dim, std::int64_t group)
{
    if (!dim.known())
        return group == 1 ? dim : Dim();
    QS_TRY(const std::int64_t value, checkedProduct(context, dim.value, group));
    return Dim(value);
}

Result<void> requireDivisible(const InferenceContext& context, const Operands& operands, std::size_t weightAxis)
{
    const Dim& extent = operands.weight[weightAxis];
    if (extent.known() && extent.value % operands.group != 0)
        return context.error("group " + std::to_string(operands.group) + " does not divide the " + extent.toString()
            + " channels of weight " + toString(operands.weight));
    return {};
}

/// False if neither weight nor kernel_shape tells the kernel; the output's spatial extents are then left open.
bool kernelKnown(InferenceContext& context, const Operands& operands, const Dim& channels)
{
    if (!kernelOf(operands.weight).empty() || context.node().hasAttribute("kernel_shape"))
        return true;
    context.setOutput(0,
        { context.input(0).dtype, withSpatial(operands.input[0], channels, Extents(operands.input.size() - 2, -1)) });
    return false;
}

Result<void> inferConv(InferenceContext& context)
{
    context.setOutput(0, { context.input(0).dtype, {} });
    QS_TRY(const auto operands, convolutionOperands(context));
    if (!operands)
        return {};
    QS_TRY(const Dim expected, timesGroup(context, operands->weight[1], operands->group));
    QS_CHECK(requireChannels(context, *operands, expected));
    QS_CHECK(requireDivisible(context, *operands, 0));
    QS_CHECK(requireVector(context, 2, operands->weight[0], "bias"));
    if (!kernelKnown(context, *operands, operands->weight[0]))
        return {};
    const auto window = resolveWindow(context.node(), spatial(operands->input), kernelOf(operands->weight));
    if (!window)
        return context.error(
            window.error().what, "input " + toString(operands->input) + ", weight " + toString(operands->weight));
    context.setOutput(
        0, { context.input(0).dtype, withSpatial(operands->input[0], operands->weight[0], window->output) });
    return {};
}

Result<void> inferConvTranspose(InferenceContext& context)
{
    context.setOutput(0, { context.input(0).dtype, {} });
    QS_TRY(const auto operands, convolutionOperands(context));
    if (!operands)
        return {};
    QS_CHECK(requireChannels(context, *operands, operands->weight[0]));
    QS_CHECK(requireDivisible(context, *operands, 0));
    QS_TRY(const Dim channels, timesGroup(context, operands->weight[1], operands->group));
    QS_CHECK(requireVector(context, 2, channels, "bias"));
    if (!kernelKnown(context, *operands, channels))
        return {};
    const auto window = resolveTransposedWindow(context.node(), spatial(operands->input), kernelOf(operands->weight));
    if (!window)
        return context.error(
            window.error().what, "input " + toString(operands->input) + ", weight " + toString(operands->weight));
    context.setOutput(0, { context.input(0).dtype, withSpatial(operands->input[0], channels, window->output) });
    return {};
}

/// MaxPool, AveragePool, LpPool; MaxPool may have the indices as second output.
Result<void> inferPool(InferenceContext& context)
{
    const ValueType& input = context.input(0);
    context.setOutput(0, { input.dtype, {} });
    context.setOutput(1, { DType::Int64, {} });
    if (!input.dims)
        return {};
    QS_CHECK(requireSpatial(context, *input.dims));
    const auto window = resolveWindow(context.node(), spatial(*input.dims));
    if (!window)
        return context.error(window.error().what, "input " + toString(*input.dims));
    const Dims dims = withSpatial((*input.dims)[0], (*input.dims)[1], window->output);
    context.setOutput(0, { input.dtype, dims });
    context.setOutput(1, { DType::Int64, dims });
    return {};
}

Result<void> inferGlobalPool(InferenceContext& context)
{
    ValueType output = context.input(0);
    if (output.dims) {
        QS_CHECK(requireSpatial(context, *output.dims));
        for (std::size_t i = 2; i < output.dims->size(); ++i)
            (*output.dims)[i] = 1;
    }
    context.setOutput(0, std::move(output));
    return {};
}

constexpr std::string_view convolution = "Convolution";
constexpr std::string_view pooling = "Pooling";

constexpr OpSchema table[] = {
    { "Conv", convolution, 7, 0, 2, 3, inferConv },
    { "ConvTranspose", convolution, 7, 0, 2, 3, inferConvTranspose },
    { "AveragePool", pooling, 7, 0, 1, 1, inferPool },
    { "GlobalAveragePool", pooling, 7, 0, 1, 1, inferGlobalPool },
    { "GlobalLpPool", pooling, 7, 0, 1, 1, inferGlobalPool },
    { "GlobalMaxPool", pooling, 7, 0, 1, 1, inferGlobalPool },
    { "LpPool", pooling, 7, 0, 1, 1, inferPool },
    { "MaxPool", pooling, 7, 0, 1, 1, inferPool },
};

} // namespace

std::span<const OpSchema> convolutions() { return table; }

} // namespace quantoscope::graph::schemas
