// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string>

namespace quantoscope::onnx_io {

/// What an ONNX element type number (TensorProto.DataType) is called, for messages: "float8e4m3fn", "string", "number
/// 99".
std::string elementTypeName(std::int32_t number);

} // namespace quantoscope::onnx_io
