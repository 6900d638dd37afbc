// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/dataset/label_list.h"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>
#include <utility>

#include "core/base/file.h"
#include "core/dataset/array_dataset.h"
#include "core/dataset/text.h"

namespace quantoscope::dataset {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t maximumListBytes = 256 << 20;

Result<std::vector<std::string>> readLines(const fs::path& file)
{
    QS_TRY(const auto bytes, base::readFile(file, maximumListBytes));
    return lines({ reinterpret_cast<const char*>(bytes.data()), bytes.size() });
}

std::string unquoted(std::string_view text)
{
    text = trimmed(text);
    if (text.size() >= 2 && text.front() == '"' && text.back() == '"')
        text = text.substr(1, text.size() - 2);
    return std::string(text);
}

LabelLine splitComma(int number, const std::string& text)
{
    const auto comma = text.find(',');
    const auto next = text.find(',', comma + 1);
    LabelLine line { number, unquoted(text.substr(0, comma)), unquoted(text.substr(comma + 1, next - comma - 1)) };
    // Kaggle's ImageNet list puts boxes behind the class: "n03995372 85 1 499 272".
    if (const std::string word = line.label.substr(0, line.label.find(' ')); isSynsetId(word))
        line.label = word;
    return line;
}

LabelLine splitBlank(int number, const std::string& text)
{
    const auto blank = text.find_last_of(" \t");
    if (blank == std::string::npos)
        return { number, {}, text };
    return { number, std::string(trimmed(std::string_view(text).substr(0, blank))), text.substr(blank + 1) };
}

bool isHeader(const LabelLine& line)
{
    constexpr std::array<std::string_view, 9> words { "label", "labels", "class", "class_id", "classid", "class_index",
        "category", "target", "predictionstring" };
    return std::ranges::find(words, lowered(line.label)) != words.end();
}

std::string at(const fs::path& file, const LabelLine& line)
{
    return file.string() + ", line " + std::to_string(line.line);
}

Result<ClassLabels> numbered(const std::vector<LabelLine>& lines, const fs::path& file)
{
    ClassLabels result;
    for (const auto& line : lines) {
        const auto value = parseInteger(line.label);
        if (!value || *value < 0 || *value > maximumLabel)
            return fail(ErrorCode::InvalidInput,
                "label '" + line.label + "' is not a whole number from 0 to " + grouped(maximumLabel), at(file, line));
        result.labels.push_back(static_cast<int>(*value));
    }
    return result;
}

Result<ClassLabels> fromSynsets(const std::vector<LabelLine>& lines, const Synsets& synsets, const fs::path& file)
{
    ClassLabels result { {}, synsets.names };
    for (const auto& line : lines) {
        const auto index = synsets.indexOf(line.label);
        if (!index)
            return fail(
                ErrorCode::InvalidInput, "synset '" + line.label + "' is not in synset_words.txt", at(file, line));
        result.labels.push_back(*index);
    }
    return result;
}

Result<ClassLabels> fromWords(const std::vector<LabelLine>& lines, const fs::path& file)
{
    std::set<std::string> words;
    for (const auto& line : lines) {
        if (parseInteger(line.label))
            return fail(ErrorCode::InvalidInput,
                "label '" + line.label + "' is a number where the lines before have words", at(file, line),
                "use numbers or words throughout");
        words.insert(line.label);
    }
    if (words.size() > maximumLabel)
        return fail(ErrorCode::InvalidInput, "names " + grouped(words.size()) + " different classes", file.string());
    ClassLabels result { {}, { words.begin(), words.end() } };
    for (const auto& line : lines)
        result.labels.push_back(
            static_cast<int>(std::ranges::lower_bound(result.classNames, line.label) - result.classNames.begin()));
    return result;
}

Result<ClassLabels> numberedBy(
    const std::vector<LabelLine>& lines, const Synsets& synsets, const fs::path& file, const ClassNames& named)
{
    const std::string& first = lines.front().label;
    if (parseInteger(first)) {
        QS_TRY(auto result, numbered(lines, file));
        if (*std::ranges::max_element(result.labels) < static_cast<int>(synsets.names.size()))
            result.classNames = synsets.names;
        return result;
    }
    std::vector<std::string> words;
    for (const auto& line : lines)
        words.push_back(line.label);
    QS_TRY(auto numbers, named.numbersOf(words));
    if (numbers)
        return ClassLabels { *std::move(numbers), {} };
    if (isSynsetId(first) && !synsets.names.empty())
        return fromSynsets(lines, synsets, file);
    return fromWords(lines, file);
}

} // namespace

Result<std::vector<LabelLine>> readLabelList(const fs::path& file)
{
    QS_TRY(const auto texts, readLines(file));
    std::vector<LabelLine> result;
    std::optional<bool> commas;
    for (std::size_t i = 0; i < texts.size(); ++i) {
        if (texts[i].empty() || texts[i].starts_with('#'))
            continue;
        if (!commas)
            commas = texts[i].find(',') != std::string::npos;
        const int number = static_cast<int>(i) + 1;
        LabelLine line = *commas && texts[i].find(',') != std::string::npos ? splitComma(number, texts[i])
                                                                            : splitBlank(number, texts[i]);
        if (result.empty() && isHeader(line))
            continue;
        if (line.label.empty() || (!result.empty() && line.name.empty() != result.front().name.empty()))
            return fail(ErrorCode::InvalidInput,
                "'" + texts[i] + "' does not have the form of the lines before: "
                    + (result.empty() || !result.front().name.empty() ? "an image's name and its label" : "one label"),
                at(file, line));
        result.push_back(std::move(line));
    }
    if (result.empty())
        return fail(
            ErrorCode::InvalidInput, "names no labels", file.string(), "give one line an image: name and label");
    return result;
}

std::optional<int> Synsets::indexOf(const std::string& id) const
{
    const auto found = indices.find(id);
    return found == indices.end() ? std::nullopt : std::optional(found->second);
}

bool isSynsetId(const std::string& text)
{
    return text.size() == 9 && text[0] == 'n' && text.find_first_not_of("0123456789", 1) == std::string::npos;
}

Synsets findSynsets(const fs::path& folder)
{
    std::error_code ec;
    fs::path at = fs::absolute(folder, ec).lexically_normal();
    if (!at.has_filename())
        at = at.parent_path();
    for (int up = 0; up < 3; ++up, at = at.parent_path()) {
        const auto texts = readLines(at / "synset_words.txt");
        if (!texts)
            continue;
        Synsets synsets;
        for (const auto& text : *texts) {
            const auto blank = std::min(text.find_first_of(" \t"), text.size());
            if (text.empty())
                continue;
            synsets.indices.emplace(text.substr(0, blank), static_cast<int>(synsets.names.size()));
            synsets.names.emplace_back(trimmed(std::string_view(text).substr(blank)));
        }
        return synsets;
    }
    return {};
}

Result<ClassLabels> classesOf(
    const std::vector<LabelLine>& lines, const Synsets& synsets, const fs::path& file, const ClassNames& named)
{
    QS_TRY(auto result, numberedBy(lines, synsets, file, named));
    if (named.given()) {
        QS_CHECK(checkClassNames(named, result.labels));
        result.classNames = named.names;
    }
    return result;
}

} // namespace quantoscope::dataset
