// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <numeric>

#include "core/engine/kernels/support.h"

namespace quantoscope::engine {

/// The axes a Reduce operator runs over: attribute or input 1; all where none are named, unless noop_with_empty_axes.
inline Result<std::vector<int>> reductionAxes(const KernelRequest& request)
{
    const int rank = request.inputs.front().shape.rank();
    const auto given = request.attributeOrInts("axes", 1);
    if (request.has(1) && !given)
        return request.unsupported("a reduction along axes that are computed while the model runs");
    if (given && !given->empty())
        return checkedAxes(request, *given, rank);
    std::vector<int> axes;
    if (request.node.intAttribute("noop_with_empty_axes", 0) == 0) {
        axes.resize(static_cast<std::size_t>(rank));
        std::iota(axes.begin(), axes.end(), 0);
    }
    return axes;
}

} // namespace quantoscope::engine
