// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/graph/schemas/reshape.h"

#include <algorithm>

#include "core/graph/schemas/helpers.h"

namespace quantoscope::graph::schemas {

namespace {

/// What is left of an input's size once the extents that the output took over unchanged are cancelled.
struct Remaining {
    std::int64_t number = 1;
    std::vector<Dim> symbols;
};

Result<Remaining> remaining(const InferenceContext& context, const Dims& dims, const std::vector<bool>& cancelled)
{
    Remaining rest;
    for (std::size_t i = 0; i < dims.size(); ++i) {
        if (i < cancelled.size() && cancelled[i])
            continue;
        if (dims[i].known()) {
            QS_TRY(rest.number, checkedProduct(context, rest.number, dims[i].value));
        } else {
            rest.symbols.push_back(dims[i]);
        }
    }
    return rest;
}

/// Removes from both sides the names they share.
void cancelNames(Remaining& input, Remaining& output)
{
    std::erase_if(output.symbols, [&](const Dim& dim) {
        const auto it = dim.symbol.empty() ? input.symbols.end() : std::ranges::find(input.symbols, dim);
        if (it == input.symbols.end())
            return false;
        input.symbols.erase(it);
        return true;
    });
}

struct Target {
    Dims dims;
    std::optional<std::size_t> open; ///< where -1 stands
    std::vector<bool> copied; ///< symbolic extents of the input taken over by a 0
};

/// The requested shape with zeros replaced by the input's extents.
Result<Target> readTarget(const InferenceContext& context, const Dims& input, const Elements& elements)
{
    const bool zeroCopies = context.node().intAttribute("allowzero", 0) == 0;
    Target target { {}, {}, std::vector<bool>(input.size()) };
    for (std::size_t i = 0; i < elements.size(); ++i) {
        if (!elements[i].value) {
            target.dims.push_back(Dim::named(elements[i].symbol));
        } else if (const std::int64_t extent = *elements[i].value; extent == 0 && zeroCopies) {
            if (i >= input.size())
                return context.error("the new shape copies axis " + std::to_string(i) + " of " + toString(input)
                    + ", which has no such axis");
            target.copied[i] = !input[i].known();
            target.dims.push_back(input[i]);
        } else if (extent == -1) {
            if (target.open)
                return context.error("the new shape has more than one -1");
            target.open = i;
            target.dims.push_back(1);
        } else if (extent < -1) {
            return context.error("the new shape has the extent " + std::to_string(extent));
        } else {
            target.dims.push_back(extent);
        }
    }
    return target;
}

tl::unexpected<Error> mismatch(const InferenceContext& context, const Dims& input, const Target& target)
{
    std::string wanted = "[";
    for (std::size_t i = 0; i < target.dims.size(); ++i)
        wanted += (i ? ", " : "") + (target.open == i ? "-1" : target.dims[i].toString());
    return context.error("input " + toString(input) + " cannot be reshaped to " + wanted + "]",
        "if the model was exported for a fixed batch, run it with that batch size");
}

} // namespace

Result<Dims> reshapedDims(const InferenceContext& context, const Dims& input, const Elements& elements)
{
    QS_TRY(Target target, readTarget(context, input, elements));
    std::vector<bool> copiedOut(target.dims.size());
    for (std::size_t i = 0; i < std::min(copiedOut.size(), target.copied.size()); ++i)
        copiedOut[i] = target.copied[i];
    QS_TRY(Remaining in, remaining(context, input, target.copied));
    QS_TRY(Remaining out, remaining(context, target.dims, copiedOut));
    cancelNames(in, out);
    const bool exact = in.symbols.empty() && out.symbols.empty();
    if (!target.open) {
        if (exact && in.number != out.number)
            return mismatch(context, input, target);
        return target.dims;
    }
    Dim& open = target.dims[*target.open];
    if (exact) {
        if (out.number == 0 ? in.number != 0 : in.number % out.number != 0)
            return mismatch(context, input, target);
        open = out.number == 0 ? Dim(0) : Dim(in.number / out.number);
    } else {
        open = out.symbols.empty() && in.symbols.size() == 1 && in.number == out.number ? in.symbols.front() : Dim();
    }
    return target.dims;
}

} // namespace quantoscope::graph::schemas
