// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/calibration/range_search.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <limits>

#include "core/calibration/grid_refinement.h"

namespace quantoscope::calibration::detail {

DensityModel::DensityModel(const Histogram& histogram)
    : m_width(histogram.binWidth())
    , m_low(static_cast<double>(histogram.firstBin()))
{
    if (m_width == 0)
        return;
    const auto& counts = histogram.counts();
    m_edges.reserve(counts.size() + 1);
    Edge edge {};
    for (std::size_t i = 0; i < counts.size(); ++i) {
        const bool beginsAtZero = histogram.firstBin() + static_cast<std::int64_t>(i) == 0;
        edge.mass = static_cast<double>(counts[i] - (beginsAtZero ? histogram.zeros() : 0));
        m_edges.push_back(edge);
        edge.k += edge.g + edge.f / 2 + edge.mass / 6;
        edge.g += edge.f + edge.mass / 2;
        edge.f += edge.mass;
    }
    edge.mass = 0;
    m_edges.push_back(edge);
}

double DensityModel::powerBelow(double position) const
{
    if (position <= 0)
        return 0;
    const auto bin = static_cast<std::size_t>(std::min(position, static_cast<double>(m_edges.size() - 1)));
    const auto& edge = m_edges[bin];
    const double t = position - static_cast<double>(bin);
    return 2 * (edge.k + t * (edge.g + t * (edge.f / 2 + t * edge.mass / 6)));
}

double DensityModel::powerAround(double position) const
{
    const auto& end = m_edges.back();
    const double distance = static_cast<double>(m_edges.size() - 1) - position;
    return 2 * end.k - distance * (2 * end.g - distance * end.f);
}

double DensityModel::coarseError(double first, double last, double step) const
{
    // F by the difference of G would lose digits; the mass inside is what neither end clips.
    const auto massBelow = [this](double position) {
        const auto bin = static_cast<std::size_t>(std::clamp(position, 0.0, static_cast<double>(m_edges.size() - 1)));
        return m_edges[bin].f + m_edges[bin].mass * std::max(0.0, position - static_cast<double>(bin));
    };
    return powerBelow(first) + powerAround(last) - powerBelow(last)
        + (massBelow(last) - massBelow(first)) * step * step / 12;
}

double DensityModel::exactError(double first, double step, std::int64_t levels) const
{
    // Edges below the data have G = 0, and those above it only move values from one level to the next exactly.
    const auto end = static_cast<double>(m_edges.size() - 1);
    const auto index = [&](double position) {
        return static_cast<std::int64_t>(
            std::clamp(std::floor((position - first) / step - 0.5), -1.0, static_cast<double>(levels - 2)));
    };
    const std::int64_t from = index(0) + 1;
    const std::int64_t to = index(end);
    const Edge* const edges = m_edges.data();
    double sum = 0;
    for (std::int64_t i = from; i <= to; ++i) {
        const double position = std::clamp(first + (static_cast<double>(i) + 0.5) * step, 0.0, end);
        const auto bin = static_cast<std::int32_t>(position);
        const double t = position - bin;
        sum += edges[bin].g + t * (edges[bin].f + t * edges[bin].mass / 2);
    }
    const double top = first + static_cast<double>(to + 1) * step;
    return powerAround(top) - 2 * step * sum;
}

double DensityModel::squaredError(const quant::Encoding& encoding, Detail detail) const
{
    if (m_width == 0)
        return 0;
    const double step = static_cast<double>(encoding.scale[0]) / m_width;
    const auto levels = std::int64_t { encoding.qmax } - encoding.qmin + 1;
    const double first = static_cast<double>(std::int64_t { encoding.qmin } - encoding.zeroPoint[0]) * step - m_low;
    const double error = detail == Detail::Exact || levels <= mostLevels
        ? exactError(first, step, levels)
        : coarseError(first, first + static_cast<double>(levels - 1) * step, step);
    return std::max(0.0, error) * m_width * m_width;
}

namespace {

/// Evaluates ranges and remembers the best; ties go to the range that was tried first, so wide ones are tried first.
class Search {
public:
    Search(const DensityModel& model, const quant::QuantizerConfig& config, bool isSigned, Range full)
        : m_model(model)
        , m_config(config)
        , m_full(full)
        , m_isSigned(isSigned)
    {
    }

    void attempt(Range range)
    {
        if (!(range.low < range.high))
            return;
        if (const double error = errorOf(range, Detail::Quick); error < m_error) {
            m_error = error;
            m_best = range;
        }
    }

    /// Which of the ranges has the least error, exactly; the first of equals.
    Range bestOf(std::initializer_list<Range> ranges)
    {
        return std::ranges::min(ranges, {}, [this](Range range) { return errorOf(range, Detail::Exact); });
    }

    /// The best grid of one bit less, refined.
    Range refined(Range coarse)
    {
        return refinedRange(m_config, m_isSigned, coarse, m_config.bits - 1, m_config.bits, m_encoding);
    }

    /// Ends as fractions of the full range's.
    void attemptFractions(double low, double high)
    {
        if (low >= 0 && low <= 1 && high >= 0 && high <= 1)
            attempt({ m_full.low * low, m_full.high * high });
    }

    /// Both ends scaled together: all there is to choose where the grid is symmetric or one-sided.
    void searchOneEnd();
    void searchBothEnds();

    Range best() const { return m_best; }

private:
    using Detail = DensityModel::Detail;

    double errorOf(Range range, Detail detail)
    {
        quant::setChannel(m_encoding, 0, m_config, m_isSigned, range.low, range.high);
        return m_model.squaredError(m_encoding, detail);
    }
    double lowFraction() const { return m_full.low == 0 ? 0 : m_best.low / m_full.low; }
    double highFraction() const { return m_full.high == 0 ? 0 : m_best.high / m_full.high; }

    const DensityModel& m_model;
    const quant::QuantizerConfig& m_config;
    Range m_full;
    bool m_isSigned;
    quant::Encoding m_encoding;
    double m_error = std::numeric_limits<double>::infinity();
    Range m_best = m_full;
};

void Search::searchOneEnd()
{
    constexpr int candidates = 100;
    for (int k = candidates; k >= 1; --k)
        attemptFractions(k / static_cast<double>(candidates), k / static_cast<double>(candidates));
    for (double step = 0.5 / candidates; step > 1e-4; step /= 2) {
        const double centre = std::max(lowFraction(), highFraction());
        attemptFractions(centre + step, centre + step);
        attemptFractions(centre - step, centre - step);
    }
}

/// A coarse lattice over both ends, then pattern search: the eight neighbours of the best at halving distances.
void Search::searchBothEnds()
{
    const int candidates = m_config.bits < 6 ? 16 : 8; // finer grids have a smoother error
    for (int low = candidates; low >= 0; --low)
        for (int high = candidates; high >= 0; --high)
            attemptFractions(low / static_cast<double>(candidates), high / static_cast<double>(candidates));
    for (double step = 0.5 / candidates; step > 2e-4; step /= 2) {
        const double low = lowFraction();
        const double high = highFraction();
        for (int i = -1; i <= 1; ++i)
            for (int j = -1; j <= 1; ++j)
                if (i != 0 || j != 0)
                    attemptFractions(low + i * step, high + j * step);
    }
}

} // namespace

Range leastSquaresRange(const DensityModel& model, const quant::QuantizerConfig& config, bool isSigned, Range seen)
{
    Range best = seen;
    for (int bits = quant::minBits; bits <= config.bits; ++bits) {
        auto candidate = config;
        candidate.bits = bits;
        Search search(model, candidate, isSigned, seen);
        if (config.scale == quant::ScaleRestriction::PowerOfTwo)
            forEachPowerOfTwoRange(candidate, isSigned, seen, [&search](Range range) { search.attempt(range); });
        else if (config.symmetric || seen.low == 0 || seen.high == 0)
            search.searchOneEnd();
        else
            search.searchBothEnds();
        const Range refined = bits > quant::minBits ? search.refined(best) : seen;
        best = search.bestOf({ seen, search.best(), refined });
    }
    return best;
}

} // namespace quantoscope::calibration::detail
