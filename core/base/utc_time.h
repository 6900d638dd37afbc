// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

namespace quantoscope::base {

/// Now, as ISO 8601 in UTC to the second: "2026-01-31T12:00:00Z". Thread safe.
std::string utcNow();

} // namespace quantoscope::base
