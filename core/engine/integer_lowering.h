// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/error.h"
#include "core/engine/engine.h"
#include "core/engine/lowering.h"

namespace quantoscope::engine {

/// Rewrites a lowered graph so that compute layers whose operands lie on grids of at most 8 bits calculate on integers,
/// and tensors between them stay integers: additions, pools, Concat and what only moves data included. A quantizer
/// becomes part of the layer before it where nobody else reads the float value. Values that float operators read are
/// dequantized for them, so that every tensor keeps its meaning.
/// Errors: Unsupported under Arithmetic::Integer, with the first layer that cannot and why.
Result<void> useIntegers(Lowered& lowered, const CompileOptions& options);

} // namespace quantoscope::engine
