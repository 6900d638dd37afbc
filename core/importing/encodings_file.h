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
    std::optional<std::pair<double, double>> range = {}; ///< all that a calibration table knows
    std::string unusable = {}; ///< why the entry cannot be used, whatever the model; empty: it can
};

struct EncodingsFile {
    std::string kind; ///< "AIMET encodings 1.0.0", "AIMET encodings 0.6.1", "calibration table"
    std::vector<EncodingEntry> entries; ///< in the file's order
};

/// Encodings of AIMET, versions 1.0.0 and 0.6.1, and calibration tables of ONNX Runtime: {tensor: [low, high]},
/// {tensor:
/// {"lowest", "highest"}} with numbers, or with arrays as its encoder writes them, and those within {"data": ...}.
/// Errors: as base::readJson(); InvalidInput for JSON that is none of these. An entry that cannot be understood is
/// unusable, the others are read.
Result<EncodingsFile> readEncodings(const std::filesystem::path& path);
Result<EncodingsFile> parseEncodings(const Json& json);

} // namespace quantoscope::importing
