// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/base/random.h"
#include "core/engine/engine.h"

/// Small graphs for the engine's tests, made and run in a few words.
namespace quantoscope::test {

using engine::CompileOptions;
using graph::Attribute;
using graph::ValueId;
using Ints = std::vector<std::int64_t>;
using Attributes = std::map<std::string, Attribute>;

/// Uniform in [low, high), the same for the same seed.
inline Tensor randomTensor(const Shape& shape, std::uint64_t seed, double low = -1, double high = 1)
{
    base::Random random(seed);
    Tensor tensor(DType::Float32, shape);
    for (float& value : tensor.as<float>())
        value = static_cast<float>(low + (high - low) * random.uniform());
    return tensor;
}

class GraphMaker {
public:
    explicit GraphMaker(int opset = 13) { m_graph.opsets[""] = opset; }

    ValueId input(const std::string& name, const Shape& shape, DType dtype = DType::Float32)
    {
        graph::ValueType type;
        type.dtype = dtype;
        type.dims = graph::toDims(shape);
        return m_graph.addInput(name, type);
    }
    ValueId constant(const std::string& name, Tensor tensor)
    {
        return m_graph.addConstant(name, std::make_shared<const Tensor>(std::move(tensor)));
    }
    /// A node with one output of that name.
    ValueId node(
        const std::string& opType, std::vector<ValueId> inputs, const std::string& output, Attributes attributes = {})
    {
        graph::Node node;
        node.name = output + "_node";
        node.opType = opType;
        node.inputs = std::move(inputs);
        node.attributes = std::move(attributes);
        const ValueId value = m_graph.addValue(output);
        node.outputs = { value };
        m_graph.addNode(std::move(node));
        return value;
    }
    void output(ValueId value) { m_graph.markOutput(value); }

    graph::Graph& graph() { return m_graph; }

private:
    graph::Graph m_graph;
};

/// Outputs of one run, copied; an error from compiling or running.
inline Result<std::vector<Tensor>> runGraph(const graph::Graph& graph, const std::vector<Tensor>& inputs,
    const CompileOptions& options = {}, const quant::QuantizationPlan& plan = {})
{
    QS_TRY(const engine::CompiledGraphPtr compiled, engine::compile(graph, plan, options));
    engine::Executor executor(compiled);
    std::vector<TensorView> views;
    for (const Tensor& input : inputs)
        views.push_back(input.view());
    QS_CHECK(executor.run(views));
    std::vector<Tensor> outputs;
    for (std::size_t i = 0; i < compiled->outputs().size(); ++i)
        outputs.push_back(tensor::convert(executor.output(i), executor.output(i).dtype()));
    return outputs;
}

/// Largest |a - b| over the elements, infinite if the shapes differ.
inline double largestDifference(const Tensor& a, const Tensor& b)
{
    if (a.shape() != b.shape())
        return INFINITY;
    double largest = 0;
    for (std::int64_t i = 0; i < a.size(); ++i) {
        const double difference = std::abs(static_cast<double>(a.as<float>()[static_cast<std::size_t>(i)])
            - static_cast<double>(b.as<float>()[static_cast<std::size_t>(i)]));
        largest = std::isnan(difference) ? INFINITY : std::max(largest, difference);
    }
    return largest;
}

inline bool sameBits(const Tensor& a, const Tensor& b)
{
    return a.shape() == b.shape() && a.dtype() == b.dtype()
        && std::equal(static_cast<const char*>(a.data()), static_cast<const char*>(a.data()) + a.bytes(),
            static_cast<const char*>(b.data()));
}

} // namespace quantoscope::test
