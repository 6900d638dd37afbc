// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/graph/graph.h"
#include "core/graph/partial_values.h"

namespace quantoscope::graph {

/// What shape inference of one node may look at, and where it puts its answer.
class InferenceContext {
public:
    InferenceContext(const Graph& graph, NodeId node, const PartialValues* partial = nullptr);

    const Node& node() const { return m_node; }
    int opset() const { return m_opset; } ///< of the node's domain
    std::size_t inputCount() const { return m_node.inputs.size(); }
    bool hasInput(std::size_t i) const { return m_node.hasInput(i); }
    const ValueType& input(std::size_t i) const; ///< an empty type if absent
    std::optional<Shape> inputShape(std::size_t i) const; ///< empty unless fully known
    TensorPtr inputConstant(std::size_t i) const; ///< nullptr unless known before running
    /// Shape-like operand (axes, pads, repeats...): the constant's elements as int64; empty optional if not constant.
    std::optional<std::vector<std::int64_t>> inputInts(std::size_t i) const;
    /// Shape operand of which only some elements may be known ([batch, -1]); empty if nothing is.
    std::optional<Elements> inputElements(std::size_t i) const;
    /// Axes and the like moved from attribute to input over time: attribute `key` if there, else constant input `i`.
    std::optional<std::vector<std::int64_t>> attributeOrInputInts(std::string_view key, std::size_t i) const;

    std::size_t outputCount() const { return m_node.outputs.size(); }
    void setOutput(std::size_t i, ValueType type);
    const std::vector<ValueType>& outputs() const { return m_outputs; }

    std::string where() const; ///< "node 'conv1' (Conv)"
    /// InvalidInput at this node.
    tl::unexpected<Error> error(std::string what, std::string hint = {}) const;

private:
    const Graph& m_graph;
    NodeId m_id;
    const PartialValues* m_partial;
    const Node& m_node;
    int m_opset;
    std::vector<ValueType> m_outputs;
};

using InferFunction = Result<void> (*)(InferenceContext&);

/// What Quantoscope knows of an operator independently of any kernel.
struct OpSchema {
    std::string_view opType;
    std::string_view category; ///< heading in the supported-operator table: "Convolution", "Activation", ...
    int sinceOpset = 1; ///< oldest opset whose meaning is implemented
    int untilOpset = 0; ///< newest one (0: no end), for operators that were withdrawn (Upsample)
    int minInputs = 1;
    int maxInputs = 1; ///< -1: variadic
    InferFunction infer = nullptr;
};

/// Every known operator of ai.onnx, sorted by name.
std::span<const OpSchema> opSchemas();

/// nullptr if the operator is not known (other domains than "" and "ai.onnx" never are).
const OpSchema* findSchema(const Node& node);

} // namespace quantoscope::graph
