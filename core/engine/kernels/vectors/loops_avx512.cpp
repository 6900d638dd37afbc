// SPDX-License-Identifier: GPL-3.0-or-later
#if defined(__x86_64__) && defined(__GNUC__)

#include "core/engine/kernels/vectors/vector_functions.h"

#include <cstring>
#include <type_traits>

#include <immintrin.h>

#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,prefer-vector-width=512")

#include "core/engine/kernels/vectors/all_loops.h"

namespace quantoscope::engine {

constexpr VectorFunctions vectors::avx512 = functionsFor<16>;

} // namespace quantoscope::engine

#endif
