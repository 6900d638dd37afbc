// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace quantoscope::tensor {

/// Element types of ONNX that Quantoscope stores.
enum class DType {
    Float32,
    Float64,
    Float16,
    BFloat16,
    Int8,
    UInt8,
    Int16,
    UInt16,
    Int32,
    UInt32,
    Int64,
    UInt64,
    Bool, ///< one byte, 0 or 1
    Int4, ///< two to a byte, first element in the low nibble
    UInt4,
    Int2, ///< four to a byte, first element in the low bits
    UInt2,
};

/// "float32", "uint4", ...
std::string_view name(DType type);

/// Bits of one element as stored.
int bitWidth(DType type);

/// Bytes that `count` elements take, packed: ceil(count * bits / 8).
std::size_t byteSize(DType type, std::size_t count);

bool isFloating(DType type);
bool isInteger(DType type); ///< Bool is not
bool isSigned(DType type); ///< floats are
bool isPacked(DType type); ///< less than a byte an element

/// The DType of a C++ element type; Bool is std::uint8_t's neighbour and has no C++ type of its own.
template <typename T> struct DTypeOf;
template <> struct DTypeOf<float> {
    static constexpr DType value = DType::Float32;
};
template <> struct DTypeOf<double> {
    static constexpr DType value = DType::Float64;
};
template <> struct DTypeOf<std::int8_t> {
    static constexpr DType value = DType::Int8;
};
template <> struct DTypeOf<std::uint8_t> {
    static constexpr DType value = DType::UInt8;
};
template <> struct DTypeOf<std::int16_t> {
    static constexpr DType value = DType::Int16;
};
template <> struct DTypeOf<std::uint16_t> {
    static constexpr DType value = DType::UInt16;
};
template <> struct DTypeOf<std::int32_t> {
    static constexpr DType value = DType::Int32;
};
template <> struct DTypeOf<std::uint32_t> {
    static constexpr DType value = DType::UInt32;
};
template <> struct DTypeOf<std::int64_t> {
    static constexpr DType value = DType::Int64;
};
template <> struct DTypeOf<std::uint64_t> {
    static constexpr DType value = DType::UInt64;
};

} // namespace quantoscope::tensor

namespace quantoscope {
using tensor::DType;
}
