// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/cost/cost.h"

#include <algorithm>

#include "core/cost/accumulator.h"
#include "core/cost/activation_storage.h"

namespace quantoscope::cost {

namespace {

constexpr int floatBits = 32;

int bitsOf(const quant::QuantizationPlan& plan, const std::string& tensor)
{
    const auto* quantizer = plan.find(tensor);
    return quantizer ? quantizer->encoding.bits() : floatBits;
}

int bitsOf(const graph::Graph& graph, const quant::QuantizationPlan& plan, graph::ValueId value)
{
    return value.valid() ? bitsOf(plan, graph.value(value).name) : floatBits;
}

double bytes(std::int64_t elements, int bits) { return static_cast<double>(elements) * bits / 8; }

std::int64_t elements(const graph::Graph& graph, graph::ValueId value)
{
    return graph.isConstant(value) ? graph.value(value).constant->size() : 0;
}

LayerCost costOf(const graph::Graph& graph, const quant::QuantizationPlan& plan, const EnergyModel& energy,
    const graph::Layer& layer)
{
    LayerCost cost;
    cost.layer = layer.name;
    cost.weightBits = bitsOf(graph, plan, layer.weight.valid() ? layer.weight : layer.secondInput);
    cost.activationBits = bitsOf(graph, plan, layer.input);
    cost.macs = layer.macs;
    cost.parameters = layer.parameters;
    cost.weightBytes = bytes(elements(graph, layer.weight), cost.weightBits)
        + bytes(elements(graph, layer.bias), bitsOf(graph, plan, layer.bias));
    if (const auto added = plan.addedBiases().find(layer.name); added != plan.addedBiases().end()) {
        cost.parameters += added->second->size();
        cost.weightBytes += bytes(added->second->size(), bitsOf(plan, quant::addedBiasName(layer.name)));
    }
    cost.bops = static_cast<double>(layer.macs) * cost.weightBits * cost.activationBits;
    cost.energyPj = static_cast<double>(layer.macs) * energy.perMac(cost.weightBits, cost.activationBits);
    cost.accumulatorBits = dataTypeBits(graph, plan, layer);
    return cost;
}

} // namespace

Cost computeCost(const graph::Graph& graph, const quant::QuantizationPlan& plan, const EnergyModel& energy)
{
    Cost cost;
    for (const auto& layer : graph::computeLayers(graph)) {
        cost.layers.push_back(costOf(graph, plan, energy, layer));
        const auto& own = cost.layers.back();
        cost.macs += own.macs;
        cost.bops += own.bops;
        cost.arithmeticPj += own.energyPj;
        cost.accumulatorBits = std::max(cost.accumulatorBits, own.accumulatorBits);
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
        cost.parameters += bias->size();
        cost.sizeBytes += bytes(bias->size(), bitsOf(plan, quant::addedBiasName(layer)));
    }
    const auto activations = activationStorage(graph, plan);
    cost.peakActivationBytes = activations.peakBytes;
    cost.memoryPj = 8 * cost.sizeBytes * energy.perWeightBit() + activations.movedBits * energy.perActivationBit();
    cost.energyPj = cost.arithmeticPj + cost.memoryPj;
    return cost;
}

} // namespace quantoscope::cost
