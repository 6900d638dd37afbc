// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "core/base/error.h"
#include "core/base/progress.h"
#include "core/calibration/stats.h"
#include "core/quant/config.h"
#include "core/quant/plan.h"

namespace quantoscope::calibration {

/// How sure a range is, given the images it was found on.
struct RangeConfidence {
    /// One end of the range, in the tensor's units.
    struct End {
        double value = 0; ///< found on all images, before the grid's zero point is rounded
        double from = 0; ///< 95 % interval for other images of the same kind, as many
        double to = 0;

        double uncertainty() const; ///< the farther end of the interval, seen from value
    };

    End low;
    End high;
    double step = 0; ///< the quantizer's scale
    int blocks = 0; ///< blocks of images that were resampled
    std::int64_t imagesPerBlock = 0;
    /// Whether more calibration images are worth their time. True where an end is uncertain by more than one
    /// quantization step and by more than 5 % of the range (which is 0.4 dB of rounding noise), and where there are
    /// fewer than `fewestBlocks` blocks, so that the interval cannot tell.
    bool moreImagesHelp = false;

    double uncertainty() const; ///< of the end that is less sure

    static constexpr int fewestBlocks = 5;
};

/// Bootstrap (B. Efron, "Bootstrap methods: another look at the jackknife", Annals of Statistics 7, 1979): draws as
/// many of the blocks of images as there are, with replacement, 200 times, and asks the estimator for the range each
/// time. Whole blocks, since values of one image are not independent (H. R. Kuensch, "The jackknife and the bootstrap
/// for general stationary observations", Annals of Statistics 17, 1989).
/// Blocks have a coarser histogram than the tensor; what that alone changes is taken off again. The interval holds the
/// 2.5 and 97.5 percentiles of the draws and their reflection about the value (Davison and Hinkley 1997, "Bootstrap
/// methods and their application", section 5.2): a resampled maximum never exceeds the one that was seen, new images
/// do. The same result for the same seed. Pure, thread safe; some milliseconds for min-max and percentiles. Errors: as
/// estimateEncoding(); Unsupported for granularities other than per tensor.
Result<RangeConfidence> rangeConfidence(const TensorStats& stats, const quant::QuantizerConfig& config,
    const quant::RangeSpec& range, std::uint64_t seed = 0);

/// The same for every activation of a plan whose range was found on these statistics of its own, by tensor name. Ranges
/// that were given, that tensors share, and those of channels are left out. The same result for any number of threads.
/// Progress in tensors.
Result<std::map<std::string, RangeConfidence, std::less<>>> rangeConfidences(
    const CalibrationStats& stats, const quant::QuantizationPlan& plan, int threads = 0, const base::Job& job = {});

} // namespace quantoscope::calibration
