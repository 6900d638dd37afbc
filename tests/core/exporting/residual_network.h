// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/graph/graph.h"
#include "tests/support/memory_dataset.h"
#include "tests/support/run_graph.h"

namespace quantoscope::test {

inline graph::ValueId weights(graph::Graph& g, const std::string& name, const Shape& shape, std::uint64_t seed)
{
    return g.addConstant(name, std::make_shared<const Tensor>(randomTensor(shape, seed, 0.3)));
}

inline graph::ValueId add(graph::Graph& g, const std::string& op, std::vector<graph::ValueId> inputs,
    const std::string& output, std::map<std::string, graph::Attribute> attributes = {})
{
    graph::Node node;
    node.name = op + "_" + output;
    node.opType = op;
    node.inputs = std::move(inputs);
    node.outputs = { g.addValue(output) };
    node.attributes = std::move(attributes);
    const auto result = node.outputs.front();
    g.addNode(std::move(node));
    return result;
}

/// A residual network in little: `act` feeds a layer and an addition, `pool` two layers, and the classifier is a Gemm.
inline graph::Model residualNetwork(int opset = 13)
{
    using Ints = std::vector<std::int64_t>;
    graph::Model model;
    model.metadata["author"] = "somebody";
    auto& g = model.graph;
    g.name = "residual";
    g.opsets[""] = opset;
    const auto image = g.addInput("image", { DType::Float32, graph::Dims { graph::Dim::named("batch"), 3, 8, 8 } });
    const std::map<std::string, graph::Attribute> padded { { "pads", Ints { 1, 1, 1, 1 } } };
    const auto first
        = add(g, "Conv", { image, weights(g, "w1", { 4, 3, 3, 3 }, 1), weights(g, "b1", { 4 }, 2) }, "c1", padded);
    const auto act = add(g, "Relu", { first }, "act");
    const auto second
        = add(g, "Conv", { act, weights(g, "w2", { 4, 4, 3, 3 }, 3), weights(g, "b2", { 4 }, 4) }, "c2", padded);
    const auto sum = add(g, "Add", { act, second }, "sum");
    const auto pool
        = add(g, "MaxPool", { sum }, "pool", { { "kernel_shape", Ints { 2, 2 } }, { "strides", Ints { 2, 2 } } });
    const auto left = add(g, "Conv", { pool, weights(g, "w3", { 5, 4, 1, 1 }, 5) }, "left");
    const auto right
        = add(g, "Conv", { pool, weights(g, "w4", { 5, 4, 1, 1 }, 6), weights(g, "b4", { 5 }, 7) }, "right");
    const auto joined = add(g, "Concat", { left, right }, "joined", { { "axis", std::int64_t { 1 } } });
    const auto mean = add(g, "GlobalAveragePool", { joined }, "mean");
    const auto flat = add(g, "Flatten", { mean }, "flat");
    const auto logits = add(g, "Gemm", { flat, weights(g, "fc", { 3, 10 }, 8), weights(g, "fcb", { 3 }, 9) }, "logits",
        { { "transB", std::int64_t { 1 } } });
    g.markOutput(logits);
    return model;
}

} // namespace quantoscope::test
