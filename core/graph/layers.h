// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/graph/graph.h"

namespace quantoscope::graph {

/// A compute layer: Conv, ConvTranspose, Gemm or MatMul. What people mean by "layer" throughout the program.
struct Layer {
    NodeId node;
    std::string name; ///< Graph::label()
    std::string op;
    ValueId input; ///< first operand that is not constant
    ValueId secondInput; ///< MatMul of two activations; invalid otherwise
    ValueId weight; ///< constant operand; invalid for a MatMul of two activations
    ValueId bias; ///< invalid if there is none
    ValueId output;
    int weightChannelAxis = 0; ///< axis of the weight that runs over output channels (ConvTranspose: 1, with groups)
    bool weightIsLeft = false; ///< Gemm and MatMul: the constant is the first operand, output channels run along rows
    int groups = 1;
    std::int64_t parameters = 0; ///< elements of weight and bias
    std::int64_t macs = 0; ///< multiply-accumulates for one image (batch extent 1); 0 while shapes are not known
};

/// The node as a compute layer; empty if it is none.
std::optional<Layer> computeLayer(const Graph& graph, NodeId node);

/// The compute layers in topological order. Shapes must have been inferred for macs.
std::vector<Layer> computeLayers(const Graph& graph);

/// Why a node cannot be computed.
struct Unsupported {
    NodeId node;
    std::string name; ///< Graph::label()
    std::string op; ///< "domain::Op" outside ai.onnx
    int opset = 0;
    std::string why;
};

/// Nodes without a schema, of an opset outside the schema's, or with a subgraph attribute.
std::vector<Unsupported> findUnsupported(const Graph& graph);

} // namespace quantoscope::graph
