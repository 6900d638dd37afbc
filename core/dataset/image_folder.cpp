// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/dataset/image_folder.h"

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <initializer_list>
#include <map>
#include <set>
#include <utility>

#include "core/dataset/array_dataset.h"
#include "core/dataset/label_list.h"
#include "core/dataset/preprocessing.h"
#include "core/dataset/text.h"

namespace quantoscope::dataset {

namespace fs = std::filesystem;

namespace {

class ImageFolder final : public Dataset {
public:
    ImageFolder(ArrayInfo info, std::vector<std::string> names)
        : m_info(std::move(info))
        , m_names(std::move(names))
    {
        assert(m_info.labels.size() == m_names.size());
    }

    std::int64_t size() const override { return static_cast<std::int64_t>(m_names.size()); }
    Result<Image> image(std::int64_t index) const override { return readImage(m_info.path / name(index)); }
    int label(std::int64_t index) const override { return m_info.labels[static_cast<std::size_t>(index)]; }
    std::string name(std::int64_t index) const override { return m_names[static_cast<std::size_t>(index)]; }
    const std::vector<std::string>& classNames() const override { return m_info.classNames; }
    std::string description() const override { return m_info.description; }
    fs::path path() const override { return m_info.path; }

private:
    ArrayInfo m_info;
    std::vector<std::string> m_names; ///< relative to the folder
};

/// What lies in a folder, in name order; hidden files are not looked at.
struct Listing {
    std::vector<std::string> images;
    std::vector<std::string> folders;
    std::size_t others = 0; ///< files that are not images
};

bool isImageName(const fs::path& file)
{
    const std::string extension = lowered(file.extension().string());
    return extension == ".jpg" || extension == ".jpeg" || extension == ".png";
}

bool isHidden(const fs::path& file) { return file.filename().string().starts_with('.'); }

Result<Listing> list(const fs::path& folder)
{
    std::error_code ec;
    Listing listing;
    for (fs::directory_iterator at(folder, ec), end; !ec && at != end; at.increment(ec)) {
        std::error_code ignored;
        if (isHidden(at->path()))
            continue;
        if (at->is_directory(ignored))
            listing.folders.push_back(at->path().filename().string());
        else if (isImageName(at->path()) && at->is_regular_file(ignored))
            listing.images.push_back(at->path().filename().string());
        else
            ++listing.others;
    }
    if (ec)
        return fail(ErrorCode::Io, "the folder cannot be listed: " + ec.message(), folder.string());
    std::ranges::sort(listing.images);
    std::ranges::sort(listing.folders);
    return listing;
}

/// Images anywhere under a class folder, relative to `root`, in name order.
Result<Listing> listDeep(const fs::path& root, const std::string& relative)
{
    QS_TRY(Listing listing, list(root / relative));
    for (auto& image : listing.images)
        image.insert(0, relative + '/');
    for (const auto& folder : std::exchange(listing.folders, {})) {
        std::error_code ec;
        if (fs::is_symlink(root / relative / folder, ec)) // could lead round in a circle
            continue;
        QS_TRY(const Listing inner, listDeep(root, relative + '/' + folder));
        listing.images.insert(listing.images.end(), inner.images.begin(), inner.images.end());
        listing.others += inner.others;
    }
    return listing;
}

std::string ignoredText(std::size_t count, std::string_view noun)
{
    return count == 0 ? std::string() : ", " + counted(count, noun) + " ignored";
}

/// How many of the `others` were read: lists of labels or class names that lie in `folder`.
std::size_t readOthers(const fs::path& folder, std::size_t others, std::initializer_list<fs::path> lists)
{
    const auto inside = std::ranges::count_if(lists, [&](const fs::path& file) {
        std::error_code ec;
        return !file.empty() && fs::equivalent(fs::absolute(file, ec).parent_path(), folder, ec);
    });
    return std::min(others, static_cast<std::size_t>(inside));
}

/// Finds the images that a labels file names: as written, or without their extension as Kaggle's list does.
class ImageFinder {
public:
    ImageFinder(const fs::path& folder, const std::vector<std::string>& images)
        : m_folder(folder)
    {
        for (const auto& image : images) {
            m_byName.emplace(image, image);
            m_byName.emplace(fs::path(image).stem().string(), image);
        }
    }

    std::optional<std::string> find(const std::string& name) const
    {
        if (const auto found = m_byName.find(name); found != m_byName.end())
            return found->second;
        std::error_code ec;
        if (isImageName(name) && fs::is_regular_file(m_folder / name, ec))
            return name;
        return std::nullopt;
    }

private:
    const fs::path& m_folder;
    std::map<std::string, std::string> m_byName;
};

Result<std::vector<std::string>> namedImages(
    const fs::path& folder, const Listing& listing, const std::vector<LabelLine>& lines, const fs::path& file)
{
    const ImageFinder finder(folder, listing.images);
    std::vector<std::string> names;
    names.reserve(lines.size());
    for (const auto& line : lines) {
        auto name = finder.find(line.name);
        if (!name)
            return fail(ErrorCode::NotFound,
                "names '" + line.name + "', which is no JPEG or PNG file in " + folder.string(),
                file.string() + ", line " + std::to_string(line.line), "add the image or take the line out");
        names.push_back(*std::move(name));
    }
    return names;
}

/// The number in ILSVRC2012_val_00000347.JPEG, from 1.
std::optional<std::size_t> ilsvrcNumber(const std::string& name)
{
    const std::string stem = fs::path(name).stem().string();
    const auto underscore = stem.rfind('_');
    if (!stem.starts_with("ILSVRC") || underscore == std::string::npos)
        return std::nullopt;
    std::string_view digits = std::string_view(stem).substr(underscore + 1);
    digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size()));
    const auto number = parseInteger(digits);
    if (!number || *number < 1)
        return std::nullopt;
    return static_cast<std::size_t>(*number);
}

/// Which line of a list of bare labels belongs to each image.
Result<std::vector<std::size_t>> linesInNameOrder(
    const std::vector<std::string>& images, std::size_t lines, const fs::path& file)
{
    std::vector<std::size_t> chosen;
    for (std::size_t i = 0; i < images.size(); ++i) {
        const auto number = lines == images.size() ? std::optional(i + 1) : ilsvrcNumber(images[i]);
        if (!number || *number > lines)
            return fail(ErrorCode::InvalidInput,
                "has " + counted(lines, "label") + " for " + counted(images.size(), "image") + " of the folder",
                file.string(), "give each image a line, or write `name label`");
        chosen.push_back(*number - 1);
    }
    return chosen;
}

Result<DatasetPtr> openListed(
    const fs::path& folder, const Listing& listing, const fs::path& file, const ClassNames& named)
{
    QS_TRY(auto lines, readLabelList(file));
    std::vector<std::string> names;
    if (lines.front().name.empty()) {
        if (listing.images.empty())
            return fail(ErrorCode::InvalidInput, "has no JPEG or PNG images", folder.string());
        QS_TRY(const auto chosen, linesInNameOrder(listing.images, lines.size(), file));
        names = listing.images;
        std::vector<LabelLine> ordered;
        for (const auto line : chosen)
            ordered.push_back(lines[line]);
        lines = std::move(ordered);
    } else {
        QS_TRY(names, namedImages(folder, listing, lines, file));
    }
    QS_TRY(auto classes, classesOf(lines, findSynsets(folder), file, named));
    std::vector<std::string> used = names;
    std::ranges::sort(used);
    const auto unused = std::ranges::count_if(
        listing.images, [&](const auto& image) { return !std::ranges::binary_search(used, image); });
    ArrayInfo info { folder, {}, std::move(classes.classNames), std::move(classes.labels) };
    info.description = "image folder, " + counted(names.size(), "image") + " labelled by " + file.filename().string()
        + ", " + folder.filename().string() + ignoredText(static_cast<std::size_t>(unused), "unlabelled image")
        + ignoredText(listing.others - readOthers(folder, listing.others, { file, named.file }), "other file");
    return std::make_shared<ImageFolder>(std::move(info), std::move(names));
}

/// Numbers the images of each class folder (`labels`: its place in `folders`) as the list that was named does, if it
/// has these folders, or else by `numbers`.
Result<void> numberFolders(std::vector<int>& labels, const std::vector<std::string>& folders, std::vector<int> numbers,
    const ClassNames& named)
{
    const std::set<int> used(labels.begin(), labels.end()); // others may be about something else
    std::vector<std::string> words;
    for (const int c : used)
        words.push_back(folders[static_cast<std::size_t>(c)]);
    QS_TRY(const auto own, named.numbersOf(words));
    if (own)
        for (std::size_t next = 0; const int c : used)
            numbers[static_cast<std::size_t>(c)] = (*own)[next++];
    for (int& label : labels)
        label = numbers[static_cast<std::size_t>(label)];
    return {};
}

/// Null where no sub-folder holds an image.
Result<DatasetPtr> openClassFolders(const fs::path& folder, const Listing& top, const ClassNames& named)
{
    const Synsets synsets = findSynsets(folder);
    const bool bySynset
        = std::ranges::all_of(top.folders, [&](const auto& name) { return synsets.indexOf(name).has_value(); });
    ArrayInfo info;
    info.path = folder;
    info.classNames = bySynset ? synsets.names : top.folders;
    if (info.classNames.size() > maximumLabel)
        return fail(ErrorCode::InvalidInput, "has " + counted(top.folders.size(), "sub-folder"), folder.string());
    std::vector<std::string> names;
    std::vector<int> numbers;
    std::size_t others = top.others + top.images.size();
    for (std::size_t c = 0; c < top.folders.size(); ++c) {
        QS_TRY(const Listing inner, listDeep(folder, top.folders[c]));
        names.insert(names.end(), inner.images.begin(), inner.images.end());
        info.labels.resize(names.size(), static_cast<int>(c));
        numbers.push_back(bySynset ? *synsets.indexOf(top.folders[c]) : static_cast<int>(c));
        others += inner.others;
    }
    if (names.empty())
        return nullptr;
    QS_CHECK(numberFolders(info.labels, top.folders, std::move(numbers), named));
    if (named.given()) {
        QS_CHECK(checkClassNames(named, info.labels));
        info.classNames = named.names;
    }
    info.description = "image folder, " + counted(names.size(), "image") + " in "
        + counted(top.folders.size(), "class folder") + ", " + folder.filename().string()
        + ignoredText(others - readOthers(folder, others, { named.file }), "other file");
    return std::make_shared<ImageFolder>(std::move(info), std::move(names));
}

Result<DatasetPtr> openUnlabelled(const fs::path& folder, const Listing& listing, const ClassNames& named)
{
    if (listing.images.empty())
        return fail(ErrorCode::InvalidInput, "has no JPEG or PNG images, and none in its sub-folders", folder.string(),
            "choose a folder of images, or of one sub-folder a class");
    ArrayInfo info { folder, {}, named.names, std::vector<int>(listing.images.size(), -1) };
    info.description = "image folder, " + counted(listing.images.size(), "image") + " without labels, "
        + folder.filename().string()
        + ignoredText(listing.others - readOthers(folder, listing.others, { named.file }), "other file");
    return std::make_shared<ImageFolder>(std::move(info), listing.images);
}

std::optional<fs::path> findLabelList(const fs::path& folder)
{
    std::error_code ec;
    const std::string name = folder.filename().string();
    for (const auto& candidate : { folder / "labels.txt", folder / "labels.csv", folder / "val.txt",
             folder.parent_path() / (name + ".txt"), folder.parent_path() / (name + "_labels.txt") })
        if (fs::is_regular_file(candidate, ec))
            return candidate;
    return std::nullopt;
}

/// Whether the list is about images. One beside class folders may hold their names instead.
bool listsImages(const fs::path& folder, const Listing& listing, const fs::path& file)
{
    if (!listing.images.empty() || listing.folders.empty())
        return true;
    const auto lines = readLabelList(file);
    return lines && !lines->front().name.empty() && ImageFinder(folder, {}).find(lines->front().name);
}

} // namespace

Result<DatasetPtr> openImageFolder(const fs::path& given, const fs::path& labels, const ClassNames& named)
{
    fs::path folder = given.lexically_normal();
    if (!folder.has_filename()) // "images/" is "images"
        folder = folder.parent_path();
    QS_TRY(const Listing listing, list(folder));
    if (!labels.empty())
        return openListed(folder, listing, labels, named);
    if (const auto file = findLabelList(folder); file && listsImages(folder, listing, *file))
        return openListed(folder, listing, *file, named);
    if (!listing.folders.empty()) {
        QS_TRY(auto classes, openClassFolders(folder, listing, named));
        if (classes)
            return classes;
    }
    return openUnlabelled(folder, listing, named);
}

} // namespace quantoscope::dataset
