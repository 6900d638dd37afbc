// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/calibration/stats.h"
#include "core/calibration/value_summary.h"
#include "core/quant/config.h"

/// One way from values to a range, whatever the values are kept as; private to this module.
namespace quantoscope::calibration::detail {

/// Values that share a scale.
class RangeSource {
public:
    virtual ~RangeSource() = default;
    virtual Range seen() const = 0; ///< see seenRange()
    virtual ValueSummary summary() const = 0;
    /// The value below which `share` (0..1) of all lie.
    virtual double quantile(double share) const = 0;
    virtual Histogram histogram() const = 0;
    virtual Range leastSquares(const quant::QuantizerConfig& config, bool isSigned) const = 0;
};

/// The range that `spec` asks for. Except for Manual and the refined grids of Mse it lies within what was seen.
Range estimateRange(
    const RangeSource& source, const quant::QuantizerConfig& config, const quant::RangeSpec& spec, bool isSigned);

/// The range for a whole tensor that saw something: what estimateEncoding() makes its grid for, before the zero point
/// is rounded.
Range estimateRange(const TensorStats& stats, const quant::QuantizerConfig& config, const quant::RangeSpec& spec);

} // namespace quantoscope::calibration::detail
