// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/dataset/preprocessing.h"

namespace quantoscope::dataset {

struct Window {
    int top = 0;
    int left = 0;
    int height = 0;
    int width = 0;
};

/// What resizeBilinear(image, height, width) gives inside `window`, which is not empty and lies within it, without
/// computing the rest.
Image resizeWindow(const Image& image, int height, int width, const Window& window);

/// Where a centre crop of `size` begins in `extent` >= size: half of the rest, half-way cases to even.
int centerOffset(int extent, int size);

} // namespace quantoscope::dataset
