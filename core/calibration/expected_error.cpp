// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstdint>

#include "core/calibration/range_estimator.h"

namespace quantoscope::calibration {

namespace {

/// The grid of an encoding in real numbers; the outermost cells reach to infinity.
struct Grid {
    double step;
    std::int64_t lowest;
    std::int64_t highest;

    std::int64_t levelOf(double x) const
    {
        const double level = std::floor(x / step + 0.5);
        return static_cast<std::int64_t>(std::clamp(level, static_cast<double>(lowest), static_cast<double>(highest)));
    }
    double cellEnd(std::int64_t level, double limit) const
    {
        return level >= highest ? limit : std::min(limit, (static_cast<double>(level) + 0.5) * step);
    }
};

/// Integral of density (x - y)^2 over [a, b).
double squaredDistance(double density, double a, double b, double y)
{
    const double p = a - y;
    const double q = b - y;
    return density * (b - a) * (p * p + p * q + q * q) / 3;
}

/// Adds `density` spread over [a, b), all of which rounds to `y`.
void addCell(quant::QuantizationError& error, double density, double a, double b, double y)
{
    const double mass = density * (b - a);
    error.signalPower += squaredDistance(density, a, b, 0);
    error.noisePower += squaredDistance(density, a, b, y);
    error.dot += y * mass * (a + b) / 2;
    error.quantizedPower += y * y * mass;
}

/// A piece of the density beyond the grid.
struct ClippedPiece {
    double mass = 0;
    double power = 0;

    void add(double density, double a, double b, double y)
    {
        if (a < b) {
            mass += density * (b - a);
            power += squaredDistance(density, a, b, y);
        }
    }
};

} // namespace

quant::QuantizationError expectedError(const Histogram& histogram, const quant::Encoding& encoding)
{
    assert(!encoding.perChannel());
    const Grid grid { static_cast<double>(encoding.scale[0]), std::int64_t { encoding.qmin } - encoding.zeroPoint[0],
        std::int64_t { encoding.qmax } - encoding.zeroPoint[0] };
    const double clipLow = (static_cast<double>(grid.lowest) - 0.5) * grid.step;
    const double clipHigh = (static_cast<double>(grid.highest) + 0.5) * grid.step;
    const double width = histogram.binWidth();

    quant::QuantizationError error;
    error.count = static_cast<std::int64_t>(histogram.total());
    ClippedPiece clipped;
    for (std::size_t i = 0; width > 0 && i < histogram.counts().size(); ++i) {
        const std::int64_t bin = histogram.firstBin() + static_cast<std::int64_t>(i);
        const auto mass = static_cast<double>(histogram.counts()[i] - (bin == 0 ? histogram.zeros() : 0));
        if (mass == 0)
            continue;
        const double density = mass / width;
        const double end = static_cast<double>(bin + 1) * width;
        double a = static_cast<double>(bin) * width;
        clipped.add(density, a, std::min(end, clipLow), static_cast<double>(grid.lowest) * grid.step);
        clipped.add(density, std::max(a, clipHigh), end, static_cast<double>(grid.highest) * grid.step);
        for (auto level = grid.levelOf(a); a < end; ++level) {
            const double b = grid.cellEnd(level, end);
            if (b > a)
                addCell(error, density, a, b, static_cast<double>(level) * grid.step);
            a = std::max(a, b);
        }
    }
    error.clippingPower = clipped.power;
    error.clipped = std::llround(clipped.mass);
    return error;
}

} // namespace quantoscope::calibration
