// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/base/error.h"
#include "core/base/progress.h"
#include "core/planning/transforms/layer_samples.h"

namespace quantoscope::planning {

/// Rows of two sample matrices that belong together.
struct RowRange {
    std::int64_t first = 0;
    std::int64_t end = 0;
    std::int64_t count() const { return end - first; }
};

/// E[a b^T] over rows of two sample matrices: one matrix [rows, columns] a group, row-major, where a has `rows` columns
/// and b has `columns`.
class SecondMoments {
public:
    SecondMoments() = default;
    SecondMoments(std::int64_t groups, std::int64_t rows, std::int64_t columns)
        : m_groups(groups)
        , m_rows(rows)
        , m_columns(columns)
        , m_values(static_cast<std::size_t>(groups * rows * columns))
    {
    }

    std::int64_t groups() const { return m_groups; }
    std::int64_t rows() const { return m_rows; }
    std::int64_t columns() const { return m_columns; }
    double* of(std::int64_t group) { return m_values.data() + group * m_rows * m_columns; }
    const double* of(std::int64_t group) const { return m_values.data() + group * m_rows * m_columns; }
    double at(std::int64_t group, std::int64_t row, std::int64_t column) const
    {
        return of(group)[row * m_columns + column];
    }
    /// The moments over two sets of rows at once: (1 - share) this + share other.
    void mix(const SecondMoments& other, double share);

private:
    std::int64_t m_groups = 0;
    std::int64_t m_rows = 0;
    std::int64_t m_columns = 0;
    std::vector<double> m_values;
};

/// E[x x^T]: half the Hessian of a layer's squared output error with respect to a row of its weight. Sums of 256 rows
/// in float32, those in double, in the order of the rows: the same for any number of threads. Errors: Cancelled.
Result<SecondMoments> secondMoments(const SampleMatrix& samples, RowRange rows, int threads, const base::Job& job = {});
/// E[a b^T], likewise; as many groups and rows in both.
Result<SecondMoments> crossMoments(
    const SampleMatrix& a, const SampleMatrix& b, RowRange rows, int threads, const base::Job& job = {});

/// E[a^2] of every column, group after group.
std::vector<double> powers(const SampleMatrix& samples, RowRange rows);

/// The Hessian of one group, damped, as R^T R with R upper triangular, rows and columns in `order`.
struct HessianFactor {
    std::int64_t size = 0;
    double damping = 0; ///< what was added to the diagonal
    std::vector<std::int64_t> order; ///< columns by ascending diagonal: the last is rounded first
    std::vector<double> values; ///< row-major, zero below the diagonal
    const double* row(std::int64_t i) const { return values.data() + i * size; }
};

/// Factorizes the leading [columns, columns] of a group's moments with `damping` times the mean of the diagonal added
/// to it; more where rounding errors leave it indefinite. Inputs that are always zero keep the damping alone. Empty if
/// no damping up to the mean helps (values that are not finite).
std::optional<HessianFactor> factorize(
    const SecondMoments& moments, std::int64_t group, std::int64_t columns, double damping);

} // namespace quantoscope::planning
