// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/graph/schemas/families.h"
#include "core/graph/schemas/helpers.h"

namespace quantoscope::graph::schemas {

namespace {

/// The slope broadcasts to the input, never the other way round.
Result<void> inferPRelu(InferenceContext& context)
{
    QS_CHECK(commonType(context, { 0, 1 }));
    const auto& x = context.input(0).dims;
    const auto& slope = context.input(1).dims;
    if (x && slope) {
        QS_TRY(const Dims joined, broadcastDims(context, *x, *slope));
        const auto bound = toShape(*x);
        if (joined.size() != x->size() || (bound && toShape(joined) && *toShape(joined) != *bound))
            return context.error(
                "the slope's shape " + toString(*slope) + " does not broadcast to the input's " + toString(*x));
    }
    return inferSame(context);
}

/// Softmax and its kin: the default axis became -1 in opset 13.
Result<void> inferSoftmax(InferenceContext& context)
{
    if (const auto& dims = context.input(0).dims; dims && !dims->empty()) {
        const std::int64_t axis = context.node().intAttribute("axis", context.opset() < 13 ? 1 : -1);
        // Up to opset 12 the axis is where the tensor is flattened to a matrix, so that it may be the rank itself.
        if (context.opset() >= 13 || axis != static_cast<std::int64_t>(dims->size()))
            QS_CHECK(axisIn(context, axis, dims->size()));
    }
    return inferSame(context);
}

constexpr std::string_view category = "Activation";

constexpr OpSchema table[] = {
    { "Celu", category, 12, 0, 1, 1, inferSame },
    { "Clip", category, 7, 0, 1, 3, inferSame },
    { "Elu", category, 7, 0, 1, 1, inferSame },
    { "Gelu", category, 20, 0, 1, 1, inferSame },
    { "HardSigmoid", category, 7, 0, 1, 1, inferSame },
    { "HardSwish", category, 14, 0, 1, 1, inferSame },
    { "Hardmax", category, 7, 0, 1, 1, inferSoftmax },
    { "LeakyRelu", category, 7, 0, 1, 1, inferSame },
    { "LogSoftmax", category, 7, 0, 1, 1, inferSoftmax },
    { "Mish", category, 18, 0, 1, 1, inferSame },
    { "PRelu", category, 7, 0, 2, 2, inferPRelu },
    { "Relu", category, 7, 0, 1, 1, inferSame },
    { "Selu", category, 7, 0, 1, 1, inferSame },
    { "Shrink", category, 9, 0, 1, 1, inferSame },
    { "Sigmoid", category, 7, 0, 1, 1, inferSame },
    { "Softmax", category, 7, 0, 1, 1, inferSoftmax },
    { "Softplus", category, 7, 0, 1, 1, inferSame },
    { "Softsign", category, 7, 0, 1, 1, inferSame },
    { "Tanh", category, 7, 0, 1, 1, inferSame },
    { "ThresholdedRelu", category, 10, 0, 1, 1, inferSame },
};

} // namespace

std::span<const OpSchema> activations() { return table; }

} // namespace quantoscope::graph::schemas
