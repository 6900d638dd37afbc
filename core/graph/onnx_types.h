// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>

#include "core/tensor/dtype.h"

namespace quantoscope::graph {

/// The DType of ONNX's TensorProto.DataType number; empty for strings, complex numbers, float8 and unknown ones.
std::optional<DType> dtypeFromOnnx(std::int64_t dataType);

/// The number of TensorProto.DataType.
std::int32_t dtypeToOnnx(DType type);

} // namespace quantoscope::graph
