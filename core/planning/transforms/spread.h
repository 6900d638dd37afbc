// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <vector>

#include "core/planning/transforms/layer_fit.h"
#include "core/planning/transforms/layer_matrix.h"
#include "core/quant/encoding.h"
#include "core/tensor/tensor.h"

namespace quantoscope::planning {

/// The moments of a layer that is to put out what its own weight `wanted` makes of its inputs: t = W x.
LayerMoments ownTargets(const LayerMatrix& matrix, const SecondMoments& inputs, const Tensor& wanted);

/// Rounding, clipping and least squares on noisy inputs all shrink a layer's outputs y, and shrinking adds up from
/// layer to layer. Multiplies the scale of every channel (of the tensor, where it has one) by (var t / cov(t,
/// y))^exponent, within a factor of four; the integers stay. With exponent 1 the outputs follow the targets with slope
/// one: for targets ownTargets() that is s_c *= <w, w> / <w, w~> in the inner product of the Hessian, about the mean.
/// With 1/2 outputs of a least-squares fit get the spread of their targets, at half the noise. Channels without a
/// positive covariance stay. `rounded` lies on the grid of `encoding` before and after.
void restoreGain(const LayerMatrix& matrix, const LayerMoments& moments, double exponent, quant::Encoding& encoding,
    Tensor& rounded);

} // namespace quantoscope::planning
