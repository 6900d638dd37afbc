// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/error.h"
#include "core/base/progress.h"
#include "core/planning/transforms/transforms.h"
#include "core/quant/plan.h"

namespace quantoscope::planning {

/// Gain restoration. Rounding with clipped ranges leaves a channel w~ that answers its input too weakly: its integers
/// stay and its scale is multiplied by g = <w, w> / <w, w~>, so that <w, g w~> = <w, w>. One factor a channel, or one
/// in all where the weight is quantized per tensor. The weight becomes a constant of the plan, (q - z) s g, with s g as
/// scale of its encoding, rounding to nearest, so that quantizing it again changes nothing; the scale of the layer's
/// quantized bias takes the same factor. Power-of-two scales stay, which is noted, and so do channels
/// without a positive product. Thread safe. Errors: NotFound for a name in data.layers
/// that is no compute layer's; Cancelled.
Result<CorrectedPlan> correctGain(
    const CorrectionData& data, const quant::QuantizationPlan& plan, const base::Job& job = {});

} // namespace quantoscope::planning
