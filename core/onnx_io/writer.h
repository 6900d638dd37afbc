// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/graph/graph.h"

namespace quantoscope::onnx_io {

struct WriteOptions {
    /// Once all constants together exceed this many bytes, those of 1 KiB or more go to `<file>.data` beside the model
    /// (protobuf ends at 2 GB).
    std::uint64_t externalThreshold = std::uint64_t { 1800 } << 20;
    std::map<std::string, std::string> valueDocs {}; ///< doc strings of values, by name, see FileNotes
    std::stop_token stop {}; ///< stopped: the Cancelled error, and nothing is left behind
};

/// The oldest IR version that may carry an opset of ai.onnx.
int minimumIrVersion(int opset);

/// Serialises a model: names, doc strings, metadata and opsets as they are in it; nodes in topological order;
/// constants as raw little-endian initializers; types known by inference as value_info. ir_version and opset are the
/// model's; an ir_version of 0 becomes minimumIrVersion(). The same model gives the same bytes every time.
/// Errors: Unsupported (an attribute that was not kept, more than 2 GB), InvalidInput (a cycle).
Result<std::vector<std::uint8_t>> serializeModel(const graph::Model& model);

/// The same into a file, atomically: on any error nothing is left behind and an older file stays.
/// Returns the bytes written (model and external data).
Result<std::uint64_t> writeModel(
    const graph::Model& model, const std::filesystem::path& path, const WriteOptions& options = {});

} // namespace quantoscope::onnx_io
