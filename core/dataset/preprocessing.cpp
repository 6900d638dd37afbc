// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/dataset/preprocessing.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

namespace quantoscope::dataset {

namespace {

constexpr std::array<std::string_view, 3> channelNames { "rgb", "bgr", "gray" };
constexpr std::array<std::string_view, 2> layoutNames { "nchw", "nhwc" };

std::string number(float value)
{
    std::array<char, 32> text {};
    std::snprintf(text.data(), text.size(), "%.6g", static_cast<double>(value));
    return text.data();
}

template <typename Enum, std::size_t count>
Result<Enum> parseName(const Json& json, const char* key, const std::array<std::string_view, count>& names)
{
    const auto text = json.at(key).get<std::string>();
    const auto found = std::ranges::find(names, text);
    if (found == names.end())
        return fail(ErrorCode::InvalidInput, "'" + text + "' is no " + key, "pre-processing");
    return static_cast<Enum>(found - names.begin());
}

/// May throw what nlohmann throws on missing keys and wrong types.
Result<Preprocessing> parse(const Json& json)
{
    Preprocessing result;
    result.name = json.at("name").get<std::string>();
    QS_TRY(result.channels, parseName<Channels>(json, "channels", channelNames));
    QS_TRY(result.layout, parseName<MemoryLayout>(json, "layout", layoutNames));
    QS_TRY(result.resize, resizeFrom(json.at("resize")));
    QS_TRY(result.crop, extentFrom(json.at("crop")));
    result.scale = json.at("scale").get<float>();
    result.mean = json.at("mean").get<std::array<float, 3>>();
    result.std = json.at("std").get<std::array<float, 3>>();
    QS_CHECK(result.validate());
    return result;
}

} // namespace

Result<Preprocessing> Preprocessing::named(const std::string& name)
{
    Preprocessing result;
    result.name = name;
    if (name == "imagenet") {
        result.mean = { 0.485F, 0.456F, 0.406F };
        result.std = { 0.229F, 0.224F, 0.225F };
    } else if (name == "raw") {
        result.scale = 1;
    } else if (name != "unit") {
        return fail(ErrorCode::InvalidInput, "'" + name + "' is no known pre-processing", {},
            "choose imagenet, unit or raw, or give scale, mean and std");
    }
    return result;
}

Result<void> Preprocessing::validate() const
{
    const auto wrong = [](std::string what, std::string hint = {}) {
        return fail(ErrorCode::InvalidInput, std::move(what), "pre-processing", std::move(hint));
    };
    const auto fits = [](const Extent& extent) {
        const auto side = [&](int pixels) { return pixels > 0 && pixels <= largestSide; };
        return extent.none() || (side(extent.height) && side(extent.width));
    };
    if (resize.shorterSide != 0 && !resize.exact.none())
        return wrong("resize gives a shorter side and both sides, expected one of the two");
    for (const auto& [what, extent] : { std::pair("resize", resize.exact), std::pair("crop", crop),
             std::pair("resize", Extent { resize.shorterSide, resize.shorterSide }) })
        if (!fits(extent))
            return wrong(std::string(what) + " is " + extent.toString() + ", expected sides from 1 to "
                + std::to_string(largestSide) + " pixels, or 0: none");
    if (!std::isfinite(scale) || scale == 0)
        return wrong("scale is " + number(scale) + ", expected a finite number other than 0");
    for (std::size_t c = 0; c < mean.size(); ++c) {
        if (!std::isfinite(mean[c]))
            return wrong("mean of channel " + std::to_string(c) + " is " + number(mean[c]));
        if (!std::isfinite(std[c]) || std[c] <= 0)
            return wrong("std of channel " + std::to_string(c) + " is " + number(std[c]) + ", expected more than 0");
    }
    return {};
}

std::string Preprocessing::describe() const
{
    std::string text = name + ": ";
    const auto sides
        = [](const Extent& extent) { return std::to_string(extent.width) + " x " + std::to_string(extent.height); };
    if (resize.shorterSide > 0)
        text += "shorter side " + std::to_string(resize.shorterSide) + ", ";
    if (!resize.exact.none())
        text += "resized to " + sides(resize.exact) + ", ";
    if (!crop.none())
        text += "centre " + sides(crop) + ", ";
    constexpr std::array<std::string_view, 3> titles { "RGB", "BGR", "gray" };
    text += titles[static_cast<std::size_t>(channels)];
    text += ", ";
    const std::string scaled = scale == 1.0F / 255 ? "x / 255" : scale == 1 ? "x" : "x * " + number(scale);
    const std::size_t count = channels == Channels::Gray ? 1 : 3;
    const auto join = [count](const std::array<float, 3>& values) {
        std::string joined;
        for (std::size_t c = 0; c < count; ++c)
            joined += (c ? " " : "") + number(values[c]);
        return "[" + joined + "]";
    };
    const bool shifted = mean != std::array<float, 3> { 0, 0, 0 } || std != std::array<float, 3> { 1, 1, 1 };
    text += shifted ? "(" + scaled + " - " + join(mean) + ") / " + join(std) : scaled;
    return text + (layout == MemoryLayout::Nchw ? ", NCHW" : ", NHWC");
}

Json Preprocessing::toJson() const
{
    return Json { { "name", name }, { "channels", channelNames[static_cast<std::size_t>(channels)] },
        { "resize", dataset::toJson(resize) }, { "crop", dataset::toJson(crop) }, { "scale", scale }, { "mean", mean },
        { "std", std }, { "layout", layoutNames[static_cast<std::size_t>(layout)] } };
}

Result<Preprocessing> Preprocessing::fromJson(const Json& json)
{
    try {
        auto parsed = parse(json);
        if (!parsed && parsed.error().where.empty())
            parsed.error().where = "pre-processing";
        return parsed;
    } catch (const nlohmann::json::exception& e) {
        return fail(ErrorCode::InvalidInput, e.what(), "pre-processing",
            "expected name, channels, resize, crop, scale, mean, std and layout");
    }
}

} // namespace quantoscope::dataset
