// SPDX-License-Identifier: GPL-3.0-or-later
#if defined(__x86_64__) && defined(__GNUC__)

#include "core/engine/kernels/vectors/depthwise_plan.h"
#include "core/engine/kernels/vectors/winograd_plan.h"

#include <cstring>

#include <immintrin.h>

#pragma GCC target("avx2,fma")

#include "core/engine/kernels/vectors/depthwise_loops.h"
#include "core/engine/kernels/vectors/winograd_loops.h"

namespace quantoscope::engine {

void winograd::convolveAvx2(const Plan& plan, const float* in, float* out, float* scratch)
{
    const Plan own = plan; // which no store through a pointer can change
    if (own.output.quantizes)
        convolve<8, true>(own, in, out, scratch);
    else
        convolve<8, false>(own, in, out, scratch);
}

void depthwise::convolveAvx2(const Plan& plan, const float* in, float* out, float* buffer)
{
    const Plan own = plan;
    convolve<8>(own, in, out, buffer);
}

} // namespace quantoscope::engine

#endif
