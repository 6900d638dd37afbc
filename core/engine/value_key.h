// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>

namespace quantoscope::engine {

/// Names what is computed by how it is computed: the kernel with all its numbers, and the keys of what it reads, down
/// to the inputs of the network. Values with one key have the same bytes for the same inputs, whichever compiled graph
/// they belong to. 128 bits of a hash that nobody attacks.
struct ValueKey {
    std::uint64_t high = 0;
    std::uint64_t low = 0;
    friend auto operator<=>(const ValueKey&, const ValueKey&) = default;
};

struct ValueKeyHash {
    std::size_t operator()(const ValueKey& key) const { return static_cast<std::size_t>(key.low); }
};

} // namespace quantoscope::engine
