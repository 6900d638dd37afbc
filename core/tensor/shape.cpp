// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/tensor/shape.h"

#include <algorithm>

namespace quantoscope::tensor {

namespace {
constexpr std::int64_t largestSize = std::int64_t { 1 } << 40;
}

std::int64_t Shape::size() const
{
    std::int64_t n = 1;
    for (const auto d : m_dims)
        n *= d;
    return n;
}

Result<std::int64_t> Shape::checkedSize() const
{
    std::int64_t n = 1;
    bool empty = false;
    for (const auto d : m_dims) {
        if (d < 0)
            return fail(ErrorCode::InvalidInput, "shape " + toString() + " has a negative extent");
        if (d == 0)
            empty = true;
        else if (n > largestSize / d)
            return fail(ErrorCode::InvalidInput, "shape " + toString() + " claims more than 2^40 elements");
        else
            n *= d;
    }
    return empty ? 0 : n;
}

std::vector<std::int64_t> Shape::strides() const
{
    std::vector<std::int64_t> s(m_dims.size());
    std::int64_t step = 1;
    for (std::size_t i = m_dims.size(); i-- > 0;) {
        s[i] = step;
        step *= m_dims[i];
    }
    return s;
}

std::string Shape::toString() const
{
    std::string text = "[";
    for (std::size_t i = 0; i < m_dims.size(); ++i)
        text += (i ? ", " : "") + std::to_string(m_dims[i]);
    return text + "]";
}

Result<int> normalizeAxis(std::int64_t axis, int rank)
{
    if (axis < -rank || axis >= rank)
        return fail(ErrorCode::InvalidInput,
            "axis " + std::to_string(axis) + " is outside a tensor of rank " + std::to_string(rank));
    return static_cast<int>(axis < 0 ? axis + rank : axis);
}

Result<Shape> broadcast(const Shape& a, const Shape& b)
{
    const int rank = std::max(a.rank(), b.rank());
    std::vector<std::int64_t> dims(static_cast<std::size_t>(rank));
    for (int i = 0; i < rank; ++i) {
        const int ia = i - (rank - a.rank());
        const int ib = i - (rank - b.rank());
        const std::int64_t da = ia < 0 ? 1 : a[ia];
        const std::int64_t db = ib < 0 ? 1 : b[ib];
        if (da != db && da != 1 && db != 1)
            return fail(ErrorCode::InvalidInput,
                "shapes " + a.toString() + " and " + b.toString() + " cannot be broadcast together");
        dims[static_cast<std::size_t>(i)] = da == 1 ? db : da;
    }
    return Shape(std::move(dims));
}

} // namespace quantoscope::tensor
