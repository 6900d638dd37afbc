// SPDX-License-Identifier: GPL-3.0-or-later
#if defined(__x86_64__) && defined(__GNUC__)

#include "core/engine/kernels/vectors/depthwise_plan.h"
#include "core/engine/kernels/vectors/winograd_plan.h"

#include <cstring>

#include <immintrin.h>

#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,prefer-vector-width=512")

#include "core/engine/kernels/vectors/depthwise_loops.h"
#include "core/engine/kernels/vectors/winograd_loops.h"

namespace quantoscope::engine {

void winograd::convolveAvx512(const Plan& plan, const float* in, float* out, float* scratch)
{
    const Plan own = plan; // which no store through a pointer can change
    if (own.output.quantizes)
        convolve<16, true>(own, in, out, scratch);
    else
        convolve<16, false>(own, in, out, scratch);
}

void depthwise::convolveAvx512(const Plan& plan, const float* in, float* out, float* buffer)
{
    const Plan own = plan;
    convolve<16>(own, in, out, buffer);
}

} // namespace quantoscope::engine

#endif
