// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/base/random.h"
#include "core/graph/graph.h"

/// Graphs for tests, made in a few words.
namespace quantoscope::test {

using Ints = std::vector<std::int64_t>;
using Attributes = std::map<std::string, graph::Attribute>;

/// Normally distributed elements, the same for the same seed.
inline Tensor normalTensor(const Shape& shape, std::uint64_t seed, double deviation = 1)
{
    base::Random random(seed);
    Tensor tensor(DType::Float32, shape);
    for (float& value : tensor.as<float>())
        value = static_cast<float>(deviation * random.normal());
    return tensor;
}

inline Tensor floats(const std::vector<float>& values)
{
    return Tensor::from<float>(Shape { static_cast<std::int64_t>(values.size()) }, values);
}

inline Tensor ints(const Ints& values)
{
    return Tensor::from<std::int64_t>(Shape { static_cast<std::int64_t>(values.size()) }, values);
}

class GraphBuilder {
public:
    explicit GraphBuilder(int opset = 13) { m_graph.opsets[""] = opset; }

    graph::ValueId input(const std::string& name, graph::Dims dims, DType dtype = DType::Float32)
    {
        return m_graph.addInput(name, { dtype, std::move(dims) });
    }
    graph::ValueId constant(const std::string& name, Tensor tensor)
    {
        return m_graph.addConstant(name, std::make_shared<const Tensor>(std::move(tensor)));
    }
    /// A node with the outputs of those names; the node is called after the first.
    graph::NodeId add(const std::string& op, std::vector<graph::ValueId> inputs,
        const std::vector<std::string>& outputs, Attributes attributes = {})
    {
        graph::Node node;
        node.name = outputs.empty() ? op : outputs.front() + "_node";
        node.opType = op;
        node.inputs = std::move(inputs);
        for (const std::string& output : outputs)
            node.outputs.push_back(output.empty() ? graph::ValueId {} : m_graph.addValue(output));
        node.attributes = std::move(attributes);
        return m_graph.addNode(std::move(node));
    }
    /// A node with one output, which is returned.
    graph::ValueId node(const std::string& op, std::vector<graph::ValueId> inputs, const std::string& output,
        Attributes attributes = {})
    {
        return m_graph.node(add(op, std::move(inputs), { output }, std::move(attributes))).outputs[0];
    }
    void output(graph::ValueId value) { m_graph.markOutput(value); }

    graph::Graph& graph() { return m_graph; }

private:
    graph::Graph m_graph;
};

} // namespace quantoscope::test
