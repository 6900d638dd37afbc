// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/calibration/value_summary.h"
#include "core/quant/config.h"

/// Ranges from moments alone; private to this module.
namespace quantoscope::calibration::detail {

/// mean -+ factor standard deviations, within what was seen.
Range sigmaRange(const ValueSummary& summary, double factor);

/// Which of the two densities has E|x| / sqrt(E x^2) nearer to what was seen: sqrt(2 / pi) for Gauss, sqrt(1 / 2) for
/// Laplace. The same holds for one side of either.
quant::RangeSpec::Density betterFit(double meanAbsolute, double meanSquare);

/// Where to clip a zero-mean density of unit scale (Gauss: sigma = 1; Laplace: E|x| = 1) so that the expected squared
/// error is least if the step is `relativeStep` times the clipping value a: the minimum over a of
///     2 int_a^inf (x - a)^2 p(x) dx + (a relativeStep)^2 / 12,
/// ACIQ's sum of clipping and rounding noise (Banner, Nahshan, Soudry 2019, "Post training 4-bit quantization of
/// convolutional networks for rapid-deployment", equations 2 to 6). Laplace has a closed form, a exp(a) = 12 /
/// relativeStep^2; for Gauss the zero of the derivative, phi(a) - a Q(a) = a relativeStep^2 / 24, is found by
/// bisection. The paper takes the step as 2 a / 2^b; the caller says what the grid really has, so this holds for 2 to
/// 16 bits on any grid. One side of a density (a ReLU's output without its zeros) has the same minimum.
double optimalClipping(quant::RangeSpec::Density density, double relativeStep);

/// ACIQ, within what was seen. Where the grid is symmetric or all values lie on one side of zero: around zero, from
/// E|x| and E x^2 of the values that are not exactly zero (zeros cost nothing on any grid, and after ReLU they say
/// nothing about the scale). Otherwise around the mean.
Range aciqRange(const ValueSummary& summary, const quant::QuantizerConfig& config, bool isSigned,
    quant::RangeSpec::Density density);

} // namespace quantoscope::calibration::detail
