// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>

#include "core/engine/engine.h"
#include "core/graph/op_schema.h"
#include "core/graph/verifier.h"

namespace quantoscope::engine {

std::vector<graph::Unsupported> findUnsupported(const graph::Graph& graph)
{
    std::vector<graph::Unsupported> found = graph::findUnsupported(graph);
    for (graph::NodeId id : graph.nodes()) {
        const graph::Node& node = graph.node(id);
        if (!graph::findSchema(node) || findKernel(node.opType))
            continue;
        const bool isListed = std::any_of(
            found.begin(), found.end(), [&](const graph::Unsupported& entry) { return entry.node == id; });
        if (!isListed)
            found.push_back(
                { id, graph.label(id), node.opType, graph.opset(), "there is no kernel for this operator" });
    }
    return found;
}

Result<std::shared_ptr<const graph::Graph>> prepareGraph(const graph::Model& model, const graph::PassOptions& passes)
{
    auto prepared = std::make_shared<graph::Graph>(model.graph);
    QS_CHECK(graph::verify(*prepared));
    graph::InferenceOptions inference;
    inference.evaluator = constantEvaluator();
    QS_CHECK(graph::prepare(*prepared, passes, inference));
    if (const auto unsupported = engine::findUnsupported(*prepared); !unsupported.empty()) {
        const graph::Unsupported& first = unsupported.front();
        std::string what
            = "operator " + first.op + " of opset " + std::to_string(first.opset) + " cannot be computed: " + first.why;
        if (unsupported.size() > 1)
            what += " (and " + std::to_string(unsupported.size() - 1) + " more nodes)";
        return fail(ErrorCode::Unsupported, std::move(what), "node '" + first.name + "'",
            "`quantoscope-cli inspect` lists all of them");
    }
    return prepared;
}

} // namespace quantoscope::engine
