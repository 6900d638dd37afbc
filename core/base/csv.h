// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

namespace quantoscope::base {

/// A field of a CSV line: quoted where it holds a comma, a quote or a line break (RFC 4180), as it is otherwise.
std::string csvField(std::string text);

} // namespace quantoscope::base
