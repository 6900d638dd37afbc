// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <string_view>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/importing/encodings_file.h"

namespace quantoscope::importing {

/// ONNX Runtime's calibration.json: {tensor: [low, high]}, {tensor: {"lowest", "highest"}} with numbers, or with arrays
/// of one as its encoder writes them, and those within {"data": ...}. Empty if no entry is a range.
std::optional<EncodingsFile> calibrationTable(const Json& json);

/// ONNX Runtime's calibration.cache: lines of a tensor and its largest magnitude. TensorRT's own: a first line
/// "TRT-...", then lines "tensor: 3c010a14", the step of 8 bits as the bytes of a float32 in hexadecimal. Errors:
/// InvalidInput for anything else, calibration.flatbuffers among it.
Result<EncodingsFile> readCalibrationCache(std::string_view text);

} // namespace quantoscope::importing
