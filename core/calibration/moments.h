// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <vector>

namespace quantoscope::calibration {

/// Extremes and moments of finite values. Combining is numerically stable (pairwise update of Chan, Golub and LeVeque
/// 1983, "Algorithms for computing the sample variance", eq. 2.1); it is exact for count and extremes and rounds in
/// float64 for the rest.
struct Moments {
    std::uint64_t count = 0;
    float min = 0; ///< exact; 0 while nothing was seen
    float max = 0;
    double mean = 0;
    double squaredDeviations = 0; ///< sum (x - mean)^2
    double absolute = 0; ///< sum |x|

    void merge(const Moments& other);
    double variance() const; ///< of the population; 0 while nothing was seen
    double meanAbsolute() const;
    friend bool operator==(const Moments&, const Moments&) = default;
};

/// Moments of a tensor and of each of its channels: the part of the statistics whose merging rounds, so that a fixed
/// result needs a fixed order.
struct TensorMoments {
    Moments tensor;
    std::vector<Moments> channels; ///< empty where channels are not kept apart
    std::uint64_t nonFinite = 0; ///< NaN and infinities, which are not in the moments

    /// Where the two disagree on the number of channels, channels are no longer kept apart.
    void merge(const TensorMoments& other);
    friend bool operator==(const TensorMoments&, const TensorMoments&) = default;
};

} // namespace quantoscope::calibration
