// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/exporting/qdq_builder.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <limits>
#include <memory>
#include <span>
#include <utility>

#include "core/exporting/names.h"
#include "core/quant/encoding.h"

namespace quantoscope::exporting {

using graph::NodeId;
using graph::ValueId;
using graph::ValueType;
using quant::Encoding;
using quant::Role;
using quant::TensorQuantizer;

namespace {

bool isComputeLayer(const graph::Node& node)
{
    constexpr std::array ops { "Conv", "ConvTranspose", "Gemm", "MatMul" };
    return node.domain.empty() && std::ranges::find(ops, node.opType) != ops.end();
}

struct Container {
    DType dtype;
    std::int32_t low;
    std::int32_t high;
};

/// The smallest type of the format that holds the levels of an encoding.
Container containerFor(const TensorQuantizer& quantizer)
{
    const auto& encoding = quantizer.encoding;
    if (quantizer.role == Role::Bias)
        return { DType::Int32, std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max() };
    constexpr std::array containers {
        Container { DType::UInt8, 0, 255 },
        Container { DType::Int8, -128, 127 },
        Container { DType::UInt16, 0, 65535 },
        Container { DType::Int16, -32768, 32767 },
    };
    const auto fits = [&](const Container& c) { return c.low <= encoding.qmin && encoding.qmax <= c.high; };
    const auto it = std::ranges::find_if(containers, fits);
    assert(it != containers.end());
    return *it;
}

bool isWide(const Container& container) { return tensor::bitWidth(container.dtype) == 16; }

graph::TensorPtr integers(const Shape& shape, std::span<const std::int32_t> values, DType dtype)
{
    const auto wide = Tensor::from<std::int32_t>(shape, values);
    return std::make_shared<const Tensor>(tensor::convert(wide.view(), dtype));
}

/// Rank 0 for one value a tensor, rank 1 for one a channel.
Shape parameterShape(const Encoding& encoding)
{
    return encoding.perChannel() ? Shape { static_cast<std::int64_t>(encoding.scale.size()) } : Shape {};
}

} // namespace

int QdqBuilder::requiredOpset(const quant::QuantizationPlan& plan)
{
    const bool wide
        = std::ranges::any_of(plan.tensors(), [](const auto& entry) { return isWide(containerFor(entry.second)); });
    return wide ? 21 : 13;
}

Result<void> QdqBuilder::run()
{
    for (const auto& [name, quantizer] : m_plan.tensors()) {
        const auto value = m_graph.find(name);
        if (!value)
            return fail(ErrorCode::NotFound, "the plan quantizes a tensor that the graph does not have",
                "tensor '" + name + "'", "use a plan made for this model and the same batch-norm folding");
        QS_CHECK(check(*value, quantizer));
    }
    // In the graph's order, so that the file reads from input to output.
    for (const auto value : m_graph.values()) {
        const auto* quantizer = m_plan.find(m_graph.value(value).name);
        if (!quantizer)
            continue;
        if (m_graph.isConstant(value))
            storeConstant(value, *quantizer);
        else
            quantizeActivation(value, *quantizer);
    }
    m_graph.removeDead();
    return {};
}

Result<void> QdqBuilder::check(ValueId id, const TensorQuantizer& quantizer) const
{
    const auto& value = m_graph.value(id);
    const auto& encoding = quantizer.encoding;
    const auto where = "tensor '" + value.name + "'";
    if (auto valid = encoding.validate(); !valid)
        return fail(valid.error().code, valid.error().what, where, valid.error().hint);
    if (!value.constant && encoding.rounding != quant::Rounding::HalfEven)
        return fail(ErrorCode::Unsupported,
            "QuantizeLinear rounds half to even, the plan asks for " + quant::toString(encoding.rounding), where,
            "choose half-even rounding for activations");
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
bool QdqBuilder::isRead(ValueId id) const
{
    return m_plan.scope == quant::Scope::Integer ? m_graph.isOutput(id) || !m_graph.consumers(id).empty()
                                                 : !layerUses(id).empty();
}

void QdqBuilder::redirect(ValueId from, ValueId to)
{
    if (m_plan.scope == quant::Scope::Integer) {
        m_graph.replaceUses(from, to);
        return;
    }
    for (const auto& [node, slot] : layerUses(from))
        m_graph.setInput(node, slot, to);
}

std::vector<std::pair<NodeId, std::size_t>> QdqBuilder::layerUses(ValueId id) const
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

ValueId QdqBuilder::addScale(const std::string& base, const Encoding& encoding)
{
    return m_graph.addConstant(unusedName(m_graph, base + "_scale"),
        std::make_shared<const Tensor>(Tensor::from<float>(parameterShape(encoding), encoding.scale)));
}

ValueId QdqBuilder::addZeroPoint(const std::string& base, const Encoding& encoding, DType container)
{
    return m_graph.addConstant(
        unusedName(m_graph, base + "_zero_point"), integers(parameterShape(encoding), encoding.zeroPoint, container));
}

ValueId QdqBuilder::addResult(const std::string& name, ValueType type)
{
    return m_graph.addValue(unusedName(m_graph, name), std::move(type));
}

ValueId QdqBuilder::addNode(std::string opType, std::vector<ValueId> inputs, ValueId result, int axis)
{
    graph::Node node;
    node.name = m_graph.value(result).name + "_" + opType;
    node.opType = std::move(opType);
    node.inputs = std::move(inputs);
    node.outputs = { result };
    if (axis >= 0)
        node.attributes["axis"] = static_cast<std::int64_t>(axis);
    m_graph.addNode(std::move(node));
    return result;
}

void QdqBuilder::storeConstant(ValueId id, const TensorQuantizer& quantizer)
{
    if (!isRead(id))
        return;
    const auto& encoding = quantizer.encoding;
    const auto name = m_graph.value(id).name;
    const auto& tensor = *m_graph.value(id).constant;
    std::vector<std::int32_t> levels(static_cast<std::size_t>(tensor.size()));
    quant::quantize(encoding, tensor.shape(), tensor.as<float>(), levels, m_plan.seedFor(name));
    const auto container = containerFor(quantizer).dtype;
    const auto stored
        = m_graph.addConstant(unusedName(m_graph, name + "_quantized"), integers(tensor.shape(), levels, container));
    // Other tools find the parameters by these names: a weight's carry its own name, a bias' that of its integers.
    const auto base = quantizer.role == Role::Bias ? name + "_quantized" : name;
    const auto result = addResult(name + "_dequantized", m_graph.value(id).type);
    redirect(id, result);
    addNode("DequantizeLinear", { stored, addScale(base, encoding), addZeroPoint(base, encoding, container) }, result,
        encoding.axis);
}

ValueId QdqBuilder::limitFloat(ValueId id, const std::string& name, const Encoding& encoding)
{
    const auto type = m_graph.value(id).type;
    const auto channels = encoding.scale.size();
    std::vector<float> low(channels);
    std::vector<float> high(channels);
    for (std::size_t c = 0; c < channels; ++c) {
        low[c] = encoding.low(c);
        high[c] = encoding.high(c);
    }
    Shape shape;
    if (encoding.perChannel()) {
        std::vector<std::int64_t> dims(type.dims ? type.dims->size() : static_cast<std::size_t>(encoding.axis) + 1, 1);
        dims[static_cast<std::size_t>(encoding.axis)] = static_cast<std::int64_t>(channels);
        shape = Shape(std::move(dims));
    }
    const auto bound = [&](const char* suffix, const std::vector<float>& values) {
        return m_graph.addConstant(
            unusedName(m_graph, name + suffix), std::make_shared<const Tensor>(Tensor::from<float>(shape, values)));
    };
    const auto raised = addNode("Max", { id, bound("_low", low) }, addResult(name + "_raised", type));
    return addNode("Min", { raised, bound("_high", high) }, addResult(name + "_limited", type));
}

ValueId QdqBuilder::limitIntegers(ValueId id, const std::string& name, const Encoding& encoding, DType container)
{
    const auto bound = [&](const char* suffix, std::int32_t value) {
        return m_graph.addConstant(
            unusedName(m_graph, name + suffix), integers(Shape {}, std::span(&value, 1), container));
    };
    return addNode("Clip", { id, bound("_clip_min", encoding.qmin), bound("_clip_max", encoding.qmax) },
        addResult(name + "_clipped", m_graph.value(id).type));
}

void QdqBuilder::quantizeActivation(ValueId id, const TensorQuantizer& quantizer)
{
    if (!isRead(id))
        return;
    const auto& encoding = quantizer.encoding;
    const auto container = containerFor(quantizer);
    const auto name = m_graph.value(id).name;
    const auto type = m_graph.value(id).type;
    // An output keeps its name on the value that leaves the network, which is the quantized one.
    const bool deliversOutput = m_plan.scope == quant::Scope::Integer && m_graph.isOutput(id) && !m_graph.isInput(id);
    if (deliversOutput)
        m_graph.rename(id, unusedName(m_graph, name + "_float"));
    const auto result = addResult(deliversOutput ? name : name + "_dequantized", type);
    redirect(id, result);

    const bool limited = encoding.qmin > container.low || encoding.qmax < container.high;
    const auto source = limited && isWide(container) ? limitFloat(id, name, encoding) : id;
    const auto scale = addScale(name, encoding);
    const auto zeroPoint = addZeroPoint(name, encoding, container.dtype);
    auto levels = addNode("QuantizeLinear", { source, scale, zeroPoint },
        addResult(name + "_quantized", { container.dtype, type.dims }), encoding.axis);
    if (limited && !isWide(container))
        levels = limitIntegers(levels, name, encoding, container.dtype);
    addNode("DequantizeLinear", { levels, scale, zeroPoint }, result, encoding.axis);
}

} // namespace quantoscope::exporting
