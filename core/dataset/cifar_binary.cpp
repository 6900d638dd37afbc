// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/dataset/cifar_binary.h"

#include <algorithm>
#include <span>
#include <utility>

#include "core/base/file.h"
#include "core/dataset/array_dataset.h"
#include "core/dataset/text.h"

namespace quantoscope::dataset {

namespace fs = std::filesystem;

namespace {

constexpr int side = 32;
constexpr std::size_t imageBytes = std::size_t { 3 } * side * side;

struct Format {
    std::string title;
    std::size_t labelBytes; ///< the last of them is the class
    int classes;

    std::size_t recordBytes() const { return labelBytes + imageBytes; }
};

const Format cifar10 { "CIFAR-10", 1, 10 };
const Format cifar100 { "CIFAR-100", 2, 100 };

bool labelsFit(std::span<const std::uint8_t> bytes, const Format& format)
{
    for (std::size_t at = format.labelBytes - 1; at < bytes.size(); at += format.recordBytes())
        if (bytes[at] >= format.classes)
            return false;
    return true;
}

std::string nearest(std::size_t bytes, const Format& format)
{
    const std::size_t count = std::max<std::size_t>(1, (bytes + format.recordBytes() / 2) / format.recordBytes());
    return counted(count, format.title + " image") + " would be " + grouped(count * format.recordBytes()) + " bytes";
}

Result<void> checkSize(std::size_t bytes, const Format& format, const fs::path& file)
{
    if (bytes > 0 && bytes % format.recordBytes() == 0)
        return {};
    return fail(ErrorCode::InvalidInput,
        "has " + grouped(bytes) + " bytes, not a multiple of " + format.title + "'s record of "
            + grouped(format.recordBytes()) + "; " + nearest(bytes, format),
        file.string(), "fetch the file again, or choose the kind of data that it is");
}

Result<const Format*> decideFormat(std::span<const std::uint8_t> bytes, Kind kind, const fs::path& file)
{
    if (kind != Kind::Auto)
        return kind == Kind::Cifar100 ? &cifar100 : &cifar10;
    const auto divides = [&](const Format& format) { return bytes.size() % format.recordBytes() == 0; };
    if (bytes.empty() || (!divides(cifar10) && !divides(cifar100)))
        return fail(ErrorCode::InvalidInput,
            "has " + grouped(bytes.size()) + " bytes, a multiple neither of CIFAR-10's record ("
                + grouped(cifar10.recordBytes()) + ") nor of CIFAR-100's (" + grouped(cifar100.recordBytes()) + "); "
                + nearest(bytes.size(), cifar10) + ", " + nearest(bytes.size(), cifar100),
            file.string(), "fetch the file again");
    if (!divides(cifar100))
        return &cifar10;
    return divides(cifar10) && labelsFit(bytes, cifar10) ? &cifar10 : &cifar100;
}

Result<void> appendLabels(
    std::vector<int>& labels, std::span<const std::uint8_t> bytes, const Format& format, const fs::path& file)
{
    for (std::size_t at = format.labelBytes - 1; at < bytes.size(); at += format.recordBytes()) {
        if (bytes[at] >= format.classes)
            return fail(ErrorCode::InvalidInput,
                "record " + std::to_string(at / format.recordBytes()) + " has label " + std::to_string(bytes[at])
                    + ", expected 0 to " + std::to_string(format.classes - 1),
                file.string(), "this is not " + format.title + " binary data, or it is damaged");
        labels.push_back(bytes[at]);
    }
    return {};
}

/// The names that come with the data; CIFAR-10's are part of its definition.
std::vector<std::string> classNamesOf(const Format& format, const fs::path& folder)
{
    if (&format == &cifar10)
        return { "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck" };
    const auto text = base::readFile(folder / "fine_label_names.txt", 1 << 16);
    if (!text)
        return {};
    auto names = lines({ reinterpret_cast<const char*>(text->data()), text->size() });
    std::erase(names, std::string());
    if (static_cast<int>(names.size()) != format.classes)
        names.clear();
    return names;
}

Result<DatasetPtr> openFiles(
    const std::vector<fs::path>& files, const fs::path& path, Kind kind, const ClassNames& classes)
{
    ArrayInfo info;
    info.path = path;
    const Format* format = nullptr;
    std::vector<std::uint8_t> all;
    for (const auto& file : files) {
        QS_TRY(auto bytes, base::readFile(file, maximumFileBytes));
        if (!format) {
            QS_TRY(format, decideFormat(bytes, kind, file));
        }
        QS_CHECK(checkSize(bytes.size(), *format, file));
        QS_CHECK(appendLabels(info.labels, bytes, *format, file));
        if (all.empty())
            all = std::move(bytes);
        else
            all.insert(all.end(), bytes.begin(), bytes.end());
    }
    info.classNames = classNamesOf(*format, files.front().parent_path());
    QS_CHECK(nameClasses(info, classes, files.front().parent_path()));
    info.description = format->title + " binary, " + counted(info.labels.size(), "image") + ", "
        + (files.size() == 1 ? files.front().filename().string()
                             : counted(files.size(), "file") + " of " + path.filename().string());
    return makeArrayDataset(
        std::move(info), { side, side, 3, true, format->labelBytes, format->recordBytes() }, std::move(all));
}

} // namespace

std::optional<CifarFolder> findCifarFolder(const fs::path& folder)
{
    std::error_code ec;
    const auto isFile = [&](const fs::path& file) { return fs::is_regular_file(file, ec); };
    if (isFile(folder / "test_batch.bin"))
        return CifarFolder { Kind::Cifar10, { folder / "test_batch.bin" } };
    CifarFolder found;
    for (const auto& entry : fs::directory_iterator(folder, ec))
        if (entry.path().filename().string().starts_with("data_batch") && entry.path().extension() == ".bin")
            found.files.push_back(entry.path());
    std::ranges::sort(found.files);
    if (!found.files.empty())
        return found;
    for (const auto* name : { "test.bin", "train.bin" })
        if (isFile(folder / name))
            return CifarFolder { Kind::Cifar100, { folder / name } };
    return std::nullopt;
}

Result<DatasetPtr> openCifar(const fs::path& path, Kind kind, const ClassNames& classes)
{
    std::error_code ec;
    if (!fs::is_directory(path, ec))
        return openFiles({ path }, path, kind, classes);
    const auto found = findCifarFolder(path);
    if (!found)
        return fail(ErrorCode::InvalidInput,
            "has no CIFAR batches (data_batch_*.bin, test_batch.bin, or train.bin and test.bin)", path.string(),
            "choose the folder that the CIFAR archive unpacks to, or one of its .bin files");
    return openFiles(found->files, path, kind == Kind::Auto ? found->kind : kind, classes);
}

} // namespace quantoscope::dataset
