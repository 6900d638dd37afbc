// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <span>

namespace quantoscope::evaluation {

struct ImageOutcome;

/// Ends of an interval, in the unit of the figure it belongs to.
struct Interval {
    double low = 0;
    double high = 0;
    friend bool operator==(const Interval&, const Interval&) = default;
};

/// Wilson score interval of a proportion (Wilson 1927), 95 %, in [0, 1]. {0, 1} for no trials.
Interval wilson(std::int64_t successes, std::int64_t trials);

/// Two results over the same images.
struct PairedComparison {
    std::int64_t images = 0;
    std::int64_t onlyFirst = 0; ///< right under the first, wrong under the second
    std::int64_t onlySecond = 0;
    double delta = 0; ///< top-1 of the second minus the first, percentage points
    Interval deltaInterval; ///< 95 %, Newcombe's method 10 for paired proportions (1998), percentage points
    double pValue = 1; ///< exact McNemar test (two-sided binomial), mid-p above 1,000 discordant pairs is not used
    double agreement = 100; ///< percent of images with the same prediction
};
PairedComparison compare(std::span<const ImageOutcome> first, std::span<const ImageOutcome> second);

} // namespace quantoscope::evaluation
