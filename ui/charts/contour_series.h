// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <vector>

#include <QString>

#include "core/sweep/search_budget.h"
#include "core/sweep/sweep.h"
#include "ui/charts/sweep_series.h"

namespace quantoscope::ui {

/// A line along which a quantity on a grid has one value. Coordinates: column and row of the grid, which has its values
/// at whole numbers.
struct Contour {
    struct Point {
        double x = 0;
        double y = 0;
    };
    struct Segment {
        Point from;
        Point to;
    };
    double level = 0;
    QString label;
    std::vector<Segment> segments; ///< in no order
};

/// Where `value(column, row)` is `level`, by marching squares with logarithmic interpolation; squares with a corner
/// that is not known, or not positive, are left out.
std::vector<Contour::Segment> isoLine(std::size_t columns, std::size_t rows,
    const std::function<std::optional<double>(std::size_t column, std::size_t row)>& value, double level);

/// Round numbers strictly between `low` and `high` (both positive): 1, 2 or 5 times powers of ten, finer ones where
/// these are fewer than three; thinned to at most `most`.
std::vector<double> levelsBetween(double low, double high, std::size_t most = 6);

/// Lines of equal cost over the word-lengths of a sweep.
std::vector<Contour> isoCosts(const sweep::SweepResult& result, const SweepGrid& grid, sweep::Price price);

} // namespace quantoscope::ui
