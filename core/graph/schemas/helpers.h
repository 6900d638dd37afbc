// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>
#include <vector>

#include "core/graph/op_schema.h"

/// What the inference functions of several operator families share.
namespace quantoscope::graph::schemas {

/// `what` of known extents; InvalidInput when the product passes int64.
Result<std::int64_t> checkedProduct(const InferenceContext& context, std::int64_t a, std::int64_t b);

/// Product of extents: a number if all are known, the symbol if one is and the rest are 1, otherwise unknown.
Result<Dim> product(const InferenceContext& context, std::span<const Dim> dims);

/// Two extents that must be the same; the better known of them. `what` names them in the error.
Result<Dim> unified(const InferenceContext& context, const Dim& a, const Dim& b, std::string_view what);

/// NumPy broadcasting of extents that may be symbolic.
Result<Dims> broadcastDims(const InferenceContext& context, const Dims& a, const Dims& b);

/// [0, rank) from an axis in [-rank, rank).
Result<std::size_t> axisIn(const InferenceContext& context, std::int64_t axis, std::size_t rank);
/// The same for a list, in which no axis may occur twice.
Result<std::vector<std::size_t>> axesIn(
    const InferenceContext& context, const std::vector<std::int64_t>& axes, std::size_t rank);

/// The element type that those of `inputs` that are present share; InvalidInput if they differ.
Result<std::optional<DType>> commonType(const InferenceContext& context, std::initializer_list<std::size_t> inputs);

/// InvalidInput unless input `i` has `rank` (or it is not known, or the input absent).
Result<void> requireRank(const InferenceContext& context, std::size_t i, std::size_t rank);
/// InvalidInput unless input `i`, if present, is a vector of `extent` elements as far as both are known.
Result<void> requireVector(const InferenceContext& context, std::size_t i, const Dim& extent, std::string_view what);

/// First output: the first input's type.
Result<void> inferSame(InferenceContext& context);
/// First output: the first input's shape with elements of `dtype`.
Result<void> inferSameShape(InferenceContext& context, std::optional<DType> dtype);

/// `rank` extents of which nothing is known.
Dims unknownDims(std::size_t rank);

} // namespace quantoscope::graph::schemas
