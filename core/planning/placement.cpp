// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/planning/placement.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <numeric>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/graph/passes/activation_fusion.h"

namespace quantoscope::planning {

namespace {

using graph::Graph;
using graph::Layer;
using graph::Node;
using graph::ValueId;
using quant::Role;
using Range = std::pair<double, double>;

bool isActivation(const Graph& graph, ValueId id)
{
    return id.valid() && !graph.isConstant(id) && graph.value(id).type.dtype == DType::Float32;
}

bool isFloatConstant(const Graph& graph, ValueId id)
{
    return graph.isConstant(id) && graph.value(id).constant->dtype() == DType::Float32;
}

bool isStandard(const Node& node) { return node.domain.empty() || node.domain == "ai.onnx"; }

/// Whether the operator computes with all its floating operands alike, so that integer hardware needs every one of them
/// on a grid, the constants too.
bool combinesOperands(const Node& node)
{
    static constexpr std::array operators { std::string_view("Add"), std::string_view("Concat"),
        std::string_view("Div"), std::string_view("Max"), std::string_view("Mean"), std::string_view("Min"),
        std::string_view("Mul"), std::string_view("PRelu"), std::string_view("Sub"), std::string_view("Sum"),
        std::string_view("Where") };
    return isStandard(node) && std::ranges::find(operators, node.opType) != operators.end();
}

bool padsWithZeros(const Graph& graph, const Node& node)
{
    const auto mode = node.stringAttribute("mode", "constant");
    if (mode != "constant")
        return true; // the other modes repeat values that are there
    if (!node.hasInput(2))
        return node.floatAttribute("value", 0) == 0; // an attribute up to opset 10
    const auto& fill = graph.value(node.inputs[2]).constant;
    return fill && std::ranges::all_of(tensor::toDoubles(fill->view()), [](double v) { return v == 0; });
}

/// Whether every element of the outputs is an element of the first input (or zero), so that its encoding serves them
/// too.
bool onlyMovesData(const Graph& graph, const Node& node)
{
    static constexpr std::array operators { std::string_view("BatchToSpace"), std::string_view("DepthToSpace"),
        std::string_view("Dropout"), std::string_view("Expand"), std::string_view("Flatten"),
        std::string_view("Gather"), std::string_view("GatherElements"), std::string_view("GatherND"),
        std::string_view("GlobalMaxPool"), std::string_view("Identity"), std::string_view("MaxPool"),
        std::string_view("ReduceMax"), std::string_view("ReduceMin"), std::string_view("Reshape"),
        std::string_view("Slice"), std::string_view("SpaceToDepth"), std::string_view("Split"),
        std::string_view("Squeeze"), std::string_view("Tile"), std::string_view("TopK"), std::string_view("Transpose"),
        std::string_view("Unsqueeze") };
    if (!isStandard(node))
        return false;
    if (node.opType == "Pad")
        return padsWithZeros(graph, node);
    if (node.opType == "Resize" || node.opType == "Upsample")
        return node.stringAttribute("mode", "nearest") == "nearest";
    return std::ranges::find(operators, node.opType) != operators.end();
}

/// The range an operator's output has by definition.
std::optional<Range> fixedRangeOf(const Graph& graph, ValueId id)
{
    const auto producer = graph.value(id).producer;
    if (!producer.valid())
        return std::nullopt;
    const auto& op = graph.node(producer).opType;
    if (op == "Softmax" || op == "Sigmoid")
        return Range { 0, 1 };
    return std::nullopt;
}

/// Slots by tensor name, in the order they were first asked for.
class SlotList {
public:
    explicit SlotList(const Graph& graph)
        : m_graph(graph)
    {
    }

    /// The slot of a value; made if there is none yet.
    std::size_t slotOf(ValueId id, Role role)
    {
        const auto [entry, isNew] = m_index.try_emplace(id, m_slots.size());
        if (isNew) {
            QuantizerSlot slot;
            slot.tensor = m_graph.value(id).name;
            slot.role = role;
            if (role == Role::Activation) {
                slot.isLogits = m_graph.isOutput(id);
                slot.fixedRange = fixedRangeOf(m_graph, id);
            }
            m_slots.push_back(std::move(slot));
        }
        return entry->second;
    }
    bool has(ValueId id) const { return m_index.contains(id); }
    bool has(ValueId id, Role role) const
    {
        const auto entry = m_index.find(id);
        return entry != m_index.end() && m_slots[entry->second].role == role;
    }
    QuantizerSlot& at(std::size_t i) { return m_slots[i]; }
    std::size_t size() const { return m_slots.size(); }

    void addReader(ValueId id, const Layer& layer)
    {
        auto& layers = m_slots[slotOf(id, Role::Activation)].layers;
        if (std::ranges::find(layers, layer.name) == layers.end())
            layers.push_back(layer.name);
    }
    void addWeight(const Layer& layer)
    {
        if (!layer.weight.valid())
            return;
        auto& slot = m_slots[slotOf(layer.weight, Role::Weight)];
        if (slot.role != Role::Weight)
            return; // a constant that served another node first keeps that one's grid
        if (slot.layers.empty())
            slot.channelAxis = layer.weightChannelAxis;
        slot.layers.push_back(layer.name);
    }
    void addBias(const Layer& layer)
    {
        if (!layer.bias.valid() || !m_graph.isConstant(layer.bias) || !layer.weight.valid() || !has(layer.input))
            return;
        auto& slot = m_slots[slotOf(layer.bias, Role::Bias)];
        if (slot.role != Role::Bias)
            return;
        slot.layers.push_back(layer.name);
        if (slot.layers.size() > 1)
            return;
        slot.biasInput = m_graph.value(layer.input).name;
        slot.biasWeight = m_graph.value(layer.weight).name;
    }

    std::vector<QuantizerSlot> take() { return std::move(m_slots); }

private:
    const Graph& m_graph;
    std::vector<QuantizerSlot> m_slots;
    std::unordered_map<ValueId, std::size_t> m_index;
};

/// Which slots share one encoding: disjoint sets whose representative is their earliest slot.
class Sharing {
public:
    std::size_t representative(std::size_t slot)
    {
        grow(slot);
        while (m_parent[slot] != slot)
            slot = m_parent[slot] = m_parent[m_parent[slot]];
        return slot;
    }
    void join(std::size_t a, std::size_t b)
    {
        a = representative(a);
        b = representative(b);
        m_parent[std::max(a, b)] = std::min(a, b);
    }

private:
    void grow(std::size_t slot)
    {
        const std::size_t old = m_parent.size();
        if (slot < old)
            return;
        m_parent.resize(slot + 1);
        std::iota(m_parent.begin() + static_cast<std::ptrdiff_t>(old), m_parent.end(), old);
    }

    std::vector<std::size_t> m_parent;
};

using FloatOperators = std::span<const std::string>;

bool isFloat(const Node& node, FloatOperators operators)
{
    return isStandard(node) && std::ranges::find(operators, node.opType) != operators.end();
}

std::vector<QuantizerSlot> placeAtLayers(const Graph& graph, const std::vector<Layer>& layers)
{
    SlotList slots(graph);
    for (const auto& layer : layers) {
        for (const auto operand : { layer.input, layer.secondInput })
            if (isActivation(graph, operand))
                slots.addReader(operand, layer);
        slots.addWeight(layer);
    }
    return slots.take();
}

/// Integer scope: walks the graph once, giving every activation a slot where it is produced.
class ProducerPlacement {
public:
    ProducerPlacement(const Graph& graph, const std::vector<Layer>& layers, FloatOperators floatOperators)
        : m_graph(graph)
        , m_floatOperators(floatOperators)
        , m_consumers(graph.allConsumers())
        , m_fusion(graph)
        , m_slots(graph)
    {
        for (const auto& layer : layers)
            m_layers.emplace(layer.node, &layer);
    }

    std::vector<QuantizerSlot> place(const std::vector<graph::NodeId>& order)
    {
        for (const auto input : m_graph.inputs())
            if (isActivation(m_graph, input) && !staysFloat(input))
                m_slots.slotOf(input, Role::Activation);
        for (const auto id : order)
            visit(id);
        for (std::size_t i = 0; i < m_slots.size(); ++i)
            if (const auto first = m_sharing.representative(i); first != i)
                m_slots.at(i).sharesWith = m_slots.at(first).tensor;
        return m_slots.take();
    }

private:
    /// Between two operators that are computed in float, or from one to an end of the network, nothing is quantized.
    bool staysFloat(ValueId id) const
    {
        if (m_floatOperators.empty())
            return false;
        const auto isFloatNode = [this](graph::NodeId node) { return isFloat(m_graph.node(node), m_floatOperators); };
        const auto producer = m_graph.value(id).producer;
        return (!producer.valid() || isFloatNode(producer))
            && std::ranges::all_of(m_consumers[id.index()], isFloatNode);
    }

    void visit(graph::NodeId id)
    {
        const Node& node = m_graph.node(id);
        if (const auto layer = m_layers.find(id); layer != m_layers.end())
            visitLayer(*layer->second);
        if (combinesOperands(node) && !isFloat(node, m_floatOperators) && !m_fusion.isCap(id))
            for (const auto operand : node.inputs)
                if (isFloatConstant(m_graph, operand))
                    m_slots.slotOf(operand, Role::Constant);
        for (const auto output : node.outputs) {
            const bool insideFused
                = output.valid() && output == node.outputs[0] && m_fusion.finalOutput(m_graph, id) != output;
            if (isActivation(m_graph, output) && !insideFused && !staysFloat(output))
                m_slots.slotOf(output, Role::Activation);
        }
        share(node);
    }

    void visitLayer(const Layer& layer)
    {
        for (const auto operand : { layer.input, layer.secondInput })
            if (isActivation(m_graph, operand) && m_slots.has(operand))
                m_slots.addReader(operand, layer);
        m_slots.addWeight(layer);
        m_slots.addBias(layer);
    }

    void share(const Node& node)
    {
        const bool concatenates = node.opType == "Concat";
        if (!concatenates && !onlyMovesData(m_graph, node))
            return;
        const std::size_t sources = concatenates ? node.inputs.size() : 1;
        for (const auto output : node.outputs) {
            if (!isActivation(m_graph, output) || !m_slots.has(output))
                continue;
            for (std::size_t i = 0; i < sources && i < node.inputs.size(); ++i) {
                if (!canShare(node.inputs[i]))
                    continue;
                m_slots.at(m_slots.slotOf(output, Role::Activation)).ownValues = false;
                m_sharing.join(
                    m_slots.slotOf(node.inputs[i], Role::Activation), m_slots.slotOf(output, Role::Activation));
            }
        }
    }

    bool canShare(ValueId id) const
    {
        return (isActivation(m_graph, id) && m_slots.has(id)) || m_slots.has(id, Role::Constant);
    }

    const Graph& m_graph;
    FloatOperators m_floatOperators;
    std::vector<std::vector<graph::NodeId>> m_consumers;
    graph::ActivationFusion m_fusion;
    SlotList m_slots;
    Sharing m_sharing;
    std::unordered_map<graph::NodeId, const Layer*> m_layers;
};

} // namespace

std::vector<QuantizerSlot> placeQuantizers(const graph::Graph& graph, quant::Scope scope, FloatOperators floatOperators)
{
    auto layers = graph::computeLayers(graph);
    std::erase_if(layers, [&](const Layer& layer) { return isFloat(graph.node(layer.node), floatOperators); });
    if (scope == quant::Scope::Compute)
        return placeAtLayers(graph, layers);
    const auto order = graph.topologicalOrder();
    assert(order.has_value()); // a prepared graph has been verified
    return ProducerPlacement(graph, layers, floatOperators).place(*order);
}

} // namespace quantoscope::planning
