// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/importing/quantizer_nodes.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>

namespace quantoscope::importing {

using graph::Graph;
using graph::Node;
using graph::NodeId;
using graph::ValueId;
using quant::Encoding;

namespace {

bool isOp(const Node& node, std::string_view op)
{
    return (node.domain.empty() || node.domain == "ai.onnx") && node.opType == op;
}

/// The node that computes a value, if it is of that kind.
const Node* producer(const Graph& graph, ValueId id, std::string_view op)
{
    if (!id.valid() || !graph.value(id).producer.valid())
        return nullptr;
    const auto& node = graph.node(graph.value(id).producer);
    return isOp(node, op) ? &node : nullptr;
}

const Tensor* constantInput(const Graph& graph, const Node& node, std::size_t slot)
{
    return node.hasInput(slot) ? graph.value(node.inputs[slot]).constant.get() : nullptr;
}

struct Levels {
    std::int32_t low;
    std::int32_t high;
};

std::optional<Levels> levelsOf(DType dtype)
{
    switch (dtype) {
    case DType::UInt2:
        return Levels { 0, 3 };
    case DType::Int2:
        return Levels { -2, 1 };
    case DType::UInt4:
        return Levels { 0, 15 };
    case DType::Int4:
        return Levels { -8, 7 };
    case DType::UInt8:
        return Levels { 0, 255 };
    case DType::Int8:
        return Levels { -128, 127 };
    case DType::UInt16:
        return Levels { 0, 65535 };
    case DType::Int16:
        return Levels { -32768, 32767 };
    case DType::Int32:
        return Levels { std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max() };
    default:
        return std::nullopt;
    }
}

std::optional<std::size_t> rankOf(const graph::Value& value)
{
    if (value.constant)
        return static_cast<std::size_t>(value.constant->shape().rank());
    return value.type.dims ? std::optional(value.type.dims->size()) : std::nullopt;
}

/// Why so many scales cannot run along an axis of a tensor; empty if they can, or its extent is not known.
std::string misfit(const graph::Value& value, std::int64_t axis, std::size_t scales)
{
    const auto dims
        = value.constant ? graph::toDims(value.constant->shape()) : value.type.dims.value_or(graph::Dims {});
    if (axis < 0 || (!dims.empty() && axis >= static_cast<std::int64_t>(dims.size())))
        return "its axis lies outside the tensor";
    if (dims.empty() || !dims[static_cast<std::size_t>(axis)].known()
        || dims[static_cast<std::size_t>(axis)].value == static_cast<std::int64_t>(scales))
        return {};
    return "its " + std::to_string(scales) + " scales do not fit axis " + std::to_string(axis) + " of "
        + graph::toString(dims);
}

/// Scale, zero point and axis of a QuantizeLinear or DequantizeLinear; the bounds are those of `dtype`.
std::optional<Encoding> parametersOf(const Graph& graph, const Node& node, DType dtype, std::string& why)
{
    const auto* scale = constantInput(graph, node, 1);
    const auto* zero = constantInput(graph, node, 2);
    const auto levels = levelsOf(dtype);
    if (!scale || scale->dtype() != DType::Float32 || (node.hasInput(2) && !zero))
        why = "its scale or zero point is not a constant float32";
    else if (!levels)
        why = "its type is " + std::string(tensor::name(dtype));
    else if (scale->shape().rank() > 1 || node.intAttribute("block_size", 0) != 0)
        why = "it has a scale for each block";
    else if (zero && zero->size() != scale->size())
        why = "it has another number of zero points than of scales";
    if (!why.empty())
        return std::nullopt;
    Encoding encoding;
    encoding.qmin = levels->low;
    encoding.qmax = levels->high;
    encoding.scale.assign(scale->as<float>().begin(), scale->as<float>().end());
    encoding.zeroPoint.assign(encoding.scale.size(), 0);
    if (zero)
        std::ranges::transform(tensor::toInt64s(zero->view()), encoding.zeroPoint.begin(),
            [](std::int64_t z) { return static_cast<std::int32_t>(z); });
    if (scale->shape().rank() == 0)
        return encoding;
    auto axis = node.intAttribute("axis", 1);
    const auto& source = graph.value(node.inputs[0]);
    const auto rank = rankOf(source);
    if (axis < 0 && rank)
        axis += static_cast<std::int64_t>(*rank);
    const bool isSingle = encoding.scale.size() == 1;
    // One scale along an axis of one channel, where that is named, is one a channel; otherwise it serves the whole
    // tensor.
    const bool fitsOneChannel = node.hasAttribute("axis") && source.constant && axis >= 0
        && axis < source.constant->shape().rank() && source.constant->shape()[static_cast<int>(axis)] == 1;
    if (isSingle && !fitsOneChannel)
        return encoding;
    why = misfit(source, axis, encoding.scale.size());
    if (!why.empty())
        return std::nullopt;
    encoding.axis = static_cast<int>(axis);
    return encoding;
}

/// Takes the bounds of an integer Clip over; the value that is clipped.
std::optional<ValueId> throughClip(const Graph& graph, ValueId levels, Encoding& encoding, std::string& why)
{
    const auto* clip = producer(graph, levels, "Clip");
    if (!clip)
        return levels;
    for (const std::size_t slot : { 1U, 2U }) {
        if (!clip->hasInput(slot))
            continue;
        const auto* bound = constantInput(graph, *clip, slot);
        if (!bound || bound->size() != 1) {
            why = "the bounds of its Clip are not constant";
            return std::nullopt;
        }
        const auto value = static_cast<std::int32_t>(tensor::toInt64s(bound->view()).front());
        if (slot == 1)
            encoding.qmin = std::max(encoding.qmin, value);
        else
            encoding.qmax = std::min(encoding.qmax, value);
    }
    return clip->inputs[0];
}

/// The level that bounds in float stand for, if it is the same in every channel and stands for exactly those.
std::optional<std::int32_t> levelOf(const Tensor& bounds, const Encoding& encoding)
{
    if (bounds.dtype() != DType::Float32 || bounds.size() != static_cast<std::int64_t>(encoding.scale.size()))
        return std::nullopt;
    const auto values = bounds.as<float>();
    std::optional<std::int32_t> level;
    for (std::size_t c = 0; c < values.size(); ++c) {
        const auto steps = std::nearbyint(values[c] / encoding.scale[c]);
        if (!(std::abs(steps) <= 65536) || steps * encoding.scale[c] != values[c])
            return std::nullopt;
        const auto here = static_cast<std::int32_t>(steps) + encoding.zeroPoint[c];
        if (level.value_or(here) != here)
            return std::nullopt;
        level = here;
    }
    return level;
}

/// Max and Min before a 16-bit quantizer say which of its levels are used. Takes their bounds over; the node the
/// quantizer begins with. Anything else that looks alike is part of the network.
NodeId throughMaxMin(const Graph& graph, NodeId quantize, Encoding& encoding)
{
    const auto source = graph.node(quantize).inputs[0];
    const auto* min = producer(graph, source, "Min");
    if (!min || min->inputs.size() != 2)
        return quantize;
    const auto* max = producer(graph, min->inputs[0], "Max");
    if (!max || max->inputs.size() != 2)
        return quantize;
    const auto* low = constantInput(graph, *max, 1);
    const auto* high = constantInput(graph, *min, 1);
    if (!low || !high)
        return quantize;
    const auto qmin = levelOf(*low, encoding);
    const auto qmax = levelOf(*high, encoding);
    if (!qmin || !qmax || *qmin < encoding.qmin || *qmax > encoding.qmax || *qmin >= *qmax)
        return quantize;
    encoding.qmin = *qmin;
    encoding.qmax = *qmax;
    return graph.value(min->inputs[0]).producer;
}

/// Bounds of the smallest word-length that holds all stored integers and the zero points.
void narrowTo(std::int64_t low, std::int64_t high, Encoding& encoding)
{
    for (const std::int64_t zero : encoding.zeroPoint) {
        low = std::min(low, zero);
        high = std::max(high, zero);
    }
    const bool isSigned = encoding.qmin < 0;
    for (int bits = quant::minBits; bits <= quant::maxBits; ++bits) {
        const std::int64_t qmin = isSigned ? -(std::int64_t { 1 } << (bits - 1)) : 0;
        const std::int64_t qmax = (std::int64_t { 1 } << (isSigned ? bits - 1 : bits)) - 1;
        if (low < qmin || high > qmax)
            continue;
        encoding.qmin = std::max(encoding.qmin, static_cast<std::int32_t>(qmin));
        encoding.qmax = std::min(encoding.qmax, static_cast<std::int32_t>(qmax));
        return;
    }
}

std::optional<QuantizerNodes> dequantizer(const Graph& graph, const Node& node, std::string& why)
{
    const auto levels = node.inputs[0];
    if (const auto& stored = graph.value(levels).constant) {
        if (stored->size() == 0) {
            why = "it has no elements";
            return std::nullopt;
        }
        auto encoding = parametersOf(graph, node, stored->dtype(), why);
        if (!encoding)
            return std::nullopt;
        const auto integers = tensor::toInt64s(stored->view());
        const auto [low, high] = std::ranges::minmax(integers);
        if (stored->dtype() != DType::Int32)
            narrowTo(low, high, *encoding);
        const StoredLevels range { static_cast<std::int32_t>(low), static_cast<std::int32_t>(high) };
        return QuantizerNodes { levels, node.outputs[0], *std::move(encoding), {}, range };
    }
    auto clipped = Encoding {};
    clipped.qmin = std::numeric_limits<std::int32_t>::min();
    clipped.qmax = std::numeric_limits<std::int32_t>::max();
    const auto quantized = throughClip(graph, levels, clipped, why);
    if (!quantized)
        return std::nullopt;
    const auto* quantize = producer(graph, *quantized, "QuantizeLinear");
    if (!quantize) {
        why = "there is no QuantizeLinear before it";
        return std::nullopt;
    }
    const auto* zero = constantInput(graph, *quantize, 2);
    auto encoding = parametersOf(graph, *quantize, zero ? zero->dtype() : DType::UInt8, why);
    const auto back = parametersOf(graph, node, zero ? zero->dtype() : DType::UInt8, why);
    if (!encoding || !back)
        return std::nullopt;
    if (encoding->scale != back->scale || encoding->zeroPoint != back->zeroPoint || encoding->axis != back->axis) {
        why = "it does not undo its QuantizeLinear";
        return std::nullopt;
    }
    encoding->qmin = std::max(encoding->qmin, clipped.qmin);
    encoding->qmax = std::min(encoding->qmax, clipped.qmax);
    const auto head = throughMaxMin(graph, graph.value(*quantized).producer, *encoding);
    return QuantizerNodes { graph.node(head).inputs[0], node.outputs[0], *std::move(encoding), head, std::nullopt };
}

std::optional<quant::Rounding> roundingOf(const Node& node)
{
    const auto mode = node.stringAttribute("rounding_mode", "ROUND");
    if (mode == "ROUND")
        return quant::Rounding::HalfEven;
    if (mode == "FLOOR")
        return quant::Rounding::Floor;
    if (mode == "CEIL")
        return quant::Rounding::Ceil;
    return std::nullopt;
}

/// The one axis along which a parameter of Quant has more than one value; -1 where it has one value in all.
std::optional<int> channelAxis(const Shape& parameter, std::optional<std::size_t> rank)
{
    int axis = -1;
    for (int i = 0; i < parameter.rank(); ++i) {
        if (parameter[i] == 1)
            continue;
        if (axis >= 0)
            return std::nullopt;
        axis = i;
    }
    if (axis < 0)
        return axis;
    if (!rank) // broadcasting aligns last axes: without the tensor's rank the axis is known if the shapes' ranks agree
        return parameter.rank() > 1 ? std::optional(axis) : std::nullopt;
    return axis + static_cast<int>(*rank) - parameter.rank();
}

std::optional<QuantizerNodes> quantNode(const Graph& graph, NodeId id, std::string& why)
{
    const auto& node = graph.node(id);
    const auto* scale = constantInput(graph, node, 1);
    const auto* zero = constantInput(graph, node, 2);
    const auto* bits = constantInput(graph, node, 3);
    const auto rounding = roundingOf(node);
    if (!scale || !zero || !bits || bits->size() != 1 || scale->dtype() != DType::Float32)
        why = "its parameters are not constants";
    else if (!rounding)
        why = "it rounds " + node.stringAttribute("rounding_mode", "ROUND");
    else if (zero->size() != 1 && zero->size() != scale->size())
        why = "it has another number of zero points than of scales";
    if (!why.empty())
        return std::nullopt;
    const auto width = tensor::toDoubles(bits->view()).front();
    const auto axis = channelAxis(scale->shape(), rankOf(graph.value(node.inputs[0])));
    if (!axis || width != std::nearbyint(width) || width < quant::minBits || width > 32)
        why = axis ? "its bitwidth is " + std::to_string(width) : "its scale has more than one axis";
    else if (*axis >= 0)
        why = misfit(graph.value(node.inputs[0]), *axis, static_cast<std::size_t>(scale->size()));
    const bool isSigned = node.intAttribute("signed", 1) != 0;
    if (why.empty() && !isSigned && width > 31)
        why = "it is wider than 31 bits without a sign";
    if (!why.empty())
        return std::nullopt;
    const bool isNarrow = node.intAttribute("narrow", 0) != 0;
    const std::int64_t half = std::int64_t { 1 } << (static_cast<int>(width) - 1);
    Encoding encoding;
    encoding.qmin = static_cast<std::int32_t>(isSigned ? (isNarrow ? 1 - half : -half) : 0);
    encoding.qmax = static_cast<std::int32_t>(isSigned ? half - 1 : 2 * half - (isNarrow ? 2 : 1));
    encoding.axis = *axis;
    encoding.rounding = *rounding;
    encoding.scale.assign(scale->as<float>().begin(), scale->as<float>().end());
    const auto zeros = tensor::toDoubles(zero->view());
    encoding.zeroPoint.clear();
    for (std::size_t c = 0; c < encoding.scale.size(); ++c)
        encoding.zeroPoint.push_back(static_cast<std::int32_t>(std::lrint(zeros[zeros.size() == 1 ? 0 : c])));
    return QuantizerNodes { node.inputs[0], node.outputs[0], std::move(encoding), id, std::nullopt };
}

} // namespace

bool endsQuantizer(const Node& node)
{
    const bool isContrib = node.domain == "com.microsoft"; // the same with 16 bits at any opset
    return isOp(node, "DequantizeLinear") || (isContrib && node.opType == "DequantizeLinear")
        || (node.opType == "Quant" && node.domain == qonnxDomain);
}

std::optional<QuantizerNodes> quantizerEndingAt(const Graph& graph, NodeId id, std::string& why)
{
    const auto& node = graph.node(id);
    const bool isQuant = node.opType == "Quant";
    if (!node.hasInput(0) || !node.hasInput(1) || !node.hasOutput(0) || (isQuant && node.inputs.size() < 4)) {
        why = "it lacks an input";
        return std::nullopt;
    }
    auto found = isQuant ? quantNode(graph, id, why) : dequantizer(graph, node, why);
    if (found)
        if (const auto valid = found->encoding.validate(); !valid) {
            why = valid.error().what;
            return std::nullopt;
        }
    return found;
}

} // namespace quantoscope::importing
