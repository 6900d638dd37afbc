// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>

#include "core/engine/kernels/vectors/depthwise_plan.h"
#include "core/engine/kernels/vectors/vector_quantizer.h"
#include "core/engine/kernels/vectors/winograd_plan.h"

namespace quantoscope::engine {

namespace rows {

/// A matrix to go through; rows lie `pitch` floats apart.
struct Block {
    const float* in = nullptr;
    std::int64_t inPitch = 0;
    float* out = nullptr;
    std::int64_t outPitch = 0;
    std::int64_t rows = 0;
    std::int64_t columns = 0;
};

/// What becomes of a sum: clamped, and quantized behind that.
struct Sum {
    VectorQuantizer clamp = VectorQuantizer::none();
    VectorQuantizer quantizer;
};

} // namespace rows

namespace codes {

/// clamp(round_half_even(a factorA + (b factorB + offset)) + zeroPoint, lowest, highest) of two codes of one byte.
/// Before the clamp, no pair may give more than about 2^30.
struct Sum {
    float factorA = 0;
    float factorB = 0;
    float offset = 0;
    std::int32_t zeroPoint = 0;
    std::uint8_t lowest = 0;
    std::uint8_t highest = 255;
};

} // namespace codes

/// The hand-written loops, compiled for one instruction set.
struct VectorFunctions {
    winograd::Convolve winograd = nullptr;
    depthwise::Convolve depthwise = nullptr;
    /// Every element of the block clamped and quantized; `in` and `out` may be the same.
    void (*quantize)(const VectorQuantizer& quantizer, const rows::Block& block) = nullptr;
    /// quantized = Q(clamp(a + b)) and, unless it is null, plain = clamp(a + b). Either may be `a` or `b`.
    void (*add)(
        const rows::Sum& sum, const float* a, const float* b, float* plain, float* quantized, std::int64_t count)
        = nullptr;
    /// `out` may be `a` or `b`.
    void (*addCodes)(
        const codes::Sum& sum, const std::uint8_t* a, const std::uint8_t* b, std::uint8_t* out, std::int64_t count)
        = nullptr;
};

/// Those for the vectors of this processor, floatLanes() wide; null where there are none.
const VectorFunctions* vectorFunctions();

namespace vectors {

extern const VectorFunctions avx2;
extern const VectorFunctions avx512;

} // namespace vectors

} // namespace quantoscope::engine
