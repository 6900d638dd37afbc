// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>

#include "core/graph/passes/passes.h"

namespace quantoscope::graph {

namespace {

/// A computed shape operand of which all but one extent turned out known is the constant [..., -1, ...], so that the
/// chain which computed it goes even though the batch is a symbol.
void freezeReshape(Graph& graph, NodeId id)
{
    const Node& node = graph.node(id);
    if (node.opType != "Reshape" || !node.domain.empty() || !node.hasInput(1) || !node.hasOutput(0)
        || graph.isConstant(node.inputs[1]))
        return;
    const auto& dims = graph.value(node.outputs[0]).type.dims;
    if (!dims || std::ranges::count_if(*dims, [](const Dim& dim) { return !dim.known(); }) > 1
        || std::ranges::find(*dims, Dim(0)) != dims->end())
        return;
    std::vector<std::int64_t> extents;
    for (const Dim& dim : *dims)
        extents.push_back(dim.known() ? dim.value : -1);
    const Shape shape { static_cast<std::int64_t>(extents.size()) };
    const std::string name = graph.uniqueName(graph.value(node.outputs[0]).name + ".shape");
    graph.setInput(id, 1, graph.addConstant(name, std::make_shared<const Tensor>(Tensor::from(shape, extents))));
}

} // namespace

Result<int> foldConstants(Graph& graph, const InferenceOptions& options)
{
    const std::size_t before = graph.nodes().size();
    QS_CHECK(inferShapes(graph, options));
    for (const NodeId id : graph.nodes())
        freezeReshape(graph, id);
    graph.removeDead();
    return static_cast<int>(before - graph.nodes().size());
}

} // namespace quantoscope::graph
