// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/graph/onnx_types.h"
#include "core/graph/schemas/families.h"
#include "core/graph/schemas/helpers.h"

namespace quantoscope::graph::schemas {

namespace {

/// Scale and zero point: a scalar, a vector along `axis` (default 1), or since opset 21 one number a block of the axis.
Result<void> requireParameters(const InferenceContext& context)
{
    const auto& input = context.input(0).dims;
    const auto& scale = context.input(1).dims;
    const auto& zero = context.input(2).dims;
    if (scale && zero && toShape(*scale) && toShape(*zero) && *scale != *zero)
        return context.error(
            "scale " + toString(*scale) + " and zero point " + toString(*zero) + " have different shapes");
    const bool single = !scale || scale->empty() || (scale->size() == 1 && scale->front() == Dim(1));
    if (!input || single)
        return {};
    QS_TRY(const std::size_t axis, axisIn(context, context.node().intAttribute("axis", 1), input->size()));
    const std::int64_t block = context.node().intAttribute("block_size", 0);
    if (block < 0)
        return context.error("block_size is " + std::to_string(block));
    if (block == 0)
        return requireVector(context, 1, (*input)[axis], "scale");
    Dims expected = *input;
    if (expected[axis].known())
        expected[axis] = (expected[axis].value - 1) / block + 1;
    if (toShape(expected) && toShape(*scale) && expected != *scale)
        return context.error("scale has shape " + toString(*scale) + ", expected " + toString(expected)
            + " for blocks of " + std::to_string(block));
    return {};
}

Result<void> inferQuantize(InferenceContext& context)
{
    QS_CHECK(requireParameters(context));
    const std::int64_t asked = context.node().intAttribute("output_dtype", 0);
    std::optional<DType> dtype = context.hasInput(2) ? context.input(2).dtype : DType::UInt8;
    if (asked != 0) {
        const auto named = dtypeFromOnnx(asked);
        if (!named || (context.hasInput(2) && dtype && dtype != named))
            return context.error(
                "output_dtype " + std::to_string(asked) + " does not agree with the zero point's type");
        dtype = named;
    }
    return inferSameShape(context, dtype);
}

Result<void> inferDequantize(InferenceContext& context)
{
    QS_CHECK(requireParameters(context));
    QS_CHECK(commonType(context, { 0, 2 }));
    return inferSameShape(context, context.input(1).dtype);
}

constexpr std::string_view category = "Quantization";

constexpr OpSchema table[] = {
    { "DequantizeLinear", category, 10, 0, 2, 3, inferDequantize },
    { "QuantizeLinear", category, 10, 0, 2, 3, inferQuantize },
};

} // namespace

std::span<const OpSchema> quantization() { return table; }

} // namespace quantoscope::graph::schemas
