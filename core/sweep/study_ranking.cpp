// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <map>
#include <numeric>
#include <utility>

#include "core/sweep/options_study.h"

namespace quantoscope::sweep {

namespace {

bool betterThan(const StudyRow& a, const StudyRow& b) { return a.top1 != b.top1 ? a.top1 > b.top1 : a.loss < b.loss; }

/// Corrected p-values of all pairs of some rows.
class Comparisons {
public:
    explicit Comparisons(std::span<const StudyRow> rows)
        : m_count(rows.size())
    {
        std::vector<double> pValues;
        for (std::size_t i = 0; i < m_count; ++i)
            for (std::size_t j = i + 1; j < m_count; ++j)
                pValues.push_back(evaluation::compare(rows[i].predictions, rows[j].predictions).pValue);
        m_corrected = holm(std::move(pValues));
    }

    /// i < j
    double p(std::size_t i, std::size_t j) const { return m_corrected[i * m_count - i * (i + 1) / 2 + j - i - 1]; }
    bool differ(std::size_t i, std::size_t j) const { return p(i, j) < studySignificance; }

private:
    std::size_t m_count;
    std::vector<double> m_corrected;
};

/// Rows of one pair of word-lengths, best first.
void rankGroup(std::span<StudyRow> rows)
{
    const Comparisons comparisons(rows);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        rows[i].rank = static_cast<int>(i) + 1;
        rows[i].tier = rows[i].beats = rows[i].beatenBy = 0;
        rows[i].pAgainstBest = i == 0 ? 1 : comparisons.p(0, i);
    }
    for (std::size_t i = 0; i < rows.size(); ++i)
        for (std::size_t j = i + 1; j < rows.size(); ++j)
            if (comparisons.differ(i, j)) {
                ++rows[i].beats;
                ++rows[j].beatenBy;
            }
    int tier = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        if (rows[i].tier != 0)
            continue;
        rows[i].tier = ++tier;
        for (std::size_t j = i + 1; j < rows.size(); ++j)
            if (rows[j].tier == 0 && !comparisons.differ(i, j))
                rows[j].tier = tier;
    }
}

} // namespace

std::vector<double> holm(std::vector<double> pValues)
{
    std::vector<std::size_t> order(pValues.size());
    std::iota(order.begin(), order.end(), 0);
    std::ranges::stable_sort(order, {}, [&](std::size_t i) { return pValues[i]; });
    double largest = 0;
    for (std::size_t k = 0; k < order.size(); ++k) {
        double& p = pValues[order[k]];
        largest = std::max(largest, std::min(1.0, p * static_cast<double>(order.size() - k)));
        p = largest;
    }
    return pValues;
}

void rankRows(std::vector<StudyRow>& rows)
{
    std::map<std::pair<Bits, Bits>, std::size_t> groups; // in the order in which they appear
    for (const auto& row : rows)
        groups.emplace(std::pair(row.weightBits(), row.activationBits()), groups.size());
    const auto group = [&](const StudyRow& row) { return groups.at({ row.weightBits(), row.activationBits() }); };
    std::ranges::stable_sort(rows, [&](const StudyRow& a, const StudyRow& b) {
        return group(a) != group(b) ? group(a) < group(b) : betterThan(a, b);
    });
    for (auto begin = rows.begin(); begin != rows.end();) {
        const auto end = std::find_if(begin, rows.end(), [&](const StudyRow& r) { return group(r) != group(*begin); });
        rankGroup({ begin, end });
        begin = end;
    }
}

} // namespace quantoscope::sweep
