// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "core/sweep/knapsack.h"
#include "core/sweep/sensitivity_units.h"

namespace quantoscope::sweep {

/// Word-length of every unit, in the order of the units.
using Assignment = std::vector<int>;
/// Harm of every unit at each word-length that it may have.
using DamageTable = std::vector<std::map<int, double>>;
/// What an assignment costs.
using PriceFunction = std::function<double(const Assignment&)>;

struct AssignmentSolution {
    Assignment assignment;
    double price = 0;
    double damage = 0; ///< sum over units: an estimate
    double bound = 0; ///< no assignment within the budget has a smaller sum
    bool exact = true; ///< proven to have the least sum
};

/// Which word-lengths to give to units so that their harms add up to least within a budget. Units that a layer reads
/// together cost something together (a multiplication has two operands), so they are chosen together: a group of the
/// knapsack is a set of units connected by layers. Immutable.
class AssignmentProblem {
public:
    /// `candidates`: the word-lengths that each unit may have, not empty, ascending. `price` must be a sum over groups,
    /// and within a group over weights once the activations are chosen; it is asked here, not while solving.
    AssignmentProblem(
        const std::vector<QuantizedUnit>& units, std::vector<std::vector<int>> candidates, const PriceFunction& price);

    /// Word-lengths that `damage` has no entry for are not chosen. Empty if nothing fits the budget.
    std::optional<AssignmentSolution> solve(const DamageTable& damage, double budget) const;

    double leastPrice() const { return m_leastPrice; } ///< with every unit at its fewest bits
    const std::vector<std::vector<int>>& candidates() const { return m_candidates; }
    /// False: so many activations hang together in one group that they are given one word-length.
    bool activationsAreFree() const { return m_free; }

private:
    /// One choice of word-lengths for the activations of a group, and what it and each weight's word-length add to the
    /// least price.
    struct Combination {
        std::vector<int> activationBits;
        double price = 0;
        std::vector<std::vector<double>> weightPrices; ///< by weight of the group, then by candidate
    };
    struct Group {
        std::vector<std::size_t> activations; ///< units
        std::vector<std::size_t> weights;
        std::vector<Combination> combinations;
    };
    /// A choice for a whole group.
    struct GroupChoice {
        Tradeoff value;
        std::vector<int> bits; ///< activations, then weights
    };

    void connect(const std::vector<QuantizedUnit>& units);
    void combine(Group& group);
    void priceGroup(Group& group, const PriceFunction& price);
    std::vector<GroupChoice> choicesOf(const Group& group, const DamageTable& damage) const;

    std::vector<std::vector<int>> m_candidates;
    std::vector<Group> m_groups;
    double m_leastPrice = 0;
    bool m_free = true;
};

} // namespace quantoscope::sweep
