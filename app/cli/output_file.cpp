// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/output_file.h"

#include <filesystem>
#include <system_error>

#include <unistd.h>

namespace quantoscope::cli {

namespace fs = std::filesystem;

Result<void> checkOutput(const std::string& path, const CommonOptions& common, const DataOptions& data)
{
    if (path.empty())
        return {};
    std::error_code ec;
    for (const std::string* read : { &common.model, &data.data, &data.calibration, &data.labels, &data.classes })
        if (!read->empty() && fs::equivalent(path, *read, ec))
            return fail(ErrorCode::InvalidInput, "would overwrite what the command reads", path, "name another file");
    const fs::path target(path);
    const fs::path folder = target.has_parent_path() ? target.parent_path() : fs::path(".");
    if (!fs::is_directory(folder, ec))
        return fail(ErrorCode::NotFound, "no such folder", folder.string(), "create it first");
    if (fs::is_directory(target, ec))
        return fail(ErrorCode::Io, "is a folder, not a file", path, "name a file in it");
    if (::access(folder.c_str(), W_OK) != 0)
        return fail(ErrorCode::Io, "the folder may not be written to", folder.string(), "choose another one");
    return {};
}

} // namespace quantoscope::cli
