// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/exporting/runtime_fusions.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "core/graph/layers.h"
#include "core/graph/passes/activation_fusion.h"

namespace quantoscope::exporting {

using graph::Graph;
using graph::Node;
using graph::NodeId;
using graph::ValueId;
using quant::QuantizationPlan;
using quant::TensorQuantizer;

namespace {

/// How far a bias may move, in steps of the layer's result: as far as float sums in another order move it anyway.
constexpr double mostBiasShift = 1.0 / 65536;
constexpr int byteBits = 8;

template <std::size_t Count> bool isOneOf(const Node& node, const std::array<const char*, Count>& ops)
{
    return node.domain.empty() && std::ranges::find(ops, node.opType) != ops.end();
}

bool roundsFloatOperands(const Node& node) { return isOneOf(node, std::array { "Conv", "ConvTranspose", "Gemm" }); }

bool isSoftmax(const Node& node) { return isOneOf(node, std::array { "Softmax" }); }

bool isComputeLayer(const Node& node)
{
    return isOneOf(node, std::array { "Conv", "ConvTranspose", "Gemm", "MatMul" });
}

const TensorQuantizer* quantizerOf(const Graph& graph, const QuantizationPlan& plan, ValueId value)
{
    return value.valid() ? plan.find(graph.value(value).name) : nullptr;
}

/// Whether in the file nobody but the value's quantizer reads it.
bool onlyQuantizerReads(const Graph& graph, const QuantizationPlan& plan, ValueId value)
{
    if (plan.scope == quant::Scope::Integer)
        return true;
    const auto readers = graph.consumers(value);
    return !graph.isOutput(value) && !readers.empty()
        && std::ranges::all_of(readers, [&](NodeId reader) { return isComputeLayer(graph.node(reader)); });
}

/// Activation functions, and data movement that quantizers are moved across before layers are looked at.
bool isSteppedOver(const Node& node)
{
    return isOneOf(node,
        std::array { "Relu", "Clip", "MaxPool", "Reshape", "Transpose", "Squeeze", "Unsqueeze", "Slice", "Flatten" });
}

/// The layer or Softmax whose result a value is, with nothing between that nobody else reads but what is stepped over.
const Node* sourceBehind(const Graph& graph, const QuantizationPlan& plan, ValueId value)
{
    for (;;) {
        const auto producer = graph.value(value).producer;
        if (!producer.valid())
            return nullptr;
        const Node& node = graph.node(producer);
        if (roundsFloatOperands(node) || isSoftmax(node))
            return &node;
        if (!isSteppedOver(node))
            return nullptr;
        value = node.inputs.front();
        if (graph.isOutput(value) || graph.consumers(value).size() != 1 || quantizerOf(graph, plan, value))
            return nullptr;
    }
}

double largestScale(const TensorQuantizer& quantizer) { return *std::ranges::max_element(quantizer.encoding.scale); }

bool isChanged(const Graph& graph, const QuantizationPlan& plan, const Node& layer, const TensorQuantizer& result)
{
    const auto* input = quantizerOf(graph, plan, layer.inputs[0]);
    if (!input || input->encoding.perChannel())
        return false;
    if (isSoftmax(layer))
        return input->encoding.bits() <= byteBits && result.encoding.bits() <= byteBits;
    const auto* weight = quantizerOf(graph, plan, layer.inputs[1]);
    if (!weight)
        return graph.isConstant(layer.inputs[1]);
    const bool hasFloatBias
        = layer.hasInput(2) && graph.isConstant(layer.inputs[2]) && !quantizerOf(graph, plan, layer.inputs[2]);
    const double step = *std::ranges::min_element(result.encoding.scale);
    return hasFloatBias && 0.5 * largestScale(*input) * largestScale(*weight) > mostBiasShift * step;
}

/// What keeps a tensor from being 8-bit integers in the file, "float"; empty: nothing. A Clip of 8-bit ones stays an
/// operator beside the layer.
std::string notBytes(const Graph& graph, const QuantizationPlan& plan, ValueId value, Containers containers)
{
    const auto* quantizer = quantizerOf(graph, plan, value);
    if (!quantizer)
        return "float";
    const bool constant = graph.isConstant(value);
    const DType dtype = containerFor(*quantizer, constant, containers).dtype;
    if (tensor::bitWidth(dtype) != byteBits)
        return std::string(tensor::name(dtype));
    return !constant && quantizer->encoding.perChannel() ? "of a scale per channel" : "";
}

/// Why a layer is computed in float; empty: in integers.
std::string whyInFloat(const Graph& graph, const QuantizationPlan& plan, const graph::Layer& layer,
    const graph::ActivationFusion& fusion, Containers containers)
{
    const auto& node = graph.node(layer.node);
    for (const ValueId operand : { node.inputs[0], node.inputs[1] })
        if (const auto found = notBytes(graph, plan, operand, containers); !found.empty())
            return (graph.isConstant(operand) ? "its weight is " : "its input is ") + found;
    if (layer.bias.valid() && !quantizerOf(graph, plan, layer.bias))
        return "its bias is float";
    const auto result = fusion.finalOutput(graph, layer.node);
    if (const auto found = notBytes(graph, plan, result, containers); !found.empty())
        return "its result is " + found;
    return onlyQuantizerReads(graph, plan, result) ? "" : "its result is also read in float";
}

} // namespace

std::vector<LayerArithmetic> layerArithmetic(const Graph& graph, const QuantizationPlan& plan, Containers containers)
{
    std::vector<LayerArithmetic> all;
    const graph::ActivationFusion fusion(graph);
    for (auto& layer : graph::computeLayers(graph)) {
        auto why = whyInFloat(graph, plan, layer, fusion, containers);
        all.push_back({ std::move(layer), std::move(why) });
    }
    return all;
}

std::set<ValueId> changedByRuntimes(const Graph& graph, const QuantizationPlan& plan)
{
    std::set<ValueId> changed;
    for (const auto& [name, quantizer] : plan.tensors()) {
        const auto value = graph.find(name);
        if (!value || quantizer.role != quant::Role::Activation || !onlyQuantizerReads(graph, plan, *value))
            continue;
        const auto* source = sourceBehind(graph, plan, *value);
        if (source && isChanged(graph, plan, *source, quantizer))
            changed.insert(*value);
    }
    return changed;
}

} // namespace quantoscope::exporting
