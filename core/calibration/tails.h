// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace quantoscope::calibration {

/// The smallest and the largest values ever seen, each with its multiplicity, so that quantiles far out are exact where
/// a histogram's bin is too wide. The result depends only on the values, not on their order or the threads.
class Tails {
public:
    static constexpr std::size_t capacity = 256; ///< values kept at each end

    /// Finite values that have these extremes.
    void add(std::span<const float> values, float low, float high);
    void merge(const Tails& other);

    const std::vector<float>& lowest() const { return m_lowest; } ///< ascending, at most `capacity`
    const std::vector<float>& highest() const { return m_highest; } ///< descending, at most `capacity`
    /// Both must be sorted as above and no longer than `capacity` (asserts).
    static Tails fromValues(std::vector<float> lowest, std::vector<float> highest);
    std::size_t bytes() const { return (m_lowest.capacity() + m_highest.capacity()) * sizeof(float); }
    friend bool operator==(const Tails&, const Tails&) = default;

private:
    std::vector<float> m_lowest;
    std::vector<float> m_highest;
};

} // namespace quantoscope::calibration
