// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/file.h"

#include <atomic>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <new>
#include <string>
#include <system_error>

#include <unistd.h>

namespace quantoscope::base {

namespace fs = std::filesystem;

namespace {

/// The rest of `in`; `expected` bytes are made room for at once.
Result<std::vector<std::uint8_t>> readAll(
    std::ifstream& in, const fs::path& path, std::uint64_t expected, std::uint64_t limit)
{
    const auto tooLarge = [&](const std::string& size) {
        return fail(ErrorCode::OutOfMemory, size + " bytes, more than the " + std::to_string(limit) + " allowed here",
            path.string());
    };
    if (expected > limit)
        return tooLarge("has " + std::to_string(expected));
    constexpr std::size_t chunk = std::size_t { 1 } << 20;
    std::vector<std::uint8_t> bytes;
    bytes.reserve(static_cast<std::size_t>(expected) + chunk);
    while (in) {
        const auto old = bytes.size();
        bytes.resize(old + chunk);
        in.read(reinterpret_cast<char*>(bytes.data() + old), static_cast<std::streamsize>(chunk));
        bytes.resize(old + static_cast<std::size_t>(in.gcount()));
        if (bytes.size() > limit)
            return tooLarge("has at least " + std::to_string(bytes.size()));
    }
    if (in.bad())
        return fail(ErrorCode::Io, "reading failed", path.string());
    return bytes;
}

} // namespace

Result<std::vector<std::uint8_t>> readFile(const fs::path& path, std::uint64_t limit)
{
    std::error_code ec;
    const auto status = fs::status(path, ec);
    if (status.type() == fs::file_type::not_found)
        return fail(ErrorCode::NotFound, "no such file", path.string(), "check the path");
    if (status.type() == fs::file_type::directory)
        return fail(ErrorCode::Io, "is a folder, not a file", path.string(), "name a file in it");
    std::ifstream in(path, std::ios::binary);
    if (!in)
        return fail(ErrorCode::Io, std::strerror(errno), path.string(), "check that you may read it");
    const auto size = status.type() == fs::file_type::regular ? fs::file_size(path, ec) : 0;
    try {
        return readAll(in, path, ec ? 0 : size, limit);
    } catch (const std::bad_alloc&) {
        return fail(ErrorCode::OutOfMemory, "is too large for the memory there is", path.string());
    }
}

namespace {

/// A file beside the one to be written, gone at the end unless it took the other's place.
class Temporary {
public:
    explicit Temporary(const fs::path& target)
    {
        static std::atomic<int> count = 0;
        m_path = target.parent_path()
            / ("." + target.filename().string() + "." + std::to_string(::getpid()) + "." + std::to_string(++count)
                + ".part");
    }
    Temporary(const Temporary&) = delete;
    Temporary& operator=(const Temporary&) = delete;
    ~Temporary()
    {
        std::error_code ignored;
        fs::remove(m_path, ignored);
    }
    const fs::path& path() const { return m_path; }

private:
    fs::path m_path;
};

Result<void> writeTo(
    const fs::path& file, const fs::path& named, const std::function<Result<void>(std::ostream&)>& write)
{
    std::ofstream out(file, std::ios::binary | std::ios::trunc);
    if (!out)
        return fail(ErrorCode::Io, std::string("cannot write: ") + std::strerror(errno), named.string(),
            "choose a folder you may write to");
    QS_CHECK(write(out));
    out.close();
    if (!out)
        return fail(ErrorCode::Io, "writing failed, the disk may be full", named.string(), "free some space");
    return {};
}

} // namespace

Result<void> writeFileAtomically(const fs::path& path, const std::function<Result<void>(std::ostream&)>& write)
{
    const auto parent = path.has_parent_path() ? path.parent_path() : fs::path(".");
    std::error_code ec;
    if (!fs::is_directory(parent, ec))
        return fail(ErrorCode::NotFound, "no such folder", parent.string(), "create it first");
    const auto status = fs::status(path, ec);
    if (status.type() == fs::file_type::directory)
        return fail(ErrorCode::Io, "is a folder, not a file", path.string(), "name a file in it");
    // A device or a pipe (/dev/stdout) is written to; a file put in its place would take it away from everybody.
    if (fs::exists(status) && status.type() != fs::file_type::regular)
        return writeTo(path, path, write);
    // A link stays, and what it points to is replaced.
    const fs::path target
        = fs::is_symlink(fs::symlink_status(path, ec)) ? fs::weakly_canonical(path, ec) : parent / path.filename();
    const Temporary temporary(target);
    QS_CHECK(writeTo(temporary.path(), path, write));
    fs::rename(temporary.path(), target, ec);
    if (ec)
        return fail(ErrorCode::Io, "cannot replace the file: " + ec.message(), path.string(), "name another file");
    return {};
}

Result<void> writeFileAtomically(const fs::path& path, std::string_view content)
{
    return writeFileAtomically(path, [content](std::ostream& out) -> Result<void> {
        out.write(content.data(), static_cast<std::streamsize>(content.size()));
        return {};
    });
}

} // namespace quantoscope::base
