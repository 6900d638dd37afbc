// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/sweep/search_groups.h"

#include <algorithm>
#include <cassert>
#include <numeric>
#include <string>

namespace quantoscope::sweep {

namespace {

constexpr std::size_t mostCombinations = 2500; // of activations in one group: four of seven word-lengths

/// Representative of a set in a forest of parents.
std::size_t rootOf(std::vector<std::size_t>& parents, std::size_t i)
{
    while (parents[i] != i)
        i = parents[i] = parents[parents[i]];
    return i;
}

/// Word-lengths that all of some units may have.
std::vector<int> common(const std::vector<std::vector<int>>& candidates, const std::vector<std::size_t>& units)
{
    std::vector<int> shared = candidates[units.front()];
    for (const std::size_t unit : units)
        std::erase_if(
            shared, [&](int bits) { return std::ranges::find(candidates[unit], bits) == candidates[unit].end(); });
    return shared;
}

} // namespace

AssignmentProblem::AssignmentProblem(
    const std::vector<QuantizedUnit>& units, std::vector<std::vector<int>> candidates, const PriceFunction& price)
    : m_candidates(std::move(candidates))
{
    assert(m_candidates.size() == units.size());
    Assignment least;
    for (const auto& list : m_candidates)
        least.push_back(list.front());
    m_leastPrice = price(least);
    connect(units);
    for (auto& group : m_groups) {
        combine(group);
        priceGroup(group, price);
    }
}

/// Groups in the order of their first unit.
void AssignmentProblem::connect(const std::vector<QuantizedUnit>& units)
{
    std::vector<std::size_t> parents(units.size());
    std::iota(parents.begin(), parents.end(), 0);
    std::map<std::string, std::size_t> readers; // a unit that each layer reads
    for (std::size_t unit = 0; unit < units.size(); ++unit)
        for (const auto& layer : units[unit].layers)
            if (const auto [known, isNew] = readers.emplace(layer, unit); !isNew)
                parents[rootOf(parents, unit)] = rootOf(parents, known->second);
    std::map<std::size_t, std::size_t> groupOf;
    for (std::size_t unit = 0; unit < units.size(); ++unit) {
        const auto [known, isNew] = groupOf.emplace(rootOf(parents, unit), m_groups.size());
        if (isNew)
            m_groups.emplace_back();
        Group& group = m_groups[known->second];
        (units[unit].role == quant::Role::Weight ? group.weights : group.activations).push_back(unit);
    }
}

/// Every choice of word-lengths for the activations of a group.
void AssignmentProblem::combine(Group& group)
{
    double all = 1;
    for (const std::size_t unit : group.activations)
        all *= static_cast<double>(m_candidates[unit].size());
    const auto shared = group.activations.empty() ? std::vector<int> {} : common(m_candidates, group.activations);
    if (all > static_cast<double>(mostCombinations) && !shared.empty()) {
        m_free = false;
        for (const int bits : shared)
            group.combinations.push_back({ std::vector<int>(group.activations.size(), bits), 0, {} });
        return;
    }
    group.combinations.push_back({});
    for (const std::size_t unit : group.activations) {
        std::vector<Combination> longer;
        for (const auto& combination : group.combinations)
            for (const int bits : m_candidates[unit]) {
                longer.push_back(combination);
                longer.back().activationBits.push_back(bits);
            }
        group.combinations = std::move(longer);
    }
}

void AssignmentProblem::priceGroup(Group& group, const PriceFunction& price)
{
    Assignment assignment;
    for (const auto& list : m_candidates)
        assignment.push_back(list.front());
    for (auto& combination : group.combinations) {
        for (std::size_t i = 0; i < group.activations.size(); ++i)
            assignment[group.activations[i]] = combination.activationBits[i];
        const double base = price(assignment);
        combination.price = base - m_leastPrice;
        for (const std::size_t unit : group.weights) {
            auto& prices = combination.weightPrices.emplace_back();
            for (const int bits : m_candidates[unit]) {
                assignment[unit] = bits;
                prices.push_back(price(assignment) - base);
            }
            assignment[unit] = m_candidates[unit].front();
        }
    }
}

std::vector<AssignmentProblem::GroupChoice> AssignmentProblem::choicesOf(
    const Group& group, const DamageTable& damage) const
{
    const auto onFront = [](std::vector<GroupChoice> choices) {
        std::vector<Tradeoff> values;
        for (const auto& choice : choices)
            values.push_back(choice.value);
        std::vector<GroupChoice> kept;
        for (const std::size_t i : paretoFront(values))
            kept.push_back(std::move(choices[i]));
        return kept;
    };
    std::vector<GroupChoice> all;
    for (const auto& combination : group.combinations) {
        GroupChoice start { { combination.price, 0 }, combination.activationBits };
        bool allowed = true;
        for (std::size_t i = 0; i < group.activations.size() && allowed; ++i) {
            const auto& harms = damage[group.activations[i]];
            const auto harm = harms.find(combination.activationBits[i]);
            allowed = harm != harms.end();
            start.value.damage += allowed ? harm->second : 0;
        }
        if (!allowed)
            continue;
        // With the activations fixed, weights add up: one after the other, only what is on the front goes on.
        std::vector<GroupChoice> partial { start };
        for (std::size_t w = 0; w < group.weights.size(); ++w) {
            std::vector<GroupChoice> longer;
            const auto& candidates = m_candidates[group.weights[w]];
            for (const auto& choice : partial)
                for (std::size_t c = 0; c < candidates.size(); ++c) {
                    const auto harm = damage[group.weights[w]].find(candidates[c]);
                    if (harm == damage[group.weights[w]].end())
                        continue;
                    longer.push_back(choice);
                    longer.back().value.cost += combination.weightPrices[w][c];
                    longer.back().value.damage += harm->second;
                    longer.back().bits.push_back(candidates[c]);
                }
            partial = onFront(std::move(longer));
        }
        std::ranges::move(partial, std::back_inserter(all));
    }
    return onFront(std::move(all));
}

std::optional<AssignmentSolution> AssignmentProblem::solve(const DamageTable& damage, double budget) const
{
    assert(damage.size() == m_candidates.size());
    std::vector<std::vector<GroupChoice>> choices;
    ChoiceGroups values;
    for (const auto& group : m_groups) {
        choices.push_back(choicesOf(group, damage));
        if (choices.back().empty())
            return std::nullopt;
        values.emplace_back();
        for (const auto& choice : choices.back())
            values.back().push_back(choice.value);
    }
    const auto found = solveKnapsack(values, budget - m_leastPrice);
    if (!found)
        return std::nullopt;
    AssignmentSolution solution { Assignment(m_candidates.size()), m_leastPrice + found->cost, found->damage,
        found->bound, found->exact };
    for (std::size_t g = 0; g < m_groups.size(); ++g) {
        const auto& bits = choices[g][found->chosen[g]].bits;
        const auto& group = m_groups[g];
        for (std::size_t i = 0; i < group.activations.size(); ++i)
            solution.assignment[group.activations[i]] = bits[i];
        for (std::size_t i = 0; i < group.weights.size(); ++i)
            solution.assignment[group.weights[i]] = bits[group.activations.size() + i];
    }
    return solution;
}

} // namespace quantoscope::sweep
