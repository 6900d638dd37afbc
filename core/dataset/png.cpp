// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/dataset/image_codecs.h"

#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstddef>
#include <cstdio>
#include <vector>

#include <png.h>

namespace quantoscope::dataset {

namespace {

/// libpng leaves by longjmp. The two functions that it may jump back into hold nothing that has a destructor.
struct Decoder {
    png_structp png = nullptr;
    png_infop info = nullptr;
    const std::uint8_t* next = nullptr;
    std::size_t left = 0;
    std::array<char, 128> message {};

    Decoder() = default;
    ~Decoder() { png_destroy_read_struct(&png, &info, nullptr); }
    Decoder(const Decoder&) = delete;
    Decoder& operator=(const Decoder&) = delete;
};

[[noreturn]] void leave(png_structp png, png_const_charp message)
{
    auto* decoder = static_cast<Decoder*>(png_get_error_ptr(png));
    std::snprintf(decoder->message.data(), decoder->message.size(), "%s", message);
    png_longjmp(png, 1);
}

void ignoreWarning(png_structp, png_const_charp) { }

void readBytes(png_structp png, png_bytep out, std::size_t count)
{
    auto* decoder = static_cast<Decoder*>(png_get_io_ptr(png));
    if (count > decoder->left)
        png_error(png, "the data end early");
    std::copy_n(decoder->next, count, out);
    decoder->next += count;
    decoder->left -= count;
}

/// Everything to 8 bits of gray or RGB, the samples as they are stored: no gamma, alpha dropped, as Pillow's convert
/// does.
bool readHeader(Decoder& decoder)
{
    if (setjmp(png_jmpbuf(decoder.png))) // NOLINT: the only way out that libpng offers
        return false;
    png_set_read_fn(decoder.png, &decoder, readBytes);
    png_read_info(decoder.png, decoder.info);
    png_set_strip_16(decoder.png);
    png_set_packing(decoder.png);
    if (png_get_color_type(decoder.png, decoder.info) == PNG_COLOR_TYPE_PALETTE)
        png_set_palette_to_rgb(decoder.png);
    else if (png_get_bit_depth(decoder.png, decoder.info) < 8)
        png_set_expand_gray_1_2_4_to_8(decoder.png);
    png_set_strip_alpha(decoder.png);
    png_set_interlace_handling(decoder.png);
    png_read_update_info(decoder.png, decoder.info);
    return true;
}

bool readPixels(Decoder& decoder, png_bytepp rows)
{
    if (setjmp(png_jmpbuf(decoder.png))) // NOLINT
        return false;
    png_read_image(decoder.png, rows);
    png_read_end(decoder.png, nullptr);
    return true;
}

} // namespace

Result<Image> decodePng(std::span<const std::uint8_t> bytes, const std::string& where)
{
    Decoder decoder;
    decoder.next = bytes.data();
    decoder.left = bytes.size();
    decoder.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &decoder, leave, ignoreWarning);
    decoder.info = decoder.png ? png_create_info_struct(decoder.png) : nullptr;
    if (!decoder.info)
        return fail(ErrorCode::Internal, "libpng could not be started", where);
    const auto damaged = [&] {
        return fail(ErrorCode::InvalidInput, std::string("is not a whole PNG image (") + decoder.message.data() + ")",
            where, "fetch the image again, or take it out of the data");
    };
    if (!readHeader(decoder))
        return damaged();
    const std::uint64_t height = png_get_image_height(decoder.png, decoder.info);
    const std::uint64_t width = png_get_image_width(decoder.png, decoder.info);
    QS_CHECK(checkImageExtent(height, width, where));
    Image image { static_cast<int>(height), static_cast<int>(width),
        static_cast<int>(png_get_channels(decoder.png, decoder.info)), {} };
    const std::size_t stride = png_get_rowbytes(decoder.png, decoder.info);
    image.pixels.resize(stride * image.height);
    std::vector<png_bytep> rows;
    for (int y = 0; y < image.height; ++y)
        rows.push_back(image.pixels.data() + stride * y);
    if (!readPixels(decoder, rows.data()))
        return damaged();
    return image;
}

} // namespace quantoscope::dataset
