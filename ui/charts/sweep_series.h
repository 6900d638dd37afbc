// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <vector>

#include <QString>
#include <QStringList>

#include "core/sweep/sweep.h"

namespace quantoscope::ui {

/// A sweep made ready to draw: accuracy over one word-length, one line for each value of the other.
struct SweepSeries {
    struct Point {
        double x = 0;
        double top1 = 0; ///< percent, as low and high
        double low = 0;
        double high = 0;
        std::size_t index = 0; ///< into SweepResult::points
    };
    struct Line {
        sweep::Bits bits; ///< the word-length that is the same along the line
        QString label;
        double position = 0; ///< 0: fewest bits, 1: most; for the colour
        std::vector<Point> points; ///< ascending in x
    };
    struct Tick {
        double x = 0;
        QString label;
    };

    bool overWeights = true; ///< x: weight bits, lines: activation bits; false: the other way round
    QString xTitle;
    QString lineTitle;
    std::vector<Tick> ticks;
    std::vector<Line> lines;
    std::optional<double> floatTop1;
    evaluation::Interval floatInterval;
    QString title;
    QStringList captions;

    bool empty() const { return lines.empty() && !floatTop1; }
};

/// Weights run along x unless only activations vary. Float comes after the largest word-length, one step apart.
SweepSeries sweepSeries(const sweep::SweepResult& result);

/// The same as a table, weight bits to the right and activation bits upwards.
struct SweepGrid {
    std::vector<QString> columns; ///< weight bits, ascending, float last
    std::vector<QString> rows; ///< activation bits, likewise
    std::vector<std::optional<std::size_t>>
        cells; ///< row-major: index into SweepResult::points; empty: not evaluated yet
    double low = 0; ///< smallest and largest top-1 in the grid, percent
    double high = 100;

    std::optional<std::size_t> cell(std::size_t row, std::size_t column) const
    {
        return cells[row * columns.size() + column];
    }
};
SweepGrid sweepGrid(const sweep::SweepResult& result);

} // namespace quantoscope::ui
