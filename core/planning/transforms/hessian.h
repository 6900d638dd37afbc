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

/// E[a b^T] over the rows of two sample matrices, one [size, size] matrix a group, row-major.
class SecondMoments {
public:
    SecondMoments() = default;
    SecondMoments(std::int64_t groups, std::int64_t size)
        : m_groups(groups)
        , m_size(size)
        , m_values(static_cast<std::size_t>(groups * size * size))
    {
    }

    std::int64_t groups() const { return m_groups; }
    std::int64_t size() const { return m_size; } ///< columns of the samples, the constant included
    double* of(std::int64_t group) { return m_values.data() + group * m_size * m_size; }
    const double* of(std::int64_t group) const { return m_values.data() + group * m_size * m_size; }
    double at(std::int64_t group, std::int64_t row, std::int64_t column) const
    {
        return of(group)[row * m_size + column];
    }

private:
    std::int64_t m_groups = 0;
    std::int64_t m_size = 0;
    std::vector<double> m_values;
};

/// E[x x^T]: half the Hessian of a layer's squared output error with respect to a row of its weight. Sums of 256 rows
/// in float32, those in double, in the order of the rows: the same for any number of threads. Cancelled.
Result<SecondMoments> secondMoments(const SampleMatrix& samples, int threads, const base::Job& job = {});
/// E[a b^T]; both of the same extents.
Result<SecondMoments> crossMoments(
    const SampleMatrix& a, const SampleMatrix& b, int threads, const base::Job& job = {});

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
