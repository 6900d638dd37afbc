// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/engine/kernels/support.h"

namespace quantoscope::engine {

/// How Resize and Upsample of every opset compute one axis.
struct ResizeMode {
    std::string interpolation = "nearest"; ///< nearest, linear, cubic
    std::string coordinates = "half_pixel";
    std::string rounding = "round_prefer_floor"; ///< nearest only
    double cubicCoefficient = -0.75;
    double extrapolation = 0;
    bool antialias = false;
    bool excludeOutside = false;
};

/// One axis of a resize: its extents, the scale as the model states it and the region of tf_crop_and_resize.
struct ResizeAxis {
    std::int64_t in = 1;
    std::int64_t out = 1;
    double scale = 1;
    double roiStart = 0;
    double roiEnd = 1;

    /// True if every output element is the input element of the same index.
    bool isIdentity(const ResizeMode& mode) const;
    /// Where output element `i` lies in the input's index space (ONNX Resize, coordinate_transformation_mode).
    double source(std::int64_t i, const ResizeMode& mode) const;
    /// True if tf_crop_and_resize looks outside the input for output element `i`.
    bool isOutside(std::int64_t i, const ResizeMode& mode) const;
    /// The input index that nearest takes for output element `i`.
    std::int64_t nearest(std::int64_t i, const ResizeMode& mode) const;

    struct Tap {
        std::int64_t index;
        float weight;
    };
    /// The input elements that output element `i` is a weighted sum of.
    std::vector<Tap> taps(std::int64_t i, const ResizeMode& mode) const;
};

/// Everything a Resize or Upsample node says. Errors: unknown modes, operands that are not constant.
struct ResizePlan {
    ResizeMode mode;
    std::vector<ResizeAxis> axes; ///< one an axis of the tensor
};
Result<ResizePlan> readResizePlan(const KernelRequest& request);

} // namespace quantoscope::engine
