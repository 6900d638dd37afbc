// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/planning/plan_changes.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "core/planning/bias.h"
#include "core/planning/glob.h"

namespace quantoscope::planning {

namespace {

using quant::QuantizationPlan;
using quant::Role;
using quant::TensorQuantizer;

TensorWish wishOf(const TensorQuantizer& quantizer)
{
    const auto& config = quantizer.config;
    TensorWish wish;
    wish.bits = config.bits;
    wish.scheme = quant::schemeName(config);
    wish.perChannel = config.granularity.kind == quant::Granularity::Kind::PerChannel;
    wish.range = quantizer.range;
    wish.sign = config.signedness;
    // Symmetric weights are signed unless something else was asked for.
    if (quantizer.role == Role::Weight && config.symmetric && config.signedness == quant::Signedness::Signed)
        wish.sign = quant::Signedness::Auto;
    wish.narrow = config.narrowRange;
    wish.rounding = config.rounding;
    return wish;
}

/// What most tensors of a role have; the first in name order among equals.
std::optional<TensorWish> commonWish(const QuantizationPlan& plan, Role role)
{
    std::vector<std::pair<TensorWish, int>> counts;
    for (const auto& [name, quantizer] : plan.tensors()) {
        if (quantizer.role != role)
            continue;
        const TensorWish wish = wishOf(quantizer);
        const auto known = std::ranges::find(counts, wish, &std::pair<TensorWish, int>::first);
        if (known != counts.end())
            ++known->second;
        else
            counts.emplace_back(wish, 1);
    }
    const auto most = std::ranges::max_element(counts, {}, &std::pair<TensorWish, int>::second);
    return most == counts.end() ? std::nullopt : std::optional(most->first);
}

/// The widest of the plan's biases; 32 bits in a scope that has none, empty where they stayed float.
std::optional<int> biasBitsOf(const QuantizationPlan& plan)
{
    if (plan.scope != quant::Scope::Integer)
        return quant::maxBiasBits;
    std::optional<int> bits;
    for (const auto& [name, quantizer] : plan.tensors())
        if (quantizer.role == Role::Bias)
            bits = std::max(bits.value_or(0), quantizer.encoding.bits());
    return bits;
}

bool isNamed(const QuantizerSlot& slot, const PlanRequest& request)
{
    return std::ranges::any_of(request.overrides, [&](const LayerOverride& layer) {
        return !(slot.role == Role::Weight ? layer.weights : layer.activations).empty()
            && std::ranges::any_of(slot.layers, [&](const auto& name) { return globMatches(layer.pattern, name); });
    });
}

bool isChanged(const QuantizerSlot& slot, const PlanRequest& request, ChangedTensors changed)
{
    if (slot.role == Role::Bias)
        return false;
    return (slot.role == Role::Weight ? changed.weights : changed.activations) || isNamed(slot, request);
}

/// Slots that share an encoding are known by the tensor they share it with.
const std::string& groupOf(const QuantizerSlot& slot)
{
    return slot.sharesWith.empty() ? slot.tensor : slot.sharesWith;
}

void takeOver(QuantizationPlan& plan, const std::string& tensor, const QuantizationPlan& from)
{
    if (const auto* quantizer = from.find(tensor))
        plan.set(tensor, *quantizer);
    else
        plan.erase(tensor);
}

} // namespace

PlanRequest requestLike(const QuantizationPlan& plan)
{
    PlanRequest request;
    request.scope = plan.scope;
    request.seed = plan.seed;
    const auto adopt = [&](TensorWish& wish, Role role) {
        if (const auto common = commonWish(plan, role))
            wish = *common;
        else
            wish.bits.reset();
    };
    adopt(request.weights, Role::Weight);
    adopt(request.activations, Role::Activation);
    request.rounding = request.weights.rounding.value_or(request.activations.rounding.value_or(request.rounding));
    for (auto* wish : { &request.weights, &request.activations })
        if (wish->rounding == request.rounding)
            wish->rounding.reset();
    request.biasBits = biasBitsOf(plan);
    request.biasRoom = plan.biasRoom;
    request.floatOperators = plan.floatOperators;
    return request;
}

Result<BuiltPlan> changePlan(const graph::Graph& graph, const calibration::CalibrationStats* stats,
    const QuantizationPlan& saved, const PlanRequest& request, ChangedTensors changed)
{
    if (request.scope != saved.scope)
        return fail(ErrorCode::InvalidInput,
            "the plan has scope " + quant::toString(saved.scope) + ", asked for is " + quant::toString(request.scope),
            {}, "make a new plan for another scope");
    QS_TRY(auto built, buildPlan(graph, stats, request));
    const auto slots = placeQuantizers(graph, saved.scope, request.floatOperators);
    std::set<std::string> groups;
    for (const auto& slot : slots)
        if (isChanged(slot, request, changed))
            groups.insert(groupOf(slot));

    QuantizationPlan plan = saved;
    plan.biasRoom = request.biasRoom;
    plan.floatOperators = request.floatOperators;
    for (const auto& slot : slots) {
        if (slot.role == Role::Bias)
            plan.erase(slot.tensor);
        else if (groups.contains(groupOf(slot)))
            takeOver(plan, slot.tensor, built.plan);
    }
    built.biasRemedies = planBiases(
        graph, graph::computeLayers(graph), slots, { request.biasBits, request.biasRoom }, plan, built.notes);
    if (!groups.empty())
        plan.title += "; changed: " + request.describe();
    built.plan = std::move(plan);
    return built;
}

} // namespace quantoscope::planning
