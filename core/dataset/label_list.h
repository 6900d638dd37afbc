// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/base/error.h"
#include "core/dataset/class_names.h"

namespace quantoscope::dataset {

/// One line of a labels file.
struct LabelLine {
    int line = 0; ///< counted from 1, for error messages
    std::string name; ///< the image; empty where the file has one label a line
    std::string label;
};

/// Reads `name label`, `name,label` (a header line is skipped) or one label a line. Empty lines and lines that begin
/// with
/// '#' are skipped. InvalidInput for an empty file or one that mixes these forms.
Result<std::vector<LabelLine>> readLabelList(const std::filesystem::path& file);

/// A list of WordNet ids and class names, line = class index: "n01440764 tench, Tinca tinca".
struct Synsets {
    std::unordered_map<std::string, int> indices; ///< of the ids
    std::vector<std::string> names;

    std::optional<int> indexOf(const std::string& id) const;
};

bool isSynsetId(const std::string& text); ///< 'n' and eight digits
/// synset_words.txt in `folder` or one of the two folders above it; empty where there is none.
Synsets findSynsets(const std::filesystem::path& folder);

struct ClassLabels {
    std::vector<int> labels; ///< one a line
    std::vector<std::string> classNames;
};

/// Turns label texts into class indices: whole numbers stay as they are, words that `named` has get their index there,
/// synset ids that in `synsets`, and any other words are numbered in alphabetical order. Class names are those of
/// `named` where it was given. Errors: InvalidInput, also as ClassNames::numbersOf() and checkClassNames().
Result<ClassLabels> classesOf(const std::vector<LabelLine>& lines, const Synsets& synsets,
    const std::filesystem::path& file, const ClassNames& named);

} // namespace quantoscope::dataset
