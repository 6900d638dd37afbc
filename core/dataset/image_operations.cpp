// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <cassert>
#include <cstddef>
#include <string>
#include <utility>

#include "core/dataset/preprocessing.h"
#include "core/dataset/resize.h"
#include "core/dataset/text.h"

namespace quantoscope::dataset {

namespace {

/// Pillow's L = R * 299/1000 + G * 587/1000 + B * 114/1000 in 16-bit fixed point.
std::uint8_t luma(const std::uint8_t* rgb)
{
    return static_cast<std::uint8_t>((rgb[0] * 19595 + rgb[1] * 38470 + rgb[2] * 7471 + 0x8000) >> 16);
}

/// Resizing that makes more samples than this is a mistake in the settings or an image of a few pixels' height.
constexpr std::int64_t maximumSamples = std::int64_t { 1 } << 29;

} // namespace

Image toChannels(const Image& image, Channels channels)
{
    assert(image.channels == 1 || image.channels == 3);
    const std::size_t count = static_cast<std::size_t>(image.height) * image.width;
    if (image.channels == (channels == Channels::Gray ? 1 : 3) && channels != Channels::Bgr)
        return image;
    Image result { image.height, image.width, channels == Channels::Gray ? 1 : 3, {} };
    result.pixels.resize(count * result.channels);
    const std::uint8_t* in = image.pixels.data();
    std::uint8_t* out = result.pixels.data();
    for (std::size_t i = 0; i < count; ++i, in += image.channels, out += result.channels) {
        if (channels == Channels::Gray) {
            out[0] = luma(in);
        } else { // gray to three channels, or rgb to bgr
            out[0] = in[image.channels - 1];
            out[1] = in[image.channels / 2];
            out[2] = in[0];
        }
    }
    return result;
}

int centerOffset(int extent, int size)
{
    const int rest = extent - size;
    const int lower = rest / 2;
    return rest % 2 == 0 ? lower : lower + lower % 2;
}

Image centerCrop(const Image& image, const Extent& size)
{
    assert(size.height > 0 && size.width > 0);
    // torchvision first pads a smaller side on both ends, the odd pixel behind, then crops.
    const auto place = [](int extent, int wanted) {
        return extent < wanted ? std::pair((wanted - extent) / 2, 0) : std::pair(0, centerOffset(extent, wanted));
    };
    const auto [toTop, fromTop] = place(image.height, size.height);
    const auto [toLeft, fromLeft] = place(image.width, size.width);
    const int rows = std::min(size.height, image.height);
    const std::size_t rowBytes = static_cast<std::size_t>(std::min(size.width, image.width)) * image.channels;
    Image result { size.height, size.width, image.channels, {} };
    result.pixels.resize(static_cast<std::size_t>(size.height) * size.width * image.channels);
    for (int y = 0; y < rows; ++y) {
        const auto from = (static_cast<std::size_t>(fromTop + y) * image.width + fromLeft) * image.channels;
        const auto to = (static_cast<std::size_t>(toTop + y) * size.width + toLeft) * image.channels;
        std::copy_n(image.pixels.begin() + static_cast<std::ptrdiff_t>(from), rowBytes,
            result.pixels.begin() + static_cast<std::ptrdiff_t>(to));
    }
    return result;
}

Result<Image> preprocess(const Image& decoded, const Preprocessing& settings)
{
    Image image = toChannels(decoded, settings.channels);
    const Extent& crop = settings.crop;
    if (!settings.resize.none()) {
        const Extent extent = settings.resize.of({ image.height, image.width });
        if (!crop.none() && crop.height <= extent.height && crop.width <= extent.width)
            return resizeWindow(image, extent.height, extent.width,
                { centerOffset(extent.height, crop.height), centerOffset(extent.width, crop.width), crop.height,
                    crop.width });
        if (std::int64_t { extent.height } * extent.width > maximumSamples)
            return fail(ErrorCode::Unsupported,
                "an image of " + std::to_string(image.width) + " x " + std::to_string(image.height)
                    + " pixels would become " + std::to_string(extent.width) + " x " + std::to_string(extent.height),
                {}, "crop it or leave it out");
        image = resizeBilinear(image, extent.height, extent.width);
    }
    return crop.none() ? std::move(image) : centerCrop(image, crop);
}

} // namespace quantoscope::dataset
