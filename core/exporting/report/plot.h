// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/sweep/iso_cost.h"

/// Charts as SVG elements for a page: no script, no fonts, nothing from elsewhere. Text has the page's colour, and
/// every point says its numbers where the pointer rests on it.
namespace quantoscope::exporting::report {

constexpr double nothing = std::numeric_limits<double>::quiet_NaN();

struct PlotPoint {
    double x = 0;
    double y = 0;
    double low = nothing; ///< of an interval, if there is one
    double high = nothing;
    std::string tip = {};
    std::string label = {}; ///< written beside it
};

struct PlotSeries {
    std::string name; ///< empty: not in the legend
    std::string colour;
    std::vector<PlotPoint> points;
    bool line = false;
    bool stairs = false; ///< the line goes right, then up
    bool band = false; ///< the interval as a band; otherwise as whiskers
    bool marks = true;
    bool ring = false; ///< marks are large and empty
};

struct PlotAxis {
    std::string title;
    bool logarithmic = false;
    std::string unit = {}; ///< of the numbers at logarithmic ticks, which get a letter for thousands before it
    std::vector<std::pair<double, std::string>> ticks = {}; ///< empty: chosen
};

struct Plot {
    std::string title; ///< for who cannot see it
    PlotAxis x;
    PlotAxis y;
    std::vector<PlotSeries> series;
    std::vector<std::pair<double, std::string>> levels = {}; ///< dashed lines across, with their names
    std::optional<double> limit = {}; ///< a dashed line upwards
};
std::string toSvg(const Plot& plot);

/// A grid as a map: value as colour and number.
struct HeatMap {
    std::string title;
    std::string xTitle;
    std::string yTitle;
    std::vector<std::string> columns;
    std::vector<std::string> rows; ///< upwards
    std::vector<double> values; ///< row-major; percent; NaN: none
    std::vector<std::string> tips;
    std::vector<sweep::IsoLine> lines = {};
    std::string lineUnit = {};
};
std::string toSvg(const HeatMap& map);

/// A line for each thing, on it a bar for each word-length, the longest behind.
struct BarChart {
    struct Bar {
        double value = 0;
        std::string tip;
    };
    struct Line {
        std::string label;
        std::vector<std::optional<Bar>> bars; ///< one for each of `groups`
    };
    std::string title;
    std::string xTitle;
    std::vector<std::string> groups; ///< of the legend, fewest bits first
    std::vector<Line> lines;
};
std::string toSvg(const BarChart& chart);

std::string viridis(double t); ///< "#440154" for 0, "#fde725" for 1
std::string ordinal(double t); ///< the same without the ends that vanish on a dark or white page
std::string category(int i); ///< Okabe and Ito (2008)
/// Multiples of 1, 2 or 5 times a power of ten within a range, about `count` of them.
std::vector<double> niceTicks(double low, double high, int count);

} // namespace quantoscope::exporting::report
