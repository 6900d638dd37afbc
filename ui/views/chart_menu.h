// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>

class QMenu;
class QWidget;

namespace quantoscope::ui {

class BaseChart;

/// Save as PNG, SVG, PDF or CSV, copy as image or as data: the chart's context menu. A failure is told in the window's
/// message bar, through the chart's window if that has one.
void attachChartMenu(BaseChart* chart);

/// The same entries in a menu of its own, for a button.
void fillChartMenu(QMenu* menu, BaseChart* chart);

} // namespace quantoscope::ui
