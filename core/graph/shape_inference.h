// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/graph/graph.h"

namespace quantoscope::graph {

/// Computes a node whose inputs are all constant (nullptr for absent ones): one tensor an output. The engine supplies
/// it, so that the graph module can fold constants without knowing a kernel. `outputTypes` are already inferred.
using NodeEvaluator = std::function<Result<std::vector<Tensor>>(
    const Graph& graph, NodeId node, const std::vector<const Tensor*>& inputs)>;

struct InferenceOptions {
    /// Shapes for graph inputs, replacing symbolic extents; every extent must be known. Inputs not named keep theirs.
    std::map<std::string, Shape> inputShapes;
    /// Inputs whose very elements are known (shape operands fed at run time): they become constants.
    std::map<std::string, TensorPtr> boundInputs;
    /// Fold nodes with constant inputs as the walk meets them. Without it only what needs no arithmetic on tensors
    /// becomes constant: Constant nodes, Shape and Size of known shapes, and the Gather, Slice, Concat and integer
    /// arithmetic that put shapes together.
    NodeEvaluator evaluator;
    /// Largest constant folding may create (bytes); nodes beyond it are left alone.
    std::size_t foldLimit = std::size_t { 64 } << 20;
};

/// One topological walk that fills in the type of every value and folds constants; folded nodes are removed, their
/// outputs become constants under the same name. Node types that have no schema keep the output types the file declares
/// and are no error here (see findUnsupported). A node whose evaluator answers Unsupported stays. Errors (InvalidInput,
/// with node and both shapes): a cycle, shapes that contradict each other, a declared type or output shape that
/// contradicts the inferred one, an input shape that contradicts the declared one. NotFound: options name an input that
/// is not there.
Result<void> inferShapes(Graph& graph, const InferenceOptions& options = {});

} // namespace quantoscope::graph
