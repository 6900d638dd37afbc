// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/exporting/plan_writer.h"

#include <algorithm>
#include <array>
#include <set>

#include "core/exporting/names.h"

namespace quantoscope::exporting {

using graph::NodeId;
using graph::ValueId;
using graph::ValueType;
using quant::Encoding;
using quant::TensorQuantizer;

namespace {

bool isComputeLayer(const graph::Node& node)
{
    constexpr std::array ops { "Conv", "ConvTranspose", "Gemm", "MatMul" };
    return node.domain.empty() && std::ranges::find(ops, node.opType) != ops.end();
}

/// Every value in the order in which the network computes, constants where they are first read: the file reads from
/// input to output, and is the same however the graph came about.
Result<std::vector<ValueId>> valuesAsComputed(const graph::Graph& graph)
{
    std::vector<ValueId> values = graph.inputs();
    std::set<ValueId> known(values.begin(), values.end());
    const auto add = [&](ValueId value) {
        if (value.valid() && known.insert(value).second)
            values.push_back(value);
    };
    QS_TRY(const auto order, graph.topologicalOrder());
    for (const auto node : order) {
        std::ranges::for_each(graph.node(node).inputs, add);
        std::ranges::for_each(graph.node(node).outputs, add);
    }
    std::ranges::for_each(graph.outputs(), add); // a constant may be one
    return values;
}

} // namespace

int requiredOpset(
    const quant::QuantizationPlan& plan, const graph::Graph& prepared, Format format, Containers containers)
{
    const auto isNew = [&](const auto& entry) {
        const auto value = prepared.find(entry.first);
        const auto container = containerFor(entry.second, value && prepared.isConstant(*value), containers);
        return container.isWide() || container.isNativelyPacked();
    };
    return format == Format::Qdq && std::ranges::any_of(plan.tensors(), isNew) ? 21 : 13;
}

Result<void> PlanWriter::run()
{
    for (const auto& [name, quantizer] : m_plan.tensors()) {
        const auto value = m_graph.find(name);
        if (!value)
            return fail(ErrorCode::NotFound, "the plan quantizes a tensor that the graph does not have",
                "tensor '" + name + "'", "use a plan made for this model and the same batch-norm folding");
        QS_CHECK(check(*value, quantizer));
    }
    QS_TRY(const auto values, valuesAsComputed(m_graph));
    for (const auto value : values) {
        const auto* quantizer = m_plan.find(m_graph.value(value).name);
        if (!quantizer || !isRead(value))
            continue;
        if (m_graph.isConstant(value))
            quantizeConstant(value, *quantizer);
        else if (quantizesActivations())
            quantizeActivation(value, *quantizer);
    }
    m_graph.removeDead();
    return {};
}

Result<void> PlanWriter::check(ValueId id, const TensorQuantizer& quantizer) const
{
    const auto& value = m_graph.value(id);
    const auto& encoding = quantizer.encoding;
    const auto where = "tensor '" + value.name + "'";
    if (auto valid = encoding.validate(); !valid)
        return fail(valid.error().code, valid.error().what, where, valid.error().hint);
    if (const auto why = refusal(quantizer, value.constant != nullptr); !why.empty())
        return fail(ErrorCode::Unsupported, why, where, "choose another format, or half-even rounding and whole grids");
    if (value.type.dtype && *value.type.dtype != DType::Float32)
        return fail(ErrorCode::Unsupported,
            "only float32 tensors can be quantized, this is " + std::string(tensor::name(*value.type.dtype)), where);
    if (!encoding.perChannel() || !value.type.dims)
        return {};
    const auto& dims = *value.type.dims;
    const auto axis = static_cast<std::size_t>(encoding.axis);
    if (axis >= dims.size()
        || (dims[axis].known() && dims[axis].value != static_cast<std::int64_t>(encoding.scale.size())))
        return fail(ErrorCode::InvalidInput,
            std::to_string(encoding.scale.size()) + " scales along axis " + std::to_string(axis) + " do not fit "
                + value.type.toString(),
            where, "use a plan made for this model");
    return {};
}

/// In the compute scope only compute layers see the quantized value; in the integer scope everybody does.
bool PlanWriter::isRead(ValueId id) const
{
    return m_plan.scope == quant::Scope::Integer ? m_graph.isOutput(id) || !m_graph.consumers(id).empty()
                                                 : !layerUses(id).empty();
}

void PlanWriter::redirect(ValueId from, ValueId to)
{
    if (m_plan.scope == quant::Scope::Integer) {
        m_graph.replaceUses(from, to);
        return;
    }
    for (const auto& [node, slot] : layerUses(from))
        m_graph.setInput(node, slot, to);
}

std::vector<std::pair<NodeId, std::size_t>> PlanWriter::layerUses(ValueId id) const
{
    std::vector<std::pair<NodeId, std::size_t>> uses;
    for (const auto consumer : m_graph.consumers(id)) {
        const auto& node = m_graph.node(consumer);
        if (!isComputeLayer(node))
            continue;
        for (std::size_t slot = 0; slot < node.inputs.size(); ++slot) {
            if (node.inputs[slot] == id)
                uses.emplace_back(consumer, slot);
        }
    }
    return uses;
}

ValueId PlanWriter::addResult(const std::string& name, ValueType type)
{
    return m_graph.addValue(unusedName(m_graph, name), std::move(type));
}

ValueId PlanWriter::addConstant(const std::string& name, Tensor tensor)
{
    return m_graph.addConstant(unusedName(m_graph, name), std::make_shared<const Tensor>(std::move(tensor)));
}

graph::Node PlanWriter::makeNode(std::string opType, std::vector<ValueId> inputs, ValueId result) const
{
    graph::Node node;
    node.name = m_graph.value(result).name + "_" + opType;
    node.opType = std::move(opType);
    node.inputs = std::move(inputs);
    node.outputs = { result };
    return node;
}

void PlanWriter::quantizeConstant(ValueId id, const TensorQuantizer& quantizer)
{
    const auto name = m_graph.value(id).name;
    const auto result = addResult(name + resultSuffix(), m_graph.value(id).type);
    redirect(id, result);
    writeConstant(id, quantizer, name, result);
}

void PlanWriter::quantizeActivation(ValueId id, const TensorQuantizer& quantizer)
{
    const auto name = m_graph.value(id).name;
    // An output keeps its name on the value that leaves the network, which is the quantized one.
    const bool deliversOutput = m_plan.scope == quant::Scope::Integer && m_graph.isOutput(id) && !m_graph.isInput(id);
    if (deliversOutput)
        m_graph.rename(id, unusedName(m_graph, name + "_float"));
    const auto result = addResult(deliversOutput ? name : name + resultSuffix(), m_graph.value(id).type);
    redirect(id, result);
    writeActivation(id, quantizer, name, result);
}

Shape parameterShape(const Encoding& encoding)
{
    return encoding.perChannel() ? Shape { static_cast<std::int64_t>(encoding.scale.size()) } : Shape {};
}

Shape broadcastShape(const Encoding& encoding, const ValueType& type)
{
    if (!encoding.perChannel())
        return {};
    const auto axis = static_cast<std::size_t>(encoding.axis);
    std::vector<std::int64_t> dims(type.dims ? type.dims->size() : axis + 1, 1);
    dims[axis] = static_cast<std::int64_t>(encoding.scale.size());
    return Shape(std::move(dims));
}

} // namespace quantoscope::exporting
