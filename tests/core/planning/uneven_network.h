// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <QtGlobal>

#include "core/base/random.h"
#include "core/graph/graph.h"
#include "core/graph/shape_inference.h"
#include "tests/support/graph_builder.h"

/// Networks whose channels differ a lot in size.
namespace quantoscope::test {

/// Elements whose size differs a lot from one extent of an axis to the next.
inline Tensor uneven(const Shape& shape, std::uint64_t seed, int axis = 0)
{
    Tensor tensor = normalTensor(shape, seed, 0.3);
    base::Random random(seed + 1000);
    std::vector<float> factors;
    for (std::int64_t c = 0; c < shape[axis]; ++c)
        factors.push_back(static_cast<float>(std::exp(1.5 * random.normal())));
    const auto values = tensor.as<float>();
    const auto inner = static_cast<std::size_t>(shape.strides()[static_cast<std::size_t>(axis)]);
    for (std::size_t i = 0; i < values.size(); ++i)
        values[i] *= factors[i / inner % factors.size()];
    return tensor;
}

/// Layers in a few words: weights and biases are made up.
class UnevenNetwork {
public:
    explicit UnevenNetwork(int opset = 13)
        : m_builder(opset)
    {
    }

    graph::ValueId image(graph::Dims dims = { 2, 4, 6, 6 }) { return m_builder.input("image", std::move(dims)); }
    graph::ValueId conv(
        graph::ValueId x, const std::string& name, Shape weight, Attributes attributes = {}, bool bias = true)
    {
        const bool transposed = attributes.contains("transposed");
        attributes.erase("transposed");
        const auto groups = attributes.contains("group") ? std::get<std::int64_t>(attributes.at("group")) : 1;
        const std::int64_t outputs = transposed ? weight[1] * groups : weight[0];
        std::vector<graph::ValueId> inputs { x, constant(name + "_w", uneven(weight, ++m_seed)) };
        if (bias)
            inputs.push_back(constant(name + "_b", normalTensor({ outputs }, ++m_seed)));
        return node(transposed ? "ConvTranspose" : "Conv", std::move(inputs), name, std::move(attributes));
    }
    graph::ValueId gemm(graph::ValueId x, const std::string& name, Shape weight, bool transposed = true)
    {
        const std::int64_t outputs = weight[transposed ? 0 : 1];
        return node("Gemm",
            { x, constant(name + "_w", uneven(weight, ++m_seed)),
                constant(name + "_b", normalTensor({ outputs }, ++m_seed)) },
            name, { { "transB", std::int64_t { transposed } } });
    }
    graph::ValueId constant(const std::string& name, Tensor tensor)
    {
        return m_builder.constant(name, std::move(tensor));
    }
    graph::ValueId scalar(const std::string& name, float value) { return constant(name, Tensor::scalar(value)); }
    graph::ValueId node(
        const std::string& op, std::vector<graph::ValueId> inputs, const std::string& name, Attributes attributes = {})
    {
        return m_builder.node(op, std::move(inputs), name, std::move(attributes));
    }
    GraphBuilder& builder() { return m_builder; }
    graph::Graph finish(graph::ValueId output)
    {
        m_builder.output(output);
        const auto inferred = graph::inferShapes(m_builder.graph());
        if (!inferred)
            qFatal("%s", inferred.error().message().c_str());
        return m_builder.graph();
    }

private:
    GraphBuilder m_builder;
    std::uint64_t m_seed = 0;
};

inline const Attributes padded { { "pads", Ints { 1, 1, 1, 1 } } };
inline Attributes grouped(std::int64_t groups, Attributes attributes = padded)
{
    attributes.emplace("group", groups);
    return attributes;
}

} // namespace quantoscope::test
