// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>

#include "core/engine/kernels/vectors/vector_quantizer.h"

namespace quantoscope::engine::depthwise {

inline constexpr std::int64_t channelGroup = 16; ///< the number of channels is a multiple
inline constexpr std::int64_t chunkChannels = 128; ///< most channels whose rows are in the buffer together
inline constexpr std::int64_t bandColumns = 16; ///< most columns of results that are computed from it
inline constexpr std::int64_t maxKernelHeight = 11;

/// A depthwise convolution as the loops see it.
struct Plan {
    std::int64_t batch = 0;
    std::int64_t channels = 0;
    std::int64_t height = 0;
    std::int64_t width = 0;
    std::int64_t outputHeight = 0;
    std::int64_t outputWidth = 0;
    std::int64_t kernelHeight = 0;
    std::int64_t kernelWidth = 0;
    std::int64_t strideDown = 1;
    std::int64_t strideAcross = 1;
    std::int64_t padTop = 0;
    std::int64_t padLeft = 0;
    std::int64_t chunk = 0; ///< channels at once, at most chunkChannels
    const float* weight = nullptr; ///< [channels / channelGroup][kH][kW][channelGroup]
    const float* bias = nullptr; ///< [channels]
    VectorQuantizer input;
    VectorQuantizer output;

    /// Of the buffer: [kH][columns that a band of results needs][chunkChannels].
    std::int64_t rowFloats() const { return ((bandColumns - 1) * strideAcross + kernelWidth) * chunkChannels; }
    std::int64_t bufferFloats() const { return kernelHeight * rowFloats(); }
};

/// The whole batch. `buffer` holds bufferFloats().
using Convolve = void (*)(const Plan& plan, const float* in, float* out, float* buffer);

} // namespace quantoscope::engine::depthwise
