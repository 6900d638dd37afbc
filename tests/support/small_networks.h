// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cassert>
#include <string>
#include <utility>
#include <vector>

#include "core/graph/graph.h"
#include "core/graph/shape_inference.h"
#include "tests/support/graph_builder.h"

/// Networks small enough to be computed by hand, built as a reader would leave them after preparation.
namespace quantoscope::test {

/// Adds nodes one after the other, each reading the one before.
class Chain {
public:
    explicit Chain(graph::Dims input)
        : m_last(m_builder.input("image", std::move(input)))
    {
    }

    /// The constants become operands `<output>_weight` and `<output>_bias`.
    Chain& node(const std::string& op, const std::string& output, std::vector<Tensor> constants = {},
        Attributes attributes = {})
    {
        std::vector<graph::ValueId> inputs { m_last };
        for (auto& tensor : constants)
            inputs.push_back(
                m_builder.constant(output + (inputs.size() == 1 ? "_weight" : "_bias"), std::move(tensor)));
        m_last = m_builder.node(op, std::move(inputs), output, std::move(attributes));
        return *this;
    }

    Chain& output()
    {
        m_builder.output(m_last);
        return *this;
    }

    /// The finished graph with shapes inferred.
    graph::Graph finish()
    {
        output();
        [[maybe_unused]] const auto inferred = graph::inferShapes(m_builder.graph());
        assert(inferred.has_value());
        return m_builder.graph();
    }

private:
    GraphBuilder m_builder;
    graph::ValueId m_last;
};

/// Image [batch, channels, height, width] -> Conv 3x3 + Relu -> Conv 3x3 + Relu -> global mean -> Gemm -> [batch,
/// classes].
inline graph::Graph smallConvNet(int channels, int height, int width, int classes)
{
    using graph::Dim;
    Chain chain({ Dim::named("batch"), channels, height, width });
    const Attributes padded { { "pads", Ints { 1, 1, 1, 1 } } };
    chain.node("Conv", "conv1", { normalTensor({ 8, channels, 3, 3 }, 1, 0.5), normalTensor({ 8 }, 2, 0.1) }, padded)
        .node("Relu", "relu1")
        .node("Conv", "conv2", { normalTensor({ 12, 8, 3, 3 }, 3, 0.2), normalTensor({ 12 }, 4, 0.1) }, padded)
        .node("Relu", "relu2")
        .node("GlobalAveragePool", "pool")
        .node("Flatten", "flat", {}, { { "axis", std::int64_t { 1 } } })
        .node("Gemm", "logits", { normalTensor({ classes, 12 }, 5, 3.0), normalTensor({ classes }, 6, 0.5) },
            { { "transB", std::int64_t { 1 } } });
    return chain.finish();
}
inline graph::Graph smallConvNet(int channels, int size, int classes)
{
    return smallConvNet(channels, size, size, classes);
}

} // namespace quantoscope::test
