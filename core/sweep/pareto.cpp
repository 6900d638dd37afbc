// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/sweep/pareto.h"

#include <algorithm>
#include <numeric>

namespace quantoscope::sweep {

bool dominates(const Tradeoff& a, const Tradeoff& b)
{
    return a.cost <= b.cost && a.damage <= b.damage && (a.cost < b.cost || a.damage < b.damage);
}

std::vector<std::size_t> paretoFront(std::span<const Tradeoff> all)
{
    std::vector<std::size_t> order(all.size());
    std::iota(order.begin(), order.end(), 0);
    std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) {
        return all[a].cost != all[b].cost ? all[a].cost < all[b].cost : all[a].damage < all[b].damage;
    });
    std::vector<std::size_t> front;
    for (const std::size_t i : order)
        if (front.empty() || all[i].damage < all[front.back()].damage)
            front.push_back(i);
    return front;
}

} // namespace quantoscope::sweep
