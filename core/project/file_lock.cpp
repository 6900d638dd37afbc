// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/project/file_lock.h"

#include <array>
#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace quantoscope::project::detail {

namespace {

std::string thisProcess()
{
    std::array<char, 256> host {};
    if (::gethostname(host.data(), host.size() - 1) != 0)
        host.front() = '\0';
    return "process " + std::to_string(::getpid()) + (host.front() ? " on " + std::string(host.data()) : "");
}

std::string holder(int descriptor)
{
    std::array<char, 400> text {};
    const auto read = ::pread(descriptor, text.data(), text.size(), 0);
    return read > 0 ? std::string(text.data(), static_cast<std::size_t>(read)) : "another process";
}

/// Whether `path` still is the file that is open: another process may have removed it after its work.
bool isCurrent(int descriptor, const std::filesystem::path& path)
{
    struct stat open { };
    struct stat named { };
    return ::fstat(descriptor, &open) == 0 && ::stat(path.c_str(), &named) == 0 && open.st_ino == named.st_ino
        && open.st_dev == named.st_dev;
}

} // namespace

Result<std::unique_ptr<FileLock>> FileLock::acquire(const std::filesystem::path& path)
{
    while (true) {
        const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
        if (descriptor < 0)
            return fail(ErrorCode::Io, std::system_category().message(errno), path.string());
        if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
            const bool held = errno == EWOULDBLOCK;
            const std::string why = held ? holder(descriptor) : std::system_category().message(errno);
            ::close(descriptor);
            return fail(held ? ErrorCode::InvalidInput : ErrorCode::Io, why, path.string());
        }
        std::unique_ptr<FileLock> lock(new FileLock(descriptor, path));
        if (!isCurrent(descriptor, path)) {
            lock->m_path.clear(); // somebody else's by now
            continue;
        }
        const std::string name = thisProcess();
        if (::ftruncate(descriptor, 0) != 0
            || ::pwrite(descriptor, name.data(), name.size(), 0) != static_cast<ssize_t>(name.size()))
            return fail(ErrorCode::Io, std::system_category().message(errno), path.string());
        return lock;
    }
}

FileLock::~FileLock()
{
    if (!m_path.empty())
        ::unlink(m_path.c_str()); // before the lock ends, so that nobody locks a file that is about to go
    ::close(m_descriptor);
}

} // namespace quantoscope::project::detail
