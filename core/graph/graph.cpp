// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/graph/graph.h"

#include <algorithm>
#include <cassert>
#include <functional>
#include <queue>

namespace quantoscope::graph {

namespace {

template <typename T> std::vector<std::unique_ptr<T>> cloned(const std::vector<std::unique_ptr<T>>& from)
{
    std::vector<std::unique_ptr<T>> copy;
    copy.reserve(from.size());
    for (const auto& item : from)
        copy.push_back(item ? std::make_unique<T>(*item) : nullptr);
    return copy;
}

template <typename IdType, typename T> std::vector<IdType> idsOf(const std::vector<std::unique_ptr<T>>& items)
{
    std::vector<IdType> ids;
    ids.reserve(items.size());
    for (std::size_t i = 0; i < items.size(); ++i) {
        if (items[i])
            ids.push_back({ static_cast<std::int32_t>(i) });
    }
    return ids;
}

template <typename T> bool holds(const std::vector<T>& items, const T& item)
{
    return std::ranges::find(items, item) != items.end();
}

} // namespace

Graph::Graph(const Graph& other)
    : name(other.name)
    , docString(other.docString)
    , opsets(other.opsets)
    , m_nodes(cloned(other.m_nodes))
    , m_values(cloned(other.m_values))
    , m_inputs(other.m_inputs)
    , m_outputs(other.m_outputs)
    , m_names(other.m_names)
    , m_madeUp(other.m_madeUp)
{
}

Graph& Graph::operator=(const Graph& other)
{
    if (this != &other)
        *this = Graph(other);
    return *this;
}

int Graph::opset() const
{
    for (const char* domain : { "", "ai.onnx" }) {
        if (const auto it = opsets.find(domain); it != opsets.end())
            return it->second;
    }
    return 0;
}

ValueId Graph::addValue(std::string valueName, ValueType type)
{
    while (valueName.empty()) {
        valueName = "value_" + std::to_string(++m_madeUp);
        if (m_names.contains(valueName))
            valueName.clear();
    }
    const ValueId id { static_cast<std::int32_t>(m_values.size()) };
    [[maybe_unused]] const bool isNew = m_names.emplace(valueName, id).second;
    assert(isNew);
    auto value = std::make_unique<Value>();
    value->name = std::move(valueName);
    value->type = std::move(type);
    m_values.push_back(std::move(value));
    return id;
}

ValueId Graph::addConstant(std::string valueName, TensorPtr tensor)
{
    assert(tensor);
    const ValueId id = addValue(std::move(valueName));
    makeConstant(id, std::move(tensor));
    return id;
}

ValueId Graph::addInput(std::string valueName, ValueType type)
{
    const ValueId id = addValue(std::move(valueName), std::move(type));
    m_inputs.push_back(id);
    return id;
}

void Graph::markOutput(ValueId id)
{
    assert(contains(id));
    m_outputs.push_back(id);
}

void Graph::setOutputs(std::vector<ValueId> outputs)
{
    assert(std::ranges::all_of(outputs, [this](ValueId id) { return contains(id); }));
    m_outputs = std::move(outputs);
}

NodeId Graph::addNode(Node added)
{
    const NodeId id { static_cast<std::int32_t>(m_nodes.size()) };
    for (const ValueId output : added.outputs) {
        if (!output.valid())
            continue;
        assert(!value(output).producer.valid() && !value(output).constant);
        value(output).producer = id;
    }
    m_nodes.push_back(std::make_unique<Node>(std::move(added)));
    return id;
}

void Graph::removeNode(NodeId id)
{
    assert(contains(id));
    for (const ValueId output : node(id).outputs) {
        if (output.valid())
            value(output).producer = {};
    }
    m_nodes[id.index()].reset();
}

void Graph::removeValue(ValueId id)
{
    assert(contains(id) && !value(id).producer.valid() && !isOutput(id) && consumers(id).empty());
    std::erase(m_inputs, id);
    m_names.erase(value(id).name);
    m_values[id.index()].reset();
}

void Graph::rename(ValueId id, std::string newName)
{
    assert(contains(id) && !newName.empty());
    if (value(id).name == newName)
        return;
    m_names.erase(value(id).name);
    [[maybe_unused]] const bool isNew = m_names.emplace(newName, id).second;
    assert(isNew);
    value(id).name = std::move(newName);
}

void Graph::replaceUses(ValueId from, ValueId to)
{
    assert(contains(from) && contains(to));
    for (const auto& reader : m_nodes) {
        if (reader)
            std::ranges::replace(reader->inputs, from, to);
    }
    std::ranges::replace(m_outputs, from, to);
}

void Graph::makeConstant(ValueId id, TensorPtr tensor)
{
    assert(contains(id) && tensor);
    Value& changed = value(id);
    if (changed.producer.valid()) {
        std::ranges::replace(node(changed.producer).outputs, id, ValueId {});
        changed.producer = {};
    }
    std::erase(m_inputs, id);
    changed.type = { tensor->dtype(), toDims(tensor->shape()) };
    changed.constant = std::move(tensor);
}

void Graph::setInput(NodeId id, std::size_t slot, ValueId to)
{
    assert(contains(id) && (!to.valid() || contains(to)));
    auto& inputs = node(id).inputs;
    if (slot >= inputs.size())
        inputs.resize(slot + 1);
    inputs[slot] = to;
}

void Graph::setOutput(NodeId id, std::size_t slot, ValueId to)
{
    assert(contains(id) && contains(to) && !value(to).producer.valid() && !value(to).constant);
    auto& outputs = node(id).outputs;
    if (slot >= outputs.size())
        outputs.resize(slot + 1);
    if (outputs[slot].valid())
        value(outputs[slot]).producer = {};
    outputs[slot] = to;
    value(to).producer = id;
}

std::string Graph::uniqueName(const std::string& wanted) const
{
    std::string candidate = wanted;
    for (int i = 2; m_names.contains(candidate); ++i)
        candidate = wanted + "_" + std::to_string(i);
    return candidate;
}

int Graph::removeDead()
{
    std::vector<bool> liveNodes(m_nodes.size());
    std::vector<bool> liveValues(m_values.size());
    std::vector<ValueId> wanted = m_outputs;
    while (!wanted.empty()) {
        const ValueId id = wanted.back();
        wanted.pop_back();
        if (!contains(id))
            continue;
        liveValues[id.index()] = true;
        const NodeId producer = value(id).producer;
        if (!contains(producer) || liveNodes[producer.index()])
            continue;
        liveNodes[producer.index()] = true;
        for (const ValueId input : node(producer).inputs) {
            if (contains(input) && !liveValues[input.index()])
                wanted.push_back(input);
        }
    }
    int removed = 0;
    for (const NodeId id : nodes()) {
        if (liveNodes[id.index()])
            continue;
        removeNode(id);
        ++removed;
    }
    for (const ValueId id : values()) {
        if (liveValues[id.index()] || isInput(id) || value(id).producer.valid())
            continue;
        m_names.erase(value(id).name);
        m_values[id.index()].reset();
    }
    return removed;
}

std::vector<NodeId> Graph::nodes() const { return idsOf<NodeId>(m_nodes); }

std::vector<ValueId> Graph::values() const { return idsOf<ValueId>(m_values); }

std::optional<ValueId> Graph::find(std::string_view valueName) const
{
    const auto it = m_names.find(std::string(valueName));
    return it == m_names.end() ? std::nullopt : std::optional(it->second);
}

bool Graph::isInput(ValueId id) const { return holds(m_inputs, id); }

bool Graph::isOutput(ValueId id) const { return holds(m_outputs, id); }

std::vector<NodeId> Graph::consumers(ValueId id) const
{
    std::vector<NodeId> readers;
    for (std::size_t i = 0; i < m_nodes.size(); ++i) {
        if (m_nodes[i] && holds(m_nodes[i]->inputs, id))
            readers.push_back({ static_cast<std::int32_t>(i) });
    }
    return readers;
}

std::vector<std::vector<NodeId>> Graph::allConsumers() const
{
    std::vector<std::vector<NodeId>> readers(m_values.size());
    for (const NodeId id : nodes()) {
        for (const ValueId input : node(id).inputs) {
            if (!input.valid())
                continue;
            auto& list = readers[input.index()];
            if (list.empty() || list.back() != id)
                list.push_back(id);
        }
    }
    return readers;
}

std::string Graph::label(NodeId id) const
{
    const Node& named = node(id);
    if (!named.name.empty())
        return named.name;
    for (const ValueId output : named.outputs) {
        if (contains(output))
            return named.opType + " producing '" + value(output).name + "'";
    }
    return named.opType + " without outputs";
}

namespace {

/// A node on a cycle: going from producer to producer among the nodes that never became ready must revisit one.
NodeId nodeOnCycle(const Graph& graph, const std::vector<int>& waitingFor)
{
    NodeId at;
    for (const NodeId id : graph.nodes()) {
        if (waitingFor[id.index()] > 0) {
            at = id;
            break;
        }
    }
    std::vector<bool> visited(waitingFor.size());
    while (!visited[at.index()]) {
        visited[at.index()] = true;
        for (const ValueId input : graph.node(at).inputs) {
            const NodeId producer = graph.contains(input) ? graph.value(input).producer : NodeId {};
            if (graph.contains(producer) && waitingFor[producer.index()] > 0) {
                at = producer;
                break;
            }
        }
    }
    return at;
}

} // namespace

Result<std::vector<NodeId>> Graph::topologicalOrder() const
{
    std::vector<int> waitingFor(m_nodes.size());
    std::vector<std::vector<NodeId>> unblocks(m_nodes.size());
    std::priority_queue<NodeId, std::vector<NodeId>, std::greater<>> ready;
    const std::vector<NodeId> all = nodes();
    for (const NodeId id : all) {
        for (const ValueId input : node(id).inputs) {
            const NodeId producer = contains(input) ? value(input).producer : NodeId {};
            if (!contains(producer))
                continue;
            unblocks[producer.index()].push_back(id);
            ++waitingFor[id.index()];
        }
        if (waitingFor[id.index()] == 0)
            ready.push(id);
    }
    std::vector<NodeId> order;
    order.reserve(all.size());
    while (!ready.empty()) {
        const NodeId id = ready.top();
        ready.pop();
        order.push_back(id);
        for (const NodeId next : unblocks[id.index()]) {
            if (--waitingFor[next.index()] == 0)
                ready.push(next);
        }
    }
    if (order.size() < all.size())
        return fail(ErrorCode::InvalidInput, "the graph has a cycle: the node needs its own output",
            "node '" + label(nodeOnCycle(*this, waitingFor)) + "'", "export the model again");
    return order;
}

} // namespace quantoscope::graph
