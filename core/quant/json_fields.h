// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/json.h"

/// Reading and writing the JSON of this module's types; private to it. Everything missing, of another type or unknown
/// is an InvalidInput that names the field.
namespace quantoscope::quant::detail {

/// The shortest decimal number that reads back as exactly `value`.
Json toJson(float value);
Json toJson(std::span<const float> values);

/// InvalidInput: "field 'bits' is ..., expected ...".
tl::unexpected<Error> fieldError(std::string_view key, const Json& found, std::string_view expected);

/// The member `key` of an object.
Result<const Json*> member(const Json& object, std::string_view key);

Result<bool> readBool(const Json& object, std::string_view key);
Result<std::int32_t> readInt(const Json& object, std::string_view key, std::int32_t low, std::int32_t high);
Result<double> readNumber(const Json& object, std::string_view key); ///< finite
Result<std::string> readText(const Json& object, std::string_view key);
Result<std::vector<float>> readFloats(const Json& object, std::string_view key);
Result<std::vector<std::int32_t>> readInt32s(const Json& object, std::string_view key);

/// A word for each value of an enumeration, for both directions.
template <typename Enum> using Words = std::span<const std::pair<Enum, std::string_view>>;

template <typename Enum> std::string wordOf(Words<Enum> words, Enum value)
{
    for (const auto& [candidate, word] : words)
        if (candidate == value)
            return std::string(word);
    return {};
}

/// `subject` names the thing in the error: "scope 'x' is not known".
template <typename Enum> Result<Enum> valueOf(Words<Enum> words, std::string_view text, std::string_view subject)
{
    std::string known;
    for (const auto& [value, word] : words) {
        if (word == text)
            return value;
        known += (known.empty() ? "" : ", ") + std::string(word);
    }
    return fail(ErrorCode::InvalidInput, std::string(subject) + " '" + std::string(text) + "' is not known", {},
        "use one of " + known);
}

template <typename Enum> Result<Enum> readWord(Words<Enum> words, const Json& object, std::string_view key)
{
    QS_TRY(const auto text, readText(object, key));
    return valueOf(words, text, key);
}

} // namespace quantoscope::quant::detail
