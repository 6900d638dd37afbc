// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>

#include "core/dataset/class_names.h"
#include "core/dataset/dataset.h"

namespace quantoscope::dataset {

/// The binary batches that a folder of CIFAR data holds, and of which kind.
struct CifarFolder {
    Kind kind = Kind::Cifar10;
    std::vector<std::filesystem::path> files;
};

/// The test batch of a folder where there is one, as that is what accuracy is stated on; otherwise its training batches
/// in order. Empty where the folder holds no CIFAR batches.
std::optional<CifarFolder> findCifarFolder(const std::filesystem::path& folder);

/// Opens one file, or a folder, of records: label byte (CIFAR-100: coarse, then fine label, of which the fine one
/// counts), then 32 x 32 bytes of red, green and blue. `kind` Auto decides by size, name and labels.
/// Class names as nameClasses(); CIFAR-10 has its own, CIFAR-100 in fine_label_names.txt.
Result<DatasetPtr> openCifar(const std::filesystem::path& path, Kind kind, const ClassNames& classes);

} // namespace quantoscope::dataset
