// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/graph/schemas/families.h"
#include "core/graph/schemas/helpers.h"

namespace quantoscope::graph::schemas {

namespace {

Result<void> requireSame(const InferenceContext& context, const Dim& a, const Dim& b)
{
    if (a.known() && b.known() && a != b)
        return context.error("operands " + toString(*context.input(0).dims) + " and " + toString(*context.input(1).dims)
            + " do not fit: " + a.toString() + " columns meet " + b.toString() + " rows");
    return {};
}

Result<void> inferGemm(InferenceContext& context)
{
    QS_TRY(const auto dtype, commonType(context, { 0, 1, 2 }));
    QS_CHECK(requireRank(context, 0, 2));
    QS_CHECK(requireRank(context, 1, 2));
    const bool transA = context.node().intAttribute("transA", 0) != 0;
    const bool transB = context.node().intAttribute("transB", 0) != 0;
    const Dims a = context.input(0).dims.value_or(unknownDims(2));
    const Dims b = context.input(1).dims.value_or(unknownDims(2));
    QS_CHECK(requireSame(context, a[transA ? 0 : 1], b[transB ? 1 : 0]));
    const Dims output { a[transA ? 1 : 0], b[transB ? 0 : 1] };
    if (const auto& bias = context.input(2).dims) {
        QS_TRY(const Dims joined, broadcastDims(context, output, *bias));
        if (joined.size() != 2 || (toShape(output) && toShape(joined) != toShape(output)))
            return context.error("bias " + toString(*bias) + " does not broadcast to the product " + toString(output));
    }
    context.setOutput(0, { dtype, output });
    return {};
}

/// numpy.matmul: vectors are promoted to matrices, leading axes broadcast.
Result<void> inferMatMul(InferenceContext& context)
{
    QS_TRY(const auto dtype, commonType(context, { 0, 1 }));
    context.setOutput(0, { dtype, {} });
    if (!context.input(0).dims || !context.input(1).dims)
        return {};
    Dims a = *context.input(0).dims;
    Dims b = *context.input(1).dims;
    if (a.empty() || b.empty())
        return context.error("an operand is a scalar, expected at least a vector");
    const bool rowVector = a.size() == 1;
    const bool columnVector = b.size() == 1;
    if (rowVector)
        a.insert(a.begin(), 1);
    if (columnVector)
        b.push_back(1);
    QS_CHECK(requireSame(context, a.back(), b[b.size() - 2]));
    QS_TRY(Dims output, broadcastDims(context, Dims(a.begin(), a.end() - 2), Dims(b.begin(), b.end() - 2)));
    if (!rowVector)
        output.push_back(a[a.size() - 2]);
    if (!columnVector)
        output.push_back(b.back());
    context.setOutput(0, { dtype, std::move(output) });
    return {};
}

constexpr std::string_view category = "Matrix product";

constexpr OpSchema table[] = {
    { "Gemm", category, 7, 0, 2, 3, inferGemm },
    { "MatMul", category, 7, 0, 2, 2, inferMatMul },
};

} // namespace

std::span<const OpSchema> linear() { return table; }

} // namespace quantoscope::graph::schemas
