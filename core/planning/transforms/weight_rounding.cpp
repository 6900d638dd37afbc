// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/planning/transforms/weight_rounding.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "core/base/parallel.h"
#include "core/planning/transforms/instruction_sets.h"

namespace quantoscope::planning {

namespace {

constexpr std::int64_t lanes = 8; ///< output channels that are rounded side by side
/// A value for each of them, aligned as the widest registers want it.
struct alignas(64) Lanes : std::array<double, lanes> { };

/// What chooseScales() tries; the first is what there was, and stays where nothing is better.
constexpr std::array scaleFactors { 1.0, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.05, 1.1, 1.15, 1.2, 1.3, 1.5 };

/// sums = sum over k of factor[k] errors[k], for every lane.
QS_INSTRUCTION_SETS void accumulate(const double* factor, const double* errors, std::int64_t count, double* sums)
{
    using Vector = double __attribute__((vector_size(lanes * sizeof(double))));
    Vector even = {};
    Vector odd = {};
    std::int64_t k = 0;
    for (; k + 1 < count; k += 2) {
        even += factor[k] * *reinterpret_cast<const Vector*>(errors + k * lanes);
        odd += factor[k + 1] * *reinterpret_cast<const Vector*>(errors + (k + 1) * lanes);
    }
    if (k < count)
        even += factor[k] * *reinterpret_cast<const Vector*>(errors + k * lanes);
    even += odd;
    for (int lane = 0; lane < lanes; ++lane)
        sums[lane] = even[lane];
}

/// Up to `lanes` rows of one group's matrix, columns in the order of the factor.
class RowBlock {
public:
    RowBlock(const LayerMatrix& matrix, const WeightGrid& grid, const HessianFactor& factor, std::int64_t group,
        std::int64_t firstRow, std::span<const float> wanted)
        : m_matrix(matrix)
        , m_grid(grid)
        , m_factor(factor)
        , m_group(group)
        , m_firstRow(firstRow)
        , m_count(std::min(lanes, matrix.rows() - firstRow))
        , m_wanted(static_cast<std::size_t>(factor.size))
    {
        for (std::int64_t i = 0; i < factor.size; ++i)
            for (std::int64_t lane = 0; lane < m_count; ++lane)
                m_wanted[static_cast<std::size_t>(i)][static_cast<std::size_t>(lane)]
                    = static_cast<double>(wanted[static_cast<std::size_t>(index(i, lane))]);
    }

    /// Rounds from the last column to the first; with `compensate` each makes up for those before it.
    void round(bool compensate)
    {
        m_errors.assign(m_wanted.size(), Lanes {});
        m_objective.fill(0);
        for (std::int64_t i = m_factor.size - 1; i >= 0; --i) {
            const auto column = static_cast<std::size_t>(i);
            const double* factor = m_factor.row(i);
            Lanes sums;
            accumulate(factor + i + 1, m_errors[column].data() + lanes, m_factor.size - i - 1, sums.data());
            for (std::int64_t l = 0; l < m_count; ++l) {
                const auto lane = static_cast<std::size_t>(l);
                const double wanted = m_wanted[column][lane];
                const double aim = compensate ? wanted + sums[lane] / factor[i] : wanted;
                m_errors[column][lane] = wanted - m_grid.nearest(index(i, l), aim);
                const double residual = factor[i] * m_errors[column][lane] + sums[lane];
                m_objective[lane] += residual * residual;
            }
        }
    }

    const Lanes& objectives() const { return m_objective; }
    double objective(std::int64_t lane) const { return m_objective[static_cast<std::size_t>(lane)]; }
    std::int64_t count() const { return m_count; }

    void write(std::int64_t lane, std::span<float> values) const
    {
        for (std::int64_t i = 0; i < m_factor.size; ++i) {
            const auto column = static_cast<std::size_t>(i);
            const auto l = static_cast<std::size_t>(lane);
            values[static_cast<std::size_t>(index(i, lane))]
                = static_cast<float>(m_wanted[column][l] - m_errors[column][l]);
        }
    }

private:
    std::int64_t index(std::int64_t column, std::int64_t lane) const
    {
        return m_matrix.weightIndex(m_group, m_firstRow + lane, m_factor.order[static_cast<std::size_t>(column)]);
    }

    const LayerMatrix& m_matrix;
    const WeightGrid& m_grid;
    const HessianFactor& m_factor;
    std::int64_t m_group;
    std::int64_t m_firstRow;
    std::int64_t m_count;
    std::vector<Lanes> m_wanted;
    std::vector<Lanes> m_errors;
    Lanes m_objective {};
};

} // namespace

WeightGrid::WeightGrid(const quant::Encoding& encoding, const Shape& shape)
    : m_encoding(encoding)
{
    if (encoding.perChannel()) {
        m_stride = shape.strides()[static_cast<std::size_t>(encoding.axis)];
        m_extent = shape[encoding.axis];
    }
}

double WeightGrid::nearest(std::int64_t index, double value) const
{
    const std::size_t channel = channelOf(index);
    const auto zero = static_cast<double>(m_encoding.zeroPoint[channel]);
    const double level = std::clamp(std::nearbyint(value / static_cast<double>(m_encoding.scale[channel])) + zero,
        static_cast<double>(m_encoding.qmin), static_cast<double>(m_encoding.qmax));
    return static_cast<double>(static_cast<float>(level - zero) * m_encoding.scale[channel]);
}

Result<std::vector<HessianFactor>> factorizeGroups(
    const SecondMoments& moments, double damping, int threads, const base::Job& job)
{
    std::vector<HessianFactor> factors(static_cast<std::size_t>(moments.groups()));
    QS_CHECK(base::parallelFor(threads, moments.groups(), job.stop, [&](int, std::int64_t group) -> Result<void> {
        auto factor = factorize(moments, group, moments.columns() - 1, damping);
        if (!factor)
            return fail(ErrorCode::Internal, "the second moments of its inputs are not finite");
        factors[static_cast<std::size_t>(group)] = std::move(*factor);
        return {};
    }));
    return factors;
}

Result<RoundedWeights> roundWeights(const LayerMatrix& matrix, const quant::Encoding& encoding,
    const std::vector<HessianFactor>& factors, const Tensor& wanted, const RoundingOptions& options,
    const base::Job& job)
{
    RoundedWeights result;
    result.values = Tensor(DType::Float32, wanted.shape());
    const WeightGrid grid(encoding, wanted.shape());
    const std::int64_t blocks = (matrix.rows() + lanes - 1) / lanes;
    std::vector<std::pair<double, double>> errors(static_cast<std::size_t>(matrix.groups() * blocks));
    const auto work = [&](int, std::int64_t item) -> Result<void> {
        const std::int64_t group = item / blocks;
        const auto makeBlock = [&] {
            return RowBlock(matrix, grid, factors[static_cast<std::size_t>(group)], group, item % blocks * lanes,
                wanted.as<float>());
        };
        RowBlock nearest = makeBlock();
        nearest.round(false);
        RowBlock rounded = makeBlock();
        rounded.round(options.compensate);
        auto& [error, errorOfNearest] = errors[static_cast<std::size_t>(item)];
        for (std::int64_t lane = 0; lane < rounded.count(); ++lane) {
            const RowBlock& better = rounded.objective(lane) < nearest.objective(lane) ? rounded : nearest;
            better.write(lane, result.values.as<float>());
            error += better.objective(lane);
            errorOfNearest += nearest.objective(lane);
        }
        return {};
    };
    QS_CHECK(base::parallelFor(options.threads, std::ssize(errors), job.stop, work));
    for (const auto& [error, errorOfNearest] : errors) {
        result.error += error;
        result.errorOfNearest += errorOfNearest;
    }
    return result;
}

Result<quant::Encoding> chooseScales(const LayerMatrix& matrix, const quant::Encoding& encoding,
    const std::vector<HessianFactor>& factors, const Tensor& wanted, const RoundingOptions& options,
    const base::Job& job)
{
    std::vector<quant::Encoding> candidates;
    std::vector<WeightGrid> grids;
    candidates.reserve(scaleFactors.size()); // grids refer to them
    for (const double factor : scaleFactors) {
        candidates.push_back(encoding);
        for (float& scale : candidates.back().scale)
            scale = static_cast<float>(static_cast<double>(scale) * factor);
        grids.emplace_back(candidates.back(), wanted.shape());
    }
    const std::int64_t blocks = (matrix.rows() + lanes - 1) / lanes;
    using Errors = std::array<Lanes, scaleFactors.size()>;
    std::vector<Errors> errors(static_cast<std::size_t>(matrix.groups() * blocks));
    const auto work = [&](int, std::int64_t item) -> Result<void> {
        const std::int64_t group = item / blocks;
        for (std::size_t c = 0; c < grids.size(); ++c) {
            RowBlock block(matrix, grids[c], factors[static_cast<std::size_t>(group)], group, item % blocks * lanes,
                wanted.as<float>());
            block.round(options.compensate);
            errors[static_cast<std::size_t>(item)][c] = block.objectives();
        }
        return {};
    };
    QS_CHECK(base::parallelFor(options.threads, std::ssize(errors), job.stop, work));

    std::vector<std::array<double, scaleFactors.size()>> totals(encoding.scale.size());
    for (std::int64_t row = 0; row < matrix.groups() * matrix.rows(); ++row) {
        const std::int64_t group = row / matrix.rows();
        const std::int64_t inGroup = row % matrix.rows();
        const auto& block = errors[static_cast<std::size_t>(group * blocks + inGroup / lanes)];
        const std::size_t channel = grids[0].channelOf(matrix.weightIndex(group, inGroup, 0));
        for (std::size_t c = 0; c < scaleFactors.size(); ++c)
            totals[channel][c] += block[c][static_cast<std::size_t>(inGroup % lanes)];
    }
    quant::Encoding chosen = encoding;
    for (std::size_t channel = 0; channel < totals.size(); ++channel)
        chosen.scale[channel]
            = candidates[static_cast<std::size_t>(std::ranges::min_element(totals[channel]) - totals[channel].begin())]
                  .scale[channel];
    return chosen;
}

} // namespace quantoscope::planning
