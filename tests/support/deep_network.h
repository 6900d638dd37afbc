// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cassert>
#include <cmath>
#include <string>

#include "core/graph/shape_inference.h"
#include "tests/support/graph_builder.h"

namespace quantoscope::test {

/// A residual network for images [batch, 3, size, size]: a first convolution, `blocks` of two convolutions with a
/// shortcut, global mean and a Gemm to [batch, classes]. It has 2 * blocks + 2 compute layers.
inline graph::Graph deepNetwork(int blocks, int channels, int size, int classes)
{
    GraphBuilder builder;
    const Attributes padded { { "pads", Ints { 1, 1, 1, 1 } } };
    std::uint64_t seed = 1;
    const auto convolution = [&](const std::string& name, graph::ValueId from, int inputs, double gain,
                                 Attributes attributes) {
        // Ranges that differ from layer to layer, as those of trained networks do.
        const double deviation = gain * std::sqrt(2.0 / (9 * inputs)) * (1 + 0.5 * std::sin(static_cast<double>(seed)));
        const auto weight
            = builder.constant(name + ".weight", normalTensor({ channels, inputs, 3, 3 }, ++seed, deviation));
        const auto bias = builder.constant(name + ".bias", normalTensor({ channels }, ++seed, 0.05));
        return builder.node("Conv", { from, weight, bias }, name, std::move(attributes));
    };
    Attributes first = padded;
    first["strides"] = Ints { 4, 4 };
    graph::ValueId last = builder.input("image", { graph::Dim::named("batch"), 3, size, size });
    last = builder.node("Relu", { convolution("stem", last, 3, 1, first) }, "stem.relu");
    for (int b = 0; b < blocks; ++b) {
        const std::string name = "block" + std::to_string(b);
        const auto inner
            = builder.node("Relu", { convolution(name + ".conv1", last, channels, 1, padded) }, name + ".relu1");
        const auto outer = convolution(name + ".conv2", inner, channels, 0.2, padded);
        last = builder.node("Relu", { builder.node("Add", { outer, last }, name + ".add") }, name + ".relu2");
    }
    last = builder.node("GlobalAveragePool", { last }, "pool");
    last = builder.node("Flatten", { last }, "flat", { { "axis", std::int64_t { 1 } } });
    const auto weight = builder.constant("logits.weight", normalTensor({ classes, channels }, ++seed, 1));
    const auto bias = builder.constant("logits.bias", normalTensor({ classes }, ++seed, 0.2));
    builder.output(builder.node("Gemm", { last, weight, bias }, "logits", { { "transB", std::int64_t { 1 } } }));
    [[maybe_unused]] const auto inferred = graph::inferShapes(builder.graph());
    assert(inferred.has_value());
    return builder.graph();
}

} // namespace quantoscope::test
