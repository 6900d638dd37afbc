// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/graph/graph.h"

namespace quantoscope::graph {

/// Where the window of a convolution or pooling stands, per spatial axis, with auto_pad resolved.
struct Window {
    std::vector<std::int64_t> kernel;
    std::vector<std::int64_t> strides;
    std::vector<std::int64_t> dilations;
    std::vector<std::int64_t> padsBegin;
    std::vector<std::int64_t> padsEnd;
    std::vector<std::int64_t> output; ///< spatial extents of the result; -1 where the input's is not known

    std::size_t axes() const { return kernel.size(); }
    /// Elements from the first to the last that the kernel touches on an axis.
    std::int64_t span(std::size_t axis) const { return (kernel[axis] - 1) * dilations[axis] + 1; }
};

/// The window of a Conv or pooling node (`kernel_shape`, `strides`, `dilations`, `pads`, `auto_pad`, `ceil_mode`) over
/// an input of the spatial extents `input` (-1: not known). `kernel` replaces kernel_shape if not empty, and must agree
/// with it. With ceil_mode a last window that would start beyond the input and its leading padding is left out, as in
/// PyTorch. Errors (InvalidInput, without a place): attributes of wrong length or range, a kernel larger than the
/// padded input.
Result<Window> resolveWindow(
    const Node& node, std::span<const std::int64_t> input, std::vector<std::int64_t> kernel = {});

/// The same for ConvTranspose, with output_padding and output_shape: pads are what the result loses at its edges.
Result<Window> resolveTransposedWindow(
    const Node& node, std::span<const std::int64_t> input, std::vector<std::int64_t> kernel);

} // namespace quantoscope::graph
