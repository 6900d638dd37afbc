// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>

#include "core/dataset/class_names.h"
#include "core/dataset/dataset.h"

namespace quantoscope::dataset {

/// Opens .npz (arrays x and y, images and labels, x_test and y_test, or the first two) or .npy (labels in `labels`, or
/// in a neighbour named alike: x -> y, images -> labels, NAME -> NAME_y or NAME_labels; otherwise not labelled). uint8
/// arrays become images; any other becomes a FloatDataset. Class names as nameClasses().
Result<DatasetPtr> openNumpy(
    const std::filesystem::path& path, const std::filesystem::path& labels, const ClassNames& classes);

} // namespace quantoscope::dataset
