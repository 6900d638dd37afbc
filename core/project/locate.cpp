// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/project/locate.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <system_error>
#include <vector>

#include "core/base/sha256.h"

namespace quantoscope::project {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t mostFiles = 1000; ///< of one folder that are looked into

/// Files of a folder that may be the one looked for, those of its name first.
std::vector<fs::path> candidates(const fs::path& folder, const fs::path& wanted)
{
    std::vector<fs::path> files;
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
        std::error_code gone;
        if (entry->path().extension() == wanted.extension() && entry->is_regular_file(gone) && !gone)
            files.push_back(entry->path());
    }
    std::ranges::sort(files);
    std::ranges::stable_partition(files, [&](const auto& file) { return file.filename() == wanted.filename(); });
    files.resize(std::min(files.size(), mostFiles));
    return files;
}

} // namespace

Result<std::string> fileFingerprint(const fs::path& path)
{
    std::error_code error;
    if (!fs::exists(path, error))
        return fail(ErrorCode::NotFound, "no such file", path.string(), "check the name");
    std::ifstream file(path, std::ios::binary);
    base::Sha256 hash;
    std::vector<char> block(1 << 20);
    while (file) {
        file.read(block.data(), static_cast<std::streamsize>(block.size()));
        hash.update(std::as_bytes(std::span(block)).first(static_cast<std::size_t>(file.gcount())));
    }
    if (!file.eof())
        return fail(ErrorCode::Io, "could not be read", path.string(), "check the permissions");
    return base::toHex(hash.digest());
}

Result<fs::path> detail::locate(const Source& source, const fs::path& home, std::span<const fs::path> folders)
{
    const auto fits = [&source](const fs::path& path) {
        const auto found = fileFingerprint(path);
        return found && *found == source.fingerprint;
    };
    for (const auto& known : { source.path, (home / source.relativePath).lexically_normal() })
        if (fits(known))
            return known;
    std::vector<fs::path> places { home };
    places.insert(places.end(), folders.begin(), folders.end());
    std::string looked;
    for (const auto& folder : places) {
        for (const auto& file : candidates(folder, source.path))
            if (fits(file))
                return file;
        looked += ", " + folder.string();
    }
    return fail(ErrorCode::NotFound,
        "the " + source.role + " of the project is neither where it was nor in" + looked.substr(1),
        source.path.string(), "say where it is now");
}

} // namespace quantoscope::project
