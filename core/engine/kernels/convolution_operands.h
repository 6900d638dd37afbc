// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>

#include "core/engine/kernels/window.h"

namespace quantoscope::engine {

/// Where the weight of a Conv (or ConvTranspose) is laid over its input. InvalidInput where input, weight and
/// attributes do not fit together.
Result<Window> convolutionWindow(const KernelRequest& request, bool transposed);
/// The attribute `group`, checked against the channels of input, weight and bias.
Result<std::int64_t> convolutionGroups(const KernelRequest& request, bool transposed);

} // namespace quantoscope::engine
