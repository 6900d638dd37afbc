// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/error.h"
#include "core/base/progress.h"
#include "core/planning/transforms/hessian.h"
#include "core/planning/transforms/layer_matrix.h"
#include "core/quant/encoding.h"
#include "core/tensor/tensor.h"

namespace quantoscope::planning {

/// The values that a weight tensor may take under its encoding.
class WeightGrid {
public:
    WeightGrid(const quant::Encoding& encoding, const Shape& shape);

    /// The value of the grid nearest to `value` for the element at `index`.
    double nearest(std::int64_t index, double value) const;
    std::size_t channelOf(std::int64_t index) const
    {
        return m_encoding.perChannel() ? static_cast<std::size_t>(index / m_stride % m_extent) : 0;
    }

private:
    const quant::Encoding& m_encoding;
    std::int64_t m_stride = 1;
    std::int64_t m_extent = 1;
};

/// The squared output error of one layer per output channel, e^T (H + damping) e with e = wanted - rounded.
struct RoundedWeights {
    Tensor values; ///< float32, shape of the weight, all on the grid
    double error = 0; ///< summed over channels
    double errorOfNearest = 0; ///< what rounding `wanted` to nearest would have cost
};

struct RoundingOptions {
    bool compensate = true; ///< GPTQ; otherwise to nearest
    int threads = 0;
};

/// The factors of every group, made in parallel. Internal if one cannot be factorized: the samples are not finite.
Result<std::vector<HessianFactor>> factorizeGroups(
    const SecondMoments& moments, double damping, int threads, const base::Job& job);

/// Rounds `wanted` (float32, shape of the weight) onto its grid so that the layer's outputs change least. `factors`:
/// one a group. Never worse than nearest in any channel.
Result<RoundedWeights> roundWeights(const LayerMatrix& matrix, const quant::Encoding& encoding,
    const std::vector<HessianFactor>& factors, const Tensor& wanted, const RoundingOptions& options,
    const base::Job& job);

/// `encoding` with the scale of every channel multiplied by the one of a few factors around 1, and 1 itself, that
/// leaves the smallest error after roundWeights().
Result<quant::Encoding> chooseScales(const LayerMatrix& matrix, const quant::Encoding& encoding,
    const std::vector<HessianFactor>& factors, const Tensor& wanted, const RoundingOptions& options,
    const base::Job& job);

} // namespace quantoscope::planning
