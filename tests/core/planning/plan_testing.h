// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cmath>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <QtGlobal>

#include "core/base/random.h"
#include "core/calibration/stats.h"
#include "core/graph/graph.h"
#include "core/graph/shape_inference.h"
#include "core/planning/plan_builder.h"

/// Graphs and statistics that tests of plans are made of.
namespace quantoscope::test {

/// Builds graphs in a few words; every node is named after its output.
class Maker {
public:
    Maker() { m_graph.opsets[""] = 13; }

    std::string input(const std::string& name, graph::Dims dims)
    {
        m_graph.addInput(name, { DType::Float32, std::move(dims) });
        return name;
    }
    std::string weight(const std::string& name, Shape shape, double spread = 0.1)
    {
        base::Random random(7);
        Tensor tensor(DType::Float32, std::move(shape));
        for (float& value : tensor.as<float>())
            value = static_cast<float>(spread * random.normal());
        return constant(name, std::move(tensor));
    }
    std::string constant(const std::string& name, Tensor tensor)
    {
        m_graph.addConstant(name, std::make_shared<const Tensor>(std::move(tensor)));
        return name;
    }
    std::string node(const std::string& op, const std::vector<std::string>& inputs, const std::string& output,
        std::map<std::string, graph::Attribute> attributes = {})
    {
        graph::Node node;
        node.name = output;
        node.opType = op;
        for (const auto& name : inputs)
            node.inputs.push_back(*m_graph.find(name));
        node.outputs = { m_graph.addValue(output) };
        node.attributes = std::move(attributes);
        m_graph.addNode(std::move(node));
        return output;
    }
    graph::Graph finish(const std::vector<std::string>& outputs)
    {
        for (const auto& name : outputs)
            m_graph.markOutput(*m_graph.find(name));
        const auto inferred = graph::inferShapes(m_graph);
        if (!inferred)
            qFatal("%s", inferred.error().message().c_str());
        return std::move(m_graph);
    }

private:
    graph::Graph m_graph;
};

/// image -> conv1 + Relu -> MaxPool -> conv2 -> Add with the pool + Relu -> Flatten -> Gemm -> logits
inline graph::Graph residualNet(float bias = 0.1F)
{
    Maker make;
    make.input("image", { 1, 3, 8, 8 });
    make.weight("w1", { 4, 3, 1, 1 });
    make.constant("b1", Tensor::from<float>({ 4 }, std::vector<float> { bias, 0.2F, -0.3F, 0 }));
    make.weight("w2", { 4, 4, 1, 1 });
    make.weight("w3", { 5, 64 });
    make.weight("b3", { 5 });
    make.node("Conv", { "image", "w1", "b1" }, "c1");
    make.node("Relu", { "c1" }, "r1");
    make.node("MaxPool", { "r1" }, "p1",
        { { "kernel_shape", std::vector<std::int64_t> { 2, 2 } }, { "strides", std::vector<std::int64_t> { 2, 2 } } });
    make.node("Conv", { "p1", "w2" }, "c2");
    make.node("Add", { "c2", "p1" }, "a2");
    make.node("Relu", { "a2" }, "r2");
    make.node("Flatten", { "r2" }, "f");
    make.node("Gemm", { "f", "w3", "b3" }, "logits", { { "transB", std::int64_t { 1 } } });
    return make.finish({ "logits" });
}

/// Statistics for every activation: normal values of a spread of their own, non-negative after a Relu.
inline calibration::CalibrationStats statsFor(const graph::Graph& graph)
{
    calibration::CalibrationStats stats;
    for (const auto id : graph.values()) {
        const auto& value = graph.value(id);
        if (value.constant)
            continue;
        base::Random random(id.index() + 1);
        const Shape shape = *value.type.shape();
        Tensor tensor(DType::Float32, shape);
        for (float& element : tensor.as<float>()) {
            element = static_cast<float>(random.normal() * static_cast<double>(id.index() + 1));
            if (value.name.front() != 'c' && value.name != "logits")
                element = std::abs(element);
        }
        calibration::TensorStats seen(shape.rank() >= 2 ? shape[1] : 0);
        seen.observe(tensor.view());
        stats.tensors.emplace(value.name, seen);
    }
    return stats;
}

inline planning::PlanRequest requestFor(quant::Scope scope)
{
    planning::PlanRequest request;
    request.scope = scope;
    return request;
}

} // namespace quantoscope::test
