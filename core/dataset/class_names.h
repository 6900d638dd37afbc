// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/base/error.h"

namespace quantoscope::dataset {

struct ArrayInfo;

/// A list of class names, line = class index.
struct ClassNames {
    std::filesystem::path file; ///< empty: no list was named
    std::vector<std::string> names;
    /// Where names, and the synset ids before them, stand in the list; -1: on several lines.
    std::unordered_map<std::string, int> indices;

    bool given() const { return !file.empty(); }
    /// The index of each word, where the list is about them: empty where it has none of the words. InvalidInput for a
    /// word that it has not where it has others, or has twice.
    Result<std::optional<std::vector<int>>> numbersOf(const std::vector<std::string>& words) const;
};

/// Reads one name a line as UTF-8. Lines that begin with '#' and empty lines at the end are skipped, a synset id before
/// the name ("n01440764 tench, Tinca tinca") is not part of it. Without `file` no list is given. Errors: NotFound, Io,
/// InvalidInput for anything that is no such list: no names, more than 65,536 lines, an empty line between names, a
/// line of more than 1,000 bytes, control characters, another encoding.
Result<ClassNames> readClassNames(const std::filesystem::path& file);

/// InvalidInput, with the smallest label that has no name, where `labels` has one.
Result<void> checkClassNames(const ClassNames& classes, std::span<const int> labels);

/// Names the classes of `info`: as `given` says if a list was named (errors as checkClassNames()), else, where the data
/// themselves name none, as classes.txt, class_names.txt or synset_words.txt in `folder` does. The first of these that
/// readClassNames() takes and that has a name for every label counts; others are passed over, as they may be about
/// something else.
Result<void> nameClasses(ArrayInfo& info, const ClassNames& given, const std::filesystem::path& folder);

} // namespace quantoscope::dataset
