// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/kernels/vectors/code_loops.h"
#include "core/engine/kernels/vectors/depthwise_loops.h"
#include "core/engine/kernels/vectors/row_loops.h"
#include "core/engine/kernels/vectors/winograd_loops.h"

// What loops_*.cpp compile for their instruction set; see vector_loops.h.
namespace quantoscope::engine {

template <int lanes> void convolveByWinograd(const winograd::Plan& plan, const float* in, float* out, float* scratch)
{
    const winograd::Plan own = plan; // which no store through a pointer can change
    withQuantizing(
        own.output.kind(), [&](auto quantizing) __attribute__((always_inline)) {
            winograd::convolve<lanes, quantizing()>(own, in, out, scratch);
        });
}

template <int lanes> void convolveDepthwise(const depthwise::Plan& plan, const float* in, float* out, float* buffer)
{
    const depthwise::Plan own = plan;
    depthwise::convolve<lanes>(own, in, out, buffer);
}

template <int lanes>
inline constexpr VectorFunctions functionsFor {
    .winograd = convolveByWinograd<lanes>,
    .depthwise = convolveDepthwise<lanes>,
    .quantize = rows::quantize<lanes>,
    .add = rows::add<lanes>,
    .addCodes = codes::add<lanes>,
};

} // namespace quantoscope::engine
