// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace quantoscope::sweep {

/// Something with a price and a harm; less of both is better.
struct Tradeoff {
    double cost = 0;
    double damage = 0;
};

/// Whether `a` is at least as good as `b` in both and better in one.
bool dominates(const Tradeoff& a, const Tradeoff& b);

/// The indices of those that none other dominates, by rising cost; of equal ones the first alone.
std::vector<std::size_t> paretoFront(std::span<const Tradeoff> all);

} // namespace quantoscope::sweep
