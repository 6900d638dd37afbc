// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/calibration/histogram.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "core/calibration/value_loops.h"

namespace quantoscope::calibration {

namespace {

std::int64_t binOf(float value, int exponent)
{
    return static_cast<std::int64_t>(std::floor(std::ldexp(static_cast<double>(value), -exponent)));
}

/// Bin `bin` after neighbours were joined `shift` times. An arithmetic shift rounds towards minus infinity, which is
/// what joining [i w, (i+1) w) needs.
std::int64_t joined(std::int64_t bin, int shift) { return shift < 63 ? bin >> shift : (bin < 0 ? -1 : 0); }

/// Adds values to two tables in turn, as the next value often falls into the bin whose count is still on its way to
/// memory. Returns how many values are zero.
template <typename Count>
std::size_t countInto(
    std::span<const float> values, float inverseWidth, std::int64_t first, Count* evenCounts, Count* oddCounts)
{
    constexpr std::size_t chunk = 1024;
    std::array<std::int32_t, chunk> bins; // uninitialised on purpose: written before it is read
    std::size_t zeros = 0;
    for (std::size_t begin = 0; begin < values.size(); begin += chunk) {
        const std::size_t size = std::min(chunk, values.size() - begin);
        zeros
            += detail::binsOf(values.data() + begin, size, inverseWidth, static_cast<std::int32_t>(first), bins.data());
        std::size_t i = 0;
        for (; i + 2 <= size; i += 2) {
            ++evenCounts[bins[i]];
            ++oddCounts[bins[i + 1]];
        }
        if (i < size)
            ++evenCounts[bins[i]];
    }
    return zeros;
}

/// The same by way of tables that fit the fastest cache. At most 2^32 values.
std::size_t countByTables(
    std::span<const float> values, float inverseWidth, std::int64_t first, std::span<std::uint64_t> counts)
{
    std::array<std::uint32_t, Histogram::targetBins> even;
    std::array<std::uint32_t, Histogram::targetBins> odd;
    std::fill_n(even.begin(), counts.size(), 0);
    std::fill_n(odd.begin(), counts.size(), 0);
    const std::size_t zeros = countInto(values, inverseWidth, first, even.data(), odd.data());
    for (std::size_t i = 0; i < counts.size(); ++i)
        counts[i] += std::uint64_t { even[i] } + odd[i];
    return zeros;
}

} // namespace

Histogram::Histogram(int bins)
    : m_bins(bins)
{
    assert(bins >= 2 && bins <= targetBins && std::has_single_bit(static_cast<unsigned>(bins)));
}

Result<Histogram> Histogram::fromCounts(
    int bins, int exponent, std::int64_t firstBin, std::vector<std::uint64_t> counts, std::uint64_t zeros)
{
    const auto size = std::ssize(counts);
    const bool sound = bins >= 2 && bins <= targetBins && std::has_single_bit(static_cast<unsigned>(bins))
        && exponent >= minExponent && exponent <= std::numeric_limits<float>::max_exponent && size <= bins
        && (size == 0 ? firstBin == 0 && zeros == 0
                      : firstBin <= 0 && firstBin > -bins && firstBin + size > 0
                    && zeros <= counts[static_cast<std::size_t>(-firstBin)]);
    if (!sound)
        return fail(ErrorCode::InvalidInput,
            "a histogram of " + std::to_string(size) + " counts from bin " + std::to_string(firstBin) + " with "
                + std::to_string(zeros) + " zeros contradicts itself");
    Histogram histogram(bins);
    histogram.m_exponent = exponent;
    histogram.m_first = firstBin;
    histogram.m_total = std::accumulate(counts.begin(), counts.end(), std::uint64_t { 0 });
    histogram.m_counts = std::move(counts);
    histogram.m_zeros = zeros;
    return histogram;
}

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
    const std::int64_t first = joined(m_first, shift);
    const std::int64_t last = joined(m_first + std::ssize(m_counts) - 1, shift);
    std::vector<std::uint64_t> counts(static_cast<std::size_t>(last - first + 1));
    for (std::size_t i = 0; i < m_counts.size(); ++i)
        counts[static_cast<std::size_t>(joined(m_first + static_cast<std::int64_t>(i), shift) - first)] += m_counts[i];
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
    while (std::max<std::int64_t>(last, 0) - std::min<std::int64_t>(first, 0) >= m_bins) {
        first >>= 1;
        last >>= 1;
        ++exponent;
    }
    grow(exponent);
    const auto size = static_cast<std::size_t>(last - first + 1);
    if (size == m_counts.size())
        return;
    std::vector<std::uint64_t> counts(size); // exactly as large as needed: there may be many thousands of histograms
    std::ranges::copy(m_counts, counts.begin() + (m_counts.empty() ? 0 : m_first - first));
    m_counts = std::move(counts);
    m_first = first;
}

void Histogram::add(std::span<const float> values)
{
    if (values.empty())
        return;
    const auto sums = detail::sumsOf(values.data(), values.size(), 0);
    if (sums.finite) {
        addFinite(values, sums.low, sums.high);
        return;
    }
    std::vector<float> finite;
    finite.reserve(values.size());
    std::ranges::copy_if(values, std::back_inserter(finite), [](float value) { return std::isfinite(value); });
    add(finite);
}

void Histogram::addFinite(std::span<const float> values, float low, float high)
{
    if (values.empty())
        return;
    low = std::min(low, 0.0F);
    high = std::max(high, 0.0F);
    // Bin numbers at the finest width would overflow; this exponent is never above the one that is needed.
    const float extent = std::max(-low, high);
    const int enough = extent > 0 ? std::ilogb(extent) - std::countr_zero(static_cast<unsigned>(m_bins)) : minExponent;
    grow(std::max(m_exponent, enough));
    cover(binOf(low, m_exponent), binOf(high, m_exponent));

    const float inverseWidth = std::ldexp(1.0F, -m_exponent);
    m_total += values.size();
    if (values.size() < m_counts.size()) {
        m_zeros += countInto(values, inverseWidth, m_first, m_counts.data(), m_counts.data());
        return;
    }
    for (constexpr std::size_t atOnce = std::numeric_limits<std::uint32_t>::max(); !values.empty();
         values = values.subspan(std::min(atOnce, values.size())))
        m_zeros += countByTables(values.first(std::min(atOnce, values.size())), inverseWidth, m_first, m_counts);
}

void Histogram::merge(const Histogram& other)
{
    if (other.m_total == 0)
        return;
    grow(std::max(m_exponent, other.m_exponent));
    const int before = m_exponent - other.m_exponent;
    cover(joined(other.m_first, before), joined(other.m_first + std::ssize(other.m_counts) - 1, before));
    const int shift = m_exponent - other.m_exponent;
    for (std::size_t i = 0; i < other.m_counts.size(); ++i) {
        const std::int64_t bin = joined(other.m_first + static_cast<std::int64_t>(i), shift);
        m_counts[static_cast<std::size_t>(bin - m_first)] += other.m_counts[i];
    }
    m_total += other.m_total;
    m_zeros += other.m_zeros;
}

double Histogram::quantile(double share) const
{
    const double target = share * static_cast<double>(m_total);
    double below = 0;
    for (std::size_t i = 0; i < m_counts.size(); ++i) {
        const std::int64_t bin = m_first + static_cast<std::int64_t>(i);
        const double edge = static_cast<double>(bin) * binWidth();
        const auto zeros = bin == 0 ? static_cast<double>(m_zeros) : 0;
        const double others = static_cast<double>(m_counts[i]) - zeros;
        if (zeros > 0 && below + zeros >= target)
            return edge;
        below += zeros;
        if (others > 0 && below + others >= target)
            return edge + (target - below) / others * binWidth();
        below += others;
    }
    return high();
}

} // namespace quantoscope::calibration
