// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/dataset/image_codecs.h"

#include <array>
#include <csetjmp>
#include <cstddef>
#include <cstdio>

#include <jpeglib.h>

namespace quantoscope::dataset {

namespace {

/// libjpeg leaves by longjmp. The two functions that it may jump back into hold nothing that has a destructor.
struct Decoder {
    jpeg_decompress_struct jpeg {};
    jpeg_error_mgr errors {};
    std::jmp_buf escape {};
    std::array<char, JMSG_LENGTH_MAX> message {};

    Decoder() = default;
    ~Decoder() { jpeg_destroy_decompress(&jpeg); }
    Decoder(const Decoder&) = delete;
    Decoder& operator=(const Decoder&) = delete;
};

[[noreturn]] void leave(j_common_ptr jpeg)
{
    auto* decoder = static_cast<Decoder*>(jpeg->client_data);
    jpeg->err->format_message(jpeg, decoder->message.data());
    std::longjmp(decoder->escape, 1);
}

void ignoreMessage(j_common_ptr, int) { }

/// libjpeg's own memory source invents an end of image where the data stop; here that is an error.
boolean endsEarly(j_decompress_ptr jpeg)
{
    auto* decoder = static_cast<Decoder*>(jpeg->client_data);
    std::snprintf(decoder->message.data(), decoder->message.size(), "the data end early");
    std::longjmp(decoder->escape, 1);
}

bool readHeader(Decoder& decoder, const std::uint8_t* bytes, std::size_t size)
{
    decoder.jpeg.err = jpeg_std_error(&decoder.errors);
    decoder.errors.error_exit = leave;
    decoder.errors.emit_message = ignoreMessage;
    decoder.jpeg.client_data = &decoder;
    if (setjmp(decoder.escape)) // NOLINT: the only way out that libjpeg offers
        return false;
    jpeg_create_decompress(&decoder.jpeg);
    jpeg_mem_src(&decoder.jpeg, bytes, size);
    decoder.jpeg.src->fill_input_buffer = endsEarly;
    jpeg_read_header(&decoder.jpeg, TRUE);
    return true;
}

bool readPixels(Decoder& decoder, std::uint8_t* out, std::size_t stride)
{
    if (setjmp(decoder.escape)) // NOLINT
        return false;
    jpeg_start_decompress(&decoder.jpeg);
    while (decoder.jpeg.output_scanline < decoder.jpeg.output_height) {
        JSAMPROW row = out + stride * decoder.jpeg.output_scanline;
        jpeg_read_scanlines(&decoder.jpeg, &row, 1);
    }
    jpeg_finish_decompress(&decoder.jpeg);
    return true;
}

} // namespace

Result<Image> decodeJpeg(std::span<const std::uint8_t> bytes, const std::string& where)
{
    Decoder decoder;
    const auto damaged = [&] {
        return fail(ErrorCode::InvalidInput, std::string("is not a whole JPEG image (") + decoder.message.data() + ")",
            where, "fetch the image again, or take it out of the data");
    };
    if (!readHeader(decoder, bytes.data(), bytes.size()))
        return damaged();
    jpeg_decompress_struct& jpeg = decoder.jpeg;
    if (jpeg.num_components != 1 && jpeg.num_components != 3)
        return fail(ErrorCode::Unsupported,
            "is a JPEG image of " + std::to_string(jpeg.num_components) + " components"
                + (jpeg.num_components == 4 ? " (CMYK)" : "") + ", expected gray or colour",
            where, "convert it to RGB");
    QS_CHECK(checkImageExtent(jpeg.image_height, jpeg.image_width, where));
    jpeg.out_color_space = jpeg.num_components == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg.dct_method = JDCT_ISLOW;
    jpeg.do_fancy_upsampling = TRUE;
    Image image { static_cast<int>(jpeg.image_height), static_cast<int>(jpeg.image_width), jpeg.num_components, {} };
    const std::size_t stride = static_cast<std::size_t>(image.width) * image.channels;
    image.pixels.resize(stride * image.height);
    if (!readPixels(decoder, image.pixels.data(), stride))
        return damaged();
    return image;
}

} // namespace quantoscope::dataset
