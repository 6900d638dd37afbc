// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/flow/plan_patch.h"

#include <algorithm>
#include <cassert>
#include <map>
#include <set>

#include "core/graph/layers.h"

namespace quantoscope::flow {

namespace {

using quant::QuantizationPlan;

graph::TensorPtr constantOf(const QuantizationPlan::Constants& constants, const std::string& name)
{
    const auto found = constants.find(name);
    return found == constants.end() ? nullptr : found->second;
}

bool sameElements(const graph::TensorPtr& a, const graph::TensorPtr& b)
{
    if (a == b || !a || !b)
        return a == b;
    return a->shape() == b->shape() && std::ranges::equal(a->as<float>(), b->as<float>());
}

bool sameQuantizer(const quant::TensorQuantizer* a, const quant::TensorQuantizer* b)
{
    return a && b ? *a == *b : a == b;
}

} // namespace

PlanPatch::PlanPatch(const graph::Graph& graph, const QuantizationPlan& before, const QuantizationPlan& after)
    : m_before(before)
    , m_after(after)
    , m_parts(partsByLayer(graph))
{
    if (coversAll(m_parts))
        return;
    Part all;
    for (auto& part : m_parts) {
        all.layers.insert(all.layers.end(), part.layers.begin(), part.layers.end());
    }
    m_parts = { std::move(all) };
}

/// Quantizers and constants; a name stands for both.
bool PlanPatch::differs(const std::string& tensor) const
{
    return !sameQuantizer(m_before.find(tensor), m_after.find(tensor))
        || !sameElements(constantOf(m_before.constants(), tensor), constantOf(m_after.constants(), tensor));
}

std::vector<PlanPatch::Part> PlanPatch::partsByLayer(const graph::Graph& graph) const
{
    std::vector<Part> parts;
    std::map<std::string, std::size_t> owner; // part of every tensor met
    for (const auto& layer : graph::computeLayers(graph)) {
        std::vector<std::string> own { quant::addedBiasName(layer.name) };
        for (const auto value : { layer.weight, layer.bias })
            if (value.valid())
                own.push_back(graph.value(value).name);
        const auto shared = std::ranges::find_if(own, [&](const auto& name) { return owner.contains(name); });
        const std::size_t part = shared == own.end() ? parts.size() : owner.at(*shared);
        if (part == parts.size())
            parts.emplace_back();
        parts[part].layers.push_back(layer.name);
        for (const auto& name : own)
            if (owner.emplace(name, part).second && differs(name))
                parts[part].tensors.push_back(name);
        if (!sameElements(constantOf(m_before.addedBiases(), layer.name), constantOf(m_after.addedBiases(), layer.name))
            && std::ranges::find(parts[part].tensors, own.front()) == parts[part].tensors.end())
            parts[part].tensors.push_back(own.front());
    }
    std::erase_if(parts, [](const Part& part) { return part.tensors.empty(); });
    return parts;
}

bool PlanPatch::coversAll(const std::vector<Part>& parts) const
{
    std::set<std::string, std::less<>> covered;
    for (const auto& part : parts)
        covered.insert(part.tensors.begin(), part.tensors.end());
    const auto known = [&](const auto& entry) { return covered.contains(entry.first) || !differs(entry.first); };
    return std::ranges::all_of(m_before.tensors(), known) && std::ranges::all_of(m_after.tensors(), known)
        && std::ranges::all_of(m_after.constants(), known);
}

QuantizationPlan PlanPatch::apply(const std::vector<bool>& keep) const
{
    assert(keep.size() == m_parts.size());
    if (std::ranges::all_of(keep, [](bool k) { return k; }))
        return m_after;
    QuantizationPlan plan = m_before;
    for (std::size_t i = 0; i < m_parts.size(); ++i) {
        if (!keep[i])
            continue;
        for (const auto& name : m_parts[i].tensors) {
            if (const auto* quantizer = m_after.find(name))
                plan.set(name, *quantizer);
            else
                plan.erase(name);
            if (const auto constant = constantOf(m_after.constants(), name))
                plan.setConstant(name, constant);
        }
        for (const auto& layer : m_parts[i].layers)
            if (const auto bias = constantOf(m_after.addedBiases(), layer))
                plan.setAddedBias(layer, bias);
    }
    return plan;
}

} // namespace quantoscope::flow
