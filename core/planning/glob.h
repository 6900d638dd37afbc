// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string_view>

namespace quantoscope::planning {

/// Whether `text` as a whole matches `pattern`: * any run of characters ('/' included), ? any one, [abc], [a-z], [!a-z]
/// one of a set, \ takes the next character as it is. A '[' that is never closed stands for itself.
bool globMatches(std::string_view pattern, std::string_view text);

} // namespace quantoscope::planning
