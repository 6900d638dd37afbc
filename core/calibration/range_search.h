// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <vector>

#include "core/calibration/value_summary.h"
#include "core/quant/config.h"
#include "core/quant/encoding.h"

/// The search for the range of least squared error over a histogram; private to this module.
namespace quantoscope::calibration::detail {

/// A histogram as a density that is constant within each bin (exact zeros apart), with its running integrals
///     F(e) = int^e p,  G(e) = int^e F = int^e (e - x) p(x) dx,  K(e) = int^e G = 1/2 int^e (e - x)^2 p(x) dx.
/// Where y are the levels and e the edges half-way between them, (x - y_i)^2 - (x - y_(i+1))^2 = 2 s (x - e_i), so that
/// the squared error of a whole grid is
///     int (x - y_last)^2 p - 2 s sum_i G(e_i),
/// one look-up a level, however many bins there are.
class DensityModel {
public:
    explicit DensityModel(const Histogram& histogram);

    /// Quick: where a grid of more than 1024 levels is fine against the bins, the error inside it is taken as s^2 / 12
    /// a value.
    enum class Detail { Quick, Exact };
    /// Expected sum of squared errors of everything seen under a per-tensor encoding that rounds to nearest.
    double squaredError(const quant::Encoding& encoding, Detail detail = Detail::Exact) const;

private:
    static constexpr std::int64_t mostLevels = 1024;

    /// All in units of the bin width, from the lower edge of the first bin.
    struct Edge {
        double mass; ///< of the bin that begins here
        double f;
        double g;
        double k;
    };

    double powerBelow(double position) const; ///< int^e (x - e)^2 p
    double powerAround(double position) const; ///< int (x - position)^2 p
    double coarseError(double first, double last, double step) const;
    double exactError(double first, double step, std::int64_t levels) const;

    double m_width = 0;
    double m_low = 0; ///< lower edge of the first bin, in bins
    std::vector<Edge> m_edges; ///< of every bin, and the end
};

/// The range whose grid under `config` has the least squared error; `seen` contains zero. Both ends are searched, each
/// on its own where the grid is asymmetric and values lie on both sides. With a power-of-two scale the search is over
/// exponents. The candidates include `seen` itself and, refined to this word-length, the best grid of one bit less: so
/// the error is never above min-max's, nor does it ever grow with the word-length.
Range leastSquaresRange(const DensityModel& model, const quant::QuantizerConfig& config, bool isSigned, Range seen);

} // namespace quantoscope::calibration::detail
