// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/importing/integer_operators.h"

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace quantoscope::importing {

using graph::Graph;
using graph::Node;
using graph::NodeId;
using graph::ValueId;

namespace {

constexpr const char* contribDomain = "com.microsoft";

/// Where an operator has its operands: index of a value, its scale and its zero point follow.
struct Form {
    std::string_view op;
    std::string_view floatOp;
    std::array<int, 2> operands; ///< -1: none
    int bias; ///< int32, at the product of both operands' scales; -1: none
    int result; ///< index of its scale, the zero point follows
    bool isContrib;
};

constexpr std::array forms {
    Form { "QLinearConv", "Conv", { 0, 3 }, 8, 6, false },
    Form { "QLinearMatMul", "MatMul", { 0, 3 }, -1, 6, false },
    Form { "QGemm", "Gemm", { 0, 3 }, 6, 7, true },
    Form { "QLinearAdd", "Add", { 0, 3 }, -1, 6, true },
    Form { "QLinearMul", "Mul", { 0, 3 }, -1, 6, true },
    Form { "QLinearGlobalAveragePool", "GlobalAveragePool", { 0, -1 }, -1, 3, true },
    Form { "QLinearAveragePool", "AveragePool", { 0, -1 }, -1, 3, true },
    Form { "QLinearSigmoid", "Sigmoid", { 0, -1 }, -1, 3, true },
    Form { "QLinearLeakyRelu", "LeakyRelu", { 0, -1 }, -1, 3, true },
    Form { "QLinearSoftmax", "Softmax", { 0, -1 }, -1, 3, true },
};

constexpr std::string_view concatOp = "QLinearConcat";

bool isContrib(const Node& node) { return node.domain == contribDomain; }

const Form* formOf(const Node& node)
{
    const auto* it = std::ranges::find(forms, std::string_view(node.opType), &Form::op);
    return it != forms.end() && it->isContrib == isContrib(node) ? it : nullptr;
}

bool movesData(const Node& node)
{
    constexpr std::array ops { "MaxPool", "Reshape", "Flatten", "Transpose", "Squeeze", "Unsqueeze", "Slice", "Gather",
        "Identity", "Split" };
    return node.domain.empty() && std::ranges::find(ops, node.opType) != ops.end();
}

/// Scale and zero point of a value of integers.
struct Parameters {
    ValueId scale;
    ValueId zero; ///< may be absent
};

class Expansion {
public:
    explicit Expansion(Graph& graph)
        : m_graph(graph)
    {
    }

    void run()
    {
        const auto order = m_graph.topologicalOrder();
        if (!order)
            return; // a cycle is somebody else's error
        for (const auto id : *order)
            visit(id);
    }

private:
    void visit(NodeId id)
    {
        Node& node = m_graph.node(id);
        const bool quantizes = node.opType == "QuantizeLinear" || node.opType == "DequantizeLinear";
        if (quantizes && isContrib(node))
            node.domain.clear();
        if (node.opType == "QuantizeLinear" && node.domain.empty() && node.hasInput(1) && node.hasOutput(0))
            m_integers[node.outputs[0]] = { node.inputs[1], inputAt(node, 2) };
        else if (const auto* form = formOf(node))
            expand(id, *form);
        else if (isContrib(node) && node.opType == concatOp)
            expandConcat(id);
        else if (movesData(node) && node.hasInput(0) && m_integers.contains(node.inputs[0]))
            expandMovement(id);
    }

    static ValueId inputAt(const Node& node, std::size_t slot)
    {
        return node.hasInput(slot) ? node.inputs[slot] : ValueId {};
    }

    std::string nameOf(ValueId value) const { return m_graph.value(value).name; }

    ValueId dequantized(ValueId value, Parameters parameters, int axis = 1)
    {
        const auto result = m_graph.addValue(m_graph.uniqueName(nameOf(value) + "_dequantized"));
        Node node;
        node.name = nameOf(result);
        node.opType = "DequantizeLinear";
        node.inputs = { value, parameters.scale };
        if (parameters.zero.valid())
            node.inputs.push_back(parameters.zero);
        node.outputs = { result };
        node.attributes["axis"] = std::int64_t { axis };
        m_graph.addNode(std::move(node));
        return result;
    }

    /// Puts a quantizer before `value`, whose producer then delivers float; what it delivers now.
    ValueId floatBefore(ValueId value, Parameters parameters)
    {
        const auto levels = nameOf(value);
        const auto base = levels.ends_with("_quantized") ? levels.substr(0, levels.size() - 10) : std::string();
        const bool isFree = !base.empty() && !m_graph.find(base);
        const auto result = m_graph.addValue(isFree ? base : m_graph.uniqueName(levels + "_float"));
        Node node;
        node.name = nameOf(result) + "_quantize";
        node.opType = "QuantizeLinear";
        node.inputs = { result, parameters.scale };
        if (parameters.zero.valid())
            node.inputs.push_back(parameters.zero);
        node.outputs = { value };
        m_graph.addNode(std::move(node));
        m_integers[value] = parameters;
        return result;
    }

    /// The float scale of an int32 bias: the product of two constants, one of which may have a value a channel.
    std::optional<ValueId> biasScale(ValueId a, ValueId b, const std::string& name)
    {
        const auto& x = m_graph.value(a).constant;
        const auto& w = m_graph.value(b).constant;
        if (!x || !w || x->dtype() != DType::Float32 || w->dtype() != DType::Float32 || x->size() != 1)
            return std::nullopt;
        std::vector<float> product(w->as<float>().begin(), w->as<float>().end());
        for (float& value : product)
            value *= x->as<float>()[0];
        return m_graph.addConstant(m_graph.uniqueName(name + "_scale"),
            std::make_shared<const Tensor>(Tensor::from<float>(w->shape(), product)));
    }

    void expand(NodeId id, const Form& form)
    {
        const Node old = m_graph.node(id);
        const auto at = [&](int slot) { return inputAt(old, static_cast<std::size_t>(slot)); };
        const auto parameters = [&](int slot) { return Parameters { at(slot), at(slot + 1) }; };
        const bool isFloatResult = form.floatOp == "Gemm" && !at(form.result).valid();
        std::optional<ValueId> scale;
        if (form.bias >= 0 && at(form.bias).valid()) {
            scale = biasScale(at(form.operands[0] + 1), at(form.operands[1] + 1), nameOf(at(form.bias)));
            if (!scale)
                return;
        }
        if (!old.hasOutput(0) || !at(0).valid() || (!isFloatResult && !at(form.result).valid()))
            return;
        Node node;
        node.name = old.name;
        node.opType = form.floatOp;
        node.docString = old.docString;
        node.attributes = old.attributes;
        for (const char* own : { "channels_last", "opset" })
            node.attributes.erase(own);
        m_graph.removeNode(id);
        // The channels of a weight lie along axis 0 of Conv, and of Gemm where that transposes it.
        const bool transposes = old.intAttribute("transB", 0) != 0;
        const int weightAxis = form.floatOp == "Conv" || transposes ? 0 : 1;
        for (const int operand : form.operands)
            if (operand >= 0)
                node.inputs.push_back(dequantized(at(operand), parameters(operand + 1), operand == 0 ? 1 : weightAxis));
        if (scale)
            node.inputs.push_back(dequantized(at(form.bias), { *scale, {} }, 0));
        node.outputs = { isFloatResult ? old.outputs[0] : floatBefore(old.outputs[0], parameters(form.result)) };
        m_graph.addNode(std::move(node));
    }

    /// Scale and zero point of the result come first, then each part with its own.
    void expandConcat(NodeId id)
    {
        const Node old = m_graph.node(id);
        if (old.inputs.size() < 5 || !old.hasOutput(0))
            return;
        Node node;
        node.name = old.name;
        node.opType = "Concat";
        node.attributes = old.attributes;
        m_graph.removeNode(id);
        for (std::size_t i = 2; i + 1 < old.inputs.size(); i += 3)
            node.inputs.push_back(dequantized(old.inputs[i], { inputAt(old, i + 1), inputAt(old, i + 2) }));
        node.outputs = { floatBefore(old.outputs[0], { old.inputs[0], old.inputs[1] }) };
        m_graph.addNode(std::move(node));
    }

    void expandMovement(NodeId id)
    {
        const Node old = m_graph.node(id);
        const auto parameters = m_integers.at(old.inputs[0]);
        Node node = old;
        m_graph.removeNode(id);
        node.inputs[0] = dequantized(old.inputs[0], parameters);
        for (auto& output : node.outputs)
            if (output.valid()) {
                output = floatBefore(output, parameters);
            }
        m_graph.addNode(std::move(node));
    }

    Graph& m_graph;
    std::map<ValueId, Parameters> m_integers; ///< activations of integers, and what they stand for
};

} // namespace

bool isIntegerOperator(const Node& node)
{
    return formOf(node) != nullptr || (isContrib(node) && node.opType == concatOp);
}

void expandIntegerOperators(Graph& graph)
{
    Expansion(graph).run();
    const bool stillUsed = std::ranges::any_of(graph.nodes(), [&](NodeId id) { return isContrib(graph.node(id)); });
    if (!stillUsed)
        graph.opsets.erase(contribDomain);
}

} // namespace quantoscope::importing
