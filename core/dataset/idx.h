// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>
#include <optional>

#include "core/dataset/class_names.h"
#include "core/dataset/dataset.h"

namespace quantoscope::dataset {

/// The image file of an MNIST-like folder: the test images where there are any. Empty where there is none.
std::optional<std::filesystem::path> findIdxFolder(const std::filesystem::path& folder);

/// Opens an IDX file of unsigned bytes, [N, H, W] or [N, H, W, C], packed with gzip or not. `labels` may be empty: then
/// the file with "labels" for "images" and "idx1" for "idx3" in its name is taken, or the images stay unlabelled.
/// Class names as nameClasses().
Result<DatasetPtr> openIdx(
    const std::filesystem::path& path, const std::filesystem::path& labels, const ClassNames& classes);

} // namespace quantoscope::dataset
