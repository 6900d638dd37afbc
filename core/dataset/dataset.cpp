// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/dataset/dataset.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <new>
#include <numeric>
#include <string_view>
#include <utility>

#include "core/base/random.h"
#include "core/dataset/array_dataset.h"
#include "core/dataset/cifar_binary.h"
#include "core/dataset/class_names.h"
#include "core/dataset/idx.h"
#include "core/dataset/image_folder.h"
#include "core/dataset/numpy_dataset.h"
#include "core/dataset/text.h"

namespace quantoscope::dataset {

namespace fs = std::filesystem;

namespace {

constexpr std::array kinds {
    std::pair<std::string_view, Kind> { "auto", Kind::Auto },
    std::pair<std::string_view, Kind> { "cifar10", Kind::Cifar10 },
    std::pair<std::string_view, Kind> { "cifar100", Kind::Cifar100 },
    std::pair<std::string_view, Kind> { "idx", Kind::Idx },
    std::pair<std::string_view, Kind> { "folder", Kind::Folder },
    std::pair<std::string_view, Kind> { "npz", Kind::Npz },
};

constexpr const char* readableKinds
    = "CIFAR binary (.bin), IDX (-ubyte, .gz or not), NumPy (.npz, .npy) and folders of images can be read";

/// CIFAR's records hold their labels, so a file of others cannot be meant.
Result<DatasetPtr> openCifarAlone(const fs::path& path, const OpenOptions& options, const ClassNames& classes)
{
    if (!options.labels.empty())
        return fail(ErrorCode::InvalidInput,
            "is CIFAR data, whose records hold their labels; another labels file was given", path.string(),
            "leave the labels file out");
    return openCifar(path, options.kind, classes);
}

Result<DatasetPtr> openKnownFolder(const fs::path& path, const OpenOptions& options, const ClassNames& classes)
{
    if (findCifarFolder(path))
        return openCifarAlone(path, options, classes);
    if (findIdxFolder(path))
        return openIdx(path, options.labels, classes);
    return openImageFolder(path, options.labels, classes);
}

/// By magic number; only CIFAR has none, and is known by its name or by the size of its records.
Result<DatasetPtr> openKnownFile(const fs::path& path, const OpenOptions& options, const ClassNames& classes)
{
    std::array<char, 4> head {};
    std::ifstream in(path, std::ios::binary);
    if (!in)
        return fail(ErrorCode::Io, "cannot be opened", path.string(), "check that you may read it");
    in.read(head.data(), head.size());
    const std::string_view magic(head.data(), static_cast<std::size_t>(in.gcount()));
    std::error_code ec;
    const auto bytes = fs::file_size(path, ec);
    using namespace std::string_view_literals;
    if (lowered(path.extension().string()) == ".bin")
        return openCifarAlone(path, options, classes);
    if (magic == "PK\x03\x04"sv || magic == "\x93NUM"sv)
        return openNumpy(path, options.labels, classes);
    if (magic.starts_with("\x1F\x8B"sv)
        || (magic.starts_with("\0\0"sv) && magic.size() == 4 && magic[2] >= 8 && magic[2] <= 14))
        return openIdx(path, options.labels, classes);
    if (magic.starts_with("\xFF\xD8"sv) || magic == "\x89PNG"sv)
        return fail(ErrorCode::InvalidInput, "is a single image", path.string(), "choose the folder that it is in");
    constexpr std::uint64_t cifarRecord = 3073;
    if (!ec && bytes > 0 && (bytes % cifarRecord == 0 || bytes % (cifarRecord + 1) == 0))
        return openCifarAlone(path, options, classes);
    if (lowered(path.extension().string()).starts_with(".np"))
        return openNumpy(path, options.labels, classes);
    return fail(ErrorCode::InvalidInput, bytes == 0 ? "is empty" : "is no kind of data that is known", path.string(),
        readableKinds);
}

Result<DatasetPtr> open(const fs::path& path, const OpenOptions& options)
{
    std::error_code ec;
    if (!fs::exists(path, ec))
        return fail(ErrorCode::NotFound, "no such file or folder", path.string(), "check the path");
    if (!options.labels.empty() && !fs::exists(options.labels, ec))
        return fail(ErrorCode::NotFound, "no such labels file", options.labels.string(), "check the path");
    if (!options.classNames.empty() && !fs::exists(options.classNames, ec))
        return fail(ErrorCode::NotFound, "no such file of class names", options.classNames.string(), "check the path");
    QS_TRY(const auto classes, readClassNames(options.classNames));
    const bool isFolder = fs::is_directory(path, ec);
    switch (options.kind) {
    case Kind::Cifar10:
    case Kind::Cifar100:
        return openCifarAlone(path, options, classes);
    case Kind::Idx:
        return openIdx(path, options.labels, classes);
    case Kind::Folder:
        if (!isFolder)
            return fail(ErrorCode::InvalidInput, "is a file, expected a folder of images", path.string());
        return openImageFolder(path, options.labels, classes);
    case Kind::Npz:
        return openNumpy(path, options.labels, classes);
    case Kind::Auto:
        break;
    }
    return isFolder ? openKnownFolder(path, options, classes) : openKnownFile(path, options, classes);
}

} // namespace

Result<DatasetPtr> openDataset(const fs::path& path, const OpenOptions& options)
{
    try {
        return open(path, options);
    } catch (const std::bad_alloc&) {
        return fail(ErrorCode::OutOfMemory, "does not fit into memory", path.string(), "use fewer images");
    }
}

Result<Kind> parseKind(const std::string& text)
{
    for (const auto& [name, kind] : kinds)
        if (name == text)
            return kind;
    return fail(ErrorCode::InvalidInput, "'" + text + "' is no kind of data", {},
        "choose one of auto, cifar10, cifar100, idx, folder, npz");
}

std::vector<std::int64_t> firstIndices(std::int64_t size, std::int64_t count)
{
    std::vector<std::int64_t> indices(static_cast<std::size_t>(count <= 0 ? size : std::min(size, count)));
    std::iota(indices.begin(), indices.end(), std::int64_t { 0 });
    return indices;
}

std::vector<std::int64_t> sampleIndices(std::int64_t size, std::int64_t count, std::uint64_t seed)
{
    if (count <= 0 || count >= size)
        return firstIndices(size, size);
    auto order = base::permutation(size, seed);
    order.resize(static_cast<std::size_t>(count));
    std::ranges::sort(order);
    return order;
}

} // namespace quantoscope::dataset
