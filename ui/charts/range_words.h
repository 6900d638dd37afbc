// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

#include <QString>

namespace quantoscope::ui {

/// A description of options as core writes it, with ranges and schemes called as the options panel calls them:
/// "symmetric per channel, mse" becomes "symmetric per channel, least squared error".
QString inWords(const std::string& description);

} // namespace quantoscope::ui
