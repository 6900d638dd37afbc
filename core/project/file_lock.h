// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "core/base/error.h"

namespace quantoscope::project::detail {

/// The right to write a project: an advisory lock (flock) on a file beside it, not on the project itself, as closing
/// any descriptor of a database would end SQLite's own locks. The system releases it when the process ends, however it
/// ends. Whoever holds it is named inside.
class FileLock {
public:
    /// InvalidInput says who holds it; Io why there can be none.
    static Result<std::unique_ptr<FileLock>> acquire(const std::filesystem::path& path);
    ~FileLock(); ///< removes the file
    FileLock(const FileLock&) = delete;
    FileLock& operator=(const FileLock&) = delete;

private:
    FileLock(int descriptor, std::filesystem::path path)
        : m_descriptor(descriptor)
        , m_path(std::move(path))
    {
    }

    int m_descriptor;
    std::filesystem::path m_path;
};

} // namespace quantoscope::project::detail
