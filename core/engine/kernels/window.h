// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/error.h"
#include "core/engine/kernel.h"
#include "core/graph/windows.h"

namespace quantoscope::engine {

using graph::Window;

/// graph::resolveWindow for the request's node: a window of extents `kernel` sliding over an input of shape [N, C,
/// D...]. padsEnd is as the attributes say; it may reach further than the last window (floor) or not (ceil). Errors
/// (InvalidInput): what resolveWindow finds, at the node; an input of another rank than the kernel's.
Result<Window> slidingWindow(const KernelRequest& request, const Shape& input, std::vector<std::int64_t> kernel);

/// The window of a transposed convolution from `input` to `output`, both [N, C, D...]: padsEnd follows from the
/// output's shape, so that output_padding and output_shape need no further look. It may be negative (output_padding).
Result<Window> transposedWindow(
    const KernelRequest& request, const Shape& input, const Shape& output, std::vector<std::int64_t> kernel);

} // namespace quantoscope::engine
