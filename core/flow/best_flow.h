// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/progress.h"
#include "core/evaluation/fidelity.h"
#include "core/flow/quantizer.h"
#include "core/planning/request.h"

namespace quantoscope::flow {

/// What the search must leave as the request has it.
struct FixedOptions {
    bool weightRange = false;
    bool activationRange = false;
    planning::Corrections corrections; ///< those set here
};

struct BestFlowOptions {
    planning::PlanRequest request; ///< word-lengths, scope, schemes, overrides; where the search begins
    FixedOptions fixed = {};
    double seconds = 600; ///< after this much time no further alternative is tried; the note says so
};

/// One alternative that was tried.
struct FlowStep {
    std::string stage; ///< "ranges of activations"
    std::string choice; ///< "mse"
    evaluation::Fidelity fidelity;
    bool chosen = false;
};

struct BestFlow {
    planning::PlanRequest request; ///< quantize() makes the same network of it
    QuantizedNetwork network; ///< its notes begin with why each choice was made
    std::vector<FlowStep> steps; ///< in the order tried
    evaluation::Fidelity plain; ///< what the request made as it was given, without corrections
    evaluation::Fidelity best;
};

/// Chooses ranges and corrections for this network at the request's word-lengths, by what brings it closest to float.
/// Stages, each starting from the best so far: ranges of activations, with float weights and judged on all calibration
/// images; ranges of weights with compensation, gain and bias correction; balance of channels; reconstruction;
/// equalization where channels are not balanced; then each of the three
/// corrections is left out once to see whether the rest does better without it. These are judged on the images held
/// back. An alternative replaces what is there only if evaluation::clearlyCloser() says so, as a few images must not
/// decide by chance. Progress in steps, of which the total is the most there may be. Errors: as Quantizer::quantize();
/// Cancelled.
Result<BestFlow> findBestFlow(const Quantizer& quantizer, const BestFlowOptions& options, const base::Job& job = {});

} // namespace quantoscope::flow
