// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>
#include <span>

#include "core/base/error.h"
#include "core/project/project.h"

namespace quantoscope::project::detail {

/// As Project::locate(), for a project in `home`.
Result<std::filesystem::path> locate(
    const Source& source, const std::filesystem::path& home, std::span<const std::filesystem::path> folders);

} // namespace quantoscope::project::detail
