// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/planning/transforms/hessian.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <numeric>

#include <Eigen/Cholesky>
#include <Eigen/Core>

#include "core/base/parallel.h"
#include "core/planning/transforms/instruction_sets.h"

namespace quantoscope::planning {

namespace {

constexpr std::int64_t lanes = SampleMatrix::lanes;
constexpr std::int64_t rowsAtOnce = 256; ///< of two panels: what a core's first cache holds

using Tile = std::array<float, lanes * lanes>;

/// tile = sum over rows of a_row b_row^T. The body is compiled for several instruction sets and chosen when loaded.
QS_INSTRUCTION_SETS void multiplyPanels(const float* a, const float* b, std::int64_t rows, float* tile)
{
    using Lanes = float __attribute__((vector_size(lanes * sizeof(float))));
    constexpr int half = lanes / 2;
    for (int first = 0; first < lanes; first += half) {
        Lanes sums[half] = {};
        for (std::int64_t row = 0; row < rows; ++row) {
            const Lanes right = *reinterpret_cast<const Lanes*>(b + row * lanes);
            for (int i = 0; i < half; ++i)
                sums[i] += a[row * lanes + first + i] * right;
        }
        for (int i = 0; i < half; ++i)
            for (int j = 0; j < lanes; ++j)
                tile[(first + i) * lanes + j] = sums[i][j];
    }
}

/// One panel of `a` against the panels of `b` from `firstPanel` on.
void addPanel(const SampleMatrix& a, const SampleMatrix& b, RowRange rows, std::int64_t group, std::int64_t panel,
    std::int64_t firstPanel, SecondMoments& moments)
{
    double* sums = moments.of(group);
    const std::int64_t columns = moments.columns();
    const std::int64_t lastRow = std::min(moments.rows(), (panel + 1) * lanes);
    alignas(64) Tile tile;
    for (std::int64_t row = rows.first; row < rows.end; row += rowsAtOnce) {
        const std::int64_t count = std::min(rowsAtOnce, rows.end - row);
        for (std::int64_t other = firstPanel; other < b.panels(); ++other) {
            multiplyPanels(
                a.panel(group, panel) + row * lanes, b.panel(group, other) + row * lanes, count, tile.data());
            for (std::int64_t i = panel * lanes; i < lastRow; ++i)
                for (std::int64_t j = other * lanes; j < std::min(columns, (other + 1) * lanes); ++j)
                    sums[i * columns + j]
                        += static_cast<double>(tile[static_cast<std::size_t>(i % lanes * lanes + j % lanes)]);
        }
    }
    for (std::int64_t i = panel * lanes; i < lastRow; ++i)
        for (std::int64_t j = firstPanel * lanes; j < columns; ++j)
            sums[i * columns + j] /= static_cast<double>(rows.count());
}

Result<SecondMoments> moments(
    const SampleMatrix& a, const SampleMatrix& b, RowRange rows, bool symmetric, int threads, const base::Job& job)
{
    assert(a.groups() == b.groups() && a.rows() == b.rows() && rows.count() > 0);
    SecondMoments result(a.groups(), a.columns(), b.columns());
    QS_CHECK(base::parallelFor(threads, a.groups() * a.panels(), job.stop, [&](int, std::int64_t item) -> Result<void> {
        const std::int64_t panel = item % a.panels();
        addPanel(a, b, rows, item / a.panels(), panel, symmetric ? panel : 0, result);
        return {};
    }));
    return result;
}

} // namespace

void SecondMoments::mix(const SecondMoments& other, double share)
{
    assert(m_values.size() == other.m_values.size());
    for (std::size_t i = 0; i < m_values.size(); ++i)
        m_values[i] += share * (other.m_values[i] - m_values[i]);
}

Result<SecondMoments> secondMoments(const SampleMatrix& samples, RowRange rows, int threads, const base::Job& job)
{
    QS_TRY(auto result, moments(samples, samples, rows, true, threads, job));
    for (std::int64_t group = 0; group < result.groups(); ++group)
        for (std::int64_t i = 0; i < result.rows(); ++i)
            for (std::int64_t j = 0; j < i; ++j)
                result.of(group)[i * result.columns() + j] = result.at(group, j, i);
    return result;
}

Result<SecondMoments> crossMoments(
    const SampleMatrix& a, const SampleMatrix& b, RowRange rows, int threads, const base::Job& job)
{
    return moments(a, b, rows, false, threads, job);
}

std::vector<double> powers(const SampleMatrix& samples, RowRange rows)
{
    std::vector<double> result;
    for (std::int64_t group = 0; group < samples.groups(); ++group)
        for (std::int64_t column = 0; column < samples.columns(); ++column) {
            double sum = 0;
            for (std::int64_t row = rows.first; row < rows.end; ++row) {
                const auto value = static_cast<double>(samples.at(group, row, column));
                sum += value * value;
            }
            result.push_back(sum / static_cast<double>(rows.count()));
        }
    return result;
}

std::optional<HessianFactor> factorize(
    const SecondMoments& moments, std::int64_t group, std::int64_t columns, double damping)
{
    HessianFactor factor;
    factor.size = columns;
    factor.order.resize(static_cast<std::size_t>(columns));
    std::iota(factor.order.begin(), factor.order.end(), 0);
    std::ranges::stable_sort(factor.order, {}, [&](std::int64_t i) { return moments.at(group, i, i); });
    double mean = 0;
    for (std::int64_t i = 0; i < columns; ++i)
        mean += moments.at(group, i, i) / static_cast<double>(columns);
    if (!std::isfinite(mean))
        return std::nullopt;
    if (mean == 0)
        mean = 1; // a layer that only ever saw zeros
    factor.values.resize(static_cast<std::size_t>(columns * columns));
    using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    Eigen::Map<Matrix> values(factor.values.data(), columns, columns);
    for (; damping <= 1; damping *= 10) {
        factor.damping = damping * mean;
        for (std::int64_t i = 0; i < columns; ++i)
            for (std::int64_t j = 0; j < columns; ++j)
                values(i, j) = moments.at(group, factor.order[static_cast<std::size_t>(i)],
                                   factor.order[static_cast<std::size_t>(j)])
                    + (i == j ? factor.damping : 0);
        const Eigen::LLT<Eigen::Ref<Matrix>, Eigen::Upper> decomposition(values);
        if (decomposition.info() == Eigen::Success) {
            values.triangularView<Eigen::StrictlyLower>().setZero();
            return factor;
        }
    }
    return std::nullopt;
}

} // namespace quantoscope::planning
