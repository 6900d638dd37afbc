// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/error.h"
#include "core/base/progress.h"
#include "core/planning/transforms/transforms.h"
#include "core/quant/plan.h"

namespace quantoscope::planning {

/// Gain restoration. Rounding with clipped ranges leaves a channel w~ that answers its input too weakly: its integers
/// stay and its scale is multiplied by g = <w, w> / <w, w~>, so that <w, g w~> = <w, w>. The inner product is that of
/// the covariance of the layer's inputs on the images of `data` in the float network (outputGains()), in which weights
/// rounded by compensation are near too; the plain one where data.images is 0 or the weight is a left operand. (Weights
/// of ResNet-56 at 3 bits, rounded to nearest, then biases corrected: top-1 87.2 % by outputs, 84.5 % by weights.) One
/// factor a channel, or one in all where the weight is quantized per tensor. The weight becomes a constant of the plan,
/// (q - z) s g, with s g as scale of its encoding, rounding to nearest, so that quantizing it again changes nothing;
/// the scale of the layer's quantized bias takes the same factor. Power-of-two scales stay, which is noted, and so do
/// channels without a positive product. Progress in layers. Thread safe. Errors: NotFound for a name in data.layers
/// that is no compute layer's; as calibration::Feed; Cancelled.
Result<CorrectedPlan> correctGain(
    const CorrectionData& data, const quant::QuantizationPlan& plan, const base::Job& job = {});

} // namespace quantoscope::planning
