// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/importing/encodings_file.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <string_view>

#include <nlohmann/json.hpp>

#include "core/base/file.h"
#include "core/importing/calibration_table.h"

namespace quantoscope::importing {

namespace {

constexpr const char* expected = "use encodings of AIMET (version 2.0.0, 1.0.0 or 0.6.1) or a calibration table of "
                                 "ONNX Runtime (calibration.json, calibration.cache)";
constexpr std::uint64_t largestFile = std::uint64_t { 256 } << 20;

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
    const auto shifts = numbersAt(object, "zero_point_shift");
    if (!std::ranges::all_of(shifts, [](double shift) { return shift == 0; }))
        entry.unusable = "its levels are shifted by a part of a step (zero_point_shift)";
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

/// "int4" and "uint16": word-length, and whether the grid is the signed one. Floating-point types are none.
void setType(EncodingEntry& entry, const std::string& type)
{
    if (type.starts_with("float") || type.starts_with("bfloat")) {
        entry.isFloat = true;
        return;
    }
    entry.isSymmetric = type.starts_with("int");
    const auto digits = type.substr(std::min(type.size(), std::size_t { entry.isSymmetric ? 3U : 4U }));
    const auto end = std::from_chars(digits.data(), digits.data() + digits.size(), entry.bits);
    const bool isInteger = type.starts_with("int") || type.starts_with("uint");
    if (!isInteger || end.ec != std::errc() || end.ptr != digits.data() + digits.size() || entry.bits < 1
        || entry.bits > 32)
        entry.unusable = "its output_dtype is '" + type + "'";
}

/// A number, or a list of them; empty for anything else.
std::vector<double> numberOrNumbers(const Json& object, const char* key)
{
    const auto number = numberAt(object, key);
    return number ? std::vector { *number } : numbersAt(object, key);
}

/// An entry of version 2.0.0: the inputs and attributes of an ONNX QuantizeLinear.
EncodingEntry entry200(const Json& object)
{
    EncodingEntry entry { .tensor = textAt(object, "name") };
    setType(entry, textAt(object, "output_dtype"));
    if (entry.isFloat || !entry.unusable.empty())
        return entry;
    const bool hasBlocks = numberAt(object, "block_size").value_or(0) != 0;
    if (hasBlocks || object.contains("per_block_int_scale")) {
        entry.unusable = "it has a scale for each block of a channel";
        return entry;
    }
    const auto scales = numberOrNumbers(object, "y_scale");
    const bool hasZeroPoints = object.contains("y_zero_point") && !object["y_zero_point"].is_null();
    auto zeroPoints = hasZeroPoints ? numberOrNumbers(object, "y_zero_point") : std::vector(scales.size(), 0.0);
    // Seen from the unsigned grid, on which the lowest level is 0.
    const double lift = entry.isSymmetric ? std::exp2(entry.bits - 1) : 0;
    for (double& zero : zeroPoints)
        zero = -(zero + lift);
    setNumbers(entry, scales, zeroPoints);
    if (const auto axis = numberAt(object, "axis"); axis && std::abs(*axis) < 64)
        entry.axis = static_cast<int>(*axis);
    entry.isPerChannel = entry.axis && object["y_scale"].is_array();
    if (entry.unusable.empty() && !entry.isPerChannel && scales.size() > 1)
        entry.unusable = "it has " + std::to_string(scales.size()) + " scales and no axis";
    return entry;
}

Result<EncodingsFile> version200(const Json& json)
{
    const auto list = json.find("encodings");
    if (list == json.end() || !list->is_array())
        return fail(ErrorCode::InvalidInput, "encodings is not the list that version 2.0.0 has there", {}, expected);
    EncodingsFile file { .kind = "AIMET encodings 2.0.0", .entries = {} };
    for (const auto& entry : *list)
        if (entry.is_object())
            file.entries.push_back(entry200(entry));
    return file;
}

} // namespace

Result<EncodingsFile> parseEncodings(const Json& json)
{
    if (!json.is_object())
        return fail(ErrorCode::InvalidInput, "no JSON object with encodings", {}, expected);
    if (textAt(json, "version") == "2.0.0")
        return version200(json);
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
    const auto inFile = [&](Error error) {
        error.where = path.string();
        return error;
    };
    QS_TRY(const auto bytes, base::readFile(path, largestFile));
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    const auto first = text.find_first_not_of(" \t\r\n");
    const bool isJson = first == std::string_view::npos || text[first] == '{' || text[first] == '[';
    if (!isJson)
        return readCalibrationCache(text).map_error(inFile);
    QS_TRY(const auto json, base::readJson(path));
    return parseEncodings(json).map_error(inFile);
}

} // namespace quantoscope::importing
