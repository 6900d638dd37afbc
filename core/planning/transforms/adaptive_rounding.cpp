// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/planning/transforms/adaptive_rounding.h"

#include <algorithm>
#include <array>

#include "core/base/parallel.h"
#include "core/planning/transforms/instruction_sets.h"

namespace quantoscope::planning {

namespace {

constexpr std::int64_t lanes = 8; ///< output channels that are worked on side by side

/// A value for each of them, aligned as the widest registers want it.
struct alignas(64) Lanes : std::array<double, lanes> { };

/// gradients[k] += row[k] change, for every lane.
QS_INSTRUCTION_SETS void addProduct(const double* row, const double* change, std::int64_t count, double* gradients)
{
    using Vector = double __attribute__((vector_size(lanes * sizeof(double))));
    const Vector by = *reinterpret_cast<const Vector*>(change);
    for (std::int64_t k = 0; k < count; ++k)
        *reinterpret_cast<Vector*>(gradients + k * lanes) += row[k] * by;
}

/// Up to `lanes` rows of one group's matrix with the gradient of their errors.
class DescentBlock {
public:
    DescentBlock(const LayerMatrix& matrix, const WeightGrid& grid, const SecondMoments& inputs, double damping,
        std::int64_t group, std::int64_t firstRow, std::span<const float> wanted, std::span<const float> rounded)
        : m_matrix(matrix)
        , m_grid(grid)
        , m_hessian(inputs.of(group))
        , m_stride(inputs.columns())
        , m_damping(damping)
        , m_group(group)
        , m_firstRow(firstRow)
        , m_count(std::min(lanes, matrix.rows() - firstRow))
        , m_wanted(static_cast<std::size_t>(matrix.columns()))
        , m_errors(m_wanted.size())
        , m_gradients(m_wanted.size())
    {
        for (std::int64_t column = 0; column < matrix.columns(); ++column) {
            const auto c = static_cast<std::size_t>(column);
            for (std::int64_t lane = 0; lane < m_count; ++lane) {
                const auto l = static_cast<std::size_t>(lane);
                const auto at = static_cast<std::size_t>(index(column, lane));
                m_wanted[c][l] = static_cast<double>(wanted[at]);
                m_errors[c][l] = m_wanted[c][l] - static_cast<double>(rounded[at]);
            }
            move(column, m_errors[c]);
        }
    }

    /// Visits every element once. Returns by how much the error fell.
    double sweep()
    {
        double gained = 0;
        for (std::int64_t column = 0; column < m_matrix.columns(); ++column) {
            const auto c = static_cast<std::size_t>(column);
            const double curvature = m_hessian[column * m_stride + column] + m_damping;
            Lanes change {};
            bool moves = false;
            for (std::int64_t lane = 0; lane < m_count; ++lane) {
                const auto l = static_cast<std::size_t>(lane);
                const double best = m_wanted[c][l] - m_errors[c][l] + m_gradients[c][l] / curvature;
                const double by = m_wanted[c][l] - m_grid.nearest(index(column, lane), best) - m_errors[c][l];
                const double fall = -by * (2 * m_gradients[c][l] + by * curvature);
                if (by == 0 || !(fall > 0))
                    continue;
                change[l] = by;
                m_errors[c][l] += by;
                gained += fall;
                moves = true;
            }
            if (moves)
                move(column, change);
        }
        return gained;
    }

    void write(std::span<float> rounded) const
    {
        for (std::int64_t column = 0; column < m_matrix.columns(); ++column)
            for (std::int64_t lane = 0; lane < m_count; ++lane)
                rounded[static_cast<std::size_t>(index(column, lane))]
                    = static_cast<float>(m_wanted[static_cast<std::size_t>(column)][static_cast<std::size_t>(lane)]
                        - m_errors[static_cast<std::size_t>(column)][static_cast<std::size_t>(lane)]);
    }

private:
    std::int64_t index(std::int64_t column, std::int64_t lane) const
    {
        return m_matrix.weightIndex(m_group, m_firstRow + lane, column);
    }

    void move(std::int64_t column, const Lanes& change)
    {
        addProduct(m_hessian + column * m_stride, change.data(), m_matrix.columns(), m_gradients.front().data());
        auto& own = m_gradients[static_cast<std::size_t>(column)];
        for (std::size_t lane = 0; lane < own.size(); ++lane)
            own[lane] += m_damping * change[lane];
    }

    const LayerMatrix& m_matrix;
    const WeightGrid& m_grid;
    const double* m_hessian;
    std::int64_t m_stride;
    double m_damping;
    std::int64_t m_group;
    std::int64_t m_firstRow;
    std::int64_t m_count;
    std::vector<Lanes> m_wanted;
    std::vector<Lanes> m_errors;
    std::vector<Lanes> m_gradients; ///< (H + damping) e
};

} // namespace

Result<double> descend(const LayerMatrix& matrix, const quant::Encoding& encoding, const SecondMoments& inputs,
    const std::vector<HessianFactor>& factors, const Tensor& wanted, Tensor& rounded, int sweeps, int threads,
    const base::Job& job)
{
    const WeightGrid grid(encoding, wanted.shape());
    const std::int64_t blocks = (matrix.rows() + lanes - 1) / lanes;
    std::vector<double> gains(static_cast<std::size_t>(matrix.groups() * blocks));
    const auto values = rounded.as<float>();
    const auto work = [&](int, std::int64_t item) -> Result<void> {
        const std::int64_t group = item / blocks;
        DescentBlock block(matrix, grid, inputs, factors[static_cast<std::size_t>(group)].damping, group,
            item % blocks * lanes, wanted.as<float>(), values);
        for (int i = 0; i < sweeps; ++i) {
            const double gained = block.sweep();
            gains[static_cast<std::size_t>(item)] += gained;
            if (!(gained > 0))
                break;
        }
        block.write(values);
        return {};
    };
    QS_CHECK(base::parallelFor(threads, std::ssize(gains), job.stop, work));
    double total = 0;
    for (const double gained : gains)
        total += gained;
    return total;
}

Result<CorrectedPlan> roundAdaptively(const CorrectionData& data, const quant::QuantizationPlan& plan,
    const AdaptiveRoundingOptions& options, const base::Job& job)
{
    WeightCorrection correction;
    correction.refineScales = true;
    correction.sweeps = options.sweeps;
    correction.damping = options.damping;
    correction.limits = options.limits;
    return correctWeights(data, plan, correction, job);
}

} // namespace quantoscope::planning
