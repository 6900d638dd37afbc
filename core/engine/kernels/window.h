// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/error.h"
#include "core/engine/kernel.h"

namespace quantoscope::engine {

/// The sliding window of a convolution or pool, one entry a spatial axis.
struct Window {
    std::vector<std::int64_t> kernel;
    std::vector<std::int64_t> strides;
    std::vector<std::int64_t> dilations;
    std::vector<std::int64_t> padsBegin;
    std::vector<std::int64_t>
        padsEnd; ///< as the attributes say; may reach further than the last window (floor) or not (ceil)

    std::size_t axes() const { return kernel.size(); }
    std::int64_t span(std::size_t axis) const { return (kernel[axis] - 1) * dilations[axis] + 1; }
};

/// Attributes strides, dilations, pads and auto_pad of the request's node for a window of extents `kernel` sliding over
/// an input of shape [N, C, D...]. auto_pad SAME_UPPER and SAME_LOWER pad so that the output has ceil(input / stride)
/// positions. Errors (InvalidInput): a list of the wrong length, a stride or dilation below 1, a negative pad, an
/// unknown auto_pad.
Result<Window> slidingWindow(const KernelRequest& request, const Shape& input, std::vector<std::int64_t> kernel);

/// The window of a transposed convolution from `input` to `output`, both [N, C, D...]: pads follow from the output's
/// shape, so that output_padding and output_shape need no further look. padsEnd may be negative (output_padding).
Result<Window> transposedWindow(
    const KernelRequest& request, const Shape& input, const Shape& output, std::vector<std::int64_t> kernel);

} // namespace quantoscope::engine
