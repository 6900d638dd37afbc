// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

namespace quantoscope::cli {

constexpr int exitDone = 0;
constexpr int exitFailed = 1; ///< the work failed
constexpr int exitUsage = 2; ///< wrong usage
constexpr int exitCancelled = 130; ///< as a shell reports Ctrl-C

} // namespace quantoscope::cli
