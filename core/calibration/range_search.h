// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <vector>

#include "core/calibration/stats.h"
#include "core/quant/config.h"
#include "core/quant/encoding.h"

/// The search for the range of least squared error over a histogram; private to this module.
namespace quantoscope::calibration::detail {

/// A histogram as a density that is constant within each bin (exact zeros apart), with running integrals of 1, x and
/// x^2, so that the squared error of a grid costs one look-up a level instead of one a bin.
class DensityModel {
public:
    explicit DensityModel(const Histogram& histogram);

    /// Expected sum of squared errors of everything seen under a per-tensor encoding.
    double squaredError(const quant::Encoding& encoding) const;

private:
    struct Integrals {
        double mass = 0;
        double first = 0;
        double second = 0;

        Integrals operator-(const Integrals& other) const
        {
            return { mass - other.mass, first - other.first, second - other.second };
        }
        /// Integral of (x - point)^2.
        double around(double point) const { return second - 2 * point * first + point * point * mass; }
    };

    Integrals upTo(double x) const;

    double m_width = 0;
    double m_low = 0; ///< lower edge of the first bin
    std::vector<Integrals> m_edges; ///< integrals up to each bin's lower edge, and over everything
    std::vector<double> m_density; ///< mass over width
};

/// The range within [low, high] (which contains zero) whose grid under `config` has the least squared error. Starts
/// from a grid of candidates that contains [low, high] itself, so the answer is never worse than min-max; then refines
/// around the best.
struct Range {
    double low;
    double high;
};
Range leastSquaresRange(const DensityModel& model, const quant::QuantizerConfig& config, double low, double high);

} // namespace quantoscope::calibration::detail
