// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "core/engine/kernels/support.h"

namespace quantoscope::engine::reference {

/// A position in a tensor; entries beyond its rank are 0.
using Index = std::array<std::int64_t, largestRank>;

/// Calls visit(index) for every position of a box, last axis fastest; once for a box of rank 0.
template <typename Visit> void forEachIndex(std::span<const std::int64_t> extents, Visit visit)
{
    for (const auto extent : extents)
        if (extent == 0)
            return;
    Index index {};
    while (true) {
        visit(index);
        std::size_t axis = extents.size();
        while (axis > 0 && ++index[axis - 1] == extents[axis - 1])
            index[--axis] = 0;
        if (axis == 0)
            return;
    }
}

/// Row-major offset of a position.
inline std::int64_t offsetOf(std::span<const std::int64_t> extents, const Index& index)
{
    std::int64_t offset = 0;
    for (std::size_t axis = 0; axis < extents.size(); ++axis)
        offset = offset * extents[axis] + index[axis];
    return offset;
}

/// Elements of the axes from `first` on.
inline std::int64_t sizeFrom(const Shape& shape, int first)
{
    std::int64_t n = 1;
    for (int axis = first; axis < shape.rank(); ++axis)
        n *= shape[axis];
    return n;
}

/// The axes after batch and channel.
inline std::vector<std::int64_t> spatialExtents(const Shape& shape) { return { shape.begin() + 2, shape.end() }; }

constexpr KernelTraits traits { .implementation = "reference" };

inline KernelTraits traitsWithScratch(std::size_t bytes)
{
    return { .scratchBytes = bytes, .implementation = "reference" };
}

} // namespace quantoscope::engine::reference
