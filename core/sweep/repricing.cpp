// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/sweep/repricing.h"

namespace quantoscope::sweep {

namespace {

/// A point is of the network as given unless corrections made it another; what it costs is known of its plan alone.
cost::Cost costOf(const graph::Graph& graph, const quant::PlanPtr& plan, const cost::EnergyModel& energy)
{
    auto cost = cost::computeCost(graph, plan ? *plan : quant::QuantizationPlan {}, energy);
    cost.layers.clear();
    return cost;
}

template <typename Points> void reprice(Points& points, const graph::Graph& graph, const cost::EnergyModel& energy)
{
    for (auto& point : points)
        point.cost = costOf(graph, point.plan, energy);
}

} // namespace

SweepResult repriced(SweepResult result, const graph::Graph& graph, const cost::EnergyModel& energy)
{
    reprice(result.points, graph, energy);
    return result;
}

OptionsStudy repriced(OptionsStudy study, const graph::Graph& graph, const cost::EnergyModel& energy)
{
    reprice(study.rows, graph, energy);
    return study;
}

SensitivityResult repriced(SensitivityResult result, const graph::Graph& graph, const cost::EnergyModel& energy)
{
    reprice(result.points, graph, energy);
    return result;
}

SearchResult repriced(SearchResult result, const graph::Graph& graph, const cost::EnergyModel& energy)
{
    if (result.price == Price::Energy)
        return result;
    reprice(result.points, graph, energy);
    result.floatCost = costOf(graph, nullptr, energy);
    return result;
}

} // namespace quantoscope::sweep
