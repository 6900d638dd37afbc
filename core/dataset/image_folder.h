// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>

#include "core/dataset/class_names.h"
#include "core/dataset/dataset.h"

namespace quantoscope::dataset {

/// Opens a folder of JPEG and PNG files. With a labels file (`labels`, or labels.txt, labels.csv or val.txt in the
/// folder, or NAME.txt or NAME_labels.txt beside it) the images are those it names, in its order, or for one label a
/// line all of them in name order (ILSVRC validation images by the number in their name where only some are there).
/// Otherwise each sub-folder is a class, numbered in name order, or as synset_words.txt says where the sub-folders are
/// synset ids. Without labels and sub-folders the images are not labelled.
/// Sub-folders and words of a labels file that `classes` has are numbered by it; it names the classes where it was
/// given.
Result<DatasetPtr> openImageFolder(
    const std::filesystem::path& folder, const std::filesystem::path& labels, const ClassNames& classes);

} // namespace quantoscope::dataset
