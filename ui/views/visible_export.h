// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>
#include <vector>

#include "core/base/error.h"

class QWidget;

namespace quantoscope::ui {

/// Writes everything that can be seen in a window into a folder: each chart as PNG, SVG and CSV, each table as TSV with
/// the columns and the order that are shown. Files are named after what they show and replaced if they are there. Gives
/// their names. Errors: Io.
Result<std::vector<std::filesystem::path>> exportVisible(const QWidget& window, const std::filesystem::path& folder);

} // namespace quantoscope::ui
