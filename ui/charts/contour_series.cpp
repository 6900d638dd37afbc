// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/contour_series.h"

#include <limits>

#include "core/sweep/iso_cost.h"
#include "ui/charts/cost_words.h"

namespace quantoscope::ui {

std::vector<Contour> isoCosts(const sweep::SweepResult& result, const SweepGrid& grid, cost::Metric metric)
{
    sweep::CostGrid costs { grid.columns.size(), grid.rows.size(), {} };
    for (const auto& cell : grid.cells)
        costs.values.push_back(
            cell ? cost::valueOf(result.points[*cell].cost, metric) : std::numeric_limits<double>::quiet_NaN());
    std::vector<Contour> contours;
    for (const auto& line : sweep::isoLines(costs, sweep::isoLevels(costs))) {
        if (contours.empty() || contours.back().level != line.level)
            contours.push_back({ line.level, formatCost(line.level, metric), {} });
        auto& points = contours.back().lines.emplace_back();
        for (const auto& [column, row] : line.points)
            points.emplace_back(column, row);
    }
    return contours;
}

} // namespace quantoscope::ui
