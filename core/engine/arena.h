// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>

#include "core/engine/compiled_graph.h"

namespace quantoscope::engine {

/// Gives every slot of Place::Arena and every step's scratch memory its offset: lifetimes from first write to last
/// read, outputs to the end; kernels compute in place where they can and nobody else reads the input. Returns the bytes
/// of the arena.
std::size_t planArena(Program& program);

} // namespace quantoscope::engine
