// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/json.h"

#include <nlohmann/json.hpp>

#include "core/base/file.h"

namespace quantoscope::base {

Result<Json> readJson(const std::filesystem::path& path)
{
    QS_TRY(const auto text, readFile(path));
    try {
        return Json::parse(text.begin(), text.end());
    } catch (const nlohmann::json::exception& e) { // parse_error, and out_of_range for numbers like 1e999
        return fail(ErrorCode::InvalidInput, e.what(), path.string(), "the file must be valid JSON");
    }
}

} // namespace quantoscope::base
