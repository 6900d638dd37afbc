// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QColor>
#include <QIcon>

/// Small pictures beside the switches of a chart that say what is what in it, in place of a legend.
namespace quantoscope::ui {

QIcon outlineKey(const QColor& color); ///< the steps of a histogram's outline
QIcon levelsKey(const QColor& color); ///< ticks on an axis

} // namespace quantoscope::ui
