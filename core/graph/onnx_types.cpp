// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/graph/onnx_types.h"

#include <array>
#include <utility>

namespace quantoscope::graph {

namespace {

constexpr std::array<std::pair<DType, std::int32_t>, 17> table { {
    { DType::Float32, 1 },
    { DType::UInt8, 2 },
    { DType::Int8, 3 },
    { DType::UInt16, 4 },
    { DType::Int16, 5 },
    { DType::Int32, 6 },
    { DType::Int64, 7 },
    { DType::Bool, 9 },
    { DType::Float16, 10 },
    { DType::Float64, 11 },
    { DType::UInt32, 12 },
    { DType::UInt64, 13 },
    { DType::BFloat16, 16 },
    { DType::UInt4, 21 },
    { DType::Int4, 22 },
    { DType::UInt2, 25 },
    { DType::Int2, 26 },
} };

} // namespace

std::optional<DType> dtypeFromOnnx(std::int64_t dataType)
{
    for (const auto& [type, number] : table) {
        if (number == dataType)
            return type;
    }
    return std::nullopt;
}

std::int32_t dtypeToOnnx(DType type)
{
    for (const auto& [known, number] : table) {
        if (known == type)
            return number;
    }
    return 0;
}

} // namespace quantoscope::graph
