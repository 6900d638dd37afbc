// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "core/base/error.h"
#include "core/project/file_lock.h"
#include "core/project/project.h"

namespace SQLite {
class Database;
}

namespace quantoscope::project::detail {

/// The connection to a project file that was found to be one. Thread safe.
class Database {
public:
    using Work = std::function<void(SQLite::Database& connection)>;

    /// As Project::open().
    static Result<std::unique_ptr<Database>> open(const std::filesystem::path& path, Mode mode);
    ~Database();

    const std::filesystem::path& path() const { return m_path; }
    const std::string& readOnlyReason() const { return m_readOnlyReason; }

    /// Calls `work`, one at a time; what SQLite throws becomes an error about this file.
    Result<void> read(const Work& work) const;
    /// The same in a transaction that is on the disk when this returns, or leaves no trace. Io if read-only.
    Result<void> write(const Work& work) const;

private:
    explicit Database(std::filesystem::path path);
    Result<void> lock(Mode mode);
    Result<void> create() const;
    Result<void> connect();
    Result<void> check() const;

    std::filesystem::path m_path;
    std::string m_readOnlyReason;
    std::unique_ptr<FileLock> m_lock; ///< outlives the connection
    std::unique_ptr<SQLite::Database> m_connection;
    mutable std::mutex m_mutex;
};

} // namespace quantoscope::project::detail
