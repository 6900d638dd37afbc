// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/calibration/tails.h"

#include <algorithm>
#include <cassert>
#include <functional>
#include <utility>

namespace quantoscope::calibration {

namespace {

/// Sorts the best `Tails::capacity` to the front and drops the others.
template <typename Order> void keepBest(std::vector<float>& values, Order before)
{
    if (values.size() > Tails::capacity) {
        std::nth_element(values.begin(), values.begin() + (Tails::capacity - 1), values.end(), before);
        values.resize(Tails::capacity);
    }
    std::ranges::sort(values, before);
}

/// Takes over whatever comes before the worst value kept so far; `best` is the extreme of `values` in that order.
template <typename Order> void take(std::vector<float>& kept, std::span<const float> values, float best, Order before)
{
    constexpr std::size_t slack = 4 * Tails::capacity;
    if (kept.size() >= Tails::capacity && !before(best, kept.back()))
        return;
    std::size_t sorted = kept.size();
    for (const float value : values) {
        if (sorted >= Tails::capacity && !before(value, kept[Tails::capacity - 1]))
            continue;
        kept.push_back(value + 0.0F); // one zero: which of -0 and 0 is kept must not depend on the order
        if (kept.size() >= slack) {
            keepBest(kept, before);
            sorted = kept.size();
        }
    }
    keepBest(kept, before);
    kept.shrink_to_fit();
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
