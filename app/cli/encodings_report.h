// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

#include "app/cli/report.h"
#include "core/importing/apply_encodings.h"

namespace quantoscope::cli {

/// What became of the encodings in a file: how many entries fit, which did not and why, what the file does not mention.
void reportEncodings(Report& report, const std::string& path, const importing::EncodingsFile& file,
    const importing::AppliedEncodings& applied);

} // namespace quantoscope::cli
