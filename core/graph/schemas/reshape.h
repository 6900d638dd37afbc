// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/graph/op_schema.h"

namespace quantoscope::graph::schemas {

/// Dims of Reshape: 0 copies (unless allowzero), -1 takes what is left, also where extents are symbols: [batch, 64, 1,
/// 1] to [0, -1] or [batch, -1] is [batch, 64], to [-1, 64] is [batch, 64] too.
Result<Dims> reshapedDims(const InferenceContext& context, const Dims& input, const Elements& elements);

} // namespace quantoscope::graph::schemas
