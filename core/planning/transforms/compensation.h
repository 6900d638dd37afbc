// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/error.h"
#include "core/base/progress.h"
#include "core/planning/transforms/transforms.h"
#include "core/planning/transforms/weight_correction.h"
#include "core/quant/plan.h"

namespace quantoscope::planning {

struct CompensationOptions {
    double damping = 0.01; ///< times the mean of the Hessian's diagonal
    bool gain = false; ///< restoreGain() in the Hessian's inner product afterwards
    SamplingLimits limits = {};
};

/// Error-compensating rounding of weights (GPTQ: Frantar et al. 2022, algorithm 1, from optimal brain quantization):
/// the columns of a layer's weight are rounded one after the other, those of the largest Hessian diagonal first, and
/// what each rounding does to the outputs is made up for by the columns that are still to come. The Hessian is E[x x^T]
/// of what the layer reads in the network as quantized so far: quantized activations, earlier layers compensated.
/// Worked out by back substitution with the Cholesky factor R of the Hessian itself, H = R^T R, which rounds the same
/// as GPTQ's factor of the inverse does (Chen et al. 2025, The Geometry of LLM Quantization: GPTQ as Babai's nearest
/// plane). A channel that nearest rounding serves better keeps it. Each weight keeps its encoding, and becomes a
/// constant of the plan that lies on its grid. Layers without a constant weight matrix, and those with more than
/// limits.columns inputs, stay as they are and are noted. Thread safe. Errors: NotFound for a name in data.layers that
/// is no compute layer's; those of engine::compile(); Cancelled.
Result<CorrectedPlan> compensateWeights(const CorrectionData& data, const quant::QuantizationPlan& plan,
    const CompensationOptions& options = {}, const base::Job& job = {});

} // namespace quantoscope::planning
