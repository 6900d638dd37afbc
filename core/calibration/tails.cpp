// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/calibration/tails.h"

#include <algorithm>
#include <cassert>
#include <functional>
#include <utility>

namespace quantoscope::calibration {

namespace {

/// Brings what follows the first `sorted` values into their order and drops what is too much. Mostly few follow.
template <typename Order> void settle(std::vector<float>& values, std::size_t sorted, Order before)
{
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(sorted);
    std::sort(middle, values.end(), before);
    std::inplace_merge(values.begin(), middle, values.end(), before);
    values.resize(std::min(values.size(), Tails::capacity));
}

/// Takes over whatever comes before the worst value kept so far; `best` is the extreme of `values` in that order.
template <typename Order> void take(std::vector<float>& kept, std::span<const float> values, float best, Order before)
{
    constexpr std::size_t slack = 4 * Tails::capacity;
    if (kept.size() == Tails::capacity && !before(best, kept.back()))
        return;
    std::size_t sorted = kept.size();
    for (const float value : values) {
        if (sorted == Tails::capacity && !before(value, kept[Tails::capacity - 1]))
            continue;
        kept.push_back(value + 0.0F); // one zero: which of -0 and 0 is kept must not depend on the order
        if (kept.size() >= slack) {
            settle(kept, sorted, before);
            sorted = kept.size();
        }
    }
    settle(kept, sorted, before);
}

} // namespace

void Tails::add(std::span<const float> values, float low, float high)
{
    take(m_lowest, values, low, std::less<> {});
    take(m_highest, values, high, std::greater<> {});
}

void Tails::merge(const Tails& other)
{
    if (other.m_lowest.empty())
        return;
    take(m_lowest, other.m_lowest, other.m_lowest.front(), std::less<> {});
    take(m_highest, other.m_highest, other.m_highest.front(), std::greater<> {});
}

Tails Tails::fromValues(std::vector<float> lowest, std::vector<float> highest)
{
    assert(lowest.size() <= capacity && std::ranges::is_sorted(lowest));
    assert(highest.size() <= capacity && std::ranges::is_sorted(highest, std::greater<> {}));
    Tails tails;
    tails.m_lowest = std::move(lowest);
    tails.m_highest = std::move(highest);
    return tails;
}

} // namespace quantoscope::calibration
