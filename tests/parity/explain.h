// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>
#include <string>

#include "tests/parity/peer.h"
#include "tests/parity/subject.h"

namespace quantoscope::parity {

/// Why a file gives another answer there than here for an image.
struct Explanation {
    bool isKnown = false; ///< a rounding edge, or an operator that the runtime replaces
    std::string text; ///< one sentence
};

/// Runs the file's quantized activations on both sides, in the order they are computed, down to the first that differs.
/// There all values that differ must do so by one step, and lie in float within a thousandth of a step, or a hundred
/// thousandth of their size, of the boundary between two integers: there sums in another order
/// decide. Or, with optimisation on, they come from a Softmax or Sigmoid: those it computes in integers, by table,
/// where a quantizer follows. Anything else is not known.
Result<Explanation> explain(const Subject& subject, Peer& peer, const std::filesystem::path& file,
    const std::string& level, std::int64_t image);

} // namespace quantoscope::parity
