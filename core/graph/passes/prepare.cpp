// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/graph/passes/passes.h"

namespace quantoscope::graph {

Result<void> prepare(Graph& graph, const PassOptions& passes, const InferenceOptions& inference)
{
    if (passes.foldConstants) {
        QS_CHECK(foldConstants(graph, inference));
    } else {
        InferenceOptions typesOnly = inference;
        typesOnly.evaluator = nullptr;
        QS_CHECK(inferShapes(graph, typesOnly));
    }
    if (passes.removeIdentities)
        removeIdentities(graph);
    if (passes.foldBatchNorm)
        foldBatchNorm(graph);
    if (passes.separateBiases)
        separateBiases(graph);
    graph.removeDead();
    // Inputs are bound by now, and bound ones are inputs no longer.
    InferenceOptions again;
    again.foldLimit = inference.foldLimit;
    if (passes.foldConstants)
        again.evaluator = inference.evaluator;
    return inferShapes(graph, again);
}

} // namespace quantoscope::graph
