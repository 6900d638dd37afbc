// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <vector>

#include "core/graph/graph.h"

namespace quantoscope::planning {

/// The constant upper bound of a Clip; infinity if it has none.
double upperBound(const graph::Graph& graph, graph::NodeId clip);

/// Turns a Clip to [0, b] or (-inf, b] into a Relu and a Min with a bound for each channel (axis 1), or into the Min
/// alone. The Min takes over the Clip's output, the Relu its name.
void capChannels(graph::Graph& graph, graph::NodeId clip, const std::vector<float>& caps);

} // namespace quantoscope::planning
