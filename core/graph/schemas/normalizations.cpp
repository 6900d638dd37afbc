// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/graph/schemas/families.h"
#include "core/graph/schemas/helpers.h"

namespace quantoscope::graph::schemas {

namespace {

/// Extent of axis 1, unknown if the rank is.
Dim channels(const InferenceContext& context)
{
    const auto& dims = context.input(0).dims;
    return dims && dims->size() > 1 ? (*dims)[1] : Dim();
}

Result<void> requireChannels(const InferenceContext& context)
{
    const auto& dims = context.input(0).dims;
    if (dims && dims->size() < 2)
        return context.error("input has shape " + toString(*dims) + ", expected [N, C, ...]");
    return {};
}

Result<void> inferBatchNormalization(InferenceContext& context)
{
    static constexpr std::string_view names[] = { "", "scale", "bias", "mean", "variance" };
    const auto& dims = context.input(0).dims;
    // A matrix is [N, C]; a vector is taken for one channel by some exporters.
    const Dim extent = dims && dims->size() == 1 ? Dim(1) : channels(context);
    for (std::size_t i = 1; i < 5; ++i)
        QS_CHECK(requireVector(context, i, extent, names[i]));
    QS_CHECK(inferSame(context));
    for (std::size_t i = 1; i < context.outputCount(); ++i)
        context.setOutput(i, { context.input(3).dtype, Dims { extent } });
    return {};
}

Result<void> inferInstanceNormalization(InferenceContext& context)
{
    QS_CHECK(requireChannels(context));
    QS_CHECK(requireVector(context, 1, channels(context), "scale"));
    QS_CHECK(requireVector(context, 2, channels(context), "bias"));
    return inferSame(context);
}

/// Scale and bias are per group up to opset 20 and per channel since.
Result<void> inferGroupNormalization(InferenceContext& context)
{
    QS_CHECK(requireChannels(context));
    const std::int64_t groups = context.node().intAttribute("num_groups", 0);
    const Dim extent = channels(context);
    if (groups <= 0 || (extent.known() && extent.value % groups != 0))
        return context.error("num_groups is " + std::to_string(groups) + ", expected a divisor of the "
            + extent.toString() + " channels");
    const Dim parameters = context.opset() < 21 ? Dim(groups) : extent;
    QS_CHECK(requireVector(context, 1, parameters, "scale"));
    QS_CHECK(requireVector(context, 2, parameters, "bias"));
    return inferSame(context);
}

Result<void> inferLayerNormalization(InferenceContext& context)
{
    QS_CHECK(inferSame(context));
    const auto& dims = context.input(0).dims;
    if (!dims)
        return {};
    QS_TRY(const std::size_t axis, axisIn(context, context.node().intAttribute("axis", -1), dims->size()));
    const Dims normalized(dims->begin() + static_cast<std::ptrdiff_t>(axis), dims->end());
    for (std::size_t i = 1; i < context.inputCount(); ++i) {
        const auto& parameters = context.input(i).dims;
        if (!parameters)
            continue;
        QS_TRY(const Dims joined, broadcastDims(context, *dims, *parameters));
        if (joined.size() != dims->size()
            || (toShape(normalized) && toShape(*dims) && toShape(joined) != toShape(*dims)))
            return context.error(
                "scale or bias has shape " + toString(*parameters) + ", expected " + toString(normalized));
    }
    Dims reduced = *dims;
    for (std::size_t i = axis; i < reduced.size(); ++i)
        reduced[i] = 1;
    for (std::size_t i = 1; i < context.outputCount(); ++i)
        context.setOutput(i, { DType::Float32, reduced });
    return {};
}

Result<void> inferLrn(InferenceContext& context)
{
    QS_CHECK(requireChannels(context));
    if (const std::int64_t size = context.node().intAttribute("size", 0); size < 1)
        return context.error("size is " + std::to_string(size) + ", expected at least 1");
    return inferSame(context);
}

Result<void> inferLpNormalization(InferenceContext& context)
{
    if (const auto& dims = context.input(0).dims)
        QS_CHECK(axisIn(context, context.node().intAttribute("axis", -1), dims->size()));
    return inferSame(context);
}

constexpr std::string_view category = "Normalisation";

constexpr OpSchema table[] = {
    { "BatchNormalization", category, 7, 0, 5, 5, inferBatchNormalization },
    { "GroupNormalization", category, 18, 0, 3, 3, inferGroupNormalization },
    { "InstanceNormalization", category, 7, 0, 3, 3, inferInstanceNormalization },
    { "LRN", category, 7, 0, 1, 1, inferLrn },
    { "LayerNormalization", category, 17, 0, 2, 3, inferLayerNormalization },
    { "LpNormalization", category, 7, 0, 1, 1, inferLpNormalization },
    { "MeanVarianceNormalization", category, 9, 0, 1, 1, inferSame },
};

} // namespace

std::span<const OpSchema> normalizations() { return table; }

} // namespace quantoscope::graph::schemas
