// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/base/random.h"

namespace quantoscope::test {

/// A few random edits: bits flipped, bytes replaced (by tell-tale numbers too), ranges removed, repeated or swapped.
inline std::vector<std::uint8_t> mutated(std::vector<std::uint8_t> bytes, base::Random& random)
{
    using Offset = std::vector<std::uint8_t>::difference_type;
    const auto edits = 1 + random.below(4);
    for (std::uint64_t edit = 0; edit < edits && !bytes.empty(); ++edit) {
        const auto at = static_cast<std::size_t>(random.below(bytes.size()));
        const auto length = std::min<std::size_t>(1 + random.below(8), bytes.size() - at);
        const auto from = bytes.begin() + static_cast<Offset>(at);
        switch (random.below(6)) {
        case 0:
            bytes[at] = static_cast<std::uint8_t>(bytes[at] ^ (1U << random.below(8)));
            break;
        case 1:
            bytes[at] = static_cast<std::uint8_t>(random());
            break;
        case 2: {
            constexpr std::uint8_t telling[] = { 0x00, 0x01, 0x7F, 0x80, 0xFF };
            bytes[at] = telling[random.below(5)];
            break;
        }
        case 3:
            bytes.erase(from, from + static_cast<Offset>(length));
            break;
        case 4: {
            const std::vector<std::uint8_t> piece(from, from + static_cast<Offset>(length));
            bytes.insert(from, piece.begin(), piece.end());
            break;
        }
        default:
            std::swap(bytes[at], bytes[random.below(bytes.size())]);
        }
    }
    return bytes;
}

} // namespace quantoscope::test
