// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>

#include <QString>

#include "core/cost/metric.h"
#include "core/sweep/search_budget.h"

/// What costs are called, the same in every chart and box.
namespace quantoscope::ui {

/// Those that word-lengths change, in the order of boxes.
inline constexpr std::array variedCosts { cost::Metric::Size, cost::Metric::Bops, cost::Metric::Energy,
    cost::Metric::PeakActivations, cost::Metric::Accumulator };

QString costName(cost::Metric metric); ///< "size", "bit operations"
QString priceName(sweep::Price price); ///< as costName()
QString budgetText(const sweep::Budget& budget); ///< "size 15 % of float", "1 point of top-1 lost"
QString costAxis(cost::Metric metric); ///< "Size of parameters [B]"
QString formatCost(double value, cost::Metric metric); ///< "1.08 MB", "41.2 MBOP", "3.21 µJ", "18 bit"

} // namespace quantoscope::ui
