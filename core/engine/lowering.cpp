// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/lowering.h"

#include <map>

#include "core/engine/integer_lowering.h"
#include "core/graph/layers.h"
#include "core/graph/shape_inference.h"

namespace quantoscope::engine {

namespace {

using graph::NodeId;
using graph::ValueId;

Result<void> checkQuantizer(const std::string& name, const graph::Value& value, const quant::Encoding& encoding)
{
    const std::string where = "tensor '" + name + "'";
    if (auto valid = encoding.validate(); !valid) {
        Error error = std::move(valid).error();
        error.where = where;
        return tl::make_unexpected(std::move(error));
    }
    if (value.type.dtype != DType::Float32)
        return fail(ErrorCode::InvalidInput, "a quantizer on " + value.type.toString() + ", expected float32", where);
    if (!encoding.perChannel())
        return {};
    const auto shape = value.type.shape();
    if (!shape || encoding.axis >= shape->rank()
        || (*shape)[encoding.axis] != static_cast<std::int64_t>(encoding.scale.size()))
        return fail(ErrorCode::InvalidInput,
            "an encoding with " + std::to_string(encoding.scale.size()) + " channels along axis "
                + std::to_string(encoding.axis) + " on " + value.type.toString(),
            where, "make the plan for this model again");
    return {};
}

/// Puts the quantizers of one plan into a graph.
class Placer {
public:
    Placer(Lowered& lowered, const quant::QuantizationPlan& plan)
        : m_lowered(lowered)
        , m_graph(lowered.graph)
        , m_plan(plan)
    {
    }

    Result<void> place() { return m_plan.scope == quant::Scope::Integer ? placeAtProducers() : placeAtLayers(); }

private:
    Result<void> placeAtProducers()
    {
        for (const auto& [name, quantizer] : m_plan.tensors()) {
            const auto found = m_graph.find(name);
            if (!found)
                continue; // folded away while shapes were bound
            QS_CHECK(checkQuantizer(name, m_graph.value(*found), quantizer.encoding));
            if (const graph::TensorPtr constant = m_graph.value(*found).constant) {
                m_graph.value(*found).constant = quantized(name, *constant, quantizer.encoding);
                m_lowered.constantGrids.insert_or_assign(*found, quantizer.encoding);
                continue;
            }
            const ValueId output = m_graph.addValue({}, m_graph.value(*found).type);
            m_graph.replaceUses(*found, output);
            for (ValueId& port : m_lowered.outputs)
                port = port == *found ? output : port;
            addQuantizer(*found, output, quantizer.encoding);
        }
        return {};
    }

    Result<void> placeAtLayers()
    {
        for (const graph::Layer& layer : graph::computeLayers(m_graph)) {
            for (std::size_t slot = 0; slot < m_graph.node(layer.node).inputs.size(); ++slot) {
                const ValueId operand = m_graph.node(layer.node).inputs[slot];
                if (!operand.valid())
                    continue;
                QS_TRY(const ValueId seen, asLayersSee(operand));
                if (seen != operand)
                    m_graph.setInput(layer.node, slot, seen);
            }
        }
        return {};
    }

    /// The quantized copy of a value, made when the first layer asks for it; the value itself if the plan leaves it
    /// float.
    Result<ValueId> asLayersSee(ValueId value)
    {
        if (const auto known = m_copies.find(value); known != m_copies.end())
            return known->second;
        const std::string name = m_graph.value(value).name;
        const quant::TensorQuantizer* quantizer = m_plan.find(name);
        if (!quantizer)
            return value;
        QS_CHECK(checkQuantizer(name, m_graph.value(value), quantizer->encoding));
        ValueId copy;
        if (const graph::TensorPtr constant = m_graph.value(value).constant) {
            copy = m_graph.addConstant({}, quantized(name, *constant, quantizer->encoding));
            m_lowered.constantGrids.emplace(copy, quantizer->encoding);
        } else {
            copy = m_graph.addValue({}, m_graph.value(value).type);
            addQuantizer(value, copy, quantizer->encoding);
        }
        m_copies.emplace(value, copy);
        m_copies.emplace(copy, copy);
        return copy;
    }

    graph::TensorPtr quantized(const std::string& name, const Tensor& constant, const quant::Encoding& encoding) const
    {
        return std::make_shared<const Tensor>(quant::fakeQuantize(encoding, constant.view(), m_plan.seedFor(name)));
    }

    void addQuantizer(ValueId input, ValueId output, const quant::Encoding& encoding)
    {
        graph::Node node;
        node.name = m_graph.value(input).name + " quantizer";
        node.opType = fakeQuantizeOp;
        node.domain = ownDomain;
        node.inputs = { input };
        node.outputs = { output };
        const std::uint64_t seed = m_plan.seedFor(m_graph.value(input).name);
        m_lowered.quantizers.emplace(m_graph.addNode(std::move(node)), PlacedQuantizer { encoding, seed });
    }

    Lowered& m_lowered;
    graph::Graph& m_graph;
    const quant::QuantizationPlan& m_plan;
    std::map<ValueId, ValueId> m_copies;
};

Result<std::vector<ValueId>> findValues(
    const graph::Graph& graph, const std::vector<std::string>& names, const std::string& what)
{
    std::vector<ValueId> values;
    for (const std::string& name : names) {
        const auto found = graph.find(name);
        if (!found)
            return fail(ErrorCode::NotFound, what + " that the model does not have", "tensor '" + name + "'");
        values.push_back(*found);
    }
    return values;
}

} // namespace

Result<Lowered> lower(const graph::Graph& graph, const quant::QuantizationPlan& plan, const CompileOptions& options)
{
    Lowered lowered;
    QS_TRY(lowered.graph, quant::correctedGraph(graph, plan));
    for (const auto& [name, quantizer] : plan.tensors()) {
        if (!lowered.graph.find(name))
            return fail(ErrorCode::NotFound, "the plan quantizes a tensor that the model does not have",
                "tensor '" + name + "'", "make the plan for this model, prepared the same way");
    }
    if (!options.outputs.empty()) {
        QS_TRY(auto outputs, findValues(lowered.graph, options.outputs, "an output"));
        lowered.graph.setOutputs(std::move(outputs));
    }
    QS_TRY(lowered.taps, findValues(lowered.graph, options.taps, "a tap"));
    graph::InferenceOptions inference;
    inference.inputShapes = options.inputShapes;
    inference.boundInputs = options.boundInputs;
    inference.evaluator = constantEvaluator();
    QS_CHECK(graph::inferShapes(lowered.graph, inference));

    lowered.outputs = lowered.graph.outputs();
    for (ValueId output : lowered.outputs)
        lowered.outputNames.push_back(lowered.graph.value(output).name);
    // A tapped value must outlive dead code removal and must not vanish into a fused pair: it is as good as an output.
    for (ValueId tap : lowered.taps) {
        if (!lowered.graph.isOutput(tap))
            lowered.graph.markOutput(tap);
    }
    lowered.graph.removeDead();
    QS_CHECK(Placer(lowered, plan).place());
    if (options.arithmetic == Arithmetic::Float || plan.tensors().empty())
        lowered.use.floatLayers = static_cast<int>(graph::computeLayers(lowered.graph).size());
    else
        QS_CHECK(useIntegers(lowered, options));
    return lowered;
}

} // namespace quantoscope::engine
