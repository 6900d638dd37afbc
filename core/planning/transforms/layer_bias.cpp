// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/planning/transforms/layer_bias.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <optional>
#include <utility>

namespace quantoscope::planning {

namespace {

using graph::Graph;
using graph::Layer;

std::string biasName(const Graph& graph, const Layer& layer)
{
    return layer.bias.valid() ? graph.value(layer.bias).name : quant::addedBiasName(layer.name);
}

/// The word-length of the plan's biases; empty where it leaves them float.
std::optional<quant::Encoding> biasWordLength(const Graph& graph, const quant::QuantizationPlan& plan)
{
    bool any = false;
    for (const auto& layer : graph::computeLayers(graph)) {
        any = any || layer.bias.valid();
        const auto* quantizer = layer.bias.valid() ? plan.find(graph.value(layer.bias).name) : nullptr;
        if (quantizer)
            return quantizer->encoding;
    }
    if (any)
        return std::nullopt;
    quant::Encoding encoding;
    encoding.qmin = std::numeric_limits<std::int32_t>::min();
    encoding.qmax = std::numeric_limits<std::int32_t>::max();
    return encoding;
}

/// A bias that was not there gets the quantizer it would have had: s_x s_w, z = 0.
void addQuantizer(const Graph& graph, quant::QuantizationPlan& plan, const Layer& layer)
{
    const auto* input = plan.find(graph.value(layer.input).name);
    const auto* weight = plan.find(graph.value(layer.weight).name);
    const auto wordLength = biasWordLength(graph, plan);
    if (plan.scope != quant::Scope::Integer || !input || !weight || !wordLength || input->encoding.perChannel())
        return;
    if (weight->encoding.perChannel() && std::ssize(weight->encoding.scale) != outputChannels(graph, layer))
        return;
    quant::TensorQuantizer quantizer;
    quantizer.role = quant::Role::Bias;
    quantizer.overridden = weight->overridden;
    auto& encoding = quantizer.encoding;
    encoding = *wordLength;
    encoding.axis = weight->encoding.perChannel() ? 0 : -1;
    encoding.scale.clear();
    for (const float scale : weight->encoding.scale)
        encoding.scale.push_back(std::max(input->encoding.scale[0] * scale, std::numeric_limits<float>::min()));
    encoding.zeroPoint.assign(encoding.scale.size(), 0);
    plan.set(quant::addedBiasName(layer.name), std::move(quantizer));
}

/// Clips `bias` to what its quantizer can represent. Returns on how many channels.
std::size_t clip(const quant::Encoding& encoding, std::span<float> bias)
{
    std::size_t clipped = 0;
    for (std::size_t c = 0; c < bias.size(); ++c) {
        const std::size_t channel = encoding.perChannel() ? c : 0;
        const float fitting = std::clamp(bias[c], encoding.low(channel), encoding.high(channel));
        clipped += fitting != bias[c] ? 1 : 0;
        bias[c] = fitting;
    }
    return clipped;
}

} // namespace

std::int64_t outputChannels(const Graph& graph, const Layer& layer)
{
    if (!layer.weight.valid())
        return 0;
    const auto& weight = graph.value(layer.weight).constant->shape();
    const std::int64_t channels = weight.rank() > 0 ? weight[layer.weightChannelAxis] : 0;
    return channels * (layer.op == "ConvTranspose" ? layer.groups : 1);
}

double biasFactor(const Graph& graph, const Layer& layer)
{
    return layer.op == "Gemm" ? static_cast<double>(graph.node(layer.node).floatAttribute("beta", 1)) : 1;
}

std::string biasObstacle(const Graph& graph, const Layer& layer)
{
    if (!layer.weight.valid())
        return "it multiplies two activations";
    if (layer.weightIsLeft)
        return "its weight is the left operand, whose channels lie along the rows";
    if (graph.value(layer.output).type.dtype != DType::Float32)
        return "it does not compute in float32";
    if (biasFactor(graph, layer) == 0)
        return "its Gemm multiplies the bias by zero";
    if (!layer.bias.valid())
        return {};
    if (!graph.isConstant(layer.bias))
        return "its bias is not constant";
    if (graph.consumers(layer.bias).size() > 1 || graph.isOutput(layer.bias))
        return "others read its bias too";
    const auto& shape = graph.value(layer.bias).constant->shape();
    const std::int64_t channels = outputChannels(graph, layer);
    if (shape.size() != channels || shape.rank() == 0 || shape[shape.rank() - 1] != channels)
        return "its bias of shape " + shape.toString() + " does not have an element a channel";
    return {};
}

Tensor biasOf(const Graph& graph, const quant::QuantizationPlan& plan, const Layer& layer)
{
    const bool added = !layer.bias.valid();
    const auto& known = added ? plan.addedBiases() : plan.constants();
    const auto found = known.find(added ? layer.name : graph.value(layer.bias).name);
    if (found != known.end())
        return tensor::convert(found->second->view(), DType::Float32);
    if (added)
        return Tensor(DType::Float32, Shape { outputChannels(graph, layer) });
    return tensor::convert(graph.value(layer.bias).constant->view(), DType::Float32);
}

void setBias(const Graph& graph, quant::QuantizationPlan& plan, const Layer& layer, Tensor values,
    std::vector<std::string>& notes)
{
    const auto name = biasName(graph, layer);
    if (!layer.bias.valid() && !plan.find(name))
        addQuantizer(graph, plan, layer);
    if (const auto* quantizer = plan.find(name)) {
        if (const auto clipped = clip(quantizer->encoding, values.as<float>()); clipped > 0)
            notes.push_back("layer '" + layer.name + "': the corrected bias does not fit int"
                + std::to_string(quantizer->encoding.bits()) + " on " + std::to_string(clipped)
                + (clipped == 1 ? " channel" : " channels") + " and is clipped there");
    }
    auto shared = std::make_shared<const Tensor>(std::move(values));
    if (layer.bias.valid())
        plan.setConstant(name, std::move(shared));
    else
        plan.setAddedBias(layer.name, std::move(shared));
}

} // namespace quantoscope::planning
