// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/exporting/qdq_builder.h"

#include <memory>
#include <span>
#include <utility>

#include "core/exporting/runtime_fusions.h"
#include "core/quant/encoding.h"

namespace quantoscope::exporting {

using graph::ValueId;
using quant::Encoding;
using quant::Role;
using quant::TensorQuantizer;

namespace {

Tensor integers(const Shape& shape, std::span<const std::int32_t> values, DType dtype)
{
    const auto wide = Tensor::from<std::int32_t>(shape, values);
    return tensor::convert(wide.view(), dtype);
}

} // namespace

QdqBuilder::QdqBuilder(graph::Graph& graph, const quant::QuantizationPlan& plan, Containers containers)
    : PlanWriter(graph, plan)
    , m_containers(containers)
    , m_changedByRuntimes(changedByRuntimes(graph, plan))
{
}

std::string QdqBuilder::refusal(const TensorQuantizer& quantizer, bool isConstant) const
{
    const auto rounding = quantizer.encoding.rounding;
    if (isConstant || rounding == quant::Rounding::HalfEven)
        return {};
    return "QuantizeLinear rounds half to even, the plan asks for " + quant::toString(rounding);
}

ValueId QdqBuilder::addScale(const std::string& base, const Encoding& encoding)
{
    return addConstant(base + "_scale", Tensor::from<float>(parameterShape(encoding), encoding.scale));
}

ValueId QdqBuilder::addZeroPoint(const std::string& base, const Encoding& encoding, DType container)
{
    return addConstant(base + "_zero_point", integers(parameterShape(encoding), encoding.zeroPoint, container));
}

ValueId QdqBuilder::addNode(std::string opType, std::vector<ValueId> inputs, ValueId result, int axis)
{
    auto node = makeNode(std::move(opType), std::move(inputs), result);
    if (axis >= 0)
        node.attributes["axis"] = static_cast<std::int64_t>(axis);
    m_graph.addNode(std::move(node));
    return result;
}

void QdqBuilder::writeConstant(ValueId id, const TensorQuantizer& quantizer, const std::string& name, ValueId result)
{
    const auto& encoding = quantizer.encoding;
    const auto& tensor = *m_graph.value(id).constant;
    std::vector<std::int32_t> levels(static_cast<std::size_t>(tensor.size()));
    quant::quantize(encoding, tensor.shape(), tensor.as<float>(), levels, m_plan.seedFor(name));
    const auto container = containerFor(quantizer, true, m_containers).dtype;
    const auto stored = addConstant(name + "_quantized", integers(tensor.shape(), levels, container));
    // Other tools find the parameters by these names: a weight's carry its own name, a bias' that of its integers.
    const auto base = quantizer.role == Role::Bias ? name + "_quantized" : name;
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
    const auto shape = broadcastShape(encoding, type);
    const auto bound = [&](const char* suffix, const std::vector<float>& values) {
        return addConstant(name + suffix, Tensor::from<float>(shape, values));
    };
    const auto raised = addNode("Max", { id, bound("_low", low) }, addResult(name + "_raised", type));
    return addNode("Min", { raised, bound("_high", high) }, addResult(name + "_limited", type));
}

ValueId QdqBuilder::limitIntegers(ValueId id, const std::string& name, const Encoding& encoding, DType container)
{
    const auto bound = [&](const char* suffix, std::int32_t value) {
        return addConstant(name + suffix, integers(Shape {}, std::span(&value, 1), container));
    };
    return addNode("Clip", { id, bound("_clip_min", encoding.qmin), bound("_clip_max", encoding.qmax) },
        addResult(name + "_clipped", m_graph.value(id).type));
}

void QdqBuilder::writeActivation(ValueId id, const TensorQuantizer& quantizer, const std::string& name, ValueId result)
{
    const auto& encoding = quantizer.encoding;
    const auto container = containerFor(quantizer, false, m_containers);
    const bool limited = encoding.qmin > container.low || encoding.qmax < container.high;
    const bool limitsFloat = (limited && container.isWide()) || m_changedByRuntimes.contains(id);
    const auto source = limitsFloat ? limitFloat(id, name, encoding) : id;
    const auto scale = addScale(name, encoding);
    const auto zeroPoint = addZeroPoint(name, encoding, container.dtype);
    auto levels = addNode("QuantizeLinear", { source, scale, zeroPoint },
        addResult(name + "_quantized", { container.dtype, m_graph.value(id).type.dims }), encoding.axis);
    if (limited && !container.isWide())
        levels = limitIntegers(levels, name, encoding, container.dtype);
    addNode("DequantizeLinear", { levels, scale, zeroPoint }, result, encoding.axis);
}

} // namespace quantoscope::exporting
