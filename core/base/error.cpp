// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/error.h"

namespace quantoscope::base {

std::string Error::message() const
{
    std::string text = what;
    for (const std::string* part : { &where, &hint }) {
        if (part->empty())
            continue;
        if (!text.empty())
            text += ": ";
        text += *part;
    }
    return text;
}

} // namespace quantoscope::base
