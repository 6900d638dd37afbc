// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "core/exporting/report/plot.h"

namespace quantoscope::exporting::report {

std::string viridis(double t)
{
    // Every eighth of the colour map by Smith and van der Walt (2015).
    static constexpr std::array<std::array<int, 3>, 9> stops { { { 68, 1, 84 }, { 71, 44, 122 }, { 59, 81, 139 },
        { 44, 113, 142 }, { 33, 144, 141 }, { 39, 173, 129 }, { 92, 200, 99 }, { 170, 220, 50 }, { 253, 231, 37 } } };
    const double place = std::clamp(t, 0.0, 1.0) * (stops.size() - 1);
    const auto from = std::min(static_cast<std::size_t>(place), stops.size() - 2);
    const double part = place - static_cast<double>(from);
    std::array<int, 3> rgb {};
    for (std::size_t c = 0; c < rgb.size(); ++c)
        rgb[c] = static_cast<int>(std::lround(stops[from][c] + part * (stops[from + 1][c] - stops[from][c])));
    std::array<char, 8> text {};
    std::snprintf(text.data(), text.size(), "#%02x%02x%02x", static_cast<unsigned>(rgb[0]) & 255U,
        static_cast<unsigned>(rgb[1]) & 255U, static_cast<unsigned>(rgb[2]) & 255U);
    return text.data();
}

std::string ordinal(double t) { return viridis(0.15 + 0.7 * std::clamp(t, 0.0, 1.0)); }

std::string category(int i)
{
    static constexpr std::array colours { "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#8c8c8c" };
    return colours[static_cast<std::size_t>(i) % colours.size()];
}

std::vector<double> niceTicks(double low, double high, int count)
{
    std::vector<double> ticks;
    if (!(high > low))
        return { low };
    const double rough = (high - low) / count;
    const double power = std::pow(10.0, std::floor(std::log10(rough)));
    const double ratio = rough / power;
    const double step = power * (ratio <= 1 ? 1 : ratio <= 2 ? 2 : ratio <= 5 ? 5 : 10);
    for (double i = std::ceil(low / step - 1e-9); i * step <= high + step * 1e-9; ++i)
        ticks.push_back(i * step);
    return ticks;
}

} // namespace quantoscope::exporting::report
