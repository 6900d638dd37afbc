// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace quantoscope::engine {

/// A buffer that has to exist from step `first` to step `last`, both included.
struct BufferLifetime {
    std::size_t bytes = 0;
    int first = 0;
    int last = 0;
};

struct MemoryPlan {
    std::vector<std::size_t> offsets; ///< one a buffer, multiples of 64
    std::size_t bytes = 0; ///< of the whole arena
};

/// Places buffers in one arena so that no two whose lifetimes touch overlap. Largest first, each into the tightest gap
/// between those already placed that live at the same time (Pisarchyk and Lee 2020, "Efficient Memory Management for
/// Deep Neural Net Inference", greedy by size).
MemoryPlan planMemory(std::span<const BufferLifetime> buffers);

} // namespace quantoscope::engine
