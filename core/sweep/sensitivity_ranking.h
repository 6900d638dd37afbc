// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "core/evaluation/metrics.h"

namespace quantoscope::sweep {

/// How far two quantities put the same things into the same order, -1 to 1.
struct RankCorrelation {
    std::int64_t pairs = 0; ///< things compared
    std::optional<double> spearman; ///< of average ranks; empty where one of the two is the same everywhere
    std::optional<double> kendall; ///< tau-b, which allows for ties
    evaluation::Interval spearmanInterval { -1, 1 }; ///< 95 %: Fisher's z with the variance of Bonett and Wright (2000)
    evaluation::Interval kendallInterval { -1,
        1 }; ///< 95 %: Fisher's z, variance 0.437 / (n - 4) (Fieller et al. 1957)
};

/// Of a[i] and b[i]; as many in both. Pairs with one that is not a number are left out; infinities rank at the ends.
RankCorrelation rankCorrelation(std::span<const double> a, std::span<const double> b);

} // namespace quantoscope::sweep
