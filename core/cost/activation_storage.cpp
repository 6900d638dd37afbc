// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/cost/activation_storage.h"

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "core/graph/layers.h"
#include "core/graph/passes/activation_fusion.h"

namespace quantoscope::cost {

namespace {

using graph::Graph;
using graph::NodeId;
using graph::ValueId;

constexpr int floatBits = 32;

double elementsOfOneImage(const graph::Value& value)
{
    if (!value.type.dims)
        return 0;
    const auto& dims = *value.type.dims;
    double elements = 1;
    for (std::size_t i = dims.size() > 1 ? 1 : 0; i < dims.size(); ++i)
        elements *= dims[i].known() ? static_cast<double>(dims[i].value) : 1;
    return elements;
}

/// Operations whose output is their input's bytes.
bool isView(const graph::Node& node)
{
    static const std::set<std::string, std::less<>> views { "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity",
        "Dropout" };
    return views.contains(node.opType) && node.hasInput(0) && node.hasOutput(0);
}

/// Values that share their bytes.
struct Buffer {
    double elements = 0;
    std::size_t born = 0; ///< position of the node that makes it; 0 for inputs
    std::size_t dies = 0; ///< of the last that reads it
    int quantized = floatBits; ///< word-length of its quantizer
    int quantizedReaders = 0; ///< nodes that read it so
    int floatReaders = 0;

    /// A value that nobody reads is an output, as it is made.
    bool keptQuantized() const { return quantizedReaders > 0; }
    bool keptFloat() const { return floatReaders > 0; }
    double bits() const { return elements * ((keptQuantized() ? quantized : 0) + (keptFloat() ? floatBits : 0)); }
    double movedBits() const { return bits() + elements * (quantizedReaders * quantized + floatReaders * floatBits); }
};

class StorageAnalysis {
public:
    StorageAnalysis(const Graph& graph, const quant::QuantizationPlan& plan)
        : m_graph(graph)
        , m_plan(plan)
        , m_fusion(graph)
    {
    }

    ActivationStorage run()
    {
        const auto order = m_graph.topologicalOrder();
        if (!order)
            return {};
        for (const ValueId input : m_graph.inputs())
            make(input, 0);
        for (std::size_t at = 0; at < order->size(); ++at)
            visit((*order)[at], at);
        for (const ValueId output : m_graph.outputs())
            read(output, order->size(), m_plan.scope == quant::Scope::Integer);
        return sum(order->size());
    }

private:
    void visit(NodeId id, std::size_t at)
    {
        const graph::Node& node = m_graph.node(id);
        const bool behind = m_fusion.isFused(id) || m_fusion.isCap(id);
        if (behind || isView(node)) {
            share(movingInput(node), node.outputs[0], at);
            return;
        }
        const bool quantized = m_plan.scope == quant::Scope::Integer || graph::computeLayer(m_graph, id).has_value();
        for (const ValueId input : node.inputs)
            if (input.valid() && !m_graph.isConstant(input))
                read(input, at, quantized);
        for (const ValueId output : node.outputs)
            if (output.valid() && m_graph.contains(output))
                make(output, at);
    }

    ValueId movingInput(const graph::Node& node) const
    {
        const auto found
            = std::ranges::find_if(node.inputs, [&](ValueId id) { return id.valid() && !m_graph.isConstant(id); });
        return found == node.inputs.end() ? node.inputs.front() : *found;
    }

    void make(ValueId value, std::size_t at)
    {
        m_bufferOf[value] = m_buffers.size();
        m_buffers.push_back({ .elements = elementsOfOneImage(m_graph.value(value)), .born = at, .dies = at });
        takeBits(value);
    }

    /// `alias` has the bytes of `value`.
    void share(ValueId value, ValueId alias, std::size_t at)
    {
        const auto found = m_bufferOf.find(value);
        if (found == m_bufferOf.end()) {
            if (!m_graph.isConstant(value))
                make(alias, at);
            return;
        }
        m_bufferOf[alias] = found->second;
        takeBits(alias);
    }

    void takeBits(ValueId value)
    {
        if (const auto* quantizer = m_plan.find(m_graph.value(value).name))
            m_buffers[m_bufferOf.at(value)].quantized = quantizer->encoding.bits();
    }

    void read(ValueId value, std::size_t at, bool quantized)
    {
        const auto found = m_bufferOf.find(value);
        if (found == m_bufferOf.end())
            return;
        Buffer& buffer = m_buffers[found->second];
        buffer.dies = std::max(buffer.dies, at);
        ++(quantized && buffer.quantized < floatBits ? buffer.quantizedReaders : buffer.floatReaders);
    }

    ActivationStorage sum(std::size_t nodes) const
    {
        ActivationStorage storage;
        std::vector<double> alive(nodes + 1);
        for (const auto& buffer : m_buffers) {
            storage.movedBits += buffer.movedBits();
            for (std::size_t at = buffer.born; at <= std::min(buffer.dies, nodes - 1) && at < nodes; ++at)
                alive[at] += buffer.bits() / 8;
        }
        storage.peakBytes = *std::ranges::max_element(alive);
        return storage;
    }

    const Graph& m_graph;
    const quant::QuantizationPlan& m_plan;
    graph::ActivationFusion m_fusion;
    std::map<ValueId, std::size_t> m_bufferOf;
    std::vector<Buffer> m_buffers;
};

} // namespace

ActivationStorage activationStorage(const Graph& graph, const quant::QuantizationPlan& plan)
{
    return StorageAnalysis(graph, plan).run();
}

} // namespace quantoscope::cost
