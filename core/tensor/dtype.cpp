// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/tensor/dtype.h"

#include <array>

namespace quantoscope::tensor {

namespace {

struct Traits {
    std::string_view name;
    int bits;
    bool floating;
    bool isSigned;
};

constexpr std::array<Traits, 17> table { {
    { "float32", 32, true, true },
    { "float64", 64, true, true },
    { "float16", 16, true, true },
    { "bfloat16", 16, true, true },
    { "int8", 8, false, true },
    { "uint8", 8, false, false },
    { "int16", 16, false, true },
    { "uint16", 16, false, false },
    { "int32", 32, false, true },
    { "uint32", 32, false, false },
    { "int64", 64, false, true },
    { "uint64", 64, false, false },
    { "bool", 8, false, false },
    { "int4", 4, false, true },
    { "uint4", 4, false, false },
    { "int2", 2, false, true },
    { "uint2", 2, false, false },
} };

const Traits& traits(DType type) { return table[static_cast<std::size_t>(type)]; }

} // namespace

std::string_view name(DType type) { return traits(type).name; }

int bitWidth(DType type) { return traits(type).bits; }

std::size_t byteSize(DType type, std::size_t count)
{
    const auto bits = static_cast<std::size_t>(traits(type).bits);
    return bits >= 8 ? count * (bits / 8) : (count * bits + 7) / 8;
}

bool isFloating(DType type) { return traits(type).floating; }

bool isInteger(DType type) { return !traits(type).floating && type != DType::Bool; }

bool isSigned(DType type) { return traits(type).isSigned; }

bool isPacked(DType type) { return traits(type).bits < 8; }

} // namespace quantoscope::tensor
