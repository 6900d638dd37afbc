// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "core/base/error.h"
#include "core/graph/graph.h"

namespace quantoscope::onnx_io {

struct WriteOptions {
    /// Initializers larger than this go to `<file>.data` beside the model once the whole exceeds it (protobuf ends at 2 GB).
    std::uint64_t externalThreshold = std::uint64_t { 1800 } << 20;
};

/// Serialises a model: names, doc strings, metadata and opsets as they are in it; nodes in topological order;
/// constants as raw little-endian initializers; types known by inference as value_info. ir_version and opset are the model's.
/// The same model gives the same bytes every time.
Result<std::vector<std::uint8_t>> serializeModel(const graph::Model& model);

/// serializeModel() into a file, atomically: on any error nothing is left behind and an older file stays.
/// Returns the bytes written (model and external data).
Result<std::uint64_t> writeModel(
    const graph::Model& model, const std::filesystem::path& path, const WriteOptions& options = {});

} // namespace quantoscope::onnx_io
