// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/kernel.h"
#include "core/engine/kernels/window.h"

namespace quantoscope::engine {

/// Whether makeWinograd() takes this Conv and is faster than direct sums here: [N, C, H, W] in float32, constant weight
/// [O, C, 3, 3] with C and O multiples of 16, dense, stride 1, one group, no quantizer before it, sums that need not be
/// direct, and a processor with vectors and fused products and sums.
bool winogradWins(const KernelRequest& request, const Window& window, std::int64_t groups);

/// Conv by minimal filtering, F(4 x 4, 3 x 3) of Lavin and Gray (2016): 36 products instead of 144 for 16 results. The
/// weight is transformed here, in double. Operands are channels-last. Each result depends on its own tile alone, so
/// batch and number of threads do not show. Rounding errors are larger than those of direct sums: in the
/// tests about 1e-6 of a result (root mean square; 2e-6 at 128 channels) and at most 6e-6 of the largest one; sums of
/// whole numbers are not exact.
Result<KernelPtr> makeWinograd(const KernelRequest& request, const Window& window);

} // namespace quantoscope::engine
