// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/base/error.h"

namespace quantoscope::dataset {

/// A zip file in memory: stored and deflated entries. Zip64, encryption and other methods are Unsupported.
class ZipArchive {
public:
    struct Entry {
        std::string name;
        int method = 0;
        std::uint32_t crc = 0;
        std::uint64_t packed = 0;
        std::uint64_t size = 0;
        std::uint64_t headerOffset = 0;
    };

    static Result<ZipArchive> open(const std::filesystem::path& path);

    const std::vector<Entry>& entries() const { return m_entries; }
    /// The unpacked content, its CRC checked. Refused before memory is taken where the claimed size cannot be true.
    Result<std::vector<std::uint8_t>> read(const Entry& entry) const;

private:
    Result<void> readDirectory();

    std::filesystem::path m_path;
    std::vector<std::uint8_t> m_bytes;
    std::vector<Entry> m_entries;
};

} // namespace quantoscope::dataset
