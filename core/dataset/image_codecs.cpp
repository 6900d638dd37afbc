// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/dataset/image_codecs.h"

#include "core/base/file.h"
#include "core/dataset/preprocessing.h"
#include "core/dataset/text.h"

namespace quantoscope::dataset {

namespace {

constexpr std::uint64_t maximumImageBytes = std::uint64_t { 256 } << 20;
constexpr std::uint64_t maximumPixels = 200'000'000; // beyond any camera; Pillow too refuses from about here

} // namespace

Result<void> checkImageExtent(std::uint64_t height, std::uint64_t width, const std::string& where)
{
    if (height > 0 && width > 0 && height <= maximumPixels && width <= maximumPixels / height)
        return {};
    return fail(ErrorCode::Unsupported,
        "claims " + grouped(width) + " x " + grouped(height) + " pixels, at most " + grouped(maximumPixels)
            + " in all are read",
        where, "make the image smaller or leave it out");
}

Result<Image> decodeImage(std::span<const std::uint8_t> bytes, const std::string& where)
{
    if (bytes.size() >= 2 && bytes[0] == 0xFF && bytes[1] == 0xD8)
        return decodeJpeg(bytes, where);
    if (bytes.size() >= 4 && bytes[0] == 0x89 && bytes[1] == 'P' && bytes[2] == 'N' && bytes[3] == 'G')
        return decodePng(bytes, where);
    return fail(ErrorCode::InvalidInput,
        bytes.empty() ? "is empty, expected a JPEG or PNG image" : "is neither a JPEG nor a PNG image", where,
        "convert it, or take it out of the data");
}

Result<Image> readImage(const std::filesystem::path& path)
{
    QS_TRY(const auto bytes, base::readFile(path, maximumImageBytes));
    return decodeImage(bytes, path.string());
}

} // namespace quantoscope::dataset
