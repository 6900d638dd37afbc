// SPDX-License-Identifier: GPL-3.0-or-later
#include <ranges>

#include "core/graph/layers.h"
#include "core/graph/passes/passes.h"

namespace quantoscope::graph {

int separateBiases(Graph& graph)
{
    int copies = 0;
    // From the back, so that the first layer keeps the name.
    const auto layers = computeLayers(graph);
    for (const Layer& layer : layers | std::views::reverse) {
        if (!graph.isConstant(layer.bias) || graph.consumers(layer.bias).size() < 2)
            continue;
        const auto& shared = graph.value(layer.bias);
        graph.setInput(layer.node, 2, graph.addConstant(graph.uniqueName(shared.name), shared.constant));
        ++copies;
    }
    return copies;
}

} // namespace quantoscope::graph
