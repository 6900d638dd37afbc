// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/sweep/knapsack.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstdint>
#include <limits>

namespace quantoscope::sweep {

namespace {

constexpr double infinite = std::numeric_limits<double>::infinity();

/// One way along the lower convex hull of a group: `cost` more buys `gain` less damage.
struct HullStep {
    double cost = 0;
    double gain = 0;
    std::size_t group = 0;
    std::size_t choice = 0; ///< where the step leads

    double slope() const { return gain / cost; }
};

/// The choices of a group on its lower convex hull, from the cheapest on.
std::vector<std::size_t> hullOf(const std::vector<Tradeoff>& choices)
{
    std::vector<std::size_t> hull;
    const auto cross = [&](std::size_t o, std::size_t a, std::size_t b) {
        return (choices[a].cost - choices[o].cost) * (choices[b].damage - choices[o].damage)
            - (choices[a].damage - choices[o].damage) * (choices[b].cost - choices[o].cost);
    };
    for (const std::size_t i : paretoFront(choices)) {
        while (hull.size() >= 2 && cross(hull[hull.size() - 2], hull.back(), i) <= 0)
            hull.pop_back();
        hull.push_back(i);
    }
    return hull;
}

/// The linear relaxation of the groups from some group on: start with the cheapest of each, take steps by falling slope
/// while the money lasts, the last one in part.
class Relaxation {
public:
    explicit Relaxation(const ChoiceGroups& groups)
    {
        for (std::size_t g = 0; g < groups.size(); ++g) {
            const auto hull = hullOf(groups[g]);
            m_cheapest.push_back(hull.front());
            for (std::size_t k = 1; k < hull.size(); ++k)
                m_steps.push_back({ groups[g][hull[k]].cost - groups[g][hull[k - 1]].cost,
                    groups[g][hull[k - 1]].damage - groups[g][hull[k]].damage, g, hull[k] });
        }
        std::ranges::stable_sort(m_steps, [](const auto& a, const auto& b) { return a.slope() > b.slope(); });
        buildTails(groups);
    }

    double leastCost(std::size_t from) const { return m_tails[from].cost; }

    /// Lower bound on the damage of groups `from`.. with `money` to spend on them; infinite if there is too little.
    double bound(std::size_t from, double money) const
    {
        const Tail& tail = m_tails[from];
        const double rest = money - tail.cost;
        if (rest < 0)
            return infinite;
        // The last sum of costs that can be paid in full.
        const auto next = std::upper_bound(tail.costs.begin(), tail.costs.end(), rest);
        const auto taken = static_cast<std::size_t>(next - tail.costs.begin());
        const double paid = taken == 0 ? 0 : tail.costs[taken - 1];
        const double gained = taken == 0 ? 0 : tail.gains[taken - 1];
        const double part
            = taken < tail.costs.size() ? (rest - paid) / (tail.costs[taken] - paid) * (tail.gains[taken] - gained) : 0;
        return tail.damage - gained - part;
    }

    /// A solution: steps by falling slope, those left out that cannot be paid.
    std::vector<std::size_t> greedy(const ChoiceGroups& groups, double budget) const
    {
        std::vector<std::size_t> chosen = m_cheapest;
        double cost = leastCost(0);
        for (const auto& step : m_steps) {
            const double more = groups[step.group][step.choice].cost - groups[step.group][chosen[step.group]].cost;
            if (more <= 0 || cost + more > budget)
                continue;
            cost += more;
            chosen[step.group] = step.choice;
        }
        return chosen;
    }

private:
    /// Groups from one on: their cheapest choices, and running sums over the steps that are theirs.
    struct Tail {
        double cost = 0;
        double damage = 0;
        std::vector<double> costs;
        std::vector<double> gains;
    };

    void buildTails(const ChoiceGroups& groups)
    {
        m_tails.resize(groups.size() + 1);
        for (std::size_t from = groups.size(); from-- > 0;) {
            Tail& tail = m_tails[from];
            tail.cost = m_tails[from + 1].cost + groups[from][m_cheapest[from]].cost;
            tail.damage = m_tails[from + 1].damage + groups[from][m_cheapest[from]].damage;
            double cost = 0;
            double gain = 0;
            for (const auto& step : m_steps)
                if (step.group >= from) {
                    tail.costs.push_back(cost += step.cost);
                    tail.gains.push_back(gain += step.gain);
                }
        }
    }

    std::vector<std::size_t> m_cheapest;
    std::vector<HullStep> m_steps; ///< by falling slope
    std::vector<Tail> m_tails;
};

/// The last choice of a state, and which state of the groups before it goes on from.
struct Link {
    std::uint32_t before = 0;
    std::uint32_t choice = 0;
};

/// A choice for each of the first groups.
struct State {
    double cost = 0;
    double damage = 0;
    double bound = 0; ///< on the damage of whatever it leads to
    Link link;
};

Tradeoff costOf(const ChoiceGroups& groups, const std::vector<std::size_t>& chosen)
{
    Tradeoff sum;
    for (std::size_t g = 0; g < groups.size(); ++g) {
        sum.cost += groups[g][chosen[g]].cost;
        sum.damage += groups[g][chosen[g]].damage;
    }
    return sum;
}

/// Rounding of sums must neither cut off the best nor refuse what costs exactly the budget.
double tolerance(double value) { return 1e-12 * std::abs(value); }

class Search {
public:
    Search(const ChoiceGroups& groups, double budget, std::size_t mostStates)
        : m_groups(groups)
        , m_budget(budget + tolerance(budget))
        , m_mostStates(mostStates)
        , m_relaxation(groups)
    {
    }

    std::optional<KnapsackSolution> run()
    {
        if (m_relaxation.leastCost(0) > m_budget)
            return std::nullopt;
        KnapsackSolution best;
        best.chosen = m_relaxation.greedy(m_groups, m_budget);
        best.damage = m_incumbent = costOf(m_groups, best.chosen).damage;
        std::vector<State> states(1);
        for (std::size_t group = 0; group < m_groups.size() && !states.empty(); ++group)
            states = extend(states, group);
        if (!states.empty()) {
            const auto found = std::ranges::min_element(states, {}, &State::damage);
            if (found->damage < best.damage)
                best.chosen = chainOf(*found);
        }
        const auto sum = costOf(m_groups, best.chosen);
        best.cost = sum.cost;
        best.damage = sum.damage;
        best.bound = std::min(best.damage, m_lostBound);
        best.exact = best.bound >= best.damage - tolerance(best.damage);
        if (best.exact)
            best.bound = best.damage;
        return best;
    }

private:
    /// Every state with every choice of the next group, less what is dominated or cannot become the best.
    std::vector<State> extend(const std::vector<State>& states, std::size_t group)
    {
        std::vector<State> all;
        for (std::uint32_t s = 0; s < states.size(); ++s)
            for (std::uint32_t c = 0; c < m_groups[group].size(); ++c) {
                const auto& choice = m_groups[group][c];
                State next { states[s].cost + choice.cost, states[s].damage + choice.damage, 0, { s, c } };
                next.bound = next.damage + m_relaxation.bound(group + 1, m_budget - next.cost);
                if (next.bound <= m_incumbent + tolerance(m_incumbent))
                    all.push_back(next);
            }
        std::ranges::stable_sort(all,
            [](const State& a, const State& b) { return a.cost != b.cost ? a.cost < b.cost : a.damage < b.damage; });
        std::vector<State> front;
        for (const auto& state : all)
            if (front.empty() || state.damage < front.back().damage)
                front.push_back(state);
        if (front.size() > m_mostStates)
            prune(front);
        m_history.emplace_back();
        for (const auto& state : front)
            m_history.back().push_back(state.link);
        return front;
    }

    void prune(std::vector<State>& states)
    {
        std::ranges::stable_sort(states, {}, &State::bound);
        m_lostBound = std::min(m_lostBound, states[m_mostStates].bound);
        states.resize(m_mostStates);
        std::ranges::stable_sort(states, {}, &State::cost);
    }

    std::vector<std::size_t> chainOf(const State& last) const
    {
        std::vector<std::size_t> chosen(m_groups.size());
        Link link = last.link;
        for (std::size_t group = m_groups.size(); group-- > 0;) {
            chosen[group] = link.choice;
            if (group > 0)
                link = m_history[group - 1][link.before];
        }
        return chosen;
    }

    const ChoiceGroups& m_groups;
    double m_budget;
    std::size_t m_mostStates;
    Relaxation m_relaxation;
    double m_incumbent = infinite;
    double m_lostBound = infinite; ///< least bound of the states given up
    std::vector<std::vector<Link>> m_history; ///< of the states after each group
};

} // namespace

std::optional<KnapsackSolution> solveKnapsack(const ChoiceGroups& groups, double budget, std::size_t mostStates)
{
    assert(std::ranges::none_of(groups, [](const auto& group) { return group.empty(); }) && mostStates > 0);
    return Search(groups, budget, mostStates).run();
}

double relaxedDamage(const ChoiceGroups& groups, double budget) { return Relaxation(groups).bound(0, budget); }

} // namespace quantoscope::sweep
