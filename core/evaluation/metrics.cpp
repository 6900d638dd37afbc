// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/evaluation/metrics.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "core/evaluation/evaluator.h"

namespace quantoscope::evaluation {

namespace {

constexpr double z95 = 1.959963984540054; ///< 97.5 % quantile of the standard normal distribution

/// How many images fall into each cell of the paired two-by-two table.
struct PairedTable {
    std::int64_t both = 0;
    std::int64_t onlyFirst = 0;
    std::int64_t onlySecond = 0;
    std::int64_t neither = 0;

    std::int64_t total() const { return both + onlyFirst + onlySecond + neither; }
};

/// Correlation of the two outcomes as Newcombe (1998, method 10) takes it: with a continuity correction where it is
/// positive, 0 where a margin is empty.
double pairedCorrelation(const PairedTable& t)
{
    const auto product = [](std::int64_t a, std::int64_t b) { return static_cast<double>(a) * static_cast<double>(b); };
    const double margins = product(t.both + t.onlyFirst, t.onlySecond + t.neither)
        * product(t.both + t.onlySecond, t.onlyFirst + t.neither);
    if (margins <= 0)
        return 0;
    const double difference = product(t.both, t.neither) - product(t.onlyFirst, t.onlySecond);
    const double half = static_cast<double>(t.total()) / 2;
    const double corrected = difference > half ? difference - half : std::min(difference, 0.0);
    return corrected / std::sqrt(margins);
}

/// Newcombe (1998), method 10, for (second - first), as a fraction.
Interval newcombe(const PairedTable& t)
{
    const std::int64_t n = t.total();
    if (n == 0)
        return { -1, 1 };
    const double first = static_cast<double>(t.both + t.onlyFirst) / static_cast<double>(n);
    const double second = static_cast<double>(t.both + t.onlySecond) / static_cast<double>(n);
    const Interval ofFirst = wilson(t.both + t.onlyFirst, n);
    const Interval ofSecond = wilson(t.both + t.onlySecond, n);
    const double phi = pairedCorrelation(t);
    const auto combine
        = [phi](double a, double b) { return std::sqrt(std::max(0.0, a * a - 2 * phi * a * b + b * b)); };
    const double below = combine(second - ofSecond.low, ofFirst.high - first);
    const double above = combine(ofSecond.high - second, first - ofFirst.low);
    return { second - first - below, second - first + above };
}

/// As std::lgamma(), which also writes the sign to a variable that all threads share.
double logGamma(double x)
{
    int sign = 0;
    return ::lgamma_r(x, &sign);
}

/// Two-sided binomial test of `k` in k + m with probability 1/2: twice the smaller tail, summed from its largest term
/// down so that nothing underflows before it no longer counts.
double exactMcNemar(std::int64_t k, std::int64_t m)
{
    const std::int64_t trials = k + m;
    const std::int64_t tail = std::min(k, m);
    if (k == m)
        return 1;
    const auto n = static_cast<double>(trials);
    const auto top = static_cast<double>(tail);
    const double logTop = logGamma(n + 1) - logGamma(top + 1) - logGamma(n - top + 1) - n * std::log(2.0);
    double ratio = 1;
    double sum = 1; // in units of the largest term
    for (std::int64_t i = tail; i > 0 && ratio > 1e-18; --i) {
        ratio *= static_cast<double>(i) / static_cast<double>(trials - i + 1);
        sum += ratio;
    }
    return std::min(1.0, 2 * std::exp(logTop + std::log(sum)));
}

} // namespace

Interval wilson(std::int64_t successes, std::int64_t trials)
{
    assert(successes >= 0 && successes <= trials);
    if (trials == 0)
        return { 0, 1 };
    const auto n = static_cast<double>(trials);
    const double p = static_cast<double>(successes) / n;
    const double z2 = z95 * z95;
    const double centre = (p + z2 / (2 * n)) / (1 + z2 / n);
    const double half = z95 / (1 + z2 / n) * std::sqrt(p * (1 - p) / n + z2 / (4 * n * n));
    // The ends are exact where nothing or everything succeeded; rounding would leave them a hair off.
    return { successes == 0 ? 0 : centre - half, successes == trials ? 1 : centre + half };
}

PairedComparison compare(std::span<const ImageOutcome> first, std::span<const ImageOutcome> second)
{
    assert(first.size() == second.size());
    PairedTable table;
    std::int64_t same = 0;
    for (std::size_t i = 0; i < first.size(); ++i) {
        const bool a = first[i].correct();
        const bool b = second[i].correct();
        ++(a ? (b ? table.both : table.onlyFirst) : (b ? table.onlySecond : table.neither));
        same += first[i].prediction == second[i].prediction;
    }
    PairedComparison result;
    result.images = table.total();
    result.onlyFirst = table.onlyFirst;
    result.onlySecond = table.onlySecond;
    result.pValue = exactMcNemar(table.onlyFirst, table.onlySecond);
    const Interval difference = newcombe(table);
    result.deltaInterval = { 100 * difference.low, 100 * difference.high };
    if (result.images > 0) {
        const auto n = static_cast<double>(result.images);
        result.delta = 100 * static_cast<double>(table.onlySecond - table.onlyFirst) / n;
        result.agreement = 100 * static_cast<double>(same) / n;
    }
    return result;
}

} // namespace quantoscope::evaluation
