// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/evaluation/plan_comparison.h"

#include <algorithm>
#include <utility>

#include "core/evaluation/evaluator.h"
#include "core/graph/layers.h"

namespace quantoscope::evaluation {

using quant::Encoding;
using quant::Role;

namespace {

/// Both stand for the same real numbers.
bool sameValues(const Encoding& a, const Encoding& b)
{
    if (a.scale != b.scale || a.axis != b.axis || a.rounding != b.rounding)
        return false;
    for (std::size_t c = 0; c < a.scale.size(); ++c)
        if (a.qmin - a.zeroPoint[c] != b.qmin - b.zeroPoint[c] || a.qmax - a.zeroPoint[c] != b.qmax - b.zeroPoint[c])
            return false;
    return true;
}

/// The plan's tensors in the order in which the network computes, constants beside what reads them.
std::vector<std::string> tensorsInOrder(const PlannedNetwork& network)
{
    std::vector<std::string> names;
    const auto add = [&](graph::ValueId id) {
        if (!id.valid())
            return;
        const auto& name = network.graph.value(id).name;
        if (network.plan.find(name) && std::ranges::find(names, name) == names.end())
            names.push_back(name);
    };
    std::ranges::for_each(network.graph.inputs(), add);
    if (const auto order = network.graph.topologicalOrder())
        for (const auto node : *order) {
            std::ranges::for_each(network.graph.node(node).inputs, add);
            std::ranges::for_each(network.graph.node(node).outputs, add);
        }
    for (const auto& [name, quantizer] : network.plan.tensors())
        if (std::ranges::find(names, name) == names.end())
            names.push_back(name); // of biases that the plan adds
    return names;
}

std::optional<PlannedTensor> sideOf(const PlannedNetwork& network, const std::string& tensor)
{
    const auto* quantizer = network.plan.find(tensor);
    if (!quantizer)
        return std::nullopt;
    const auto sqnr = network.sqnr.find(tensor);
    return PlannedTensor { *quantizer, sqnr == network.sqnr.end() ? std::nullopt : std::optional(sqnr->second) };
}

/// Names of both sides, those of `b` alone at the end.
std::vector<std::string> joined(std::vector<std::string> a, const std::vector<std::string>& b)
{
    for (const auto& name : b)
        if (std::ranges::find(a, name) == a.end())
            a.push_back(name);
    return a;
}

void addReaders(const graph::Graph& graph, std::map<std::string, std::vector<std::string>>& readers)
{
    for (const auto& layer : graph::computeLayers(graph))
        for (const auto value : graph.node(layer.node).inputs) {
            if (!value.valid())
                continue;
            auto& list = readers[graph.value(value).name];
            if (std::ranges::find(list, layer.name) == list.end())
                list.push_back(layer.name);
        }
}

std::optional<cost::LayerCost> costOf(const cost::Cost& cost, const std::string& layer)
{
    const auto it = std::ranges::find(cost.layers, layer, &cost::LayerCost::layer);
    return it == cost.layers.end() ? std::nullopt : std::optional(*it);
}

std::vector<LayerPair> pairLayers(const PlannedNetwork& a, const PlannedNetwork& b, const PlanComparison& comparison)
{
    std::vector<LayerPair> pairs;
    for (const auto* network : { &a, &b })
        for (const auto& layer : graph::computeLayers(network->graph)) {
            if (std::ranges::find(pairs, layer.name, &LayerPair::layer) != pairs.end())
                continue;
            const auto nameOf = [&](graph::ValueId id) { return id.valid() ? network->graph.value(id).name : ""; };
            pairs.push_back({ layer.name, costOf(comparison.costA, layer.name), costOf(comparison.costB, layer.name),
                nameOf(layer.weight), nameOf(layer.input) });
        }
    return pairs;
}

} // namespace

bool TensorPair::same() const
{
    return a.has_value() == b.has_value()
        && (!a || a->quantizer.encoding == b->quantizer.encoding
            || sameValues(a->quantizer.encoding, b->quantizer.encoding));
}

Result<TensorSqnr> tensorSqnr(const graph::Graph& graph, const quant::QuantizationPlan& plan,
    const dataset::SampleSet* samples, const base::Job& job)
{
    TensorSqnr sqnr;
    if (samples) {
        QS_TRY(const auto errors, compareLayers(graph, plan, *samples, {}, job));
        for (const auto& error : errors)
            sqnr.emplace(error.name, error.sqnrDb);
        return sqnr;
    }
    QS_TRY(const auto corrected, quant::correctedGraph(graph, plan));
    for (const auto& [name, quantizer] : plan.tensors()) {
        const auto original = graph.find(name);
        if (!original || !graph.isConstant(*original))
            continue;
        const auto values = quant::fakeQuantize(
            quantizer.encoding, corrected.value(*corrected.find(name)).constant->view(), plan.seedFor(name));
        sqnr.emplace(
            name, quant::measureError(graph.value(*original).constant->as<float>(), values.as<float>()).sqnrDb());
    }
    return sqnr;
}

PlanComparison comparePlans(const PlannedNetwork& a, const PlannedNetwork& b)
{
    PlanComparison comparison;
    comparison.costA = cost::computeCost(a.graph, a.plan);
    comparison.costB = cost::computeCost(b.graph, b.plan);
    comparison.layers = pairLayers(a, b, comparison);
    std::map<std::string, std::vector<std::string>> readers;
    addReaders(a.graph, readers);
    addReaders(b.graph, readers);
    for (const auto& tensor : joined(tensorsInOrder(a), tensorsInOrder(b))) {
        TensorPair pair { tensor, {}, readers[tensor], sideOf(a, tensor), sideOf(b, tensor) };
        pair.role = (pair.a ? pair.a : pair.b)->quantizer.role;
        comparison.different += !pair.same();
        comparison.tensors.push_back(std::move(pair));
    }
    return comparison;
}

} // namespace quantoscope::evaluation
