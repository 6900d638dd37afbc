// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/sweep/shard.h"

#include <charconv>

namespace quantoscope::sweep {

Result<Shard> Shard::parse(const std::string& text)
{
    constexpr std::int64_t mostShards = 1'000'000;
    Shard shard;
    const char* const end = text.data() + text.size();
    const auto [slash, badNumber] = std::from_chars(text.data(), end, shard.number);
    const bool split = badNumber == std::errc {} && slash != end && *slash == '/';
    const auto [last, badCount] = std::from_chars(split ? slash + 1 : end, end, shard.count);
    if (!split || badCount != std::errc {} || last != end || shard.count < 1 || shard.count > mostShards
        || shard.number < 1 || shard.number > shard.count)
        return fail(ErrorCode::InvalidInput, "'" + text + "' is not a part of a whole", {},
            "write I/N with I from 1 to N: 1/4, 2/4, 3/4 and 4/4 make the whole");
    return shard;
}

} // namespace quantoscope::sweep
