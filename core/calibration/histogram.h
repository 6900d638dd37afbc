// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/base/error.h"

namespace quantoscope::calibration {

/// Counts over a range that grows as values arrive. Bins are [i w, (i+1) w) with w a power of two and zero on a bin
/// edge, so growing (joining neighbours) and merging are exact: the result depends only on the values, not on their
/// order or the threads. w is the smallest (not below 2^-120) with which zero and everything seen fit into bins()
/// bins.
class Histogram {
public:
    static constexpr int targetBins = 4096; ///< after growing, the used range with zero spans more than half of it

    /// `bins`: the most there may be, a power of two from 2 to targetBins.
    explicit Histogram(int bins = targetBins);
    /// What an earlier histogram was made of: firstBin(), counts() and so on. InvalidInput if they contradict each
    /// other.
    static Result<Histogram> fromCounts(
        int bins, int exponent, std::int64_t firstBin, std::vector<std::uint64_t> counts, std::uint64_t zeros);

    void add(std::span<const float> values); ///< non-finite values are skipped
    /// The same for values that are known to be finite and to have these extremes.
    void addFinite(std::span<const float> values, float low, float high);
    /// Adds everything `other` has seen. It may have another number of bins; nothing is lost where it has more of them.
    void merge(const Histogram& other);

    int bins() const { return m_bins; }
    int exponent() const { return m_exponent; } ///< w = 2^exponent, also while binWidth() is 0
    double binWidth() const; ///< 0 while empty or all values are zero
    std::int64_t firstBin() const { return m_first; } ///< bin i covers [ (firstBin+i) w, (firstBin+i+1) w )
    const std::vector<std::uint64_t>& counts() const { return m_counts; }
    double low() const; ///< lower edge of the first non-empty bin
    double high() const; ///< upper edge of the last non-empty bin
    std::uint64_t total() const { return m_total; }
    std::uint64_t zeros() const { return m_zeros; } ///< exact zeros, which counts() has in the bin that begins at 0
    /// The value below which `share` (0..1) of everything seen lies: values spread evenly over their bin, exact zeros
    /// at zero. 0 while empty.
    double quantile(double share) const;
    std::size_t bytes() const { return sizeof(*this) + m_counts.capacity() * sizeof(std::uint64_t); }
    friend bool operator==(const Histogram&, const Histogram&) = default;

private:
    static constexpr int minExponent = -120;

    void grow(int exponent);
    void cover(std::int64_t first, std::int64_t last);

    int m_bins;
    int m_exponent = minExponent; ///< w = 2^m_exponent
    std::int64_t m_first = 0;
    std::vector<std::uint64_t> m_counts; ///< from the lowest to the highest bin that was ever hit
    std::uint64_t m_total = 0;
    std::uint64_t m_zeros = 0;
};

} // namespace quantoscope::calibration
