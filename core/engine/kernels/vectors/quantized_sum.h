// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/kernel.h"

namespace quantoscope::engine {

/// Whether makeQuantizedSum() takes this Add: two computed float32 tensors of the result's shape, a quantizer of one
/// scale behind it, and a processor with vectors and fused products and sums.
bool quantizedSumSuits(const KernelRequest& request);

/// The sum of two tensors, clamped and quantized in one pass over memory; the plain sum too where the request wants
/// both. Bit for bit what Add and the quantizer give one after the other.
Result<KernelPtr> makeQuantizedSum(const KernelRequest& request);

} // namespace quantoscope::engine
