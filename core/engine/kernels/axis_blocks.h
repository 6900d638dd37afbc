// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/kernels/loops.h"

namespace quantoscope::engine {

/// A Plain tensor seen as [outer, extent, inner] around an axis (or a run of axes).
struct AxisBlocks {
    std::int64_t outer = 1;
    std::int64_t extent = 1;
    std::int64_t inner = 1;

    AxisBlocks(const Shape& shape, int axis)
        : AxisBlocks(shape, axis, axis + 1)
    {
    }

    /// `first` to before `last` together form the extent.
    AxisBlocks(const Shape& shape, int first, int last)
    {
        for (int axis = 0; axis < shape.rank(); ++axis)
            (axis < first ? outer : axis < last ? extent : inner) *= shape[axis];
    }

    /// visit(start) with the offset of the first element of every line along the axis; its elements are `inner` apart.
    template <typename Visit> void forEachLine(Visit visit) const
    {
        for (std::int64_t o = 0; o < outer; ++o)
            for (std::int64_t i = 0; i < inner; ++i)
                visit(o * extent * inner + i);
    }
};

} // namespace quantoscope::engine
