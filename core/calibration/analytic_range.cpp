// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/calibration/analytic_range.h"

#include <cassert>
#include <cmath>
#include <numbers>

#include "core/quant/encoding.h"

namespace quantoscope::calibration::detail {

using Density = quant::RangeSpec::Density;

Range sigmaRange(const ValueSummary& values, double factor)
{
    const double reach = factor * std::sqrt(values.variance());
    return values.seen.limit({ values.mean - reach, values.mean + reach });
}

Density betterFit(double meanAbsolute, double meanSquare)
{
    constexpr double gauss = std::numbers::sqrt2 * std::numbers::inv_sqrtpi;
    constexpr double laplace = 1 / std::numbers::sqrt2;
    return meanAbsolute > (gauss + laplace) / 2 * std::sqrt(meanSquare) ? Density::Gauss : Density::Laplace;
}

namespace {

/// t with t exp(t) = value, by Newton's method on t + log t, which is concave and increasing.
double solveLaplace(double value)
{
    const double target = std::log(value);
    double t = value > std::numbers::e ? target : value / (1 + value);
    for (int i = 0; i < 20; ++i)
        t *= (1 + target - std::log(t)) / (1 + t);
    return t;
}

double solveGauss(double relativeStep)
{
    const double rounding = relativeStep * relativeStep / 24;
    const auto slope = [rounding](double a) {
        const double density = std::exp(-a * a / 2) * std::numbers::inv_sqrtpi / std::numbers::sqrt2;
        return density - a * std::erfc(a / std::numbers::sqrt2) / 2 - a * rounding;
    };
    double low = 0;
    double high = 40;
    for (int i = 0; i < 60; ++i) {
        const double middle = (low + high) / 2;
        (slope(middle) > 0 ? low : high) = middle;
    }
    return low;
}

/// The step of the grid over a range from -1 (if two-sided) to 1.
double relativeStep(quant::QuantizerConfig config, bool isSigned, bool twoSided)
{
    config.scale = quant::ScaleRestriction::None;
    quant::Encoding encoding;
    quant::setChannel(encoding, 0, config, isSigned, twoSided ? -1 : 0, 1);
    return static_cast<double>(encoding.scale[0]);
}

} // namespace

double optimalClipping(Density density, double relativeStep)
{
    assert(density != Density::BestFit && relativeStep > 0);
    return density == Density::Laplace ? solveLaplace(12 / (relativeStep * relativeStep)) : solveGauss(relativeStep);
}

Range aciqRange(const ValueSummary& values, const quant::QuantizerConfig& config, bool isSigned, Density density)
{
    const bool twoSided = !values.oneSided();
    const bool aroundMean = !config.symmetric && twoSided;
    if (values.zeroShare == 1)
        return values.seen;
    const double used = 1 - values.zeroShare;
    const double absolute = aroundMean ? values.meanDeviation : values.meanAbsolute / used;
    const double square = aroundMean ? values.variance() : values.meanSquare / used;
    if (density == Density::BestFit)
        density = betterFit(absolute, square);
    const double reach = optimalClipping(density, relativeStep(config, isSigned, twoSided))
        * (density == Density::Gauss ? std::sqrt(square) : absolute);
    const double centre = aroundMean ? values.mean : 0;
    return values.seen.limit({ centre - reach, centre + reach });
}

} // namespace quantoscope::calibration::detail
