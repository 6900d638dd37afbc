// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <vector>

#include <QPointF>
#include <QString>

#include "core/cost/metric.h"
#include "core/sweep/sweep.h"
#include "ui/charts/sweep_series.h"

namespace quantoscope::ui {

/// Where a cost has one value on the grid of a sweep. Coordinates: column and row of the grid, which has its points at
/// whole numbers.
struct Contour {
    double level = 0;
    QString label; ///< "200 kB"
    std::vector<std::vector<QPointF>> lines;
};

/// Lines of equal cost over the word-lengths of a sweep, at round numbers. None for a cost that word-lengths do not
/// change.
std::vector<Contour> isoCosts(const sweep::SweepResult& result, const SweepGrid& grid, cost::Metric metric);

} // namespace quantoscope::ui
