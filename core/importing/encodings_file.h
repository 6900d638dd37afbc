// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/base/json.h"

namespace quantoscope::importing {

/// What a file says of one tensor, in the file's own terms: x^ = scale (q + offset), q in [0, 2^bits - 1].
struct EncodingEntry {
    std::string tensor;
    bool isParameter = false;
    bool isFloat = false; ///< the tensor is not quantized
    bool isSymmetric = false; ///< the grid is the signed one
    bool isNarrow = false; ///< its lowest level is not used, as far as the file says
    bool isPerChannel = false;
    int bits = 0;
    std::vector<float> scale = {};
    std::vector<std::int64_t> offset = {};
    std::optional<int> axis = {}; ///< of the channels, where the file says so; may count from the back
    std::optional<std::pair<double, double>> range = {}; ///< all that a calibration table knows
    bool isMagnitude = false; ///< the range is the largest magnitude, to both sides: which of them are taken is unknown
    std::string unusable = {}; ///< why the entry cannot be used, whatever the model; empty: it can
};

struct EncodingsFile {
    std::string kind; ///< "AIMET encodings 1.0.0" (or 0.6.1, 2.0.0), "calibration table", "calibration cache"
    std::vector<EncodingEntry> entries; ///< in the file's order
};

/// Encodings of AIMET, versions 0.5 and 0.6, 1.0.0 and 2.0.0, and what ONNX Runtime's write_calibration_table() writes:
/// calibration.json, see calibrationTable(), and calibration.cache, see readCalibrationCache(), TensorRT's own among
/// them. Its calibration.flatbuffers is refused: it holds no more than calibration.cache, which lies beside it. Errors:
/// as base::readJson(); InvalidInput for a file that is none of these; Unsupported for another version. An entry that
/// cannot be understood is unusable, the others are read.
Result<EncodingsFile> readEncodings(const std::filesystem::path& path);
Result<EncodingsFile> parseEncodings(const Json& json); ///< of one that is JSON

} // namespace quantoscope::importing
