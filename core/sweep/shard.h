// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string>

#include "core/base/error.h"

namespace quantoscope::sweep {

/// One of several parts of a study, each computed somewhere else. Items are dealt out in turn, so that neighbours,
/// which cost about the same, go to different shards; which shard takes an item depends on nothing but its number.
struct Shard {
    std::int64_t number = 1; ///< 1..count
    std::int64_t count = 1;

    /// "2/8". InvalidInput says how to write it.
    static Result<Shard> parse(const std::string& text);
    bool takes(std::int64_t item) const { return item % count == number - 1; }
    bool isWhole() const { return count == 1; }
    friend bool operator==(const Shard&, const Shard&) = default;
};

} // namespace quantoscope::sweep
