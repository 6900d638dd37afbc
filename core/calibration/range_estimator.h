// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/error.h"
#include "core/calibration/stats.h"
#include "core/quant/config.h"
#include "core/quant/encoding.h"

namespace quantoscope::calibration {

/// Activations: from statistics, so that another word-length or method needs no inference. What each method does is in
/// quant::describe(); in particular:
///   - Mse minimises the expected squared error over the histogram, both ends apart where the grid is asymmetric. It is
///     never worse than min-max, and never worse with one bit more.
///   - Percentile is exact where the tails that were kept reach.
///   - Entropy and Aciq: see detail::entropyRange() and detail::aciqRange() for what was carried over from the papers.
/// Granularity per channel (axis 1) treats every channel like a tensor, from its exact moments and the histogram that
/// is kept of it; a channel without values gets the scale 1. Pure and thread-safe; a tensor takes a millisecond or two,
/// entropy at 10 bits 7. InvalidInput: the tensor saw no values. Unsupported: per block; per channel where channels
/// were not kept apart or, for methods that need more than moments, are too many for histograms.
Result<quant::Encoding> estimateEncoding(
    const TensorStats& stats, const quant::QuantizerConfig& config, const quant::RangeSpec& range);

/// Weights: from the values themselves, exact; per tensor or per channel, every channel on its own. Mse: squared error
/// over the candidates max|w| k / 100, k = 10..100 (ties to the larger) and, where a grid of fewer bits is better than
/// all of those, its refinement; both ends on their own where the grid is asymmetric; exponents where the scale is a
/// power of two. Entropy sees the values through a histogram. Pure and thread-safe. InvalidInput: no elements, an
/// element that is not finite, a channel axis the shape does not have. Unsupported: per block.
Result<quant::Encoding> estimateWeightEncoding(
    const TensorView& weight, const quant::QuantizerConfig& config, const quant::RangeSpec& range);

/// Expected error of quantizing what `histogram` saw, taking values as spread evenly over their bin (exact zeros stay
/// zeros). Exact for that density, for any number of bits. For the window: an answer within a frame while a handle is
/// dragged. `encoding` is per tensor.
quant::QuantizationError expectedError(const Histogram& histogram, const quant::Encoding& encoding);

} // namespace quantoscope::calibration
