// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>

class QTableView;

namespace quantoscope::ui {

/// The columns that can be seen, in their order, and all rows, with tabs between.
QString shownTable(const QTableView& table);

/// Copying and saving such a table: its context menu, Ctrl+C for the chosen rows and Ctrl+Shift+C for all.
void attachTableMenu(QTableView* table);

} // namespace quantoscope::ui
