// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/error.h"
#include "core/base/progress.h"
#include "core/planning/transforms/hessian.h"

namespace quantoscope::planning {

/// What a layer should put out (t), against what it reads in the quantized network (x, with a constant 1 behind it).
struct LayerMoments {
    SecondMoments inputs; ///< E[x x^T]
    SecondMoments targets; ///< E[t x^T]
    std::vector<double> targetPower; ///< E[t^2] of every output channel
};

/// A layer's affine function: [rows, columns + 1] a group, row-major, the bias last.
using AffineRows = std::vector<std::vector<double>>;

struct LayerFit {
    AffineRows rows;
    double strength = 0; ///< of the pull towards the float weights, times the mean of E[x x^T]'s diagonal; infinite:
                         ///< they stay, and only the bias moves
    double gain = 0; ///< share by which the fit lowers the squared output error on the rows held back
};

/// Fits a layer to its targets by ridge regression towards the weights it has in the float network:
///     W* = argmin E|t - W x|^2 + lambda |W - W_float|^2,   W* = (E[t x^T] + lambda W_float) (E[x x^T] + lambda I)^-1,
/// the bias free of the pull. This makes up for what quantized activations and earlier layers have done to the inputs,
/// as asymmetric calibration does (GPTAQ: Li et al. 2025), and contains bias correction. lambda is the one of a few
/// candidates that does best on rows that are held back, for the layer as a whole; the fit is then made of `all` rows.
/// The same for any number of threads. Errors: Internal if moments are not finite;
/// Cancelled.
Result<LayerFit> fitLayer(const LayerMoments& fitted, const LayerMoments& heldBack, const LayerMoments& all,
    const AffineRows& floatRows, int threads, const base::Job& job = {});

} // namespace quantoscope::planning
