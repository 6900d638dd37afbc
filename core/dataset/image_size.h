// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <string_view>

#include "core/base/error.h"
#include "core/base/json.h"

namespace quantoscope::dataset {

constexpr int largestSide = 16384; ///< in pixels, of anything an image is brought to

/// Sides in pixels. 0 x 0: none asked for. In text the width comes first, as sizes of images are written.
struct Extent {
    int height = 0;
    int width = 0;

    bool none() const { return height == 0 && width == 0; }
    std::string toString() const; ///< "320x240"; a square "224"
    /// What toString() writes, the sign of multiplication in place of the x as well. InvalidInput for anything else,
    /// and for a side that is not in [1, largestSide].
    static Result<Extent> parse(std::string_view text);
    friend bool operator==(const Extent&, const Extent&) = default;
};

/// What an image's sides become before the crop.
struct Resize {
    int shorterSide = 0; ///< the other follows, cut to whole pixels as torchvision's Resize(int) does; 0: not asked for
    Extent exact {}; ///< both, whatever becomes of the proportions: Resize((height, width)). At most one of the two

    Resize() = default;
    Resize(int shorter)
        : shorterSide(shorter)
    {
    }
    Resize(Extent both)
        : exact(both)
    {
    }
    bool none() const { return shorterSide == 0 && exact.none(); }
    /// The sides that an image of these has afterwards. Extreme proportions can make them too large for memory.
    Extent of(const Extent& image) const;
    std::string toString() const; ///< "256", the shorter side; "320x240" and "256x256", both
    static Result<Resize> parse(std::string_view text); ///< as Extent's
    friend bool operator==(const Resize&, const Resize&) = default;
};

/// A number where one says it all, "320x240" otherwise; 0: none.
Json toJson(const Extent& extent);
Json toJson(const Resize& resize);
/// May throw what nlohmann throws on a wrong type. Sides are checked by Preprocessing::validate().
Result<Extent> extentFrom(const Json& json);
Result<Resize> resizeFrom(const Json& json);

} // namespace quantoscope::dataset
