// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/utc_time.h"

#include <chrono>
#include <ctime>

namespace quantoscope::base {

std::string utcNow()
{
    const auto seconds = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
    std::tm utc {};
    ::gmtime_r(&seconds, &utc);
    char text[32];
    std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
    return text;
}

} // namespace quantoscope::base
