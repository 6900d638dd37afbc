// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/onnx_io/sniff.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

namespace quantoscope::onnx_io {

namespace {

constexpr std::string_view plainHint = "choose a file that an ONNX exporter wrote";

Error invalid(std::string what, std::string_view hint = plainHint)
{
    return { ErrorCode::InvalidInput, std::move(what), {}, std::string(hint) };
}

struct Signature {
    std::string_view prefix;
    std::string_view what;
    std::string_view hint;
};

constexpr std::array signatures {
    Signature {
        "version https://git-lfs", "is a Git LFS pointer, not the model itself", "run `git lfs pull` to fetch it" },
    Signature { "PK\x03\x04", "is a zip archive (a PyTorch checkpoint looks like this), not an ONNX model",
        "export the network with torch.onnx.export" },
    Signature { "\x1f\x8b", "is gzip-compressed, not an ONNX model", "unpack it first" },
    Signature {
        "\x89HDF", "is an HDF5 file (Keras weights look like this), not an ONNX model", "convert it with tf2onnx" },
    Signature { "\x80\x02", "is a Python pickle (an old PyTorch checkpoint), not an ONNX model",
        "export the network with torch.onnx.export" },
};

bool looksLikeText(std::string_view text)
{
    const auto head = text.substr(0, 4096);
    return std::ranges::none_of(head, [](char c) {
        const auto u = static_cast<unsigned char>(c);
        return u == 0x7f || (u < 0x20 && c != '\n' && c != '\r' && c != '\t' && c != '\f');
    });
}

Error explainText(std::string_view text)
{
    const auto start = text.find_first_not_of(" \t\r\n");
    const auto body = start == std::string_view::npos ? std::string_view {} : text.substr(start);
    if (body.starts_with('<'))
        return invalid("is text that looks like a web page (HTML or XML), not an ONNX model",
            "the download probably delivered an error page; fetch the file itself");
    if (body.starts_with('{') || body.starts_with('['))
        return invalid("is text that looks like JSON, not an ONNX model", plainHint);
    return invalid("is a text file, not an ONNX model", plainHint);
}

/// A base-128 number at `at`, which moves past it.
std::optional<std::uint64_t> varint(std::span<const std::uint8_t> bytes, std::size_t& at)
{
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64 && at < bytes.size(); shift += 7) {
        const auto byte = bytes[at++];
        value |= std::uint64_t { byte & 0x7fU } << shift;
        if (!(byte & 0x80))
            return value;
    }
    return std::nullopt;
}

/// Where the outermost message of a protobuf says it ends, if that is past the end of the bytes.
std::optional<std::uint64_t> claimedEnd(std::span<const std::uint8_t> bytes)
{
    std::size_t at = 0;
    while (at < bytes.size()) {
        const auto tag = varint(bytes, at);
        if (!tag || *tag >> 3 == 0 || *tag >> 3 > 64)
            return std::nullopt;
        std::uint64_t length = 0;
        switch (*tag & 7) {
        case 0:
            if (!varint(bytes, at))
                return std::nullopt;
            break;
        case 1:
            length = 8;
            break;
        case 2: {
            const auto claimed = varint(bytes, at);
            if (!claimed)
                return std::nullopt;
            length = *claimed;
            break;
        }
        case 5:
            length = 4;
            break;
        default:
            return std::nullopt;
        }
        if (length > bytes.size() - at)
            return length < std::uint64_t { 1 } << 40 ? std::optional(at + length) : std::nullopt;
        at += static_cast<std::size_t>(length);
    }
    return std::nullopt;
}

} // namespace

Error explainUnreadable(std::span<const std::uint8_t> bytes)
{
    if (bytes.empty())
        return invalid("is empty", "fetch or export the model again");
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    for (const auto& signature : signatures)
        if (text.starts_with(signature.prefix))
            return invalid(std::string(signature.what), signature.hint);
    if (looksLikeText(text))
        return explainText(text);
    if (const auto end = claimedEnd(bytes))
        return invalid("ends after " + std::to_string(bytes.size()) + " of at least " + std::to_string(*end) + " bytes",
            "the file is cut off; fetch or copy it again");
    return invalid("is not an ONNX model, or a damaged one (" + std::to_string(bytes.size())
            + " bytes that cannot be read as one)",
        plainHint);
}

} // namespace quantoscope::onnx_io
