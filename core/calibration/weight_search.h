// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <span>

#include "core/calibration/value_summary.h"
#include "core/quant/config.h"

/// The range of least squared error for values that are at hand; private to this module.
namespace quantoscope::calibration::detail {

/// The range whose grid under `config` has the least squared error on `values`, which must not be empty. The candidates
/// are the full range times k / 100, k = 100..10, the larger of equals; the error is that of quant::fakeQuantize(),
/// summed in double. With a power-of-two scale the candidates are exponents instead. Where the grid is asymmetric and
/// values lie on both sides of zero, each end then moves on its own over the same fractions while that helps.
///
/// These candidates alone would not keep a bit more from raising the error: values that lie on a coarse grid, as those
/// of a model that was quantized before, can miss every candidate of a finer one. So where one of a coarser grid's
/// candidates, refined to one bit less than `config` has (see refinedRange()), is still better than all of these, its
/// refinement by that one bit is taken. It follows that the error never grows with the word-length: what b bits chose
/// is a candidate of a coarser grid for b + 1, and is taken if all others are worse. (For both ends on their own the
/// result for one bit less is refined and compared, always.)
///
/// Most candidates are not computed to the end: one is left as soon as what it clips, or the sum so far, exceeds the
/// best.
Range leastSquaresRange(std::span<const float> values, const quant::QuantizerConfig& config, bool isSigned);

} // namespace quantoscope::calibration::detail
