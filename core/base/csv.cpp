// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/csv.h"

namespace quantoscope::base {

std::string csvField(std::string text)
{
    if (text.find_first_of(",\"\r\n") == std::string::npos)
        return text;
    for (auto at = text.find('"'); at != std::string::npos; at = text.find('"', at + 2))
        text.insert(at, 1, '"');
    return '"' + text + '"';
}

} // namespace quantoscope::base
