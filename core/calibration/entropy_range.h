// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/calibration/value_summary.h"
#include "core/quant/config.h"

/// The range that keeps the most information; private to this module.
namespace quantoscope::calibration::detail {

/// Entropy calibration as TensorRT describes it (Migacz 2017, "8-bit inference with TensorRT", GTC; slides 37 to 39),
/// carried over to any grid. For a candidate range
///   - P is the histogram's part inside it, with all that is outside added to the outermost bins, as saturation does;
///   - Q is what the quantized tensor still tells: the mass inside each level's cell, without what was outside, spread
///     evenly over those of the cell's bins in which P is not zero, and scaled to the sum of P;
///   - the candidate with the least Kullback-Leibler divergence sum P log(P / Q) wins, the wider one of equals.
/// The cells are those of the grid that `config` makes of the range: 2^b levels on one or both sides of zero, half a
/// step to each side of a level (TensorRT: always 128 over the absolute values). Candidates run from one bin a level to
/// all that was seen, so a grid that is as fine as the bins keeps the full range. Where the grid is asymmetric and
/// values lie on both sides, first both ends move together, then each on its own. Exact zeros have no part in it: every
/// grid keeps them, and after a ReLU they would outweigh all the rest. An outermost cell that holds nothing but what
/// was outside counts as half a value, where the divergence would be infinite.
Range entropyRange(const Histogram& histogram, const quant::QuantizerConfig& config, bool isSigned, Range seen);

} // namespace quantoscope::calibration::detail
