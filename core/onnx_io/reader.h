// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>

#include "core/base/error.h"
#include "core/graph/graph.h"

namespace quantoscope::onnx_io {

struct ReadOptions {
    /// Upper bound on the bytes all initializers together may claim; more is OutOfMemory, before anything is allocated.
    std::uint64_t memoryLimit = std::uint64_t { 16 } << 30;
};

/// Reads an ONNX model (opset 7 and later; any IR version) with its initializers of every numeric type, inline, raw or
/// external. External data must lie beside the model: absolute paths, ".." and links that lead out of its folder are
/// refused. Declared value_info types are kept as hints in ValueType. Does not infer shapes; runs graph::verify without
/// the finiteness check. Constant nodes stay nodes. Errors: NotFound, Io, InvalidInput (empty, text, truncated, not
/// protobuf, an initializer whose data does not match its shape, a duplicate name, a missing input, a cycle),
/// Unsupported (string or float8 tensors that are read, opset < 7), OutOfMemory. Thread safe.
Result<graph::Model> readModel(const std::filesystem::path& path, const ReadOptions& options = {});

/// The same from memory; `folder` is where external data would lie (empty: external data is refused).
Result<graph::Model> parseModel(
    std::span<const std::uint8_t> bytes, const std::filesystem::path& folder = {}, const ReadOptions& options = {});

/// What a model file says beyond the model that readModel() makes of it.
struct FileNotes {
    bool hasExternalData = false; ///< whether it keeps constants in files beside it
    /// Doc strings of inputs, outputs, inner values (value_info) and initializers, by name, as far as there are any.
    std::map<std::string, std::string> valueDocs;
};
FileNotes readNotes(const std::filesystem::path& path); ///< empty for what is no readable model
bool hasExternalData(const std::filesystem::path& path); ///< FileNotes::hasExternalData

/// One TensorProto file (.pb), as the ONNX test data has them.
Result<Tensor> readTensor(const std::filesystem::path& path);

} // namespace quantoscope::onnx_io
