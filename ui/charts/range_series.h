// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <QString>

#include "core/calibration/histogram.h"
#include "core/quant/encoding.h"

namespace quantoscope::ui {

/// Magnitudes |x| of a tensor's values that are not zero, in its own unit.
struct MagnitudeBox {
    double least = 0; ///< 1 % lie below
    double lower = 0; ///< a quarter
    double median = 0;
    double upper = 0; ///< three quarters
    double most = 0; ///< 99 %
    double largest = 0; ///< of all; 0: every value is zero
};

/// From the bins: magnitudes below one bin (about 1/4,000 of the largest) all count as half a bin.
MagnitudeBox magnitudes(const calibration::Histogram& histogram);

/// Magnitudes that an encoding can represent: from one step to the far end of the range; of channels the finest step
/// and the farthest end.
struct MagnitudeRange {
    double step = 0;
    double end = 0;
};
MagnitudeRange representableMagnitudes(const quant::Encoding& encoding);

/// What every layer's tensor spans, and behind it what its quantizer can represent.
struct RangeSeries {
    struct Layer {
        QString name;
        std::optional<MagnitudeBox> box; ///< empty: nothing was seen
        std::optional<MagnitudeRange> range; ///< empty: float
    };
    std::vector<Layer> layers;
    double low = 1; ///< powers of two around all of it
    double high = 2;

    bool empty() const;
    /// What frame() puts powers of two around: with whiskers, or the boxes without them.
    enum class Parts { All, WithoutWhiskers };
    /// Sets low and high.
    void frame(Parts parts = Parts::All);
};

std::string toCsv(const RangeSeries& series);

} // namespace quantoscope::ui
