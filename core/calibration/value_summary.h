// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <span>

#include "core/calibration/histogram.h"
#include "core/calibration/moments.h"

/// What the estimators need to know of a set of values, whether they streamed by (activations) or are at hand
/// (weights); private to this module.
namespace quantoscope::calibration::detail {

/// An interval of real numbers; as the result of an estimator it contains zero or is extended to by setChannel().
struct Range {
    double low = 0;
    double high = 0;

    /// `wish`, without what lies beyond this range, which contains zero, and extended to contain zero.
    Range limit(Range wish) const;
};

/// Extremes, extended to contain zero.
Range seenRange(const Moments& moments);
Range seenRange(std::span<const float> values);

struct ValueSummary {
    Range seen; ///< see seenRange()
    double mean = 0;
    double meanSquare = 0;
    double meanAbsolute = 0;
    double meanDeviation = 0; ///< E|x - mean|
    double zeroShare = 0; ///< 0..1, exact zeros

    double variance() const;
    bool oneSided() const { return seen.low == 0 || seen.high == 0; }
};

/// Something must have been seen. meanDeviation and zeroShare are those of the histogram, which may be of a sample;
/// they stay 0 where it is empty.
ValueSummary summarise(const Moments& moments, const Histogram& histogram);
/// Exact. `values` must not be empty.
ValueSummary summarise(std::span<const float> values);

} // namespace quantoscope::calibration::detail
