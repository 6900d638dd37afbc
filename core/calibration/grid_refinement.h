// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <functional>

#include "core/calibration/value_summary.h"
#include "core/quant/config.h"
#include "core/quant/encoding.h"

/// Ranges that are made from a grid rather than from values; private to this module.
namespace quantoscope::calibration::detail {

/// The range whose grid at `bits` has every level of the grid that setChannel() makes of `coarse` at `coarseBits`, and
/// more between them: the step is halved for each bit. No value is nearer to the coarse grid than to this one, so the
/// error is not larger. The rest is taken from `config`; `scratch` is overwritten.
Range refinedRange(
    quant::QuantizerConfig config, bool isSigned, Range coarse, int coarseBits, int bits, quant::Encoding& scratch);

/// Visits a range for each power-of-two step, from the one that covers `full` down to a thousandth of it; where the
/// grid has a zero point and `full` lies on both sides of zero, for several places of it.
void forEachPowerOfTwoRange(
    const quant::QuantizerConfig& config, bool isSigned, Range full, const std::function<void(Range)>& visit);

} // namespace quantoscope::calibration::detail
