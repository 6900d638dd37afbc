// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <iosfwd>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

#include "core/base/error.h"

namespace quantoscope::base {

/// The whole file. Errors: NotFound, Io (a directory, no permission), OutOfMemory over `limit` bytes.
Result<std::vector<std::uint8_t>> readFile(
    const std::filesystem::path& path, std::uint64_t limit = std::numeric_limits<std::uint64_t>::max());

/// Replaces `path` with what `write` puts into the stream, by way of a temporary file beside it, so that a failure
/// (no space, no permission, an error from `write`) leaves what was there before and nothing half-written.
Result<void> writeFileAtomically(
    const std::filesystem::path& path, const std::function<Result<void>(std::ostream&)>& write);
Result<void> writeFileAtomically(const std::filesystem::path& path, std::string_view content);

} // namespace quantoscope::base
