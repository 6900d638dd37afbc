// SPDX-License-Identifier: GPL-3.0-or-later
#include <cstdint>
#include <optional>
#include <utility>

#include "core/graph/layers.h"
#include "core/quant/plan.h"

namespace quantoscope::quant {

namespace {

constexpr std::string_view remedy = "make the plan for this model, prepared the same way";

Result<void> replaceConstant(graph::Graph& graph, const std::string& name, const graph::TensorPtr& values)
{
    const std::string where = "tensor '" + name + "'";
    const auto id = graph.find(name);
    if (!id || !graph.isConstant(*id))
        return fail(ErrorCode::NotFound, "the plan corrects a constant that the model does not have", where,
            std::string(remedy));
    auto& constant = graph.value(*id).constant;
    if (constant->dtype() != DType::Float32 || constant->shape() != values->shape())
        return fail(ErrorCode::InvalidInput,
            "the plan corrects it to float32" + values->shape().toString() + ", the model has "
                + graph.value(*id).type.toString(),
            where, std::string(remedy));
    constant = values;
    return {};
}

/// Gives what a MatMul delivers to an Add of the bias, which takes over the name its readers know.
void addBehind(graph::Graph& graph, const graph::Layer& layer, graph::ValueId bias)
{
    const graph::ValueId sum = layer.output;
    const graph::ValueId product
        = graph.addValue(graph.uniqueName(graph.value(sum).name + " without bias"), graph.value(sum).type);
    graph.setOutput(layer.node, 0, product);
    graph::Node add;
    add.name = layer.name + " bias";
    add.opType = "Add";
    add.inputs = { product, bias };
    add.outputs = { sum };
    graph.addNode(std::move(add));
}

/// Empty for a product of two activations.
std::optional<std::int64_t> outputChannels(const graph::Graph& graph, const graph::Layer& layer)
{
    if (!layer.weight.valid() || graph.value(layer.weight).constant->shape().rank() < 2)
        return std::nullopt;
    const auto extent = graph.value(layer.weight).constant->shape()[layer.weightChannelAxis];
    return layer.op == "ConvTranspose" ? extent * layer.groups : extent;
}

/// [channels] as the layer adds it: along the last axis, or along the rows where the weight is the left operand.
graph::TensorPtr alongChannels(const graph::Layer& layer, const graph::TensorPtr& values)
{
    if (!layer.weightIsLeft)
        return values;
    return std::make_shared<const Tensor>(Tensor::from(Shape { values->size(), 1 }, values->as<float>()));
}

Result<void> addBias(graph::Graph& graph, const graph::Layer& layer, const graph::TensorPtr& values)
{
    const std::string where = "layer '" + layer.name + "'";
    if (layer.bias.valid())
        return fail(
            ErrorCode::InvalidInput, "the plan adds a bias to a layer that has one", where, std::string(remedy));
    if (const auto channels = outputChannels(graph, layer);
        values->shape().rank() != 1 || (channels && values->size() != *channels))
        return fail(ErrorCode::InvalidInput,
            "the plan adds a bias of shape " + values->shape().toString() + ", expected "
                + (channels ? Shape { *channels }.toString() : "one extent"),
            where, std::string(remedy));
    if (graph.find(addedBiasName(layer.name)))
        return fail(ErrorCode::InvalidInput, "the model has a tensor of the name its added bias would get", where,
            "rename the tensor '" + addedBiasName(layer.name) + "' in the model");
    const auto bias = graph.addConstant(addedBiasName(layer.name), alongChannels(layer, values));
    if (layer.op == "MatMul")
        addBehind(graph, layer, bias);
    else
        graph.setInput(layer.node, 2, bias);
    return {};
}

} // namespace

std::string addedBiasName(std::string_view layer) { return std::string(layer) + ".bias"; }

Result<graph::Graph> floatGraph(const graph::Graph& graph, const QuantizationPlan& plan)
{
    graph::Graph result = graph;
    for (const auto& [name, values] : plan.floatConstants())
        QS_CHECK(replaceConstant(result, name, values));
    return result;
}

Result<graph::Graph> correctedGraph(const graph::Graph& graph, const QuantizationPlan& plan)
{
    QS_TRY(graph::Graph corrected, floatGraph(graph, plan));
    for (const auto& [name, values] : plan.constants())
        QS_CHECK(replaceConstant(corrected, name, values));
    if (plan.addedBiases().empty())
        return corrected;
    std::map<std::string, graph::Layer, std::less<>> layers;
    for (auto& layer : graph::computeLayers(corrected))
        layers.emplace(layer.name, layer);
    for (const auto& [name, values] : plan.addedBiases()) {
        const auto layer = layers.find(name);
        if (layer == layers.end())
            return fail(ErrorCode::NotFound, "the plan adds a bias to a layer that the model does not have",
                "layer '" + name + "'", std::string(remedy));
        QS_CHECK(addBias(corrected, layer->second, values));
    }
    return corrected;
}

} // namespace quantoscope::quant
