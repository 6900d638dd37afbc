// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "tests/parity/peer.h"
#include "tests/parity/subject.h"

namespace quantoscope::parity {

/// Why a file gives another answer there than here for an image.
struct Explanation {
    bool isKnown = false; ///< rounding edges, or an operator that the runtime replaces
    std::string text; ///< one sentence
};

/// Takes the file's quantized activations from the runtime, and computes every one of them again from those that the
/// runtime had before it, with sums in double precision: what the file says of each layer on its own. Where a value
/// differs it must do so by one step, and lie within a thousandth of a step, or a hundred thousandth of its size, of
/// the boundary between two integers: there float sums decide by their order. Or, with optimisation on, it comes from a
/// Softmax or Sigmoid: those the runtime computes in integers, by table, where a quantizer follows. Anything else is
/// not known: a layer then computes something else there. The same is done with this engine's own activations, and
/// their count of such values stands beside the runtime's.
Result<Explanation> explain(const Subject& subject, Peer& peer, const std::filesystem::path& file,
    const std::string& level, std::int64_t image);

} // namespace quantoscope::parity
