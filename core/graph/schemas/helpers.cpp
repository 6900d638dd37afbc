// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/graph/schemas/helpers.h"

#include <algorithm>

namespace quantoscope::graph::schemas {

Result<std::int64_t> checkedProduct(const InferenceContext& context, std::int64_t a, std::int64_t b)
{
    std::int64_t result = 0;
    if (__builtin_mul_overflow(a, b, &result))
        return context.error("a shape grows beyond 2^63 elements", "the model is damaged or was never meant to run");
    return result;
}

Result<Dim> product(const InferenceContext& context, std::span<const Dim> dims)
{
    std::int64_t number = 1;
    std::vector<const Dim*> symbols;
    for (const Dim& dim : dims) {
        if (dim.known()) {
            QS_TRY(number, checkedProduct(context, number, dim.value));
        } else {
            symbols.push_back(&dim);
        }
    }
    if (symbols.empty() || number == 0)
        return Dim(number);
    return symbols.size() == 1 && number == 1 ? *symbols.front() : Dim();
}

Result<Dim> unified(const InferenceContext& context, const Dim& a, const Dim& b, std::string_view what)
{
    if (a.known() && b.known() && a.value != b.value)
        return context.error(std::string(what) + " differ: " + a.toString() + " and " + b.toString());
    if (a.known() || b.known())
        return a.known() ? a : b;
    return a.symbol.empty() ? b : a;
}

Result<Dims> broadcastDims(const InferenceContext& context, const Dims& a, const Dims& b)
{
    const Dims& longer = a.size() >= b.size() ? a : b;
    const Dims& shorter = a.size() >= b.size() ? b : a;
    Dims result = longer;
    const std::size_t offset = longer.size() - shorter.size();
    for (std::size_t i = 0; i < shorter.size(); ++i) {
        const Dim& x = longer[i + offset];
        const Dim& y = shorter[i];
        Dim& out = result[i + offset];
        if (x == Dim(1))
            out = y;
        else if (y == Dim(1) || x == y)
            out = x;
        else if (x.known() && y.known())
            return context.error("shapes " + toString(a) + " and " + toString(b) + " cannot be broadcast together");
        else if (x.known() || y.known())
            out = x.known() ? x : y;
        else
            out = Dim();
    }
    return result;
}

Result<std::size_t> axisIn(const InferenceContext& context, std::int64_t axis, std::size_t rank)
{
    const auto normalized = tensor::normalizeAxis(axis, static_cast<int>(rank));
    if (!normalized)
        return context.error(normalized.error().what);
    return static_cast<std::size_t>(*normalized);
}

Result<std::vector<std::size_t>> axesIn(
    const InferenceContext& context, const std::vector<std::int64_t>& axes, std::size_t rank)
{
    std::vector<std::size_t> result;
    result.reserve(axes.size());
    for (const std::int64_t axis : axes) {
        QS_TRY(const std::size_t normalized, axisIn(context, axis, rank));
        if (std::ranges::find(result, normalized) != result.end())
            return context.error("axis " + std::to_string(axis) + " is given twice");
        result.push_back(normalized);
    }
    return result;
}

Result<std::optional<DType>> commonType(const InferenceContext& context, std::initializer_list<std::size_t> inputs)
{
    std::optional<DType> common;
    for (const std::size_t i : inputs) {
        const auto dtype = context.input(i).dtype;
        if (common && dtype && *common != *dtype)
            return context.error("operands have different element types, " + std::string(tensor::name(*common))
                + " and " + std::string(tensor::name(*dtype)));
        if (!common)
            common = dtype;
    }
    return common;
}

Result<void> requireRank(const InferenceContext& context, std::size_t i, std::size_t rank)
{
    const auto& dims = context.input(i).dims;
    if (dims && dims->size() != rank)
        return context.error(
            "input " + std::to_string(i) + " has shape " + toString(*dims) + ", expected rank " + std::to_string(rank));
    return {};
}

Result<void> requireVector(const InferenceContext& context, std::size_t i, const Dim& extent, std::string_view what)
{
    const auto& dims = context.input(i).dims;
    if (!dims)
        return {};
    if (dims->size() != 1 || ((*dims)[0].known() && extent.known() && (*dims)[0] != extent))
        return context.error(
            std::string(what) + " has shape " + toString(*dims) + ", expected [" + extent.toString() + "]");
    return {};
}

Result<void> inferSame(InferenceContext& context)
{
    context.setOutput(0, context.input(0));
    return {};
}

Result<void> inferSameShape(InferenceContext& context, std::optional<DType> dtype)
{
    context.setOutput(0, { dtype, context.input(0).dims });
    return {};
}

Dims unknownDims(std::size_t rank) { return Dims(rank); }

} // namespace quantoscope::graph::schemas
