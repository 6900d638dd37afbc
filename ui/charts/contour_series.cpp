// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/contour_series.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "ui/charts/number_format.h"

namespace quantoscope::ui {

namespace {

constexpr std::size_t fewestLevels = 3;

/// Round numbers within a decade, coarse ones first.
const std::vector<std::vector<double>> ladders { { 1, 2, 5 }, { 1, 1.5, 2, 3, 4, 5, 6, 8 },
    { 1, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7, 1.8, 1.9, 2, 2.2, 2.4, 2.6, 2.8, 3, 3.2, 3.4, 3.6, 3.8, 4, 4.25, 4.5, 4.75,
        5, 5.5, 6, 6.5, 7, 7.5, 8, 8.5, 9, 9.5 } };

struct Corner {
    Contour::Point at;
    double value = 0; ///< logarithm, less that of the level
};

/// Where the sides of a square change their sign.
std::vector<Contour::Point> crossings(const std::array<Corner, 4>& corners)
{
    std::vector<Contour::Point> found;
    for (std::size_t i = 0; i < 4; ++i) {
        const Corner& a = corners[i];
        const Corner& b = corners[(i + 1) % 4];
        if ((a.value < 0) == (b.value < 0))
            continue;
        const double share = a.value / (a.value - b.value);
        found.push_back({ a.at.x + share * (b.at.x - a.at.x), a.at.y + share * (b.at.y - a.at.y) });
    }
    return found;
}

QString labelOf(double level, sweep::Price price)
{
    switch (price) {
    case sweep::Price::Size:
        return formatBytes(level);
    case sweep::Price::Energy:
        return formatEnergy(level);
    case sweep::Price::Bops:
        break;
    }
    return formatMetric(level);
}

} // namespace

std::vector<Contour::Segment> isoLine(std::size_t columns, std::size_t rows,
    const std::function<std::optional<double>(std::size_t column, std::size_t row)>& value, double level)
{
    std::vector<Contour::Segment> segments;
    for (std::size_t row = 0; row + 1 < rows; ++row)
        for (std::size_t column = 0; column + 1 < columns; ++column) {
            constexpr std::array<std::array<std::size_t, 2>, 4> around { { { 0, 0 }, { 1, 0 }, { 1, 1 }, { 0, 1 } } };
            std::array<Corner, 4> corners;
            bool known = true;
            for (std::size_t i = 0; i < 4; ++i) {
                const std::size_t c = column + around[i][0];
                const std::size_t r = row + around[i][1];
                const auto here = value(c, r);
                known = known && here && *here > 0;
                if (known)
                    corners[i] = { { static_cast<double>(c), static_cast<double>(r) }, std::log(*here / level) };
            }
            if (!known)
                continue;
            const auto points = crossings(corners);
            // Two, or four at a saddle, in the order of the sides.
            for (std::size_t i = 0; i + 1 < points.size(); i += 2)
                segments.push_back({ points[i], points[i + 1] });
        }
    return segments;
}

std::vector<double> levelsBetween(double low, double high, std::size_t most)
{
    std::vector<double> levels;
    if (!(low > 0) || !(high > low) || !std::isfinite(high))
        return levels;
    for (const auto& mantissas : ladders) {
        levels.clear();
        for (int power = static_cast<int>(std::floor(std::log10(low))); std::pow(10.0, power) < high; ++power)
            for (const double mantissa : mantissas)
                if (const double level = mantissa * std::pow(10.0, power); level > low && level < high)
                    levels.push_back(level);
        if (levels.size() >= fewestLevels)
            break;
    }
    if (levels.size() <= most)
        return levels;
    std::vector<double> thinned;
    const std::size_t every = (levels.size() + most - 1) / most;
    for (std::size_t i = every / 2; i < levels.size(); i += every)
        thinned.push_back(levels[i]);
    return thinned;
}

std::vector<Contour> isoCosts(const sweep::SweepResult& result, const SweepGrid& grid, sweep::Price price)
{
    const auto cost = [&](std::size_t column, std::size_t row) -> std::optional<double> {
        const auto cell = grid.cell(row, column);
        return cell ? std::optional(sweep::priceOf(result.points[*cell].cost, price)) : std::nullopt;
    };
    double low = std::numeric_limits<double>::max();
    double high = 0;
    for (const sweep::SweepPoint& point : result.points) {
        low = std::min(low, sweep::priceOf(point.cost, price));
        high = std::max(high, sweep::priceOf(point.cost, price));
    }
    std::vector<Contour> contours;
    for (const double level : levelsBetween(low, high)) {
        Contour contour { level, labelOf(level, price), isoLine(grid.columns.size(), grid.rows.size(), cost, level) };
        if (!contour.segments.empty())
            contours.push_back(std::move(contour));
    }
    return contours;
}

} // namespace quantoscope::ui
