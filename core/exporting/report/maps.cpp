// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <cmath>

#include "core/exporting/report/markup.h"
#include "core/exporting/report/plot.h"

namespace quantoscope::exporting::report {

namespace {

std::string opened(const std::string& title, double width, double height)
{
    return "<svg class=\"chart\" viewBox=\"0 0 " + coordinate(width) + " " + coordinate(height)
        + "\" role=\"img\"><title>" + escaped(title) + "</title>\n";
}

std::string textAt(double x, double y, const std::string& text, const std::string& more)
{
    return "<text x=\"" + coordinate(x) + "\" y=\"" + coordinate(y) + "\" " + more + ">" + escaped(text) + "</text>\n";
}

std::string box(double x, double y, double width, double height, const std::string& fill, const std::string& tip)
{
    return "<rect x=\"" + coordinate(x) + "\" y=\"" + coordinate(y) + "\" width=\"" + coordinate(width) + "\" height=\""
        + coordinate(height) + "\" fill=\"" + fill + "\">" + (tip.empty() ? "" : "<title>" + escaped(tip) + "</title>")
        + "</rect>\n";
}

/// The end of a long text, in whole characters of UTF-8.
std::string endOf(const std::string& text, std::size_t length)
{
    std::size_t from = text.size() > length ? text.size() - length : 0;
    while (from < text.size() && (static_cast<unsigned char>(text[from]) & 0xC0) == 0x80)
        ++from;
    return text.substr(from);
}

/// Black or white, whichever reads better on viridis at t.
std::string inkOn(double t) { return t > 0.55 ? "#000" : "#fff"; }

constexpr double cellWidth = 64;
constexpr double cellHeight = 34;
constexpr double mapLeft = 70;
constexpr double mapTop = 30; // for what the lines are called

} // namespace

std::string toSvg(const HeatMap& map)
{
    const auto columns = static_cast<double>(map.columns.size());
    const auto rows = static_cast<double>(map.rows.size());
    const double width = std::max(400.0, mapLeft + columns * cellWidth + 120);
    const double base = mapTop + rows * cellHeight;
    const auto xOf = [](double column) { return mapLeft + (column + 0.5) * cellWidth; };
    const auto yOf = [base](double row) { return base - (row + 0.5) * cellHeight; };
    std::string svg = opened(map.title, width, base + 48);
    std::string numbers; // over the lines
    for (std::size_t row = 0; row < map.rows.size(); ++row) {
        svg += textAt(
            mapLeft - 8, yOf(static_cast<double>(row)) + 4, map.rows[row], "class=\"small\" text-anchor=\"end\"");
        for (std::size_t column = 0; column < map.columns.size(); ++column) {
            const std::size_t i = row * map.columns.size() + column;
            if (!std::isfinite(map.values[i]))
                continue;
            const double x = xOf(static_cast<double>(column));
            const double y = yOf(static_cast<double>(row));
            const double t = map.values[i] / 100;
            svg += box(x - cellWidth / 2, y - cellHeight / 2, cellWidth, cellHeight, viridis(t), map.tips[i]);
            numbers += textAt(x, y + 4, fixed(map.values[i], 1),
                "class=\"small quiet\" text-anchor=\"middle\" style=\"fill:" + inkOn(t) + "\"");
        }
    }
    for (std::size_t column = 0; column < map.columns.size(); ++column)
        svg += textAt(
            xOf(static_cast<double>(column)), base + 17, map.columns[column], "class=\"small\" text-anchor=\"middle\"");
    for (const auto& line : map.lines) {
        std::string points;
        for (const auto& [column, row] : line.points)
            points += coordinate(xOf(column)) + "," + coordinate(yOf(row)) + " ";
        // White under black reads on every colour of the map.
        for (const auto* style :
            { "stroke=\"#fff\" stroke-width=\"3.5\" stroke-opacity=\"0.7\"", "stroke=\"#000\" stroke-width=\"1.3\"" })
            svg += "<polyline fill=\"none\" points=\"" + points + "\" " + style + "/>\n";
        const auto end = std::ranges::max_element(line.points, {}, [](const auto& p) { return p.second; });
        const bool atTop = end->second > rows - 1 - 1e-9;
        // Above the map, or between two rows of numbers.
        const double y = atTop ? mapTop - 8 : yOf(std::floor(end->second) + 0.5) + 4;
        svg += textAt(
            xOf(end->first), y, roundMetric(line.level, map.lineUnit), "class=\"small halo\" text-anchor=\"middle\"");
        if (atTop) // up to its name
            svg += "<line class=\"mark\" x1=\"" + coordinate(xOf(end->first)) + "\" x2=\"" + coordinate(xOf(end->first))
                + "\" y1=\"" + coordinate(mapTop - 4) + "\" y2=\"" + coordinate(yOf(end->second)) + "\"/>\n";
    }
    svg += numbers;
    svg += textAt(mapLeft + columns * cellWidth / 2, base + 40, map.xTitle, "text-anchor=\"middle\"");
    svg += "<text text-anchor=\"middle\" transform=\"translate(15 " + coordinate((mapTop + base) / 2)
        + ") rotate(-90)\">" + escaped(map.yTitle) + "</text>\n";
    return svg + "</svg>\n";
}

std::string toSvg(const BarChart& chart)
{
    constexpr double lineHeight = 15;
    constexpr double labelWidth = 250;
    constexpr double barWidth = 430;
    constexpr double top = 26;
    double low = 0;
    double high = 0;
    for (const auto& line : chart.lines)
        for (const auto& bar : line.bars)
            if (bar && std::isfinite(bar->value)) {
                low = std::min(low, bar->value);
                high = std::max(high, bar->value);
            }
    if (!(high > low))
        high = low + 1;
    const auto xOf = [&](double value) { return labelWidth + (value - low) / (high - low) * barWidth; };
    const double base = top + static_cast<double>(chart.lines.size()) * lineHeight;
    std::string svg = opened(chart.title, labelWidth + barWidth + 40, base + 44);
    const auto groups = static_cast<double>(std::max<std::size_t>(2, chart.groups.size()) - 1);
    for (std::size_t g = 0; g < chart.groups.size(); ++g) {
        const double x = labelWidth + static_cast<double>(g) * 62;
        svg += box(x, 4, 10, 10, ordinal(static_cast<double>(g) / groups), {});
        svg += textAt(x + 14, 13, chart.groups[g], "class=\"small\"");
    }
    for (const double tick : niceTicks(low, high, 6)) {
        svg += "<line class=\"grid\" x1=\"" + coordinate(xOf(tick)) + "\" x2=\"" + coordinate(xOf(tick)) + "\" y1=\""
            + coordinate(top) + "\" y2=\"" + coordinate(base) + "\"/>\n";
        svg += textAt(xOf(tick), base + 15, coordinate(tick), "class=\"small\" text-anchor=\"middle\"");
    }
    for (std::size_t i = 0; i < chart.lines.size(); ++i) {
        const auto& line = chart.lines[i];
        const double y = top + static_cast<double>(i) * lineHeight;
        const bool cut = line.label.size() > 40;
        svg += "<text class=\"small\" text-anchor=\"end\" x=\"" + coordinate(labelWidth - 7) + "\" y=\""
            + coordinate(y + 11) + "\">" + (cut ? "<title>" + escaped(line.label) + "</title>" : std::string())
            + escaped(cut ? "…" + endOf(line.label, 39) : line.label) + "</text>\n";
        for (std::size_t g = 0; g < line.bars.size(); ++g) {
            if (!line.bars[g] || !std::isfinite(line.bars[g]->value))
                continue;
            const double from = std::min(xOf(0), xOf(line.bars[g]->value));
            const double to = std::max(xOf(0), xOf(line.bars[g]->value));
            svg += box(from, y + 2, std::max(1.0, to - from), lineHeight - 4, ordinal(static_cast<double>(g) / groups),
                line.bars[g]->tip);
        }
    }
    svg += textAt(labelWidth + barWidth / 2, base + 36, chart.xTitle, "text-anchor=\"middle\"");
    return svg + "</svg>\n";
}

} // namespace quantoscope::exporting::report
