// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/sweep/sensitivity_units.h"

#include <algorithm>
#include <map>

#include "core/planning/placement.h"

namespace quantoscope::sweep {

namespace {

/// A pattern that matches this name and no other.
std::string literally(const std::string& name)
{
    std::string pattern;
    for (const char c : name) {
        if (std::string_view("*?[]\\").find(c) != std::string_view::npos)
            pattern += '\\';
        pattern += c;
    }
    return pattern;
}

} // namespace

std::vector<QuantizedUnit> findUnits(
    const graph::Graph& graph, quant::Scope scope, std::span<const std::string> floatOperators)
{
    std::vector<QuantizedUnit> units;
    std::map<std::string, std::size_t> known; // unit of every tensor that may be shared with
    for (const auto& slot : planning::placeQuantizers(graph, scope, floatOperators)) {
        if (slot.role == quant::Role::Bias)
            continue;
        const auto shared = known.find(slot.sharesWith);
        const std::size_t at = shared == known.end() ? units.size() : shared->second;
        known.emplace(slot.tensor, at);
        if (at == units.size())
            units.push_back({ {}, slot.role, {}, {} });
        QuantizedUnit& unit = units[at];
        if (slot.role == quant::Role::Activation)
            unit.role = slot.role; // an activation may share with a constant that comes first
        unit.tensors.push_back(slot.tensor);
        for (const auto& layer : slot.layers)
            if (std::ranges::find(unit.layers, layer) == unit.layers.end())
                unit.layers.push_back(layer);
    }
    std::erase_if(units, [](const QuantizedUnit& unit) {
        return unit.layers.empty() || (unit.role != quant::Role::Weight && unit.role != quant::Role::Activation);
    });
    for (auto& unit : units)
        unit.name = unit.layers.front();
    return units;
}

Bits bitsOf(const quant::QuantizationPlan& plan, const QuantizedUnit& unit)
{
    const auto* quantizer = plan.find(unit.tensors.front());
    return quantizer ? Bits(quantizer->config.bits) : Bits();
}

quant::QuantizationPlan onlyUnit(const quant::QuantizationPlan& plan, const QuantizedUnit& unit)
{
    quant::QuantizationPlan alone;
    alone.scope = plan.scope;
    alone.seed = plan.seed;
    alone.equalized = plan.equalized;
    alone.channelFactors = plan.channelFactors;
    alone.title = quant::toString(unit.role) + " of " + unit.name + " alone at " + toString(bitsOf(plan, unit));
    for (const auto& tensor : unit.tensors) {
        if (const auto* quantizer = plan.find(tensor))
            alone.set(tensor, *quantizer);
        if (const auto constant = plan.constants().find(tensor); constant != plan.constants().end())
            alone.setConstant(tensor, constant->second);
    }
    return alone;
}

std::vector<planning::LayerOverride> overridesFor(const QuantizedUnit& unit, Bits bits)
{
    std::vector<planning::LayerOverride> overrides;
    for (const auto& layer : unit.layers) {
        planning::LayerOverride change { literally(layer) };
        (unit.role == quant::Role::Weight ? change.weights : change.activations).bits = bits;
        overrides.push_back(std::move(change));
    }
    return overrides;
}

} // namespace quantoscope::sweep
