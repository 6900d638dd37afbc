// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <vector>

#include "core/graph/graph.h"

namespace quantoscope::parity {

/// What a layer's result is a whole multiple of, if everything in it is an integer: s_x s_w, exactly.
struct SumUnit {
    std::vector<double> perChannel; ///< one for all or one a channel
    int axis = 1; ///< of the result, over its channels
};

/// Of a value in a QDQ file that comes from a Conv, Gemm or MatMul by way of nothing but Relu, Clip, Max and Min: empty
/// where its bias is float or there is no such layer.
std::optional<SumUnit> unitOf(const graph::Graph& file, graph::ValueId value);

} // namespace quantoscope::parity
