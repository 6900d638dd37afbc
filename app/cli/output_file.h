// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

#include "app/cli/options.h"
#include "core/base/error.h"

namespace quantoscope::cli {

/// Whether `path` could be written, found out before the work rather than after it: its folder exists and may be
/// written to, and it is none of the files the command reads. An empty path is fine: nothing is to be written.
Result<void> checkOutput(const std::string& path, const CommonOptions& common, const DataOptions& data);

} // namespace quantoscope::cli
