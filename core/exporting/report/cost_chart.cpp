// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/exporting/report/cost_chart.h"

#include <algorithm>
#include <cmath>

#include <nlohmann/json.hpp>

#include "core/cost/metric.h"
#include "core/exporting/report/markup.h"
#include "core/exporting/report/plot.h"
#include "core/exporting/report/sections.h"

namespace quantoscope::exporting::report {

namespace {

/// Empty if the figure is the same for all, or missing.
std::string chart(const std::vector<CostSeries>& series, cost::Metric which, double floatTop1,
    const std::function<std::string(const Json&)>& label)
{
    Plot plot { .title = "Accuracy against " + cost::titleOf(which),
        .x = { cost::titleOf(which), true, cost::unitOf(which) },
        .y = { "Top-1 accuracy [%]" },
        .series = {} };
    double low = std::numeric_limits<double>::infinity();
    double high = 0;
    for (const auto& entry : series) {
        PlotSeries drawn { .name = entry.name, .colour = entry.colour, .points = {} };
        for (const auto* point : entry.points) {
            const double x = number(part(*point, "cost"), cost::keyOf(which));
            if (!(x > 0))
                continue;
            low = std::min(low, x);
            high = std::max(high, x);
            const auto& reach = part(*point, "top1_ci95");
            const double top1 = number(*point, "top1");
            drawn.points.push_back({ x, top1, bound(reach, 0), bound(reach, 1),
                label(*point) + ": " + fixed(top1) + " % " + rangeText(reach) + ", "
                    + metric(x, cost::unitOf(which)) });
        }
        plot.series.push_back(std::move(drawn));
    }
    if (!(high > low))
        return {};
    if (std::isfinite(floatTop1))
        plot.levels.emplace_back(floatTop1, "float " + fixed(floatTop1) + " %");
    return toSvg(plot);
}

} // namespace

std::string costCharts(
    const std::vector<CostSeries>& series, double floatTop1, const std::function<std::string(const Json&)>& label)
{
    std::string page;
    std::string others;
    for (const auto which : cost::allMetrics) {
        const auto svg = chart(series, which, floatTop1, label);
        if (svg.empty())
            continue;
        const auto titled = heading(3, "Accuracy against " + cost::titleOf(which)) + svg;
        (which == cost::Metric::Energy ? page : others) += titled;
    }
    return page + (others.empty() ? others : folded("Accuracy against the other costs", others));
}

} // namespace quantoscope::exporting::report
