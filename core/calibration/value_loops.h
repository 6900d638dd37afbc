// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>

/// The loops over activations that calibration spends its time in, for the instruction set at hand; the result does
/// not depend on it. Private to this module.
namespace quantoscope::calibration::detail {

struct RunSums {
    float low;
    float high;
    bool finite; ///< whether all values are; otherwise nothing else holds
    double sum; ///< of x - shift
    double squares; ///< of (x - shift)^2
    double absolute; ///< of |x|
};

/// Of `count` > 0 values. Sums in eight lanes, whatever the machine has.
RunSums sumsOf(const float* values, std::size_t count, float shift);

/// bins[i] = floor(values[i] / width) - first, where 1 / width is a power of two and every bin number is below 2^23 in
/// size. Returns how many values are zero.
std::size_t binsOf(const float* values, std::size_t count, float inverseWidth, std::int32_t first, std::int32_t* bins);

} // namespace quantoscope::calibration::detail
