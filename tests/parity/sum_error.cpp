// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/parity/sum_error.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "core/tensor/tensor.h"

namespace quantoscope::parity {

namespace {

using graph::Graph;
using graph::Node;
using graph::NodeId;
using graph::ValueId;

constexpr double unitRoundoff = 1.0 / (1 << 24);
constexpr double unknown = std::numeric_limits<double>::quiet_NaN();
/// Rounding of a result and of what it is made from, beside the sum itself.
constexpr double own = 2;
/// Of a function that is computed by polynomials.
constexpr double ownOfFunction = 8;

template <std::size_t Count> bool isOneOf(const Node& node, const std::array<const char*, Count>& ops)
{
    return node.domain.empty() && std::ranges::find(ops, node.opType) != ops.end();
}

/// Makes of a network that of its magnitudes, and follows the factors through it.
class Magnitudes {
public:
    explicit Magnitudes(Graph& graph)
        : m_graph(graph)
    {
    }

    Result<std::map<ValueId, double>> run()
    {
        for (const auto id : m_graph.values())
            if (const auto constant = m_graph.value(id).constant; constant && constant->dtype() == DType::Float32)
                m_graph.makeConstant(id, magnitudeOf(*constant));
        for (const auto input : m_graph.inputs())
            m_factors[input] = 1;
        QS_TRY(const auto order, m_graph.topologicalOrder());
        for (const auto id : order) {
            const double factor = follow(id);
            for (const auto output : m_graph.node(id).outputs)
                if (output.valid())
                    m_factors[output] = factor;
        }
        return m_factors;
    }

private:
    static graph::TensorPtr magnitudeOf(const Tensor& tensor)
    {
        std::vector<float> values(tensor.as<float>().begin(), tensor.as<float>().end());
        for (auto& value : values)
            value = std::abs(value);
        return std::make_shared<const Tensor>(Tensor::from<float>(tensor.shape(), values));
    }

    double factorOf(ValueId value) const
    {
        const auto it = m_factors.find(value);
        return it == m_factors.end() ? 0 : it->second; // a constant
    }

    double largestFactor(const Node& node) const
    {
        double largest = 0;
        for (const auto input : node.inputs) {
            if (std::isnan(factorOf(input)))
                return unknown;
            largest = std::max(largest, factorOf(input));
        }
        return largest;
    }

    std::int64_t sizeOf(ValueId value) const
    {
        const auto shape = m_graph.value(value).type.shape();
        return shape ? shape->size() : 0;
    }

    /// How many terms there are in a sum of the node; 0 where that is not known.
    double terms(const Node& node) const
    {
        if (isOneOf(node, std::array { "AveragePool" })) {
            double count = 1;
            for (const auto extent : node.intsAttribute("kernel_shape"))
                count *= static_cast<double>(extent);
            return count;
        }
        if (isOneOf(node, std::array { "Conv", "ConvTranspose" })) {
            const auto& weight = m_graph.value(node.inputs[1]);
            return weight.constant ? static_cast<double>(weight.constant->size() / weight.constant->shape()[0]) : 0;
        }
        if (isOneOf(node, std::array { "Gemm", "MatMul" })) {
            const auto rows = m_graph.value(node.inputs[0]).type.shape();
            if (!rows || rows->rank() < 2)
                return 0;
            const bool turned = node.intAttribute("transA", 0) != 0;
            return static_cast<double>((*rows)[rows->rank() - (turned ? 2 : 1)]);
        }
        const auto results = sizeOf(node.outputs[0]);
        return results > 0 ? static_cast<double>(sizeOf(node.inputs[0]) / results) : 0;
    }

    /// The node reads nothing but one input any more.
    void becomeIdentity(NodeId id)
    {
        Node& node = m_graph.node(id);
        const auto isComputed = [&](ValueId input) { return input.valid() && !m_graph.isConstant(input); };
        const auto input = std::ranges::find_if(node.inputs, isComputed);
        const auto kept = input == node.inputs.end() ? node.inputs.front() : *input;
        node.opType = "Identity";
        node.attributes.clear();
        node.inputs = { kept };
    }

    bool readsOneComputed(const Node& node) const
    {
        return std::ranges::count_if(node.inputs, [&](ValueId input) {
            return input.valid() && !m_graph.isConstant(input);
        }) == 1;
    }

    double follow(NodeId id)
    {
        Node& node = m_graph.node(id);
        const double largest = largestFactor(node);
        if (std::isnan(largest))
            return unknown;
        if (isOneOf(node, std::array { "Conv", "ConvTranspose", "Gemm", "MatMul" })) {
            const double count = terms(node);
            // What both operands are off by adds up.
            return count > 0 ? factorOf(node.inputs[0]) + factorOf(node.inputs[1]) + std::sqrt(count) + own : unknown;
        }
        if (isOneOf(node, std::array { "AveragePool", "GlobalAveragePool", "ReduceMean", "ReduceSum" })) {
            const double count = terms(node);
            return count > 0 ? largest + std::sqrt(count) + own : unknown;
        }
        if (isOneOf(node, std::array { "Add", "Sub", "Sum" })) {
            if (node.opType == "Sub")
                node.opType = "Add";
            return largest + own;
        }
        if (isOneOf(node, std::array { "Mul" }))
            return factorOf(node.inputs[0]) + factorOf(node.inputs[1]) + own;
        if (isOneOf(node, std::array { "Div" }) && m_graph.isConstant(node.inputs[1]))
            return largest + own;
        return followElementwise(id, largest);
    }

    double followElementwise(NodeId id, double largest)
    {
        Node& node = m_graph.node(id);
        if (isOneOf(node, std::array { "Max", "Min" }) && !readsOneComputed(node))
            return node.opType == "Max" ? largest : unknown;
        if (isOneOf(node, std::array { "Relu", "Clip", "LeakyRelu", "Abs", "Neg", "Identity", "Max", "Min" })) {
            becomeIdentity(id);
            return largest;
        }
        if (isOneOf(node, std::array { "Sigmoid", "HardSigmoid", "Tanh" })) { // no steeper than 1, no larger than 1
            const float one = 1;
            const auto summand = m_graph.addConstant(m_graph.uniqueName("one"),
                std::make_shared<const Tensor>(Tensor::from<float>(Shape {}, std::span(&one, 1))));
            Node& function = m_graph.node(id);
            function.opType = "Add";
            function.attributes.clear();
            function.inputs = { function.inputs.front(), summand };
            return largest + ownOfFunction;
        }
        constexpr std::array moves { "MaxPool", "Concat", "Reshape", "Transpose", "Flatten", "Squeeze", "Unsqueeze",
            "Slice", "Gather", "Split", "Pad", "Resize", "Upsample", "DepthToSpace", "SpaceToDepth" };
        return isOneOf(node, moves) ? largest : unknown;
    }

    Graph& m_graph;
    std::map<ValueId, double> m_factors;
};

} // namespace

Result<SumError> SumError::of(const Graph& prepared, const std::vector<std::string>& values)
{
    auto graph = std::make_shared<Graph>(prepared);
    QS_TRY(const auto factors, Magnitudes(*graph).run());
    SumError error;
    std::vector<ValueId> outputs;
    for (const auto& name : values) {
        const auto value = graph->find(name);
        if (!value)
            continue;
        const auto factor = factors.find(*value);
        if (factor == factors.end() || std::isnan(factor->second))
            continue;
        error.m_factors[name] = factor->second * unitRoundoff;
        if (std::ranges::find(outputs, *value) == outputs.end() && !graph->isInput(*value))
            outputs.push_back(*value);
    }
    if (outputs.empty())
        return error;
    graph->setOutputs(outputs);
    graph->removeDead();
    error.m_magnitudes = std::move(graph);
    return error;
}

double SumError::factor(const std::string& value) const
{
    const auto it = m_factors.find(value);
    return it == m_factors.end() ? unknown : it->second;
}

} // namespace quantoscope::parity
