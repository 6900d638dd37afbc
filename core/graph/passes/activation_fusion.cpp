// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/graph/passes/activation_fusion.h"

#include <algorithm>
#include <limits>

#include "core/graph/op_schema.h"

namespace quantoscope::graph {

namespace {

/// A bound of Clip: attribute up to opset 10, constant input since; empty if it is computed.
std::optional<float> clipBound(
    const Graph& graph, const Node& node, std::string_view key, std::size_t input, float fallback)
{
    if (!node.hasInput(input))
        return node.floatAttribute(key, fallback);
    const TensorPtr constant = graph.value(node.inputs[input]).constant;
    if (!constant || constant->size() != 1)
        return std::nullopt;
    return static_cast<float>(tensor::toDoubles(constant->view()).front());
}

std::optional<FusedActivation> asClamp(const Graph& graph, NodeId id)
{
    constexpr float infinity = std::numeric_limits<float>::infinity();
    const Node& node = graph.node(id);
    if (!findSchema(node) || !node.hasInput(0) || !node.hasOutput(0))
        return std::nullopt;
    if (node.opType == "Relu")
        return FusedActivation { id, node.outputs[0], 0, infinity };
    if (node.opType != "Clip")
        return std::nullopt;
    const auto low = clipBound(graph, node, "min", 1, -infinity);
    const auto high = clipBound(graph, node, "max", 2, infinity);
    // Also false for NaN.
    if (!low || !high || !(*low <= *high))
        return std::nullopt;
    return FusedActivation { id, node.outputs[0], *low, *high };
}

bool canCarryActivation(const Graph& graph, const Node& node)
{
    static constexpr std::string_view kinds[] = { "Conv", "ConvTranspose", "Gemm", "MatMul", "Add" };
    if (!findSchema(node) || std::ranges::find(kinds, node.opType) == std::end(kinds) || !node.hasOutput(0))
        return false;
    const auto dtype = graph.value(node.outputs[0]).type.dtype;
    return !dtype || tensor::isFloating(*dtype);
}

} // namespace

ActivationFusion::ActivationFusion(const Graph& graph)
{
    const auto consumers = graph.allConsumers();
    for (const NodeId id : graph.nodes()) {
        const Node& node = graph.node(id);
        if (!canCarryActivation(graph, node) || graph.isOutput(node.outputs[0]))
            continue;
        const auto& readers = consumers[node.outputs[0].index()];
        if (readers.size() != 1 || graph.node(readers[0]).inputs[0] != node.outputs[0])
            continue;
        if (const auto clamp = asClamp(graph, readers[0])) {
            m_after.emplace(id, *clamp);
            m_producers.emplace(clamp->node, id);
            findCap(graph, *clamp, consumers[clamp->output.index()]);
        }
    }
}

void ActivationFusion::findCap(const Graph& graph, const FusedActivation& clamp, const std::vector<NodeId>& readers)
{
    if (graph.node(clamp.node).opType != "Relu" || readers.size() != 1 || graph.isOutput(clamp.output))
        return;
    const Node& min = graph.node(readers[0]);
    if (min.opType != "Min" || !findSchema(min) || min.inputs.size() != 2 || !min.hasOutput(0))
        return;
    if (graph.isConstant(min.inputs[0]) || graph.isConstant(min.inputs[1])) {
        m_caps.emplace(clamp.node, readers[0]);
        m_capped.insert(readers[0]);
    }
}

std::optional<FusedActivation> ActivationFusion::after(NodeId producer) const
{
    const auto it = m_after.find(producer);
    return it == m_after.end() ? std::nullopt : std::optional(it->second);
}

ValueId ActivationFusion::finalOutput(const Graph& graph, NodeId node) const
{
    const auto fused = after(node);
    const auto cap = m_caps.find(fused ? fused->node : node);
    if (cap != m_caps.end())
        return graph.node(cap->second).outputs[0];
    return fused ? fused->output : graph.node(node).outputs[0];
}

} // namespace quantoscope::graph
