// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

#include <QString>

namespace quantoscope::ui {

/// A description of options as core writes it, with scopes, ranges, schemes and roundings called as the options panel
/// calls them: "compute, weights symmetric per channel mse" becomes "compute layers, weights symmetric per channel
/// MSE". Not for texts that hold names of files or tensors, which may be such words.
QString inWords(const std::string& description);

} // namespace quantoscope::ui
