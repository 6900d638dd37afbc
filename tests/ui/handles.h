// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cmath>

#include <QPoint>

#include "ui/charts/distribution_chart.h"

namespace quantoscope::test {

/// Where a hand takes the handle at an end of the clipping range.
inline QPoint handleOf(ui::DistributionChart& chart, bool high)
{
    chart.replot();
    return { static_cast<int>(std::lround(chart.handlePixel(high))), chart.axisRect()->rect().center().y() };
}

} // namespace quantoscope::test
