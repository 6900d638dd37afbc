// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>

#include "core/engine/kernels/vectors/vector_quantizer.h"

namespace quantoscope::engine::winograd {

inline constexpr int inputSide = 6; ///< of a tile that is read
inline constexpr int outputSide = 4; ///< of a tile that is computed
inline constexpr int points = inputSide * inputSide;
inline constexpr std::int64_t rowGroup = 8; ///< tiles that a product takes at once

/// A convolution as the loops see it. Channels are multiples of 16.
struct Plan {
    std::int64_t channels = 0;
    std::int64_t outputs = 0;
    std::int64_t height = 0;
    std::int64_t width = 0;
    std::int64_t outputHeight = 0;
    std::int64_t outputWidth = 0;
    std::int64_t padTop = 0;
    std::int64_t padLeft = 0;
    std::int64_t tilesDown = 0;
    std::int64_t tilesAcross = 0;
    std::int64_t tiles = 0; ///< of the whole batch
    std::int64_t block = 0; ///< tiles transformed and multiplied together, a multiple of rowGroup
    const float* weight = nullptr; ///< [points][panels][channels][panel's width]
    const float* bias = nullptr; ///< [outputs]
    const float* zeros = nullptr; ///< [channels], what lies outside the image
    VectorQuantizer output;

    /// Floats between the matrices of two points; the odd ones keep them out of the same cache sets.
    std::int64_t inputPitch() const { return block * channels + 16; }
    std::int64_t productPitch() const { return block * outputs + 16; }
};

/// The whole batch. `scratch` holds points * (inputPitch + productPitch) floats.
using Convolve = void (*)(const Plan& plan, const float* in, float* out, float* scratch);

} // namespace quantoscope::engine::winograd
