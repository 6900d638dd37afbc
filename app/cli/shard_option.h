// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

#include "core/base/error.h"
#include "core/sweep/shard.h"

namespace CLI {
class App;
}

namespace quantoscope::cli {

/// --shard I/N: which part of a study to do.
struct ShardOption {
    std::string text; ///< empty: the whole

    void addTo(CLI::App& command);
    /// An error is wrong usage.
    Result<sweep::Shard> shard() const { return text.empty() ? sweep::Shard {} : sweep::Shard::parse(text); }
};

} // namespace quantoscope::cli
