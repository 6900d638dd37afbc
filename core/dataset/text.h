// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace quantoscope::dataset {

std::string grouped(std::uint64_t number); ///< 3073000 -> "3,073,000"
std::string counted(std::uint64_t number, std::string_view noun); ///< "1 image", "1,000 images"
std::string_view trimmed(std::string_view text);
std::string lowered(std::string_view text);
std::optional<long long> parseInteger(std::string_view text); ///< the whole text, nothing else
bool isUtf8(std::string_view text); ///< without overlong forms and surrogates
std::vector<std::string> lines(std::string_view text); ///< trimmed, a byte order mark taken off, empty ones kept

} // namespace quantoscope::dataset
