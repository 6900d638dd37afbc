// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/importing/encodings_file.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <nlohmann/json.hpp>

namespace quantoscope::importing {

namespace {

constexpr const char* expected
    = "use encodings of AIMET (version 1.0.0 or 0.6.1) or a calibration table of ONNX Runtime (calibration.json)";

std::optional<double> numberAt(const Json& object, const char* key)
{
    const auto it = object.find(key);
    return it != object.end() && it->is_number() ? std::optional(it->get<double>()) : std::nullopt;
}

std::string textAt(const Json& object, const char* key)
{
    const auto it = object.find(key);
    return it != object.end() && it->is_string() ? it->get<std::string>() : std::string();
}

/// true and "True"
bool flagAt(const Json& object, const char* key)
{
    const auto it = object.find(key);
    return it != object.end() && (*it == true || *it == "True" || *it == "true");
}

std::vector<double> numbersAt(const Json& object, const char* key)
{
    std::vector<double> numbers;
    const auto it = object.find(key);
    if (it == object.end() || !it->is_array())
        return numbers;
    for (const auto& item : *it)
        numbers.push_back(item.is_number() ? item.get<double>() : std::numeric_limits<double>::quiet_NaN());
    return numbers;
}

bool isInteger(double value) { return value == std::nearbyint(value) && std::abs(value) <= 4294967296.0; }

/// Puts the numbers in, or says why they are of no use.
void setNumbers(EncodingEntry& entry, const std::vector<double>& scales, const std::vector<double>& offsets)
{
    const auto isScale = [](double scale) { return std::isfinite(scale) && static_cast<float>(scale) > 0; };
    if (scales.empty() || scales.size() != offsets.size())
        entry.unusable
            = "it has " + std::to_string(scales.size()) + " scales and " + std::to_string(offsets.size()) + " offsets";
    else if (!std::ranges::all_of(scales, isScale))
        entry.unusable = "a scale is not a positive number";
    else if (!std::ranges::all_of(offsets, isInteger))
        entry.unusable = "an offset is not an integer";
    if (!entry.unusable.empty())
        return;
    for (const double scale : scales)
        entry.scale.push_back(static_cast<float>(scale));
    for (const double offset : offsets)
        entry.offset.push_back(static_cast<std::int64_t>(offset));
}

void setBits(EncodingEntry& entry, const Json& object, const char* key)
{
    const auto bits = numberAt(object, key);
    if (bits && isInteger(*bits) && *bits >= 1 && *bits <= 32)
        entry.bits = static_cast<int>(*bits);
    else
        entry.unusable = std::string("it has no word-length (") + key + ")";
}

EncodingEntry entry100(const Json& object, bool isParameter)
{
    EncodingEntry entry { .tensor = textAt(object, "name"), .isParameter = isParameter };
    const auto kind = textAt(object, "enc_type");
    setBits(entry, object, "bw");
    entry.isFloat = textAt(object, "dtype") == "FLOAT";
    entry.isSymmetric = flagAt(object, "is_sym");
    entry.isPerChannel = kind == "PER_CHANNEL";
    if (entry.isFloat)
        return entry;
    if (kind != "PER_TENSOR" && kind != "PER_CHANNEL")
        entry.unusable = "its enc_type is '" + kind + "'";
    if (entry.unusable.empty())
        setNumbers(entry, numbersAt(object, "scale"), numbersAt(object, "offset"));
    return entry;
}

EncodingEntry entry061(const std::string& tensor, const Json& channels, bool isParameter)
{
    EncodingEntry entry { .tensor = tensor, .isParameter = isParameter };
    if (!channels.is_array() || channels.empty() || !channels.front().is_object()) {
        entry.unusable = "it is not a list of encodings";
        return entry;
    }
    const auto& first = channels.front();
    setBits(entry, first, "bitwidth");
    entry.isFloat = textAt(first, "dtype") == "float";
    entry.isSymmetric = flagAt(first, "is_symmetric");
    entry.isPerChannel = channels.size() > 1;
    if (entry.isFloat || !entry.unusable.empty())
        return entry;
    std::vector<double> scales;
    std::vector<double> offsets;
    for (const auto& channel : channels) {
        const auto number
            = [&](const char* key) { return channel.is_object() ? numberAt(channel, key).value_or(NAN) : double(NAN); };
        scales.push_back(number("scale"));
        offsets.push_back(number("offset"));
    }
    setNumbers(entry, scales, offsets);
    const auto low = numberAt(first, "min");
    if (entry.unusable.empty() && low && entry.bits <= 16)
        entry.isNarrow = entry.isSymmetric && std::nearbyint(*low / scales.front()) == 1 - std::exp2(entry.bits - 1);
    return entry;
}

std::vector<EncodingEntry> entriesOf(const Json& json, bool isList)
{
    std::vector<EncodingEntry> entries;
    for (const auto& [group, isParameter] : { std::pair("activation_encodings", false), { "param_encodings", true } }) {
        const auto it = json.find(group);
        if (it == json.end())
            continue;
        for (const auto& [key, value] : it->items()) {
            if (!isList)
                entries.push_back(entry061(key, value, isParameter));
            else if (value.is_object())
                entries.push_back(entry100(value, isParameter));
        }
    }
    return entries;
}

/// 3.5, [3.5], or {"data": 3.5 or [3.5], ...}, as arrays of one number are written.
std::optional<double> tableNumber(const Json& value)
{
    if (value.is_number())
        return value.get<double>();
    if (value.is_array() && value.size() == 1)
        return tableNumber(value.front());
    if (value.is_object() && value.contains("data"))
        return tableNumber(value["data"]);
    return std::nullopt;
}

std::optional<std::pair<double, double>> tableRange(const Json& value)
{
    std::optional<double> low;
    std::optional<double> high;
    if (value.is_array() && value.size() == 2) {
        low = tableNumber(value[0]);
        high = tableNumber(value[1]);
    } else if (value.is_object() && value.contains("lowest") && value.contains("highest")) {
        low = tableNumber(value["lowest"]);
        high = tableNumber(value["highest"]);
    }
    return low && high ? std::optional(std::pair(*low, *high)) : std::nullopt;
}

std::optional<EncodingsFile> calibrationTable(const Json& json)
{
    const auto wrapped = json.find("data");
    if (wrapped != json.end() && wrapped->is_object())
        return calibrationTable(*wrapped);
    EncodingsFile file { .kind = "calibration table", .entries = {} };
    bool anyRange = false;
    for (const auto& [tensor, value] : json.items()) {
        if (value.is_string())
            continue; // "CLS", what class the table was
        EncodingEntry entry { .tensor = tensor };
        entry.range = tableRange(value);
        if (!entry.range)
            entry.unusable = "it is not a range";
        else if (!std::isfinite(entry.range->first) || !std::isfinite(entry.range->second)
            || entry.range->first > entry.range->second)
            entry.unusable = "its range is empty or not finite";
        anyRange = anyRange || entry.range;
        file.entries.push_back(std::move(entry));
    }
    return anyRange ? std::optional(std::move(file)) : std::nullopt;
}

} // namespace

Result<EncodingsFile> parseEncodings(const Json& json)
{
    if (!json.is_object())
        return fail(ErrorCode::InvalidInput, "no JSON object with encodings", {}, expected);
    const bool isAimet = json.contains("activation_encodings") || json.contains("param_encodings");
    if (isAimet) {
        const auto version = textAt(json, "version");
        const bool isList = version == "1.0.0";
        if (!isList && !version.starts_with("0.6") && !version.starts_with("0.5"))
            return fail(ErrorCode::Unsupported, "encodings of version '" + version + "' are not known", {}, expected);
        for (const char* group : { "activation_encodings", "param_encodings" })
            if (json.contains(group) && (isList ? !json[group].is_array() : !json[group].is_object()))
                return fail(ErrorCode::InvalidInput,
                    std::string(group) + " is not what version " + version + " has there", {}, expected);
        return EncodingsFile { "AIMET encodings " + version, entriesOf(json, isList) };
    }
    if (auto table = calibrationTable(json))
        return *std::move(table);
    return fail(ErrorCode::InvalidInput, "neither encodings nor a calibration table", {}, expected);
}

Result<EncodingsFile> readEncodings(const std::filesystem::path& path)
{
    QS_TRY(const auto json, base::readJson(path));
    return parseEncodings(json).map_error([&](Error error) {
        error.where = path.string();
        return error;
    });
}

} // namespace quantoscope::importing
