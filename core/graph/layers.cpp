// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/graph/layers.h"

#include <algorithm>
#include <limits>

#include "core/graph/op_schema.h"

namespace quantoscope::graph {

namespace {

/// a * b for counts shown to people: an absurd graph saturates.
std::int64_t saturatingProduct(std::int64_t a, std::int64_t b)
{
    std::int64_t result = 0;
    return __builtin_mul_overflow(a, b, &result) ? std::numeric_limits<std::int64_t>::max() : result;
}

/// Product of extents where the first one, or one that is not known, counts as 1 if it is the batch's.
std::optional<std::int64_t> elementsOfOneImage(const Dims& dims, bool batched)
{
    std::int64_t count = 1;
    for (std::size_t i = 0; i < dims.size(); ++i) {
        if (i == 0 && batched)
            continue;
        if (!dims[i].known())
            return std::nullopt;
        count = saturatingProduct(count, dims[i].value);
    }
    return count;
}

const std::optional<Dims>& dimsOf(const Graph& graph, ValueId id)
{
    static const std::optional<Dims> none;
    return id.valid() ? graph.value(id).type.dims : none;
}

/// Conv: every output element takes C/group * kernel products. ConvTranspose: every input element gives as many.
std::int64_t convolutionMacs(const Graph& graph, const Layer& layer)
{
    const auto& weight = dimsOf(graph, layer.weight.valid() ? layer.weight : layer.secondInput);
    const auto& moving = dimsOf(graph, layer.op == "Conv" ? layer.output : layer.input);
    if (!weight || !moving || weight->size() < 2)
        return 0;
    const auto positions = elementsOfOneImage(*moving, true);
    const auto products = elementsOfOneImage(*weight, true);
    return positions && products ? saturatingProduct(*positions, *products) : 0;
}

/// A product [..., M, K] x [..., K, N] takes M K N for each matrix. The output's leading axis is the batch, except for
/// a product of two activations, or with a constant on the left, that is a plain matrix.
std::int64_t matrixMacs(const Graph& graph, const Layer& layer)
{
    const Node& node = graph.node(layer.node);
    const auto& output = dimsOf(graph, layer.output);
    const auto& left = dimsOf(graph, node.inputs[0]);
    if (!output || !left || left->empty())
        return 0;
    const bool transposed = layer.op == "Gemm" && node.intAttribute("transA", 0) != 0;
    const Dim& depth = transposed ? left->front() : left->back();
    const bool rowsAreBatch = layer.weight.valid() && layer.weight != node.inputs[0] && left->size() == 2;
    const bool batched = output->size() > 2 || rowsAreBatch;
    const auto results = elementsOfOneImage(*output, batched);
    return results && depth.known() ? saturatingProduct(*results, depth.value) : 0;
}

void chooseOperands(const Graph& graph, Layer& layer)
{
    const Node& node = graph.node(layer.node);
    const bool isProduct = layer.op == "MatMul" || layer.op == "Gemm";
    layer.weightIsLeft = isProduct && graph.isConstant(node.inputs[0]) && !graph.isConstant(node.inputs[1]);
    const std::size_t weightSlot = layer.weightIsLeft ? 0 : 1;
    layer.input = node.inputs[1 - weightSlot];
    (graph.isConstant(node.inputs[weightSlot]) ? layer.weight : layer.secondInput) = node.inputs[weightSlot];
    if (node.hasInput(2))
        layer.bias = node.inputs[2];
    if (layer.op == "ConvTranspose") {
        layer.weightChannelAxis = 1;
    } else if (layer.op == "Gemm") {
        const bool transposed = node.intAttribute(layer.weightIsLeft ? "transA" : "transB", 0) != 0;
        layer.weightChannelAxis = transposed == layer.weightIsLeft ? 1 : 0;
    } else if (layer.op == "MatMul" && layer.weight.valid()) {
        const auto rank = static_cast<int>(graph.value(layer.weight).constant->shape().rank());
        layer.weightChannelAxis = std::max(0, layer.weightIsLeft ? rank - 2 : rank - 1);
    }
}

bool isComputeLayer(const Graph& graph, const Node& node)
{
    static constexpr std::string_view kinds[] = { "Conv", "ConvTranspose", "Gemm", "MatMul" };
    return findSchema(node) && std::ranges::find(kinds, node.opType) != std::end(kinds) && node.hasInput(0)
        && node.hasInput(1) && node.hasOutput(0) && graph.contains(node.outputs[0]);
}

} // namespace

std::optional<Layer> computeLayer(const Graph& graph, NodeId id)
{
    const Node& node = graph.node(id);
    if (!isComputeLayer(graph, node))
        return std::nullopt;
    Layer layer;
    layer.node = id;
    layer.name = graph.label(id);
    layer.op = node.opType;
    layer.output = node.outputs[0];
    layer.groups = static_cast<int>(node.intAttribute("group", 1));
    chooseOperands(graph, layer);
    for (const ValueId parameter : { layer.weight, layer.bias })
        layer.parameters += graph.isConstant(parameter) ? graph.value(parameter).constant->size() : 0;
    const bool convolution = layer.op == "Conv" || layer.op == "ConvTranspose";
    layer.macs = convolution ? convolutionMacs(graph, layer) : matrixMacs(graph, layer);
    return layer;
}

std::vector<Layer> computeLayers(const Graph& graph)
{
    std::vector<Layer> layers;
    const auto order = graph.topologicalOrder();
    for (const NodeId id : order ? *order : graph.nodes()) {
        if (auto layer = computeLayer(graph, id))
            layers.push_back(std::move(*layer));
    }
    return layers;
}

namespace {

/// Why an operator that is known cannot be computed as this node has it; empty if it can.
std::string variantProblem(const Graph& graph, const Node& node)
{
    if (node.opType == "BatchNormalization" && node.intAttribute("training_mode", 0) != 0)
        return "it is in training mode; export the model for inference";
    if (node.opType == "BatchNormalization" && node.intAttribute("spatial", 1) == 0)
        return "statistics per element (spatial = 0) are not computed";
    if (node.opType == "Dropout" && node.hasInput(2) && graph.isConstant(node.inputs[2])
        && tensor::toInt64s(graph.value(node.inputs[2]).constant->view()) != std::vector<std::int64_t> { 0 })
        return "it is in training mode; export the model for inference";
    if (node.opType == "Constant" && (node.hasAttribute("value_string") || node.hasAttribute("value_strings")))
        return "tensors of strings are not computed";
    return {};
}

std::string problemOf(const Graph& graph, const Node& node, int opset)
{
    for (const auto& [key, attribute] : node.attributes) {
        if (const auto* opaque = std::get_if<Opaque>(&attribute))
            return "attribute '" + key + "' is a " + opaque->kind + ", which cannot be computed";
    }
    const OpSchema* schema = findSchema(node);
    if (!schema)
        return node.domain.empty() || node.domain == "ai.onnx"
            ? "no such operator is known here"
            : "operators of the domain '" + node.domain + "' are not known here";
    if (opset < schema->sinceOpset)
        return "known from opset " + std::to_string(schema->sinceOpset) + " on";
    if (schema->untilOpset > 0 && opset > schema->untilOpset)
        return "withdrawn from ONNX after opset " + std::to_string(schema->untilOpset);
    return variantProblem(graph, node);
}

} // namespace

std::vector<Unsupported> findUnsupported(const Graph& graph)
{
    std::vector<Unsupported> found;
    for (const NodeId id : graph.nodes()) {
        const Node& node = graph.node(id);
        const bool standard = node.domain.empty() || node.domain == "ai.onnx";
        const auto imported = graph.opsets.find(node.domain);
        const int opset = standard ? graph.opset() : imported == graph.opsets.end() ? 0 : imported->second;
        std::string why = problemOf(graph, node, opset);
        if (why.empty())
            continue;
        found.push_back(
            { id, graph.label(id), standard ? node.opType : node.domain + "::" + node.opType, opset, std::move(why) });
    }
    return found;
}

} // namespace quantoscope::graph
