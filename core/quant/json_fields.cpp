// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/quant/json_fields.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>

namespace quantoscope::quant::detail {

Json toJson(float value)
{
    std::array<char, 32> text;
    const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
    double wide = 0;
    std::from_chars(text.data(), end, wide);
    // A decimal number at the edge of the float's interval could round to its neighbour by way of double.
    return static_cast<float>(wide) == value ? Json(wide) : Json(static_cast<double>(value));
}

Json toJson(std::span<const float> values)
{
    Json list = Json::array();
    for (const float value : values)
        list.push_back(toJson(value));
    return list;
}

tl::unexpected<Error> fieldError(std::string_view key, const Json& found, std::string_view expected)
{
    auto text = found.dump(-1, ' ', false, Json::error_handler_t::replace);
    if (text.size() > 60)
        text = text.substr(0, 57) + "...";
    return fail(
        ErrorCode::InvalidInput, "field '" + std::string(key) + "' is " + text + ", expected " + std::string(expected));
}

Result<const Json*> member(const Json& object, std::string_view key)
{
    if (!object.is_object())
        return fail(ErrorCode::InvalidInput,
            "found a JSON " + std::string(object.type_name()) + " where an object with '" + std::string(key)
                + "' is expected");
    const auto found = object.find(std::string(key));
    if (found == object.end())
        return fail(ErrorCode::InvalidInput, "field '" + std::string(key) + "' is missing");
    return &*found;
}

Result<bool> readBool(const Json& object, std::string_view key)
{
    QS_TRY(const auto* field, member(object, key));
    if (!field->is_boolean())
        return fieldError(key, *field, "true or false");
    return field->get<bool>();
}

namespace {

bool fits(const Json& field, std::int64_t low, std::int64_t high)
{
    if (field.is_number_unsigned()) {
        const auto value = field.get<std::uint64_t>();
        return value <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())
            && static_cast<std::int64_t>(value) >= low && static_cast<std::int64_t>(value) <= high;
    }
    return field.is_number_integer() && field.get<std::int64_t>() >= low && field.get<std::int64_t>() <= high;
}

} // namespace

Result<std::int32_t> readInt(const Json& object, std::string_view key, std::int32_t low, std::int32_t high)
{
    QS_TRY(const auto* field, member(object, key));
    if (!fits(*field, low, high))
        return fieldError(key, *field, "an integer from " + std::to_string(low) + " to " + std::to_string(high));
    return field->get<std::int32_t>();
}

Result<double> readNumber(const Json& object, std::string_view key)
{
    QS_TRY(const auto* field, member(object, key));
    if (!field->is_number() || !std::isfinite(field->get<double>()))
        return fieldError(key, *field, "a finite number");
    return field->get<double>();
}

Result<std::string> readText(const Json& object, std::string_view key)
{
    QS_TRY(const auto* field, member(object, key));
    if (!field->is_string())
        return fieldError(key, *field, "text");
    return field->get<std::string>();
}

Result<std::vector<float>> readFloats(const Json& object, std::string_view key)
{
    QS_TRY(const auto* field, member(object, key));
    if (!field->is_array())
        return fieldError(key, *field, "a list of numbers");
    std::vector<float> values;
    values.reserve(field->size());
    for (const auto& item : *field) {
        if (!item.is_number())
            return fieldError(key, item, "numbers only");
        values.push_back(static_cast<float>(item.get<double>()));
    }
    return values;
}

Result<std::vector<std::int32_t>> readInt32s(const Json& object, std::string_view key)
{
    using Limits = std::numeric_limits<std::int32_t>;
    QS_TRY(const auto* field, member(object, key));
    if (!field->is_array())
        return fieldError(key, *field, "a list of integers");
    std::vector<std::int32_t> values;
    values.reserve(field->size());
    for (const auto& item : *field) {
        if (!fits(item, Limits::min(), Limits::max()))
            return fieldError(key, item, "32-bit integers only");
        values.push_back(item.get<std::int32_t>());
    }
    return values;
}

} // namespace quantoscope::quant::detail
