// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/dataset/class_names.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

#include "core/base/file.h"
#include "core/dataset/array_dataset.h"
#include "core/dataset/label_list.h"
#include "core/dataset/text.h"

namespace quantoscope::dataset {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t maximumBytes = 16 << 20;
constexpr std::size_t maximumNames = std::size_t { maximumLabel } + 1;
constexpr std::size_t longestName = 1000; // bytes
constexpr const char* form = "give a text file of one class name a line, in the order of the labels";

Result<std::vector<std::string>> readLines(const fs::path& file)
{
    const auto bytes = base::readFile(file, maximumBytes);
    if (!bytes && bytes.error().code == ErrorCode::OutOfMemory)
        return fail(ErrorCode::InvalidInput,
            "has more than " + grouped(maximumBytes) + " bytes, too many for a list of class names", file.string(),
            form);
    if (!bytes)
        return tl::unexpected(bytes.error());
    const std::string_view text(reinterpret_cast<const char*>(bytes->data()), bytes->size());
    if (text.find('\0') != std::string_view::npos)
        return fail(ErrorCode::InvalidInput, "is not a text file: it holds zero bytes", file.string(),
            "give a text file in UTF-8 of one class name a line");
    if (static_cast<std::size_t>(std::ranges::count(text, '\n')) > maximumNames)
        return fail(ErrorCode::InvalidInput,
            "has more than " + grouped(maximumNames) + " lines, too many for a list of class names", file.string(),
            form);
    return lines(text);
}

bool isControl(char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7F; }

Result<void> checkLine(const std::string& line, const std::string& where)
{
    if (line.empty())
        return fail(ErrorCode::InvalidInput, "is empty where a class name is expected", where,
            "write the class's name there, or take the line out");
    if (std::ranges::any_of(line, isControl))
        return fail(ErrorCode::InvalidInput, "is not text: it holds control characters", where, form);
    if (line.size() > longestName)
        return fail(ErrorCode::InvalidInput,
            "has " + grouped(line.size()) + " bytes, a class name has at most " + grouped(longestName), where, form);
    if (!isUtf8(line))
        return fail(ErrorCode::InvalidInput, "is not UTF-8", where, "save the file as UTF-8");
    return {};
}

void addIndex(ClassNames& classes, const std::string& word)
{
    const int index = static_cast<int>(classes.names.size());
    const auto [known, isNew] = classes.indices.emplace(word, index);
    if (!isNew && known->second != index)
        known->second = -1;
}

void addClass(ClassNames& classes, std::string line)
{
    if (const auto blank = line.find_first_of(" \t"); blank == 9 && isSynsetId(line.substr(0, blank))) {
        addIndex(classes, line.substr(0, blank));
        line = trimmed(std::string_view(line).substr(blank));
    }
    addIndex(classes, line);
    std::ranges::replace(line, '\t', ' '); // one line of a table
    classes.names.push_back(std::move(line));
}

/// The smallest label without a name; empty where all have one.
std::optional<int> firstUnnamed(std::size_t names, std::span<const int> labels)
{
    std::optional<int> first;
    for (const int label : labels)
        if (label >= static_cast<int>(names) && (!first || label < *first))
            first = label;
    return first;
}

} // namespace

Result<std::optional<std::vector<int>>> ClassNames::numbersOf(const std::vector<std::string>& words) const
{
    std::vector<int> numbers;
    const std::string* found = nullptr;
    const std::string* missing = nullptr;
    for (const auto& word : words) {
        const auto place = indices.find(word);
        (place == indices.end() ? missing : found) = &word;
        if (place == indices.end())
            continue;
        if (place->second < 0)
            return fail(ErrorCode::InvalidInput, "names class '" + word + "' on several lines", file.string(),
                "leave one of them, so that the class has one number");
        numbers.push_back(place->second);
    }
    if (found && missing)
        return fail(ErrorCode::InvalidInput, "has class '" + *found + "' of the images, and not '" + *missing + "'",
            file.string(), "give every class of the images a line");
    return found ? std::optional(std::move(numbers)) : std::nullopt;
}

Result<ClassNames> readClassNames(const fs::path& file)
{
    if (file.empty())
        return ClassNames {};
    QS_TRY(auto texts, readLines(file));
    while (!texts.empty() && texts.back().empty())
        texts.pop_back();
    ClassNames classes;
    classes.file = file;
    for (std::size_t i = 0; i < texts.size(); ++i) {
        if (texts[i].starts_with('#'))
            continue;
        QS_CHECK(checkLine(texts[i], file.string() + ", line " + std::to_string(i + 1)));
        addClass(classes, std::move(texts[i]));
    }
    if (classes.names.empty())
        return fail(ErrorCode::InvalidInput, "names no classes", file.string(), form);
    if (classes.names.size() > maximumNames)
        return fail(ErrorCode::InvalidInput,
            "names " + grouped(classes.names.size()) + " classes, there are at most " + grouped(maximumNames),
            file.string(), form);
    return classes;
}

Result<void> checkClassNames(const ClassNames& classes, std::span<const int> labels)
{
    if (const auto label = firstUnnamed(classes.names.size(), labels))
        return fail(ErrorCode::InvalidInput,
            "names " + grouped(classes.names.size()) + (classes.names.size() == 1 ? " class" : " classes")
                + " (the first is class 0), so label " + std::to_string(*label) + " of the images has no name",
            classes.file.string(), "give each class a line, in the order of the labels");
    return {};
}

Result<void> nameClasses(ArrayInfo& info, const ClassNames& given, const fs::path& folder)
{
    if (given.given()) {
        QS_CHECK(checkClassNames(given, info.labels));
        info.classNames = given.names;
        return {};
    }
    if (!info.classNames.empty())
        return {};
    for (const auto* name : { "classes.txt", "class_names.txt", "synset_words.txt" }) {
        std::error_code ec;
        if (!fs::is_regular_file(folder / name, ec))
            continue;
        auto found = readClassNames(folder / name);
        if (!found || firstUnnamed(found->names.size(), info.labels))
            continue;
        info.classNames = std::move(found->names);
        return {};
    }
    return {};
}

} // namespace quantoscope::dataset
