// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/kernels/vectors/vector_functions.h"

#include "core/engine/kernels/vectors/vector_types.h"

namespace quantoscope::engine {

const VectorFunctions* vectorFunctions()
{
#if defined(__x86_64__) && defined(__GNUC__)
    switch (floatLanes()) {
    case 16:
        return &vectors::avx512;
    case 8:
        return &vectors::avx2;
    default:
        break;
    }
#endif
    return nullptr;
}

} // namespace quantoscope::engine
