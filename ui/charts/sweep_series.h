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

/// The whole grid that was asked for, also where points are still missing. Weights run along x unless only activations
/// vary. Float comes after the largest word-length, one step apart.
SweepSeries sweepSeries(const sweep::SweepResult& result);

/// The same as a table, weight bits to the right and activation bits upwards.
struct SweepGrid {
    std::vector<QString> columns; ///< weight bits, ascending, float last
    std::vector<QString> rows; ///< activation bits, likewise
    std::vector<std::optional<std::size_t>>
        cells; ///< row-major: index into SweepResult::points; empty: not evaluated yet

    std::optional<std::size_t> cell(std::size_t row, std::size_t column) const
    {
        return cells[row * columns.size() + column];
    }
};
SweepGrid sweepGrid(const sweep::SweepResult& result);

/// The top-1 that the colours of a map are for, in percent: what is around float, where it pays to look closely.
struct AccuracyScale {
    double low = 0;
    double high = 100;
    bool clipped = false; ///< there are points below, which get colours of their own

    double position(double top1) const { return (top1 - low) / (high - low); } ///< 0: the lowest colour, 1: the highest
    /// The share of the scale that is for what lies below, added to its lower end.
    double share() const { return clipped ? 0.2 : 0; }
    /// As position(), and for what lies below from -share() (nothing is right) to 0.
    double place(double top1) const { return top1 >= low ? position(top1) : share() * (top1 / low - 1); }
};
/// From 10 points below float, or the lowest point where that is higher, to the highest of float and all points. The
/// lower end is a whole number.
AccuracyScale accuracyScale(const sweep::SweepResult& result);

} // namespace quantoscope::ui
