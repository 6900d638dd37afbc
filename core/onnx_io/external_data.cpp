// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/onnx_io/external_data.h"

#include <algorithm>
#include <fstream>
#include <system_error>

namespace quantoscope::onnx_io {

namespace fs = std::filesystem;

namespace {

constexpr auto hint = "external data must lie in the model's own folder";

bool leadsOutOf(const fs::path& folder, const fs::path& target)
{
    const auto relative = target.lexically_relative(folder);
    return relative.empty() || *relative.begin() == "..";
}

} // namespace

Result<fs::path> ExternalData::resolve(const std::string& file) const
{
    if (m_folder.empty())
        return fail(ErrorCode::InvalidInput, "external data '" + file + "' of a model that was not read from a file",
            {}, "open the model from its folder");
    const fs::path relative(file);
    if (file.empty() || file.find('\0') != std::string::npos)
        return fail(ErrorCode::InvalidInput, "external data without a usable file name", {}, hint);
    if (relative.is_absolute())
        return fail(ErrorCode::InvalidInput, "external data has the absolute path '" + file + "'", {}, hint);
    if (std::ranges::find(relative, fs::path("..")) != relative.end())
        return fail(ErrorCode::InvalidInput, "external data path '" + file + "' contains '..'", {}, hint);
    std::error_code ec;
    const auto folder = fs::weakly_canonical(m_folder, ec);
    const auto target = ec ? fs::path() : fs::weakly_canonical(folder / relative, ec);
    if (ec)
        return fail(ErrorCode::Io, "external data '" + file + "': " + ec.message());
    if (leadsOutOf(folder, target))
        return fail(
            ErrorCode::InvalidInput, "external data '" + file + "' is a link that leads out of the folder", {}, hint);
    if (!fs::exists(target, ec))
        return fail(ErrorCode::NotFound, "external data file '" + file + "' is missing", {}, "put it beside the model");
    if (!fs::is_regular_file(target, ec))
        return fail(ErrorCode::InvalidInput, "external data '" + file + "' is not a file", {}, hint);
    return target;
}

Result<void> ExternalData::check(const ExternalLocation& location, std::uint64_t bytes) const
{
    QS_TRY(const auto path, resolve(location.file));
    if (location.length && *location.length != bytes)
        return fail(ErrorCode::InvalidInput,
            "claims " + std::to_string(*location.length) + " bytes of external data, its shape needs "
                + std::to_string(bytes));
    std::error_code ec;
    const std::uint64_t size = fs::file_size(path, ec);
    if (ec)
        return fail(ErrorCode::Io, "external data '" + location.file + "': " + ec.message());
    if (location.offset > size || bytes > size - location.offset)
        return fail(ErrorCode::InvalidInput,
            "needs " + std::to_string(bytes) + " bytes at offset " + std::to_string(location.offset) + " of '"
                + location.file + "', which has " + std::to_string(size),
            {}, "fetch or copy that file again");
    return {};
}

Result<void> ExternalData::read(const ExternalLocation& location, std::span<std::byte> out) const
{
    QS_TRY(const auto path, resolve(location.file));
    std::ifstream in(path, std::ios::binary);
    in.seekg(static_cast<std::streamoff>(location.offset));
    in.read(reinterpret_cast<char*>(out.data()), static_cast<std::streamsize>(out.size()));
    if (!in)
        return fail(
            ErrorCode::Io, "cannot read external data '" + location.file + "'", {}, "check that you may read it");
    return {};
}

} // namespace quantoscope::onnx_io
