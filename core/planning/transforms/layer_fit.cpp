// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/planning/transforms/layer_fit.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>

#include <Eigen/Cholesky>
#include <Eigen/Core>

#include "core/base/parallel.h"

namespace quantoscope::planning {

namespace {

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using ConstMap = Eigen::Map<const Matrix>;

constexpr std::array strengths { 0.001, 0.01, 0.1, 1.0, std::numeric_limits<double>::infinity() };

ConstMap asMatrix(const SecondMoments& moments, std::int64_t group)
{
    return { moments.of(group), moments.rows(), moments.columns() };
}

/// The rows that only have the bias moved: the mean output is right.
Matrix withBias(const Matrix& floatRows, const ConstMap& inputs, const ConstMap& targets)
{
    Matrix rows = floatRows;
    const Eigen::Index last = inputs.cols() - 1;
    rows.col(last) = targets.col(last) - floatRows.leftCols(last) * inputs.col(last).head(last);
    return rows;
}

std::optional<Matrix> solve(const ConstMap& inputs, const ConstMap& targets, const Matrix& floatRows, double strength)
{
    if (std::isinf(strength))
        return withBias(floatRows, inputs, targets);
    const Eigen::Index last = inputs.cols() - 1;
    const double mean = inputs.diagonal().head(last).mean();
    const double pull = strength * (mean > 0 ? mean : 1);
    Matrix left = inputs;
    left.diagonal().head(last).array() += pull;
    left(last, last) += 1e-9; // the constant may be a combination of inputs
    Matrix right = targets;
    right.leftCols(last) += pull * floatRows.leftCols(last);
    const Eigen::LLT<Eigen::Ref<Matrix>> decomposition(left);
    if (decomposition.info() != Eigen::Success)
        return std::nullopt;
    return Matrix(decomposition.solve(right.transpose()).transpose());
}

/// E|t - W x|^2 but for E|t|^2.
double errorOf(const Matrix& rows, const ConstMap& inputs, const ConstMap& targets)
{
    const Matrix product = rows * inputs;
    return product.cwiseProduct(rows).sum() - 2 * targets.cwiseProduct(rows).sum();
}

ConstMap asMatrix(const std::vector<double>& rows, Eigen::Index columns)
{
    return { rows.data(), static_cast<Eigen::Index>(rows.size()) / columns, columns };
}

} // namespace

Result<LayerFit> fitLayer(const LayerMoments& fitted, const LayerMoments& heldBack, const LayerMoments& all,
    const AffineRows& floatRows, int threads, const base::Job& job)
{
    const std::int64_t groups = all.inputs.groups();
    const auto columns = static_cast<Eigen::Index>(all.inputs.columns());
    std::vector<std::array<double, strengths.size()>> errors(static_cast<std::size_t>(groups));
    const auto judge = [&](int, std::int64_t item) -> Result<void> {
        const std::int64_t group = item / std::ssize(strengths);
        const auto choice = static_cast<std::size_t>(item % std::ssize(strengths));
        const auto index = static_cast<std::size_t>(group);
        const auto rows = solve(asMatrix(fitted.inputs, group), asMatrix(fitted.targets, group),
            asMatrix(floatRows[index], columns), strengths[choice]);
        errors[index][choice] = rows
            ? errorOf(*rows, asMatrix(heldBack.inputs, group), asMatrix(heldBack.targets, group))
            : std::numeric_limits<double>::infinity();
        return {};
    };
    QS_CHECK(base::parallelFor(threads, groups * std::ssize(strengths), job.stop, judge));
    std::array<double, strengths.size()> totals {};
    for (const auto& group : errors)
        for (std::size_t choice = 0; choice < strengths.size(); ++choice)
            totals[choice] += group[choice];
    const auto best = static_cast<std::size_t>(std::ranges::min_element(totals) - totals.begin());
    LayerFit fit;
    fit.strength = strengths[best];
    fit.gain = totals.back() - totals[best];
    fit.rows.resize(floatRows.size());
    QS_CHECK(base::parallelFor(threads, groups, job.stop, [&](int, std::int64_t group) -> Result<void> {
        const auto index = static_cast<std::size_t>(group);
        const auto rows = solve(asMatrix(all.inputs, group), asMatrix(all.targets, group),
            asMatrix(floatRows[index], columns), fit.strength);
        if (!rows || !rows->allFinite())
            return fail(ErrorCode::Internal, "the second moments of its inputs are not finite");
        fit.rows[index].assign(rows->data(), rows->data() + rows->size());
        return {};
    }));
    return fit;
}

} // namespace quantoscope::planning
