// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/base/error.h"
#include "core/base/progress.h"
#include "core/planning/transforms/transforms.h"
#include "core/quant/plan.h"

namespace quantoscope::planning {

/// How much of the calibration images corrections look at, and what memory they may take.
struct SamplingLimits {
    std::int64_t positions = 64; ///< output positions of an image, at most
    std::size_t activationMemory = std::size_t { 512 } << 20; ///< bytes of a network's activations kept to go on from
    std::size_t sampleMemory = std::size_t { 256 } << 20; ///< bytes of sampled inputs, and of outputs, of one layer
    std::int64_t columns = 6144; ///< layers whose outputs read more inputs than this are rounded to nearest
};

/// What is done to each layer, in this order. Whatever is chosen is done layer by layer in one walk through the
/// network, so that every layer sees the ones before it as they will be.
struct WeightCorrection {
    bool reconstruct = false; ///< fit weights and bias to the float network's outputs
    bool compensate = true; ///< GPTQ; otherwise to nearest
    bool refineScales = false; ///< scales that leave the smallest output error
    int sweeps = 0; ///< of coordinate descent, at most
    bool gain = false; ///< restoreGain()
    bool bias = false; ///< mean outputs as in the float network
    double damping = 0.01; ///< times the mean of the Hessian's diagonal
    SamplingLimits limits = {};
};

/// What compensateWeights(), roundAdaptively() and reconstructWeights() have in common; see there.
Result<CorrectedPlan> correctWeights(const CorrectionData& data, const quant::QuantizationPlan& plan,
    const WeightCorrection& correction, const base::Job& job);

} // namespace quantoscope::planning
