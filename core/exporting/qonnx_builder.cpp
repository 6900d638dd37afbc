// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/exporting/qonnx_builder.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "core/quant/encoding.h"

namespace quantoscope::exporting {

using graph::ValueId;
using quant::Encoding;
using quant::Rounding;
using quant::TensorQuantizer;

namespace {

/// What Quant calls a rounding; empty where it has none. Constants lie on their grid: any rounding leaves them there.
std::string roundingMode(const Encoding& encoding, bool isConstant)
{
    if (isConstant || encoding.rounding == Rounding::HalfEven)
        return "ROUND";
    if (encoding.rounding == Rounding::Floor)
        return "FLOOR";
    if (encoding.rounding == Rounding::Ceil)
        return "CEIL";
    return {};
}

/// The attributes signed and narrow that give the encoding's bounds at its word-length; empty where none do.
struct Grid {
    bool isSigned;
    bool isNarrow;
};
std::optional<Grid> gridOf(const Encoding& encoding)
{
    const bool isSigned = encoding.isSigned();
    const int bits = encoding.bits();
    const std::int64_t low = isSigned ? -(std::int64_t { 1 } << (bits - 1)) : 0;
    const std::int64_t high = isSigned ? -low - 1 : (std::int64_t { 1 } << bits) - 1;
    if (encoding.qmin == low && encoding.qmax == high)
        return Grid { isSigned, false };
    if (isSigned ? encoding.qmin == low + 1 && encoding.qmax == high : encoding.qmin == 0 && encoding.qmax == high - 1)
        return Grid { isSigned, true };
    return std::nullopt;
}

graph::TensorPtr quantizedValues(const Tensor& tensor, const TensorQuantizer& quantizer,
    const quant::QuantizationPlan& plan, const std::string& name)
{
    return std::make_shared<const Tensor>(quant::fakeQuantize(quantizer.encoding, tensor.view(), plan.seedFor(name)));
}

} // namespace

std::string QonnxBuilder::refusal(const TensorQuantizer& quantizer, bool isConstant) const
{
    const auto& encoding = quantizer.encoding;
    if (roundingMode(encoding, isConstant).empty())
        return "Quant has no rounding " + quant::toString(encoding.rounding);
    if (!gridOf(encoding))
        return "Quant has no levels " + std::to_string(encoding.qmin) + ".." + std::to_string(encoding.qmax);
    return {};
}

void QonnxBuilder::writeConstant(ValueId id, const TensorQuantizer& quantizer, const std::string& name, ValueId result)
{
    // In the compute scope others may read the constant as it was: it cannot be changed in place.
    m_graph.rename(id, m_graph.uniqueName(name + "_float"));
    const auto values = quantizedValues(*m_graph.value(id).constant, quantizer, m_plan, name);
    writeActivation(m_graph.addConstant(name, values), quantizer, name, result);
}

void QonnxBuilder::writeActivation(
    ValueId id, const TensorQuantizer& quantizer, const std::string& name, ValueId result)
{
    const auto& encoding = quantizer.encoding;
    const auto shape = broadcastShape(encoding, m_graph.value(id).type);
    const std::vector<float> zeros(encoding.zeroPoint.begin(), encoding.zeroPoint.end());
    const auto scale = addConstant(name + "_scale", Tensor::from<float>(shape, encoding.scale));
    const auto zero = addConstant(name + "_zero_point", Tensor::from<float>(shape, zeros));
    const auto bits = addConstant(name + "_bitwidth", Tensor::scalar(static_cast<float>(encoding.bits())));
    auto node = makeNode("Quant", { id, scale, zero, bits }, result);
    node.domain = qonnxDomain;
    const auto grid = *gridOf(encoding);
    node.attributes["signed"] = static_cast<std::int64_t>(grid.isSigned);
    node.attributes["narrow"] = static_cast<std::int64_t>(grid.isNarrow);
    node.attributes["rounding_mode"] = roundingMode(encoding, m_graph.isConstant(id));
    m_graph.addNode(std::move(node));
}

void FloatBuilder::writeConstant(ValueId id, const TensorQuantizer& quantizer, const std::string& name, ValueId result)
{
    const auto values = quantizedValues(*m_graph.value(id).constant, quantizer, m_plan, name);
    const bool isReadAsItWas = !m_graph.consumers(id).empty() || m_graph.isOutput(id);
    if (isReadAsItWas) {
        m_graph.makeConstant(result, values);
        return;
    }
    m_graph.replaceUses(result, id);
    m_graph.value(id).constant = values;
}

} // namespace quantoscope::exporting
