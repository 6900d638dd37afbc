// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <vector>

#include <QString>

#include "core/evaluation/evaluator.h"
#include "core/evaluation/flips.h"

namespace quantoscope::ui {

/// SQNR of every quantized activation along the network, usually and for one image.
struct DivergenceSeries {
    struct Point {
        QString tensor;
        double usualDb = 0;
        double imageDb = 0;
    };
    std::vector<Point> points;
    std::optional<std::size_t> mark; ///< into points: where the two networks part

    bool empty() const { return points.empty(); }
};

/// `usual` and `image` as firstDivergence() takes them. Tensors that quantization leaves as they are, as 8 bits
/// leave an 8-bit image (100 dB and more), are left out.
DivergenceSeries divergenceSeries(const std::vector<evaluation::TensorError>& usual,
    const std::vector<evaluation::TensorError>& image, const std::optional<evaluation::Divergence>& divergence);

} // namespace quantoscope::ui
