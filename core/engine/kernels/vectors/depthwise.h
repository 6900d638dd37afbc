// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/kernel.h"
#include "core/engine/kernels/window.h"

namespace quantoscope::engine {

/// Whether makeDepthwise() takes this Conv: [N, C, H, W] in float32 with constant weight [C, 1, kH, kW], dense, C
/// groups, quantizers it can apply on the way, and a processor with vectors and fused products and sums.
bool depthwiseSuits(const KernelRequest& request, const Window& window, std::int64_t groups);

/// Depthwise Conv in channels-last order. Rows of the input are brought into a small buffer that stays in the nearest
/// cache, quantized on the way where the request says so; results are clamped and quantized before they are stored. So
/// fake-quantization around it passes over no memory of its own.
Result<KernelPtr> makeDepthwise(const KernelRequest& request, const Window& window);

} // namespace quantoscope::engine
