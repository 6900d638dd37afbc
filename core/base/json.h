// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "core/base/error.h"

namespace quantoscope::base {

/// JSON with keys in the order they were written. Include <nlohmann/json.hpp> in the .cpp that uses it.
using Json = nlohmann::ordered_json;

/// Parses a whole file of at most 256 MiB; the error names line and column.
Result<Json> readJson(const std::filesystem::path& path);

} // namespace quantoscope::base

namespace quantoscope {
using base::Json;
}
