// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/calibration/range_search.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace quantoscope::calibration::detail {

namespace {

/// Grids finer than this see a nearly constant density within each cell: their noise is s^2 / 12 a value.
constexpr std::int64_t mostCells = Histogram::targetBins / 16;

} // namespace

DensityModel::DensityModel(const Histogram& histogram)
    : m_width(histogram.binWidth())
    , m_low(static_cast<double>(histogram.firstBin()) * histogram.binWidth())
{
    if (m_width == 0)
        return;
    const auto& counts = histogram.counts();
    m_edges.resize(counts.size() + 1);
    m_density.resize(counts.size());
    for (std::size_t i = 0; i < counts.size(); ++i) {
        const bool beginsAtZero = histogram.firstBin() + static_cast<std::int64_t>(i) == 0;
        const auto mass = static_cast<double>(counts[i] - (beginsAtZero ? histogram.zeros() : 0));
        const double a = m_low + static_cast<double>(i) * m_width;
        const double b = a + m_width;
        m_density[i] = mass / m_width;
        m_edges[i + 1] = { m_edges[i].mass + mass, m_edges[i].first + mass * (a + b) / 2,
            m_edges[i].second + mass * (a * a + a * b + b * b) / 3 };
    }
}

DensityModel::Integrals DensityModel::upTo(double x) const
{
    const double position = (x - m_low) / m_width;
    if (position <= 0)
        return {};
    if (position >= static_cast<double>(m_density.size()))
        return m_edges.back();
    const auto bin = static_cast<std::size_t>(position);
    const double a = m_low + static_cast<double>(bin) * m_width;
    const double density = m_density[bin];
    const auto& edge = m_edges[bin];
    return { edge.mass + density * (x - a), edge.first + density * (x * x - a * a) / 2,
        edge.second + density * (x * x * x - a * a * a) / 3 };
}

double DensityModel::squaredError(const quant::Encoding& encoding) const
{
    if (m_width == 0)
        return 0;
    const double step = static_cast<double>(encoding.scale[0]);
    const std::int64_t lowest = std::int64_t { encoding.qmin } - encoding.zeroPoint[0];
    const std::int64_t highest = std::int64_t { encoding.qmax } - encoding.zeroPoint[0];
    const auto edgeBelow = [step](std::int64_t level) { return (static_cast<double>(level) - 0.5) * step; };

    Integrals before = upTo(edgeBelow(lowest + 1));
    const Integrals beforeLast = upTo(edgeBelow(highest));
    // Everything below the second level goes to the lowest one, everything above the last but one to the highest.
    double error = before.around(static_cast<double>(lowest) * step)
        + (m_edges.back() - beforeLast).around(static_cast<double>(highest) * step);
    if (highest - lowest > mostCells)
        return error + (beforeLast.mass - before.mass) * step * step / 12;
    for (std::int64_t level = lowest + 1; level < highest; ++level) {
        const Integrals after = level + 1 == highest ? beforeLast : upTo(edgeBelow(level + 1));
        error += (after - before).around(static_cast<double>(level) * step);
        before = after;
    }
    return error;
}

namespace {

/// Evaluates ranges given as fractions of the full one and remembers the best; ties go to the range that was tried
/// first, so wide ones are tried first.
class Search {
public:
    Search(const DensityModel& model, const quant::QuantizerConfig& config, Range full)
        : m_model(model)
        , m_config(config)
        , m_full(full)
        , m_isSigned(quant::usesSignedGrid(config, full.low, full.high))
    {
    }

    void attempt(double lowFraction, double highFraction)
    {
        if (lowFraction < 0 || lowFraction > 1 || highFraction < 0 || highFraction > 1)
            return;
        const Range range { m_full.low * lowFraction, m_full.high * highFraction };
        if (!(range.low < range.high))
            return;
        quant::setChannel(m_encoding, 0, m_config, m_isSigned, range.low, range.high);
        const double error = m_model.squaredError(m_encoding);
        if (error < m_error) {
            m_error = error;
            m_low = lowFraction;
            m_high = highFraction;
        }
    }

    double lowFraction() const { return m_low; }
    double highFraction() const { return m_high; }
    Range best() const { return { m_full.low * m_low, m_full.high * m_high }; }

private:
    const DensityModel& m_model;
    const quant::QuantizerConfig& m_config;
    Range m_full;
    bool m_isSigned;
    quant::Encoding m_encoding;
    double m_error = std::numeric_limits<double>::infinity();
    double m_low = 1;
    double m_high = 1;
};

/// Both ends scaled together: all there is to choose where the grid is symmetric or one-sided.
void searchOneEnd(Search& search)
{
    constexpr int candidates = 100;
    for (int k = candidates; k >= 1; --k)
        search.attempt(k / static_cast<double>(candidates), k / static_cast<double>(candidates));
    for (double step = 0.5 / candidates; step > 1e-4; step /= 2) {
        const double centre = search.lowFraction();
        search.attempt(centre + step, centre + step);
        search.attempt(centre - step, centre - step);
    }
}

/// A coarse lattice over both ends, then pattern search: the eight neighbours of the best at halving distances.
void searchBothEnds(Search& search)
{
    constexpr int candidates = 16;
    for (int low = candidates; low >= 0; --low)
        for (int high = candidates; high >= 0; --high)
            search.attempt(low / static_cast<double>(candidates), high / static_cast<double>(candidates));
    for (double step = 0.5 / candidates; step > 2e-4; step /= 2) {
        const double low = search.lowFraction();
        const double high = search.highFraction();
        for (int i = -1; i <= 1; ++i)
            for (int j = -1; j <= 1; ++j)
                search.attempt(low + i * step, high + j * step);
    }
}

} // namespace

Range leastSquaresRange(const DensityModel& model, const quant::QuantizerConfig& config, double low, double high)
{
    Search search(model, config, { low, high });
    if (config.symmetric || low == 0 || high == 0)
        searchOneEnd(search);
    else
        searchBothEnds(search);
    return search.best();
}

} // namespace quantoscope::calibration::detail
