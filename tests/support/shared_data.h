// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <vector>

namespace quantoscope::test {

/// The folder of real models and images that tests labelled `real` use: the environment variable QUANTOSCOPE_SHARED, or
/// the folder "shared" beside the source. It may not exist; such a test then skips.
inline std::filesystem::path sharedFolder()
{
    if (const char* folder = std::getenv("QUANTOSCOPE_SHARED"))
        return folder;
    return std::filesystem::path(QS_SOURCE_DIR).parent_path() / "shared";
}

/// Every ONNX file below it, sorted; empty where the folder is absent.
inline std::vector<std::filesystem::path> sharedModels()
{
    std::vector<std::filesystem::path> models;
    std::error_code ignored;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(sharedFolder() / "data", ignored)) {
        if (entry.path().extension() == ".onnx")
            models.push_back(entry.path());
    }
    std::ranges::sort(models);
    return models;
}

} // namespace quantoscope::test
