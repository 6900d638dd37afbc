// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/sweep/iso_cost.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <limits>
#include <optional>

namespace quantoscope::sweep {

namespace {

constexpr std::size_t fewestLevels = 3;

/// Round numbers within a decade, coarse ones first.
const std::vector<std::vector<double>> ladders { { 1, 2, 5 }, { 1, 1.5, 2, 3, 4, 5, 6, 8 },
    { 1, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7, 1.8, 1.9, 2, 2.2, 2.4, 2.6, 2.8, 3, 3.2, 3.4, 3.6, 3.8, 4, 4.25, 4.5, 4.75,
        5, 5.5, 6, 6.5, 7, 7.5, 8, 8.5, 9, 9.5 } };

using Point = std::pair<double, double>;
using Segment = std::pair<Point, Point>;

/// Where the level is between two neighbouring points of the grid; empty if it is not.
std::optional<Point> crossing(
    const CostGrid& grid, double level, std::array<std::size_t, 2> from, std::array<std::size_t, 2> to)
{
    const double a = grid.at(from[0], from[1]);
    const double b = grid.at(to[0], to[1]);
    // A point that has the level counts as above it, so that a line through it is found once.
    if ((a >= level) == (b >= level))
        return std::nullopt;
    const double t = std::log(level / a) / std::log(b / a);
    const auto between = [t](std::size_t p, std::size_t q) {
        return static_cast<double>(p) + t * (static_cast<double>(q) - static_cast<double>(p));
    };
    return Point { between(from[0], to[0]), between(from[1], to[1]) };
}

void addSegments(
    const CostGrid& grid, double level, std::size_t column, std::size_t row, std::vector<Segment>& segments)
{
    for (const std::size_t c : { column, column + 1 })
        for (const std::size_t r : { row, row + 1 })
            if (!(grid.at(c, r) > 0))
                return; // not known, too
    // Every edge from its lesser to its greater end, so that both quadrilaterals beside it find the same point.
    const std::optional<Point> edges[] { crossing(grid, level, { column, row }, { column + 1, row }),
        crossing(grid, level, { column + 1, row }, { column + 1, row + 1 }),
        crossing(grid, level, { column, row + 1 }, { column + 1, row + 1 }),
        crossing(grid, level, { column, row }, { column, row + 1 }) };
    std::vector<Point> points;
    for (const auto& edge : edges)
        if (edge)
            points.push_back(*edge);
    for (std::size_t i = 0; i + 1 < points.size(); i += 2)
        segments.emplace_back(points[i], points[i + 1]);
}

/// Segments that share an end, one after another.
std::vector<std::vector<Point>> joined(std::vector<Segment> segments)
{
    std::vector<std::vector<Point>> lines;
    while (!segments.empty()) {
        std::vector<Point> line { segments.back().first, segments.back().second };
        segments.pop_back();
        const auto grow = [&](bool atEnd) {
            const Point end = atEnd ? line.back() : line.front();
            const auto next
                = std::ranges::find_if(segments, [&](const Segment& s) { return s.first == end || s.second == end; });
            if (next == segments.end())
                return false;
            const Point other = next->first == end ? next->second : next->first;
            line.insert(atEnd ? line.end() : line.begin(), other);
            segments.erase(next);
            return true;
        };
        while (grow(true) || grow(false)) { }
        lines.push_back(std::move(line));
    }
    return lines;
}

} // namespace

std::vector<double> levelsBetween(double low, double high, std::size_t most)
{
    std::vector<double> levels;
    if (!(low > 0) || !(high > low * (1 + 1e-9)) || !std::isfinite(high))
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

std::vector<double> isoLevels(const CostGrid& grid, std::size_t most)
{
    double low = std::numeric_limits<double>::infinity();
    double high = 0;
    for (const double value : grid.values)
        if (value > 0) {
            low = std::min(low, value);
            high = std::max(high, value);
        }
    return levelsBetween(low, high, most);
}

std::vector<IsoLine> isoLines(const CostGrid& grid, const std::vector<double>& levels)
{
    std::vector<IsoLine> lines;
    for (const double level : levels) {
        std::vector<Segment> segments;
        for (std::size_t row = 0; row + 1 < grid.rows; ++row)
            for (std::size_t column = 0; column + 1 < grid.columns; ++column)
                addSegments(grid, level, column, row, segments);
        for (auto& points : joined(std::move(segments)))
            lines.push_back({ level, std::move(points) });
    }
    return lines;
}

std::string shortNumber(double value)
{
    static constexpr std::array suffixes { "", " k", " M", " G", " T" };
    std::size_t step = 0;
    while (std::abs(value) >= 999.5 && step + 1 < suffixes.size()) {
        value /= 1000;
        ++step;
    }
    char text[32];
    std::snprintf(text, sizeof text,
        std::abs(value) >= 99.95       ? "%.0f"
            : std::abs(value) >= 9.995 ? "%.1f"
                                       : "%.3g",
        value);
    return text + std::string(suffixes[step]);
}

} // namespace quantoscope::sweep
