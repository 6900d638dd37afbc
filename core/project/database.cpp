// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/project/database.h"

#include <array>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <string_view>
#include <system_error>

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Exception.h>
#include <SQLiteCpp/Statement.h>
#include <SQLiteCpp/Transaction.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include "core/project/schema.h"

namespace quantoscope::project::detail {

namespace {

namespace fs = std::filesystem;

constexpr int busyTimeoutMs = 10'000;
constexpr std::string_view recoverHint = "nothing was changed; take a copy from before, or recover a copy of the file "
                                         "with sqlite3's .recover";

Error errorOf(const SQLite::Exception& exception, const fs::path& path)
{
    const std::string said = exception.what();
    const auto error = [&](ErrorCode code, std::string what, std::string_view hint) {
        return Error { code, std::move(what), path.string(), std::string(hint) };
    };
    switch (exception.getErrorCode() & 0xFF) {
    case SQLITE_FULL:
        return error(ErrorCode::Io, "the disk is full", "make room; what was finished before is safe");
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return error(ErrorCode::InvalidInput, "the project is damaged (" + said + ")", recoverHint);
    case SQLITE_NOMEM:
        return error(ErrorCode::OutOfMemory, "no memory for the project", "close other programs");
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return error(ErrorCode::Io, "another program keeps the project busy", "close it, and try again");
    case SQLITE_ERROR:
        return error(ErrorCode::InvalidInput, "the project does not hold what it should (" + said + ")", recoverHint);
    default:
        return error(ErrorCode::Io, "the project could not be read or written (" + said + ")",
            "check the disk and the permissions; what was finished before is safe");
    }
}

/// What `work` throws as an error about `path`.
Result<void> guarded(const fs::path& path, const std::function<void()>& work)
{
    try {
        work();
        return {};
    } catch (const SQLite::Exception& e) {
        return tl::make_unexpected(errorOf(e, path));
    } catch (const std::bad_alloc&) {
        return fail(ErrorCode::OutOfMemory, "no memory for the project", path.string(), "close other programs");
    }
}

tl::unexpected<Error> noProject(const fs::path& path, std::string what)
{
    return fail(ErrorCode::InvalidInput, std::move(what), path.string(), "give a project (.qscope), or a new name");
}

fs::path beside(const fs::path& path, std::string_view suffix) { return path.string() + std::string(suffix); }

bool isEmptyOrAbsent(const fs::path& path)
{
    std::error_code error;
    const auto size = fs::file_size(path, error);
    return error || size == 0;
}

/// Looks at the first bytes, before SQLite may touch a file that is not ours. The header is there from the first moment
/// on, as new projects appear under their name when they are complete.
Result<void> checkHeader(const fs::path& path)
{
    std::array<char, 100> header {};
    std::ifstream file(path, std::ios::binary);
    if (!file)
        return fail(ErrorCode::Io, "may not be read", path.string(), "check the permissions");
    file.read(header.data(), header.size());
    if (file.gcount() != static_cast<std::streamsize>(header.size())
        || std::string_view(header.data(), 16) != std::string_view("SQLite format 3\0", 16))
        return noProject(path, "is no project of Quantoscope");
    // https://www.sqlite.org/fileformat.html, 1.3: big-endian; a page of 65,536 bytes is written as 1
    const auto number = [&header](std::size_t offset, std::size_t bytes) {
        std::uint32_t value = 0;
        for (std::size_t i = 0; i < bytes; ++i)
            value = value << 8 | static_cast<unsigned char>(header[offset + i]);
        return value;
    };
    const std::uint32_t id = number(68, 4);
    const std::uint32_t pageSize = number(16, 2) == 1 ? 65'536 : number(16, 2);
    if (id != static_cast<std::uint32_t>(applicationId))
        return noProject(path, "is a database of another program");
    std::error_code error;
    // SQLite would take what is missing of the last page for zeros. With a log beside it the file may be in the middle
    // of growing.
    if (isEmptyOrAbsent(beside(path, "-wal")) && (pageSize == 0 || fs::file_size(path, error) % pageSize != 0))
        return fail(ErrorCode::InvalidInput, "the project is damaged (it was cut off)", path.string(),
            std::string(recoverHint));
    return {};
}

/// SQLite's name of a file that nobody will change, for places where it may not put files beside it.
std::string immutableName(const fs::path& path)
{
    std::string uri = "file:";
    for (const char c : path.string()) {
        static constexpr std::string_view digits = "0123456789ABCDEF";
        const auto byte = static_cast<unsigned char>(c);
        if (c == '?' || c == '#' || c == '%')
            uri += { '%', digits[byte >> 4], digits[byte & 15] };
        else
            uri += c;
    }
    return uri + "?immutable=1";
}

} // namespace

Database::Database(fs::path path)
    : m_path(std::move(path))
{
}

Database::~Database() = default;

Result<std::unique_ptr<Database>> Database::open(const fs::path& path, Mode mode)
{
    std::error_code error;
    auto whole = fs::weakly_canonical(fs::absolute(path), error); // two names of one file share one lock
    std::unique_ptr<Database> database(new Database(error ? fs::absolute(path) : std::move(whole)));
    const fs::path& file = database->m_path;
    if (fs::exists(file, error) && !fs::is_regular_file(file, error))
        return noProject(file, fs::is_directory(file, error) ? "is a folder" : "is no file");
    if (mode != Mode::Create && !fs::exists(file, error))
        return fail(ErrorCode::NotFound, "no such project", file.string(), "check the name");
    if (fs::exists(file, error)) // before a lock is left beside what is none of ours
        QS_CHECK(checkHeader(file));
    QS_CHECK(database->lock(mode));
    if (!fs::exists(file, error))
        QS_CHECK(database->create());
    QS_CHECK(database->connect());
    QS_CHECK(database->check());
    return database;
}

Result<void> Database::lock(Mode mode)
{
    std::error_code error;
    const bool exists = fs::exists(m_path, error);
    if (mode == Mode::ReadOnly) {
        m_readOnlyReason = "it was opened for reading";
        return {};
    }
    if (exists && ::faccessat(AT_FDCWD, m_path.c_str(), W_OK, AT_EACCESS) != 0) {
        m_readOnlyReason = "it may not be written to";
        return {};
    }
    auto lock = FileLock::acquire(beside(m_path, "-lock"));
    if (lock) {
        m_lock = *std::move(lock);
        return {};
    }
    const bool held = lock.error().code == ErrorCode::InvalidInput;
    if (!exists)
        return fail(ErrorCode::Io,
            held ? "is being made by " + lock.error().what : "no project can be made there: " + lock.error().what,
            m_path.string(), held ? "try again" : "choose another folder");
    m_readOnlyReason = held ? lock.error().what + " has it open" : "its folder may not be written to";
    return {};
}

/// Under another name first, so that there never is half a project.
Result<void> Database::create() const
{
    const fs::path made = beside(m_path, "-new");
    const auto removeParts = [&made] {
        std::error_code ignored;
        for (const auto* suffix : { "", "-journal", "-wal", "-shm" })
            fs::remove(beside(made, suffix), ignored);
    };
    removeParts();
    auto done = guarded(m_path, [&] {
        SQLite::Database fresh(made.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
        migrate(fresh, 0);
        fresh.exec("PRAGMA journal_mode = WAL");
    });
    std::error_code error;
    if (done) {
        fs::rename(made, m_path, error);
        if (error)
            done = fail(ErrorCode::Io, error.message(), m_path.string(), "choose another folder");
    }
    removeParts();
    return done;
}

Result<void> Database::connect()
{
    const auto opened = guarded(m_path, [this] {
        const int flags = m_readOnlyReason.empty() ? SQLite::OPEN_READWRITE : SQLite::OPEN_READONLY;
        m_connection = std::make_unique<SQLite::Database>(m_path.string(), flags, busyTimeoutMs);
        // Nothing in a file from elsewhere may do anything but be read.
        sqlite3_db_config(m_connection->getHandle(), SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
        sqlite3_db_config(m_connection->getHandle(), SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
        m_connection->exec("PRAGMA cell_size_check = ON; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON");
        m_connection->execAndGet("PRAGMA user_version"); // a read-only folder shows only now
    });
    if (opened || m_readOnlyReason.empty() || !isEmptyOrAbsent(beside(m_path, "-wal")))
        return opened;
    return guarded(m_path, [this] {
        m_connection = std::make_unique<SQLite::Database>(
            immutableName(m_path), SQLite::OPEN_READONLY | SQLite::OPEN_URI, busyTimeoutMs);
    });
}

Result<void> Database::check() const
{
    std::string health;
    int version = 0;
    QS_CHECK(guarded(m_path, [&] {
        health = m_connection->execAndGet("PRAGMA quick_check(1)").getString();
        version = m_connection->execAndGet("PRAGMA user_version").getInt();
    }));
    if (health != "ok")
        return fail(ErrorCode::InvalidInput, "the project is damaged (" + health.substr(0, health.find('\n')) + ")",
            m_path.string(), std::string(recoverHint));
    if (version > schemaVersion)
        return fail(ErrorCode::Unsupported,
            "has version " + std::to_string(version) + " of the project's schema, this program knows "
                + std::to_string(schemaVersion),
            m_path.string(), "open it with the version of Quantoscope that wrote it, or a later one");
    if (version < 1)
        return noProject(m_path, "has no version of the project's schema");
    if (version < schemaVersion && !m_readOnlyReason.empty())
        return fail(ErrorCode::Unsupported,
            "has version " + std::to_string(version) + " of the project's schema and cannot be brought to version "
                + std::to_string(schemaVersion) + ": " + m_readOnlyReason,
            m_path.string(), "open it once where it may be written to");
    bool expected = false;
    QS_CHECK(guarded(m_path, [&] {
        expected = version < schemaVersion ? migrate(*m_connection, version) : hasExpectedSchema(*m_connection);
    }));
    if (!expected)
        return fail(ErrorCode::InvalidInput, "holds other tables than a project does", m_path.string(),
            "open a project that Quantoscope wrote");
    return {};
}

Result<void> Database::read(const Work& work) const
{
    const std::scoped_lock lock(m_mutex);
    return guarded(m_path, [&] { work(*m_connection); });
}

Result<void> Database::write(const Work& work) const
{
    if (!m_readOnlyReason.empty())
        return fail(ErrorCode::Io, "the project is open read-only: " + m_readOnlyReason, m_path.string(),
            "close it elsewhere, or use another project");
    const std::scoped_lock lock(m_mutex);
    return guarded(m_path, [&] {
        SQLite::Transaction transaction(*m_connection, SQLite::TransactionBehavior::IMMEDIATE);
        work(*m_connection);
        transaction.commit();
    });
}

} // namespace quantoscope::project::detail
