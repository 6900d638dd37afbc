// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/error.h"
#include "core/graph/graph.h"
#include "core/quant/plan.h"

namespace quantoscope::importing {

/// The plan of a quantized model as one for the float network it was made from: quantized constants keep the values
/// they have in `quantized` (whatever rounding or correction made them), and are measured against those of `original`.
/// Constants that the plan does not quantize but are others than the original's (corrected biases) come along. Both
/// graphs prepared. Errors: NotFound or InvalidInput, naming the first tensor that `original` does not have or has in
/// another shape: the two do not belong together.
Result<quant::QuantizationPlan> transplant(
    const quant::QuantizationPlan& plan, const graph::Graph& quantized, const graph::Graph& original);

} // namespace quantoscope::importing
