// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/base/json.h"

namespace quantoscope::exporting::report {

/// Points of a document in one colour: objects with "top1", "top1_ci95" and "cost".
struct CostSeries {
    std::string name;
    std::string colour;
    std::vector<const Json*> points;
};

/// Accuracy over every figure of cost that differs between the points: energy to see, the others to unfold. Empty if
/// the points have no cost. `label` names a point. `floatTop1` may be NaN.
std::string costCharts(
    const std::vector<CostSeries>& series, double floatTop1, const std::function<std::string(const Json&)>& label);

} // namespace quantoscope::exporting::report
