// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "core/sweep/pareto.h"

namespace quantoscope::sweep {

/// Of each group one choice is to be taken so that the damages add up to least and the costs to no more than a budget:
/// the multiple-choice knapsack problem.
using ChoiceGroups = std::vector<std::vector<Tradeoff>>; ///< no group is empty; costs and damages are finite

struct KnapsackSolution {
    std::vector<std::size_t> chosen; ///< of each group
    double cost = 0;
    double damage = 0;
    double bound = 0; ///< no solution has less damage; equal to `damage` if exact
    bool exact = true; ///< proven best
};

/// Solves it by merging the Pareto fronts of one group after the other (Nemhauser and Ullmann 1969), where whatever
/// cannot come below the best solution known, by the bound of the linear relaxation (Sinha and Zoltners 1979), is left
/// out. If more than `mostStates` partial solutions are left after a group, those of the least bounds are kept; then
/// the result is the best found, `exact` is false unless the bound shows it is best, and `bound` holds all the same.
/// Empty if even the cheapest choices cost more than the budget. Deterministic.
std::optional<KnapsackSolution> solveKnapsack(
    const ChoiceGroups& groups, double budget, std::size_t mostStates = 200'000);

/// The least damage of the linear relaxation, in which choices of one group may be mixed: a lower bound. Infinite if
/// nothing fits.
double relaxedDamage(const ChoiceGroups& groups, double budget);

} // namespace quantoscope::sweep
