// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/graph/schemas/families.h"
#include "core/graph/schemas/helpers.h"

namespace quantoscope::graph::schemas {

namespace {

/// All inputs broadcast together; unknown as soon as one of them is.
Result<std::optional<Dims>> broadcastInputs(const InferenceContext& context)
{
    std::optional<Dims> dims = context.input(0).dims;
    for (std::size_t i = 1; i < context.inputCount(); ++i) {
        const auto& other = context.input(i).dims;
        if (!dims || !other)
            return std::optional<Dims>();
        QS_TRY(dims, broadcastDims(context, *dims, *other));
    }
    return dims;
}

Result<void> inferBroadcast(InferenceContext& context)
{
    std::optional<DType> dtype;
    for (std::size_t i = 0; i < context.inputCount(); ++i) {
        QS_TRY(const auto common, commonType(context, { 0, i }));
        dtype = dtype ? dtype : common;
    }
    QS_TRY(auto dims, broadcastInputs(context));
    context.setOutput(0, { dtype, std::move(dims) });
    return {};
}

/// The exponent may have another type than the base.
Result<void> inferPow(InferenceContext& context)
{
    QS_TRY(auto dims, broadcastInputs(context));
    context.setOutput(0, { context.input(0).dtype, std::move(dims) });
    return {};
}

Result<void> inferComparison(InferenceContext& context)
{
    QS_CHECK(commonType(context, { 0, 1 }));
    QS_TRY(auto dims, broadcastInputs(context));
    context.setOutput(0, { DType::Bool, std::move(dims) });
    return {};
}

Result<void> inferPredicate(InferenceContext& context) { return inferSameShape(context, DType::Bool); }

Result<void> inferWhere(InferenceContext& context)
{
    QS_TRY(const auto dtype, commonType(context, { 1, 2 }));
    QS_TRY(auto dims, broadcastInputs(context));
    context.setOutput(0, { dtype, std::move(dims) });
    return {};
}

constexpr std::string_view maths = "Arithmetic";
constexpr std::string_view logic = "Comparison and logic";

constexpr OpSchema table[] = {
    { "Abs", maths, 7, 0, 1, 1, inferSame },
    { "Acos", maths, 7, 0, 1, 1, inferSame },
    { "Acosh", maths, 9, 0, 1, 1, inferSame },
    { "Add", maths, 7, 0, 2, 2, inferBroadcast },
    { "Asin", maths, 7, 0, 1, 1, inferSame },
    { "Asinh", maths, 9, 0, 1, 1, inferSame },
    { "Atan", maths, 7, 0, 1, 1, inferSame },
    { "Atanh", maths, 9, 0, 1, 1, inferSame },
    { "BitShift", maths, 11, 0, 2, 2, inferBroadcast },
    { "Ceil", maths, 7, 0, 1, 1, inferSame },
    { "Cos", maths, 7, 0, 1, 1, inferSame },
    { "Cosh", maths, 9, 0, 1, 1, inferSame },
    { "Div", maths, 7, 0, 2, 2, inferBroadcast },
    { "Erf", maths, 9, 0, 1, 1, inferSame },
    { "Exp", maths, 7, 0, 1, 1, inferSame },
    { "Floor", maths, 7, 0, 1, 1, inferSame },
    { "Log", maths, 7, 0, 1, 1, inferSame },
    { "Max", maths, 7, 0, 1, -1, inferBroadcast },
    { "Mean", maths, 7, 0, 1, -1, inferBroadcast },
    { "Min", maths, 7, 0, 1, -1, inferBroadcast },
    { "Mod", maths, 10, 0, 2, 2, inferBroadcast },
    { "Mul", maths, 7, 0, 2, 2, inferBroadcast },
    { "Neg", maths, 7, 0, 1, 1, inferSame },
    { "Pow", maths, 7, 0, 2, 2, inferPow },
    { "Reciprocal", maths, 7, 0, 1, 1, inferSame },
    { "Round", maths, 11, 0, 1, 1, inferSame },
    { "Sign", maths, 9, 0, 1, 1, inferSame },
    { "Sin", maths, 7, 0, 1, 1, inferSame },
    { "Sinh", maths, 9, 0, 1, 1, inferSame },
    { "Sqrt", maths, 7, 0, 1, 1, inferSame },
    { "Sub", maths, 7, 0, 2, 2, inferBroadcast },
    { "Sum", maths, 7, 0, 1, -1, inferBroadcast },
    { "Tan", maths, 7, 0, 1, 1, inferSame },
    { "And", logic, 7, 0, 2, 2, inferComparison },
    { "Equal", logic, 7, 0, 2, 2, inferComparison },
    { "Greater", logic, 7, 0, 2, 2, inferComparison },
    { "GreaterOrEqual", logic, 12, 0, 2, 2, inferComparison },
    { "IsInf", logic, 10, 0, 1, 1, inferPredicate },
    { "IsNaN", logic, 9, 0, 1, 1, inferPredicate },
    { "Less", logic, 7, 0, 2, 2, inferComparison },
    { "LessOrEqual", logic, 12, 0, 2, 2, inferComparison },
    { "Not", logic, 7, 0, 1, 1, inferPredicate },
    { "Or", logic, 7, 0, 2, 2, inferComparison },
    { "Where", logic, 9, 0, 3, 3, inferWhere },
    { "Xor", logic, 7, 0, 2, 2, inferComparison },
};

} // namespace

std::span<const OpSchema> arithmetic() { return table; }

} // namespace quantoscope::graph::schemas
