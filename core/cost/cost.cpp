// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/cost/cost.h"

#include <algorithm>

namespace quantoscope::cost {

namespace {

constexpr int floatBits = 32;

int bitsOf(const graph::Graph& graph, const quant::QuantizationPlan& plan, graph::ValueId value)
{
    if (!value.valid())
        return floatBits;
    const auto* quantizer = plan.find(graph.value(value).name);
    return quantizer ? quantizer->encoding.bits() : floatBits;
}

double bytes(std::int64_t elements, int bits) { return static_cast<double>(elements) * bits / 8; }

std::int64_t elements(const graph::Graph& graph, graph::ValueId value)
{
    return graph.isConstant(value) ? graph.value(value).constant->size() : 0;
}

LayerCost costOf(const graph::Graph& graph, const quant::QuantizationPlan& plan, const graph::Layer& layer)
{
    LayerCost cost;
    cost.layer = layer.name;
    cost.weightBits = bitsOf(graph, plan, layer.weight.valid() ? layer.weight : layer.secondInput);
    cost.activationBits = bitsOf(graph, plan, layer.input);
    cost.macs = layer.macs;
    cost.parameters = layer.parameters;
    cost.weightBytes
        = bytes(elements(graph, layer.weight), cost.weightBits) + bytes(elements(graph, layer.bias), floatBits);
    cost.bops = static_cast<double>(layer.macs) * cost.weightBits * cost.activationBits;
    cost.energyPj = static_cast<double>(layer.macs) * energyPerMac(cost.weightBits, cost.activationBits);
    return cost;
}

} // namespace

Cost computeCost(const graph::Graph& graph, const quant::QuantizationPlan& plan)
{
    Cost cost;
    for (const auto& layer : graph::computeLayers(graph)) {
        cost.layers.push_back(costOf(graph, plan, layer));
        cost.macs += cost.layers.back().macs;
        cost.bops += cost.layers.back().bops;
        cost.energyPj += cost.layers.back().energyPj;
    }
    // Every floating constant once, however many nodes share it.
    for (const auto id : graph.values()) {
        const auto& value = graph.value(id);
        if (!value.constant || !tensor::isFloating(value.constant->dtype()))
            continue;
        cost.parameters += value.constant->size();
        cost.sizeBytes += bytes(value.constant->size(), bitsOf(graph, plan, id));
    }
    for (const auto& [layer, bias] : plan.addedBiases()) {
        const auto* quantizer = plan.find(quant::addedBiasName(layer));
        cost.parameters += bias->size();
        cost.sizeBytes += bytes(bias->size(), quantizer ? quantizer->encoding.bits() : floatBits);
    }
    return cost;
}

double energyPerMac(int weightBits, int activationBits)
{
    const int bits = std::max(weightBits, activationBits);
    if (bits >= floatBits)
        return 3.7 + 0.9;
    const double multiply = 0.002994791667 * bits * bits + 0.001041666667 * bits;
    const double add = 0.003125 * 32;
    return multiply + add;
}

} // namespace quantoscope::cost
