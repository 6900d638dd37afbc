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

std::vector<double> isoLevels(const CostGrid& grid, int count)
{
    double low = std::numeric_limits<double>::infinity();
    double high = 0;
    for (const double value : grid.values)
        if (value > 0) {
            low = std::min(low, value);
            high = std::max(high, value);
        }
    std::vector<double> levels;
    if (!(high > low * (1 + 1e-9)))
        return levels;
    for (int i = 1; i <= count; ++i)
        levels.push_back(low * std::pow(high / low, static_cast<double>(i) / (count + 1)));
    return levels;
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
