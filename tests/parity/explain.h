// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

#include "tests/parity/peer.h"
#include "tests/parity/subject.h"

namespace quantoscope::parity {

/// Why a file gives another answer there than here for an image.
struct Explanation {
    bool isKnown = false; ///< nothing but rounding edges
    std::string text; ///< one sentence
    /// Of the values that differ, there and here, those that are sums of integers, and of these the ones that lie on a
    /// rounding edge exactly, not merely near it.
    std::size_t sums = 0;
    std::size_t ties = 0;
};

/// Takes the file's quantized activations from the runtime, and computes every one of them again from those that the
/// runtime had before it, with sums in double precision: what the file says of each layer on its own. Where a value
/// differs it must do so by one step, and lie no farther from the boundary between two integers than float sums of so
/// many terms of such a size may be off (SumError): there they decide by their order. Anything else is not known: a
/// layer then computes something else there. The same is done with this engine's own activations, and their count of
/// such values stands beside the runtime's.
Result<Explanation> explain(const Subject& subject, Peer& peer, const std::filesystem::path& file,
    const std::string& level, std::int64_t image);

} // namespace quantoscope::parity
