// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/calibration/weight_search.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <limits>
#include <vector>

#include "core/calibration/grid_refinement.h"
#include "core/quant/encoding.h"

namespace quantoscope::calibration::detail {

namespace {

/// A lower bound of what clipping costs, from the counts and power sums of 32 classes of magnitude on each side.
class ClippingBound {
public:
    ClippingBound(std::span<const float> values, Range full)
        : m_classesPerUnit(classes / std::max({ -full.low, full.high, std::numeric_limits<double>::min() }))
    {
        for (const float value : values) {
            const auto x = static_cast<double>(value);
            auto& sums = m_sides[x < 0][classOf(std::abs(x))];
            sums.count += 1;
            sums.first += std::abs(x);
            sums.second += x * x;
        }
        for (auto& side : m_sides)
            for (std::size_t i = classes; i-- > 0;)
                side[i] += side[i + 1];
    }

    /// Not above the squared error of the values beyond [low, high].
    double of(double low, double high) const { return beyond(m_sides[1], -low) + beyond(m_sides[0], high); }

private:
    static constexpr std::size_t classes = 32;
    /// Over one class, then over it and all above.
    struct Sums {
        double count = 0;
        double first = 0;
        double second = 0;

        void operator+=(const Sums& other)
        {
            count += other.count;
            first += other.first;
            second += other.second;
        }
    };
    using Side = std::array<Sums, classes + 1>;

    std::size_t classOf(double magnitude) const
    {
        return std::min(static_cast<std::size_t>(magnitude * m_classesPerUnit), classes - 1);
    }
    double beyond(const Side& side, double end) const
    {
        const auto& sums = side[classOf(end) + 1];
        constexpr double rounding = 1e-12; // of these sums
        return std::max(0.0, (1 - rounding) * sums.second - 2 * end * sums.first + end * end * sums.count);
    }

    double m_classesPerUnit;
    std::array<Side, 2> m_sides {}; ///< positive, negative
};

/// The squared error of a grid, not computed further than it takes to know that it is above a limit.
/// The squared error of a grid, not computed further than it takes to know that it is above a limit.
class GridError {
public:
    GridError(std::span<const float> values, const quant::QuantizerConfig& config, bool isSigned)
        : m_values(values)
        , m_isSigned(isSigned)
        , m_full(seenRange(values))
        , m_bound(values, m_full)
    {
        m_encoding.rounding = config.rounding;
    }

    Range full() const { return m_full; }

    /// A lower bound of what the grid's ends cost.
    double clipping(const quant::QuantizerConfig& config, Range range)
    {
        quant::setChannel(m_encoding, 0, config, m_isSigned, range.low, range.high);
        return m_bound.of(static_cast<double>(m_encoding.low()), static_cast<double>(m_encoding.high()));
    }

    /// Where the error is above `limit`: some number above it.
    double of(const quant::QuantizerConfig& config, Range range, double limit)
    {
        if (const double clipped = clipping(config, range); clipped > limit)
            return clipped;
        constexpr std::size_t longest = 512;
        double sum = 0;
        auto rest = m_values;
        for (std::size_t block = 64; !rest.empty() && sum <= limit; block = std::min(2 * block, longest)) {
            const auto count = std::min(block, rest.size());
            sum += quant::squaredError(m_encoding, 0, rest.first(count));
            rest = rest.subspan(count);
        }
        return sum;
    }

    Range refined(const quant::QuantizerConfig& config, Range coarse, int coarseBits, int bits)
    {
        return refinedRange(config, m_isSigned, coarse, coarseBits, bits, m_encoding);
    }

    /// Summed value by value, in their order.
    double inOrder(const quant::QuantizerConfig& config, Range range)
    {
        quant::setChannel(m_encoding, 0, config, m_isSigned, range.low, range.high);
        double sum = 0;
        for (const float& value : m_values)
            sum += quant::squaredError(m_encoding, 0, { &value, 1 });
        return sum;
    }

private:
    std::span<const float> m_values;
    bool m_isSigned;
    Range m_full;
    quant::Encoding m_encoding;
    ClippingBound m_bound;
};

struct Choice {
    Range range;
    double error = std::numeric_limits<double>::infinity();
};

/// The candidate of least error, the first of equals.
Choice bestOf(GridError& error, const quant::QuantizerConfig& config, const std::vector<Range>& candidates)
{
    // Sums in lanes round otherwise than a sum in order, by less than this share.
    constexpr double noise = 1e-12;
    std::vector<double> errors(candidates.size(), std::numeric_limits<double>::infinity());
    std::ptrdiff_t best = 0;
    const auto attempt = [&](std::ptrdiff_t i) {
        if (i < 0 || i >= std::ssize(candidates) || std::isfinite(errors[static_cast<std::size_t>(i)]))
            return;
        const double least = errors[static_cast<std::size_t>(best)];
        const double limit = least + noise * least;
        const double sum = error.of(config, candidates[static_cast<std::size_t>(i)], limit);
        if (sum > limit)
            return;
        errors[static_cast<std::size_t>(i)] = sum;
        best = sum < least ? i : best;
    };
    // A few from everywhere first, then those near the best of them: the lower the limit, the less of the rest is
    // computed.
    constexpr std::ptrdiff_t stride = 10;
    for (std::ptrdiff_t i = 0; i < std::ssize(candidates); i += stride)
        attempt(i);
    const std::ptrdiff_t centre = best;
    for (std::ptrdiff_t distance = 1; distance < std::ssize(candidates); ++distance) {
        attempt(centre - distance);
        attempt(centre + distance);
    }

    const double least = errors[static_cast<std::size_t>(best)];
    Choice choice { candidates[static_cast<std::size_t>(best)], least };
    std::vector<Range> near;
    for (std::size_t i = 0; i < candidates.size(); ++i)
        if (errors[i] <= least + noise * least)
            near.push_back(candidates[i]);
    if (near.size() == 1)
        return choice;
    double leastInOrder = std::numeric_limits<double>::infinity();
    for (const auto range : near)
        if (const double sum = least == 0 ? 0 : error.inOrder(config, range); sum < leastInOrder) {
            leastInOrder = sum;
            choice.range = range;
        }
    return choice;
}

constexpr int largest = 100;
constexpr int smallest = 10;

Range scaled(Range full, int low, int high) { return { full.low * low / largest, full.high * high / largest }; }

/// Each end on its own over the fractions, in turns, while that helps.
Choice moveEnds(GridError& error, const quant::QuantizerConfig& config, Choice best)
{
    constexpr int rounds = 8;
    for (int round = 0; round < rounds; ++round) {
        const double before = best.error;
        for (const auto end : { &Range::low, &Range::high }) {
            std::vector<Range> candidates { best.range };
            for (int k = largest; k >= smallest; --k) {
                candidates.push_back(best.range);
                candidates.back().*end = error.full().*end * k / largest;
            }
            best = bestOf(error, config, candidates);
        }
        if (!(best.error < before))
            break;
    }
    return best;
}

/// `best`, or the refinement of a coarser grid that is better although it has one bit less.
Range orCoarserGrid(GridError& error, const quant::QuantizerConfig& config, const Choice& best)
{
    auto oneLess = config;
    oneLess.bits = config.bits - 1;
    Choice coarse { {}, best.error };
    for (int bits = oneLess.bits; bits >= quant::minBits && coarse.error > 0; --bits)
        for (int k = largest; k >= smallest; --k) {
            const Range range = error.refined(config, scaled(error.full(), k, k), bits, oneLess.bits);
            if (error.clipping(oneLess, range) >= coarse.error)
                break; // and so do those that are narrower
            if (const double sum = error.of(oneLess, range, coarse.error); sum < coarse.error)
                coarse = { range, sum };
        }
    return coarse.error < best.error ? error.refined(config, coarse.range, oneLess.bits, config.bits) : best.range;
}

} // namespace

Range leastSquaresRange(std::span<const float> values, const quant::QuantizerConfig& config, bool isSigned)
{
    assert(!values.empty());
    GridError error(values, config, isSigned);
    const Range full = error.full();
    const bool bothEnds = !config.symmetric && full.low < 0 && full.high > 0;
    std::vector<Range> candidates;
    if (config.scale == quant::ScaleRestriction::PowerOfTwo) {
        forEachPowerOfTwoRange(config, isSigned, full, [&candidates](Range range) { candidates.push_back(range); });
    } else {
        for (int k = largest; k >= smallest; --k)
            candidates.push_back(scaled(full, k, k));
    }
    Choice best = bestOf(error, config, candidates);
    if (!bothEnds)
        return config.bits == quant::minBits ? best.range : orCoarserGrid(error, config, best);
    if (config.scale == quant::ScaleRestriction::None)
        best = moveEnds(error, config, best);
    if (config.bits == quant::minBits)
        return best.range;
    auto oneLess = config;
    oneLess.bits = config.bits - 1;
    const Range coarse = leastSquaresRange(values, oneLess, isSigned);
    return bestOf(error, config, { best.range, error.refined(config, coarse, oneLess.bits, config.bits) }).range;
}

} // namespace quantoscope::calibration::detail
