// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/importing/calibration_table.h"

#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

namespace quantoscope::importing {

namespace {

constexpr double levelsOfTensorRt = 127;

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

struct CacheLine {
    std::string tensor;
    double magnitude = 0;
};

std::string_view trimmed(std::string_view text)
{
    const auto first = text.find_first_not_of(" \t\r");
    if (first == std::string_view::npos)
        return {};
    return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

/// "tensor 3.5"; a tensor's name may have spaces in it.
std::optional<CacheLine> plainLine(std::string_view line)
{
    const auto space = line.find_last_of(" \t");
    if (space == std::string_view::npos)
        return std::nullopt;
    const auto number = line.substr(space + 1);
    CacheLine result { std::string(trimmed(line.substr(0, space))), 0 };
    const auto end = std::from_chars(number.data(), number.data() + number.size(), result.magnitude);
    const bool isNumber = end.ec == std::errc() && end.ptr == number.data() + number.size();
    return isNumber && !result.tensor.empty() ? std::optional(std::move(result)) : std::nullopt;
}

/// "tensor: 3c010a14"
std::optional<CacheLine> tensorRtLine(std::string_view line)
{
    const auto colon = line.rfind(':');
    if (colon == std::string_view::npos || colon == 0)
        return std::nullopt;
    const auto digits = trimmed(line.substr(colon + 1));
    std::uint32_t bits = 0;
    const auto end = std::from_chars(digits.data(), digits.data() + digits.size(), bits, 16);
    if (digits.empty() || end.ec != std::errc() || end.ptr != digits.data() + digits.size())
        return std::nullopt;
    return CacheLine { std::string(trimmed(line.substr(0, colon))),
        levelsOfTensorRt * static_cast<double>(std::bit_cast<float>(bits)) };
}

tl::unexpected<Error> noCache(std::string what)
{
    return fail(ErrorCode::InvalidInput, std::move(what), {},
        "use the calibration.json that ONNX Runtime writes beside it, which has both ends of each range, or encodings "
        "of "
        "AIMET");
}

} // namespace

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

Result<EncodingsFile> readCalibrationCache(std::string_view text)
{
    if (text.find('\0') != std::string_view::npos)
        return noCache("a binary file, calibration.flatbuffers perhaps, which is not read");
    EncodingsFile file { .kind = "calibration cache", .entries = {} };
    const bool isTensorRt = text.starts_with("TRT-");
    for (std::size_t first = 0, number = 1; first < text.size(); ++number) {
        const auto end = std::min(text.find('\n', first), text.size());
        const auto line = trimmed(text.substr(first, end - first));
        first = end + 1;
        if (line.empty() || (isTensorRt && number == 1))
            continue;
        const auto read = isTensorRt ? tensorRtLine(line) : plainLine(line);
        if (!read)
            return noCache("line " + std::to_string(number)
                + (isTensorRt ? " is no tensor with the bytes of its step"
                              : " is no tensor with its largest magnitude"));
        EncodingEntry entry { .tensor = read->tensor };
        entry.isMagnitude = true;
        entry.range = { -read->magnitude, read->magnitude };
        if (!std::isfinite(read->magnitude) || read->magnitude < 0)
            entry.unusable = "its range is empty or not finite";
        file.entries.push_back(std::move(entry));
    }
    if (file.entries.empty())
        return noCache("it names no tensor");
    return file;
}

} // namespace quantoscope::importing
