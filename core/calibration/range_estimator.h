// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/error.h"
#include "core/calibration/stats.h"
#include "core/quant/config.h"
#include "core/quant/encoding.h"

namespace quantoscope::calibration {

/// Activations: from statistics. MinMax is the exact range seen; Mse minimises the expected squared error over the
/// histogram (both ends on their own where asymmetric). Per-channel configs use channel ranges (MinMax only). Methods
/// that are not offered yet are Unsupported; a tensor that saw no values is InvalidInput.
Result<quant::Encoding> estimateEncoding(
    const TensorStats& stats, const quant::QuantizerConfig& config, const quant::RangeSpec& range);

/// Weights: from the values themselves, exact. Mse: squared error over the candidates max|w| k / 100, k = 10..100 (ties
/// to the larger), every channel on its own. `config.granularity` says tensor or channel.
Result<quant::Encoding> estimateWeightEncoding(
    const TensorView& weight, const quant::QuantizerConfig& config, const quant::RangeSpec& range);

/// Expected error of quantizing what `histogram` saw, taking values as spread evenly over their bin (exact zeros stay
/// zeros). Exact for that density, for any number of bits. For the window: an answer within a frame while a handle is
/// dragged. `encoding` is per tensor.
quant::QuantizationError expectedError(const Histogram& histogram, const quant::Encoding& encoding);

} // namespace quantoscope::calibration
