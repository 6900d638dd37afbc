// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/dataset/npy.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

#include "core/dataset/text.h"

namespace quantoscope::dataset {

namespace {

struct TypeCode {
    std::string_view code; ///< as NumPy's array protocol writes it, without the byte order
    NpyArray::Type type;
    std::size_t bytes;
    std::string_view name;
};

constexpr std::array typeCodes {
    TypeCode { "u1", NpyArray::Type::U8, 1, "uint8" },
    TypeCode { "i1", NpyArray::Type::I8, 1, "int8" },
    TypeCode { "i2", NpyArray::Type::I16, 2, "int16" },
    TypeCode { "i4", NpyArray::Type::I32, 4, "int32" },
    TypeCode { "i8", NpyArray::Type::I64, 8, "int64" },
    TypeCode { "f4", NpyArray::Type::F32, 4, "float32" },
    TypeCode { "f8", NpyArray::Type::F64, 8, "float64" },
};

const TypeCode& codeOf(NpyArray::Type type) { return *std::ranges::find(typeCodes, type, &TypeCode::type); }

/// What stands behind 'key': in the header, which is a Python dictionary of a fixed form.
std::optional<std::string_view> valueOf(std::string_view header, std::string_view key)
{
    const auto at = header.find("'" + std::string(key) + "'");
    if (at == std::string_view::npos)
        return std::nullopt;
    const auto colon = header.find(':', at);
    if (colon == std::string_view::npos)
        return std::nullopt;
    return trimmed(header.substr(colon + 1));
}

std::optional<std::vector<std::int64_t>> parseShape(std::string_view text)
{
    const auto close = text.find(')');
    if (!text.starts_with('(') || close == std::string_view::npos)
        return std::nullopt;
    text = text.substr(1, close - 1);
    std::vector<std::int64_t> shape;
    while (!trimmed(text).empty()) {
        const auto comma = std::min(text.find(','), text.size());
        const auto extent = parseInteger(trimmed(text.substr(0, comma)));
        if (!extent || *extent < 0)
            return std::nullopt;
        shape.push_back(*extent);
        text.remove_prefix(std::min(comma + 1, text.size()));
    }
    return shape;
}

Result<const TypeCode*> parseType(std::string_view text, const std::string& where)
{
    const auto quote = text.find('\'', 1);
    if (!text.starts_with('\'') || quote == std::string_view::npos)
        return fail(ErrorCode::Unsupported, "is a structured array", where, "save plain arrays of images and labels");
    const std::string_view code = text.substr(1, quote - 1);
    if (code.starts_with('>'))
        return fail(ErrorCode::Unsupported, "is big-endian ('" + std::string(code) + "')", where,
            "convert it with x.astype(x.dtype.newbyteorder('<'))");
    const auto found
        = std::ranges::find(typeCodes, code.substr(std::min<std::size_t>(1, code.size())), &TypeCode::code);
    if (found == typeCodes.end())
        return fail(ErrorCode::Unsupported,
            "has elements of type '" + std::string(code) + "', expected uint8, int8 to int64, float32 or float64",
            where, "convert it with x.astype('float32')");
    return &*found;
}

/// The header's text and where the elements begin.
Result<std::pair<std::string_view, std::size_t>> locateHeader(
    std::span<const std::uint8_t> bytes, const std::string& where)
{
    constexpr std::string_view magic = "\x93NUMPY";
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (!text.starts_with(magic) || bytes.size() < 10)
        return fail(ErrorCode::InvalidInput, "is not a .npy array", where, "save it with numpy.save or numpy.savez");
    const bool wide = bytes[6] >= 2;
    if (bytes[6] < 1 || bytes[6] > 3 || bytes.size() < 12)
        return fail(
            ErrorCode::Unsupported, "has .npy version " + std::to_string(bytes[6]) + ", expected 1 to 3", where);
    std::size_t length = bytes[8] | std::size_t { bytes[9] } << 8;
    if (wide)
        length |= std::size_t { bytes[10] } << 16 | std::size_t { bytes[11] } << 24;
    const std::size_t start = wide ? 12 : 10;
    if (length > bytes.size() - start)
        return fail(ErrorCode::InvalidInput, "ends within its header", where, "fetch the file again");
    return std::pair(text.substr(start, length), start + length);
}

template <typename T> T loadAs(const std::uint8_t* from)
{
    T value;
    std::memcpy(&value, from, sizeof value);
    return value;
}

/// Calls `use` with a pointer-to-value function of the element type.
template <typename Use> auto withType(NpyArray::Type type, Use use)
{
    switch (type) {
    case NpyArray::Type::U8:
        return use(std::uint8_t {});
    case NpyArray::Type::I8:
        return use(std::int8_t {});
    case NpyArray::Type::I16:
        return use(std::int16_t {});
    case NpyArray::Type::I32:
        return use(std::int32_t {});
    case NpyArray::Type::I64:
        return use(std::int64_t {});
    case NpyArray::Type::F32:
        return use(float {});
    case NpyArray::Type::F64:
        break;
    }
    return use(double {});
}

} // namespace

std::int64_t NpyArray::size() const
{
    std::int64_t count = 1;
    for (const auto extent : shape)
        count *= extent;
    return count;
}

double NpyArray::value(std::int64_t index) const
{
    return withType(type, [&](auto zero) {
        return static_cast<double>(
            loadAs<decltype(zero)>(data().data() + static_cast<std::size_t>(index) * sizeof zero));
    });
}

void NpyArray::copyTo(std::int64_t from, std::span<float> out) const
{
    assert(from >= 0 && from + static_cast<std::int64_t>(out.size()) <= size());
    withType(type, [&](auto zero) {
        const std::uint8_t* at = data().data() + static_cast<std::size_t>(from) * sizeof zero;
        for (float& element : out) {
            element = static_cast<float>(loadAs<decltype(zero)>(at));
            at += sizeof zero;
        }
    });
}

std::string NpyArray::describe() const
{
    std::string text(codeOf(type).name);
    text += " [";
    for (std::size_t i = 0; i < shape.size(); ++i)
        text += (i ? ", " : "") + std::to_string(shape[i]);
    return text + ']';
}

Result<NpyArray> parseNpy(std::vector<std::uint8_t> bytes, const std::string& where)
{
    NpyArray array;
    {
        QS_TRY(const auto located, locateHeader(bytes, where));
        const auto& [header, first] = located;
        const auto descr = valueOf(header, "descr");
        const auto order = valueOf(header, "fortran_order");
        const auto extents = valueOf(header, "shape");
        const auto shape = extents ? parseShape(*extents) : std::nullopt;
        if (!descr || !order || !shape)
            return fail(ErrorCode::InvalidInput, "its .npy header is damaged", where, "fetch the file again");
        if (!order->starts_with("False"))
            return fail(ErrorCode::Unsupported, "is stored in Fortran (column-major) order", where,
                "save it with numpy.ascontiguousarray(x)");
        QS_TRY(const TypeCode* const code, parseType(*descr, where));
        array.type = code->type;
        array.shape = *shape;
        array.first = first;
        const std::uint64_t available = bytes.size() - first;
        std::uint64_t expected = code->bytes;
        for (const auto extent : array.shape) {
            const auto factor = static_cast<std::uint64_t>(extent);
            if (factor != 0 && expected > std::numeric_limits<std::int64_t>::max() / factor)
                return fail(ErrorCode::InvalidInput, "its .npy header promises more than memory can hold", where);
            expected *= factor;
        }
        if (expected != available)
            return fail(ErrorCode::InvalidInput,
                "holds " + grouped(available) + " bytes of elements, its header promises " + grouped(expected), where,
                "fetch the file again");
    }
    array.bytes = std::move(bytes);
    return array;
}

} // namespace quantoscope::dataset
