// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/kernels/integer/instruction_sets.h"

namespace quantoscope::engine {

/// Floats in the widest vector this processor has; 0 where hand-written kernels are not worth while.
inline int floatLanes()
{
    switch (instructionSet()) {
    case InstructionSet::Avx512:
        return 16;
    case InstructionSet::Avx2:
        return 8;
    case InstructionSet::Baseline:
        break;
    }
    return 0;
}

} // namespace quantoscope::engine
