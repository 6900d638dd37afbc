// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/onnx_io/element_type.h"

#include <array>
#include <string_view>
#include <utility>

#include "core/graph/onnx_types.h"

namespace quantoscope::onnx_io {

namespace {

/// The types that cannot be stored as tensors here; the header of ONNX 1.12 ends at bfloat16 (16).
constexpr std::array<std::pair<std::int32_t, std::string_view>, 10> foreignTypes { {
    { 0, "undefined" },
    { 8, "string" },
    { 14, "complex64" },
    { 15, "complex128" },
    { 17, "float8e4m3fn" },
    { 18, "float8e4m3fnuz" },
    { 19, "float8e5m2" },
    { 20, "float8e5m2fnuz" },
    { 23, "float4e2m1" },
    { 24, "float8e8m0" },
} };

} // namespace

std::string elementTypeName(std::int32_t number)
{
    if (const auto type = graph::dtypeFromOnnx(number))
        return std::string(tensor::name(*type));
    for (const auto& [known, name] : foreignTypes) {
        if (known == number)
            return std::string(name);
    }
    return "number " + std::to_string(number);
}

} // namespace quantoscope::onnx_io
