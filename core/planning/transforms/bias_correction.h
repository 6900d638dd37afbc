// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/error.h"
#include "core/base/progress.h"
#include "core/planning/transforms/transforms.h"
#include "core/quant/plan.h"

namespace quantoscope::planning {

/// Empirical bias correction (Nagel et al. 2019, Data-Free Quantization, section 4.2 and appendix D; Banner et al.
/// 2019): the bias of each output channel is shifted by E[y] - E[y~], y what the layer puts out in the float network,
/// y~ in the quantized one, over images and positions, before the activation function and any quantizer. Layers are
/// taken one after the other, so that each sees the earlier ones corrected. Biases of the graph are replaced by
/// constants of the plan, missing ones added (quantizer and all, in Scope::Integer, where the plan quantizes biases). A
/// corrected bias that does not fit its word-length is clipped to it, and noted. Layers that cannot take a bias are
/// noted. Keeps up to 256 MiB of activations, from which it goes on. Progress in layers. Thread safe. Errors: NotFound
/// for a name in data.layers that is no compute layer's; as calibration::Feed; Cancelled.
Result<CorrectedPlan> correctBias(
    const CorrectionData& data, const quant::QuantizationPlan& plan, const base::Job& job = {});

} // namespace quantoscope::planning
