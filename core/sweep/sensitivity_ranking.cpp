// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/sweep/sensitivity_ranking.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numeric>
#include <vector>

namespace quantoscope::sweep {

namespace {

constexpr double normal95 = 1.959963984540054; // two-sided

/// 1 for the smallest; ties get the mean of the ranks they take up.
std::vector<double> averageRanks(const std::vector<double>& values)
{
    std::vector<std::size_t> order(values.size());
    std::iota(order.begin(), order.end(), 0);
    std::ranges::stable_sort(order, {}, [&](std::size_t i) { return values[i]; });
    std::vector<double> ranks(values.size());
    for (std::size_t first = 0; first < order.size();) {
        std::size_t end = first + 1;
        while (end < order.size() && values[order[end]] == values[order[first]])
            ++end;
        for (std::size_t i = first; i < end; ++i)
            ranks[order[i]] = static_cast<double>(first + end + 1) / 2;
        first = end;
    }
    return ranks;
}

std::optional<double> pearson(const std::vector<double>& a, const std::vector<double>& b)
{
    const auto n = static_cast<double>(a.size());
    const double meanA = std::accumulate(a.begin(), a.end(), 0.0) / n;
    const double meanB = std::accumulate(b.begin(), b.end(), 0.0) / n;
    double ab = 0;
    double aa = 0;
    double bb = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        ab += (a[i] - meanA) * (b[i] - meanB);
        aa += (a[i] - meanA) * (a[i] - meanA);
        bb += (b[i] - meanB) * (b[i] - meanB);
    }
    if (!(aa > 0) || !(bb > 0))
        return std::nullopt;
    return std::clamp(ab / std::sqrt(aa * bb), -1.0, 1.0);
}

int sign(double a, double b) { return (a > b) - (a < b); }

std::optional<double> tauB(const std::vector<double>& a, const std::vector<double>& b)
{
    double agreeing = 0; // less those that disagree
    double differA = 0;
    double differB = 0;
    for (std::size_t i = 0; i < a.size(); ++i)
        for (std::size_t j = 0; j < i; ++j) {
            const int signA = sign(a[i], a[j]);
            const int signB = sign(b[i], b[j]);
            agreeing += signA * signB;
            differA += signA != 0;
            differB += signB != 0;
        }
    if (differA == 0 || differB == 0)
        return std::nullopt;
    return std::clamp(agreeing / std::sqrt(differA * differB), -1.0, 1.0);
}

evaluation::Interval fisher(double correlation, double variance)
{
    // A perfect correlation has an end at infinity; its interval begins where the largest other one could lie.
    const double z = std::atanh(std::clamp(correlation, -0.9999999, 0.9999999));
    const double reach = normal95 * std::sqrt(variance);
    return { std::tanh(z - reach), std::tanh(z + reach) };
}

} // namespace

RankCorrelation rankCorrelation(std::span<const double> a, std::span<const double> b)
{
    assert(a.size() == b.size());
    std::vector<double> keptA;
    std::vector<double> keptB;
    for (std::size_t i = 0; i < a.size(); ++i)
        if (!std::isnan(a[i]) && !std::isnan(b[i])) {
            keptA.push_back(a[i]);
            keptB.push_back(b[i]);
        }
    RankCorrelation result { .pairs = std::ssize(keptA), .spearman = {}, .kendall = {} };
    if (result.pairs < 2)
        return result;
    const auto n = static_cast<double>(result.pairs);
    result.spearman = pearson(averageRanks(keptA), averageRanks(keptB));
    result.kendall = tauB(keptA, keptB);
    if (result.spearman && n > 3)
        result.spearmanInterval = fisher(*result.spearman, (1 + *result.spearman * *result.spearman / 2) / (n - 3));
    if (result.kendall && n > 4)
        result.kendallInterval = fisher(*result.kendall, 0.437 / (n - 4));
    return result;
}

} // namespace quantoscope::sweep
