// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>

#include "core/base/error.h"

namespace quantoscope::onnx_io {

/// Where a tensor's bytes lie outside the model file, as the file says it.
struct ExternalLocation {
    std::string file; ///< relative to the model's folder
    std::uint64_t offset = 0;
    std::optional<std::uint64_t> length; ///< empty: as many bytes as the tensor has
};

/// Reads tensor data from files beside a model, and from nowhere else: absolute paths, ".." and links that lead out of
/// the folder are InvalidInput. Thread safe.
class ExternalData {
public:
    explicit ExternalData(std::filesystem::path folder) ///< empty: every read is refused
        : m_folder(std::move(folder))
    {
    }

    /// Checks, without reading, that `bytes` bytes are there. Errors: InvalidInput (path, length), NotFound.
    Result<void> check(const ExternalLocation& location, std::uint64_t bytes) const;
    /// Fills `out`; check() must have passed. Io if reading fails.
    Result<void> read(const ExternalLocation& location, std::span<std::byte> out) const;

private:
    Result<std::filesystem::path> resolve(const std::string& file) const;

    std::filesystem::path m_folder;
};

} // namespace quantoscope::onnx_io
