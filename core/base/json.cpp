// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/json.h"

#include <algorithm>
#include <cstdint>
#include <string>

#include <nlohmann/json.hpp>

#include "core/base/file.h"

namespace quantoscope::base {

namespace {

constexpr std::uint64_t largestFile = std::uint64_t { 256 } << 20;

/// What the parser says without its own error number, and without bytes that a terminal should not see.
std::string readable(std::string what)
{
    if (const auto prefix = what.find("] "); what.starts_with('[') && prefix != std::string::npos)
        what.erase(0, prefix + 2);
    std::ranges::replace_if(
        what, [](unsigned char c) { return c < 0x20 || c >= 0x7F; }, '?');
    return what;
}

} // namespace

Result<Json> readJson(const std::filesystem::path& path)
{
    QS_TRY(const auto text, readFile(path, largestFile));
    try {
        return Json::parse(text.begin(), text.end());
    } catch (const nlohmann::json::exception& e) { // parse_error, and out_of_range for numbers like 1e999
        return fail(ErrorCode::InvalidInput, readable(e.what()), path.string(), "the file must be valid JSON");
    }
}

} // namespace quantoscope::base
