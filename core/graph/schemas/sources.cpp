// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <cmath>

#include "core/graph/onnx_types.h"
#include "core/graph/schemas/families.h"
#include "core/graph/schemas/helpers.h"

namespace quantoscope::graph::schemas {

namespace {

/// "value" since the beginning, the shorthands since opset 12. Strings stay without a type.
Result<void> inferConstant(InferenceContext& context)
{
    const Node& node = context.node();
    if (const TensorPtr value = node.tensorAttribute("value"))
        context.setOutput(0, { value->dtype(), toDims(value->shape()) });
    else if (node.hasAttribute("value_int"))
        context.setOutput(0, { DType::Int64, Dims {} });
    else if (node.hasAttribute("value_float"))
        context.setOutput(0, { DType::Float32, Dims {} });
    else if (node.hasAttribute("value_ints"))
        context.setOutput(
            0, { DType::Int64, Dims { static_cast<std::int64_t>(node.intsAttribute("value_ints").size()) } });
    else if (node.hasAttribute("value_floats"))
        context.setOutput(
            0, { DType::Float32, Dims { static_cast<std::int64_t>(node.floatsAttribute("value_floats").size()) } });
    return {};
}

Result<void> inferConstantOfShape(InferenceContext& context)
{
    const TensorPtr value = context.node().tensorAttribute("value");
    const DType dtype = value ? value->dtype() : DType::Float32;
    context.setOutput(0, { dtype, {} });
    if (value && value->size() != 1)
        return context.error("value has shape " + value->shape().toString() + ", expected one element");
    const auto elements = context.inputElements(0);
    if (!elements)
        return {};
    Dims dims;
    for (const Element& element : *elements) {
        if (element.value && *element.value < 0)
            return context.error("the shape has the extent " + std::to_string(*element.value));
        dims.push_back(element.value ? Dim(*element.value) : Dim::named(element.symbol));
    }
    context.setOutput(0, { dtype, std::move(dims) });
    return {};
}

/// start and end since opset 15, clamped to the rank.
Result<void> inferShape(InferenceContext& context)
{
    const auto& dims = context.input(0).dims;
    Dim length;
    if (dims) {
        const auto rank = static_cast<std::int64_t>(dims->size());
        const auto bound
            = [rank](std::int64_t at) { return std::clamp<std::int64_t>(at < 0 ? at + rank : at, 0, rank); };
        const std::int64_t start = bound(context.node().intAttribute("start", 0));
        length = std::max<std::int64_t>(0, bound(context.node().intAttribute("end", rank)) - start);
    }
    context.setOutput(0, { DType::Int64, Dims { length } });
    return {};
}

Result<void> inferSize(InferenceContext& context)
{
    context.setOutput(0, { DType::Int64, Dims {} });
    return {};
}

Result<void> inferRange(InferenceContext& context)
{
    QS_TRY(const auto dtype, commonType(context, { 0, 1, 2 }));
    context.setOutput(0, { dtype, unknownDims(1) });
    double bounds[3] = {};
    for (std::size_t i = 0; i < 3; ++i) {
        const TensorPtr constant = context.inputConstant(i);
        if (!constant)
            return {};
        const auto values = tensor::toDoubles(constant->view());
        if (values.size() != 1)
            return context.error(
                "start, limit or delta has shape " + constant->shape().toString() + ", expected a scalar");
        bounds[i] = values[0];
    }
    const double count = std::ceil((bounds[1] - bounds[0]) / bounds[2]);
    if (bounds[2] == 0 || !(count < 0x1.0p40))
        return context.error("the range has no end: delta is " + std::to_string(bounds[2]));
    context.setOutput(0, { dtype, Dims { static_cast<std::int64_t>(std::max(0.0, count)) } });
    return {};
}

Result<void> inferCast(InferenceContext& context)
{
    const std::int64_t to = context.node().intAttribute("to", 0);
    const auto dtype = dtypeFromOnnx(to);
    if (!dtype)
        return fail(ErrorCode::Unsupported, "casts to the element type number " + std::to_string(to), context.where(),
            "only numeric types without float8 can be computed");
    return inferSameShape(context, dtype);
}

Result<void> inferCastLike(InferenceContext& context) { return inferSameShape(context, context.input(1).dtype); }

/// The input's own element type unless `dtype` names another.
Result<void> inferEyeLike(InferenceContext& context)
{
    QS_CHECK(requireRank(context, 0, 2));
    if (!context.node().hasAttribute("dtype"))
        return inferSame(context);
    const std::int64_t type = context.node().intAttribute("dtype", 0);
    const auto dtype = dtypeFromOnnx(type);
    if (!dtype)
        return context.error("dtype is the element type number " + std::to_string(type) + ", expected a numeric one");
    return inferSameShape(context, dtype);
}

/// The mask has the data's type up to opset 9 and is boolean since.
Result<void> inferDropout(InferenceContext& context)
{
    const ValueType& input = context.input(0);
    context.setOutput(0, input);
    context.setOutput(1, { context.opset() < 10 ? input.dtype : DType::Bool, input.dims });
    return {};
}

constexpr std::string_view category = "Constants and types";

constexpr OpSchema table[] = {
    { "Cast", category, 7, 0, 1, 1, inferCast },
    { "CastLike", category, 15, 0, 2, 2, inferCastLike },
    { "Constant", category, 7, 0, 0, 0, inferConstant },
    { "ConstantOfShape", category, 9, 0, 1, 1, inferConstantOfShape },
    { "Dropout", category, 7, 0, 1, 3, inferDropout },
    { "EyeLike", category, 9, 0, 1, 1, inferEyeLike },
    { "Identity", category, 7, 0, 1, 1, inferSame },
    { "Range", category, 11, 0, 3, 3, inferRange },
    { "Shape", category, 7, 0, 1, 1, inferShape },
    { "Size", category, 7, 0, 1, 1, inferSize },
};

} // namespace

std::span<const OpSchema> sources() { return table; }

} // namespace quantoscope::graph::schemas
