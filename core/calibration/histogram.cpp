// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "core/calibration/stats.h"

namespace quantoscope::calibration {

namespace {

std::int64_t binOf(float value, int exponent)
{
    return static_cast<std::int64_t>(std::floor(std::ldexp(static_cast<double>(value), -exponent)));
}

struct FiniteRange {
    float low = 0; ///< at most 0
    float high = 0; ///< at least 0
};

/// Zero and all finite values.
FiniteRange finiteRange(std::span<const float> values)
{
    constexpr float largest = std::numeric_limits<float>::max();
    FiniteRange range;
    for (const float value : values) {
        // A comparison with NaN is false, and infinities fail the second one.
        range.low = value < range.low && value >= -largest ? value : range.low;
        range.high = value > range.high && value <= largest ? value : range.high;
    }
    return range;
}

} // namespace

double Histogram::binWidth() const { return m_total == m_zeros ? 0 : std::ldexp(1.0, m_exponent); }

double Histogram::low() const
{
    const auto used = std::ranges::find_if(m_counts, [](std::uint64_t n) { return n > 0; });
    return used == m_counts.end() ? 0 : static_cast<double>(m_first + (used - m_counts.begin())) * binWidth();
}

double Histogram::high() const
{
    const auto used = std::find_if(m_counts.rbegin(), m_counts.rend(), [](std::uint64_t n) { return n > 0; });
    return used == m_counts.rend() ? 0 : static_cast<double>(m_first + (m_counts.rend() - used)) * binWidth();
}

void Histogram::grow(int exponent)
{
    const int shift = exponent - m_exponent;
    m_exponent = exponent;
    if (shift == 0 || m_counts.empty())
        return;
    // An arithmetic shift rounds towards minus infinity, which is what joining [i w, (i+1) w) needs.
    const auto joined = [shift](std::int64_t bin) { return shift < 63 ? bin >> shift : (bin < 0 ? -1 : 0); };
    const std::int64_t first = joined(m_first);
    const std::int64_t last = joined(m_first + std::ssize(m_counts) - 1);
    std::vector<std::uint64_t> counts(static_cast<std::size_t>(last - first + 1));
    for (std::size_t i = 0; i < m_counts.size(); ++i)
        counts[static_cast<std::size_t>(joined(m_first + static_cast<std::int64_t>(i)) - first)] += m_counts[i];
    m_counts = std::move(counts);
    m_first = first;
}

/// Makes room for bins first..last of the present width, joining bins until zero and all of them fit.
void Histogram::cover(std::int64_t first, std::int64_t last)
{
    if (!m_counts.empty()) {
        first = std::min(first, m_first);
        last = std::max(last, m_first + std::ssize(m_counts) - 1);
    }
    int exponent = m_exponent;
    while (std::max<std::int64_t>(last, 0) - std::min<std::int64_t>(first, 0) >= targetBins) {
        first >>= 1;
        last >>= 1;
        ++exponent;
    }
    grow(exponent);
    if (m_counts.empty()) {
        m_first = first;
        m_counts.assign(static_cast<std::size_t>(last - first + 1), 0);
        return;
    }
    if (first < m_first) {
        m_counts.insert(m_counts.begin(), static_cast<std::size_t>(m_first - first), 0);
        m_first = first;
    }
    m_counts.resize(std::max(m_counts.size(), static_cast<std::size_t>(last - m_first + 1)));
}

void Histogram::add(std::span<const float> values)
{
    const auto range = finiteRange(values);
    if (std::ranges::none_of(values, [](float value) { return std::isfinite(value); }))
        return;
    // Bin numbers at the finest width would overflow; this exponent is never above the one that is needed.
    const float extent = std::max(-range.low, range.high);
    const int enough = extent > 0 ? std::ilogb(extent) - 13 : minExponent;
    grow(std::max(m_exponent, enough));
    cover(binOf(range.low, m_exponent), binOf(range.high, m_exponent));
    count(values);
}

void Histogram::count(std::span<const float> values)
{
    const double inverseWidth = std::ldexp(1.0, -m_exponent);
    const auto first = static_cast<std::int32_t>(m_first);
    std::uint64_t* const counts = m_counts.data();
    std::uint64_t zeros = 0;
    std::uint64_t total = 0;
    for (const float value : values) {
        if (value == 0) { // so common after a ReLU that counting them one by one in memory would stall
            ++zeros;
            continue;
        }
        if (!std::isfinite(value))
            continue;
        const double scaled = static_cast<double>(value) * inverseWidth; // exact: a power of two
        auto bin = static_cast<std::int32_t>(scaled);
        bin -= scaled < bin ? 1 : 0;
        ++counts[bin - first];
        ++total;
    }
    if (zeros > 0)
        counts[-first] += zeros;
    m_zeros += zeros;
    m_total += total + zeros;
}

void Histogram::merge(const Histogram& other)
{
    if (other.m_total == 0)
        return;
    if (m_total == 0) {
        *this = other;
        return;
    }
    Histogram addend = other;
    const int exponent = std::max(m_exponent, addend.m_exponent);
    grow(exponent);
    addend.grow(exponent);
    cover(addend.m_first, addend.m_first + std::ssize(addend.m_counts) - 1);
    addend.grow(m_exponent);
    for (std::size_t i = 0; i < addend.m_counts.size(); ++i)
        m_counts[static_cast<std::size_t>(addend.m_first - m_first) + i] += addend.m_counts[i];
    m_total += addend.m_total;
    m_zeros += addend.m_zeros;
}

} // namespace quantoscope::calibration
