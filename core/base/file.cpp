// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/file.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <string>
#include <system_error>

#include <unistd.h>

namespace quantoscope::base {

namespace fs = std::filesystem;

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
    std::vector<std::uint8_t> bytes;
    if (status.type() == fs::file_type::regular) {
        const auto size = fs::file_size(path, ec);
        if (!ec && size > limit)
            return fail(ErrorCode::OutOfMemory,
                "has " + std::to_string(size) + " bytes, more than the " + std::to_string(limit) + " allowed here",
                path.string());
        bytes.reserve(ec ? 0 : static_cast<std::size_t>(size));
    }
    constexpr std::size_t chunk = std::size_t { 1 } << 20;
    while (in) {
        const auto old = bytes.size();
        if (old > limit)
            return fail(ErrorCode::OutOfMemory, "is larger than the " + std::to_string(limit) + " bytes allowed here",
                path.string());
        bytes.resize(old + chunk);
        in.read(reinterpret_cast<char*>(bytes.data() + old), static_cast<std::streamsize>(chunk));
        bytes.resize(old + static_cast<std::size_t>(in.gcount()));
    }
    if (in.bad())
        return fail(ErrorCode::Io, "reading failed", path.string());
    return bytes;
}

Result<void> writeFileAtomically(const fs::path& path, const std::function<Result<void>(std::ostream&)>& write)
{
    const auto parent = path.has_parent_path() ? path.parent_path() : fs::path(".");
    std::error_code ec;
    if (!fs::is_directory(parent, ec))
        return fail(ErrorCode::NotFound, "no such folder", parent.string(), "create it first");
    if (fs::is_directory(path, ec))
        return fail(ErrorCode::Io, "is a folder, not a file", path.string(), "name a file in it");
    const fs::path temporary = parent / ("." + path.filename().string() + "." + std::to_string(::getpid()) + ".part");
    const auto giveUp = [&](Error error) {
        std::error_code ignored;
        fs::remove(temporary, ignored);
        return tl::make_unexpected(std::move(error));
    };
    {
        std::ofstream out(temporary, std::ios::binary | std::ios::trunc);
        if (!out)
            return fail(ErrorCode::Io, std::string("cannot write: ") + std::strerror(errno), path.string(),
                "choose a folder you may write to");
        if (auto written = write(out); !written)
            return giveUp(std::move(written).error());
        out.close();
        if (!out)
            return giveUp({ ErrorCode::Io, "writing failed, the disk may be full", path.string(), "free some space" });
    }
    fs::rename(temporary, path, ec);
    if (ec)
        return giveUp({ ErrorCode::Io, "cannot replace the file: " + ec.message(), path.string(), {} });
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
