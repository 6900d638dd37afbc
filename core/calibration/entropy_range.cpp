// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/calibration/entropy_range.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "core/quant/encoding.h"

namespace quantoscope::calibration::detail {

namespace {

double timesLog(double x) { return x > 0 ? x * std::log(x) : 0; }

/// A histogram without its exact zeros, and running sums over it.
class Divergence {
public:
    explicit Divergence(const Histogram& histogram)
        : m_width(histogram.binWidth())
        , m_low(static_cast<double>(histogram.firstBin()))
    {
        Sums sums {};
        m_sums.push_back(sums);
        for (std::size_t i = 0; i < histogram.counts().size(); ++i) {
            const bool beginsAtZero = histogram.firstBin() + static_cast<std::int64_t>(i) == 0;
            const auto mass = static_cast<double>(histogram.counts()[i] - (beginsAtZero ? histogram.zeros() : 0));
            sums.mass += mass;
            sums.used += mass > 0 ? 1 : 0;
            sums.entropy += timesLog(mass);
            m_sums.push_back(sums);
        }
    }

    double total() const { return m_sums.back().mass; }
    double binWidth() const { return m_width; }

    /// sum P log(P / Q) for the grid of a per-tensor encoding; see entropyRange().
    double of(const quant::Encoding& encoding) const;

private:
    /// Of all bins below one.
    struct Sums {
        double mass;
        double used; ///< bins that are not empty
        double entropy; ///< sum of c log c
    };
    struct Bins {
        std::size_t begin;
        std::size_t end;
    };

    Sums within(Bins bins) const
    {
        const auto& a = m_sums[bins.begin];
        const auto& b = m_sums[bins.end];
        return { b.mass - a.mass, b.used - a.used, b.entropy - a.entropy };
    }
    /// The first bin whose centre is above `position`, in bins from the first one's lower edge.
    std::size_t binAt(double position) const
    {
        return static_cast<std::size_t>(std::clamp(position + 0.5, 0.0, static_cast<double>(m_sums.size() - 1)));
    }
    /// What P has in a cell beyond its own values: on a bin of its own if the outermost one is empty.
    double saturate(double outside, double outermost) const
    {
        return timesLog(outermost + outside) - timesLog(outermost);
    }

    double m_width;
    double m_low;
    std::vector<Sums> m_sums;
};

double Divergence::of(const quant::Encoding& encoding) const
{
    const double step = static_cast<double>(encoding.scale[0]) / m_width;
    const double first
        = (static_cast<double>(std::int64_t { encoding.qmin } - encoding.zeroPoint[0]) - 0.5) * step - m_low;
    const auto levels = std::int64_t { encoding.qmax } - encoding.qmin + 1;
    const Bins inside { binAt(first), binAt(first + static_cast<double>(levels) * step) };
    if (inside.begin >= inside.end)
        return std::numeric_limits<double>::infinity();
    const Sums kept = within(inside);
    const double below = m_sums[inside.begin].mass;
    const double above = total() - m_sums[inside.end].mass;
    const double lowest = within({ inside.begin, inside.begin + 1 }).mass;
    const double highest = within({ inside.end - 1, inside.end }).mass;

    // sum P log P, with what is outside on the outermost bins (which are one bin if there is no other).
    double divergence = kept.entropy;
    if (inside.end - inside.begin == 1) {
        divergence += saturate(below + above, lowest);
    } else {
        divergence += saturate(below, lowest) + saturate(above, highest);
    }
    // - sum P log Q: Q is constant in a cell.
    double sumOfQ = 0;
    std::size_t begin = inside.begin;
    for (std::int64_t level = 1; level <= levels && begin < inside.end; ++level) {
        const std::size_t end = binAt(first + static_cast<double>(level) * step);
        if (begin == end)
            continue;
        const Sums sums = within({ begin, end });
        const double fromBelow = begin == inside.begin ? below : 0;
        const double fromAbove = end == inside.end ? above : 0;
        const double p = sums.mass + fromBelow + fromAbove;
        if (p > 0) {
            double used = sums.used;
            used += fromBelow > 0 && lowest == 0 ? 1 : 0;
            used += fromAbove > 0 && highest == 0 && !(fromBelow > 0 && end - begin == 1) ? 1 : 0;
            const double q = std::max(sums.mass, 0.5);
            divergence -= p * std::log(q / used);
            sumOfQ += q;
        }
        begin = end;
    }
    return divergence / total() - std::log(total()) + std::log(sumOfQ);
}

/// Remembers the candidate of least divergence; the first one tried of equals.
class Search {
public:
    Search(const Divergence& divergence, const quant::QuantizerConfig& config, bool isSigned, Range seen)
        : m_divergence(divergence)
        , m_config(config)
        , m_isSigned(isSigned)
        , m_seen(seen)
    {
    }

    void attempt(double lowFraction, double highFraction)
    {
        quant::setChannel(m_encoding, 0, m_config, m_isSigned, m_seen.low * lowFraction, m_seen.high * highFraction);
        // Rounding noise of the sums must not prefer a narrower range to an equal one.
        constexpr double noise = 1e-12;
        if (const double divergence = m_divergence.of(m_encoding); divergence < m_least - noise) {
            m_least = divergence;
            m_low = lowFraction;
            m_high = highFraction;
        }
    }

    /// Fractions from 1 down to `least`, then those around the best at a finer distance. `place` makes both ends of
    /// one.
    template <typename Place> void sweep(double least, const Place& place)
    {
        constexpr int candidates = 192;
        const double distance = (1 - least) / candidates;
        double best = 1;
        const auto attemptAt = [&](double fraction) {
            const double before = m_least;
            const auto [low, high] = place(fraction);
            attempt(low, high);
            best = m_least < before ? fraction : best;
        };
        for (int i = 0; i <= candidates; ++i)
            attemptAt(1 - i * distance);
        const double centre = best;
        constexpr int finer = 16;
        for (int i = finer - 1; i > -finer; --i)
            if (const double fraction = centre + i * distance / finer; i != 0 && fraction <= 1 && fraction >= least)
                attemptAt(fraction);
    }

    double lowFraction() const { return m_low; }
    double highFraction() const { return m_high; }
    Range best() const { return { m_seen.low * m_low, m_seen.high * m_high }; }

private:
    const Divergence& m_divergence;
    const quant::QuantizerConfig& m_config;
    bool m_isSigned;
    Range m_seen;
    quant::Encoding m_encoding;
    double m_least = std::numeric_limits<double>::infinity();
    double m_low = 1;
    double m_high = 1;
};

} // namespace

Range entropyRange(const Histogram& histogram, const quant::QuantizerConfig& config, bool isSigned, Range seen)
{
    const Divergence divergence(histogram);
    if (divergence.total() == 0)
        return seen;
    quant::Encoding full;
    quant::setChannel(full, 0, config, isSigned, seen.low, seen.high);
    const double least = divergence.binWidth() / static_cast<double>(full.scale[0]); // one bin a level
    if (least >= 1)
        return seen;
    Search search(divergence, config, isSigned, seen);
    search.sweep(least, [](double fraction) { return std::pair { fraction, fraction }; });
    if (config.symmetric || seen.low == 0 || seen.high == 0)
        return search.best();
    search.sweep(least, [high = search.highFraction()](double fraction) { return std::pair { fraction, high }; });
    search.sweep(least, [low = search.lowFraction()](double fraction) { return std::pair { low, fraction }; });
    return search.best();
}

} // namespace quantoscope::calibration::detail
