// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

#include "core/graph/graph.h"
#include "core/importing/encodings_file.h"
#include "core/planning/request.h"
#include "core/quant/plan.h"

namespace quantoscope::importing {

/// An entry of a file that the model could not take.
struct UnmatchedEncoding {
    std::string tensor;
    std::string why;
};

struct AppliedEncodings {
    quant::QuantizationPlan plan;
    std::vector<std::string> applied; ///< tensors that have the file's numbers now
    std::vector<UnmatchedEncoding> unmatched;
    std::vector<std::string> missing; ///< quantized tensors that the file does not mention: they keep what they had
    std::vector<std::string> notes; ///< what a person should know: biases that stay float, raised scales
};

/// `base`, a plan for `graph`, with the encodings of a file. Scope and places stay those of `base`; a tensor that the
/// scope has a place for and `base` leaves float becomes quantized, and one that the file says is float becomes float.
/// Tensors that share an encoding with one the file mentions follow it where they are not mentioned themselves. Ranges
/// of calibration tables become encodings by the tensor's config, by `request` where it has none. Biases are derived
/// from their operands by the rules of `request`: an entry for one counts as applied where it says the same. Corrected
/// constants go where their encoding changed.
AppliedEncodings applyEncodings(const graph::Graph& graph, const quant::QuantizationPlan& base,
    const planning::PlanRequest& request, const EncodingsFile& file);

} // namespace quantoscope::importing
