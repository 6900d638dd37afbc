// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace quantoscope::sweep {

/// A line along which a cost stays the same, over a grid of word-lengths.
struct IsoLine {
    double level = 0;
    std::vector<std::pair<double, double>> points; ///< (column, row), counted from 0, between the grid's points
};

/// A cost over a grid: row-major; NaN where it is not known.
struct CostGrid {
    std::size_t columns = 0;
    std::size_t rows = 0;
    std::vector<double> values;

    double at(std::size_t column, std::size_t row) const { return values[row * columns + column]; }
};

/// Round numbers strictly between `low` and `high` (both positive): 1, 2 or 5 times powers of ten, finer ones where
/// these are fewer than three; thinned to at most `most`.
std::vector<double> levelsBetween(double low, double high, std::size_t most = 6);

/// levelsBetween() the least and the largest cost that is known and positive. None if they are the same.
std::vector<double> isoLevels(const CostGrid& grid, std::size_t most = 6);

/// Where the cost has these levels: marching squares with costs interpolated by their logarithm. Quadrilaterals with an
/// unknown corner have no line. Levels and costs are positive.
std::vector<IsoLine> isoLines(const CostGrid& grid, const std::vector<double>& levels);

/// "1.23 M", "640 k": three digits and a letter for thousands.
std::string shortNumber(double value);

} // namespace quantoscope::sweep
