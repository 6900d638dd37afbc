// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/dataset/image_size.h"

#include <charconv>
#include <cstdint>
#include <optional>

#include <nlohmann/json.hpp>

namespace quantoscope::dataset {

namespace {

std::optional<int> sideFrom(std::string_view text)
{
    int side = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), side);
    const bool whole = read.ec == std::errc {} && read.ptr == text.data() + text.size();
    return whole && side >= 1 && side <= largestSide ? std::optional(side) : std::nullopt;
}

tl::unexpected<Error> noSize(std::string_view text)
{
    return fail(ErrorCode::InvalidInput, "'" + std::string(text) + "' is no size in pixels", {},
        "give a side, 224, or width and height, 320x240, from 1 to " + std::to_string(largestSide));
}

/// "320x240" into both sides; nothing if there are not two.
std::optional<Extent> bothFrom(std::string_view text)
{
    for (const std::string_view sign : { "x", "X", "\u00d7" }) {
        const auto at = text.find(sign);
        if (at == std::string_view::npos)
            continue;
        auto before = text.substr(0, at);
        auto after = text.substr(at + sign.size());
        before = before.substr(0, before.find_last_not_of(' ') + 1);
        after.remove_prefix(std::min(after.find_first_not_of(' '), after.size()));
        const auto width = sideFrom(before);
        const auto height = sideFrom(after);
        if (width && height)
            return Extent { *height, *width };
    }
    return std::nullopt;
}

std::string bothSides(const Extent& extent)
{
    return std::to_string(extent.width) + "x" + std::to_string(extent.height);
}

} // namespace

std::string Extent::toString() const { return width == height ? std::to_string(width) : bothSides(*this); }

Result<Extent> Extent::parse(std::string_view text)
{
    if (const auto both = bothFrom(text))
        return *both;
    if (const auto side = sideFrom(text))
        return Extent { *side, *side };
    return noSize(text);
}

Extent Resize::of(const Extent& image) const
{
    if (!exact.none())
        return exact;
    if (shorterSide == 0)
        return image;
    const auto longer = [this](int longSide, int shortSide) {
        return static_cast<int>(static_cast<std::int64_t>(shorterSide) * longSide / shortSide);
    };
    if (image.height <= image.width)
        return { shorterSide, longer(image.width, image.height) };
    return { longer(image.height, image.width), shorterSide };
}

std::string Resize::toString() const { return exact.none() ? std::to_string(shorterSide) : bothSides(exact); }

Result<Resize> Resize::parse(std::string_view text)
{
    if (const auto both = bothFrom(text))
        return Resize(*both);
    if (const auto side = sideFrom(text))
        return Resize(*side);
    return noSize(text);
}

Json toJson(const Extent& extent)
{
    return extent.width == extent.height ? Json(extent.width) : Json(extent.toString());
}

Json toJson(const Resize& resize) { return resize.exact.none() ? Json(resize.shorterSide) : Json(resize.toString()); }

Result<Extent> extentFrom(const Json& json)
{
    if (json.is_string())
        return Extent::parse(json.get<std::string>());
    return Extent { json.get<int>(), json.get<int>() };
}

Result<Resize> resizeFrom(const Json& json)
{
    if (json.is_string())
        return Resize::parse(json.get<std::string>());
    return Resize(json.get<int>());
}

} // namespace quantoscope::dataset
