// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/dataset/idx.h"

#include <algorithm>
#include <array>
#include <functional>
#include <limits>
#include <span>
#include <utility>

#include "core/base/file.h"
#include "core/dataset/array_dataset.h"
#include "core/dataset/inflater.h"
#include "core/dataset/text.h"

namespace quantoscope::dataset {

namespace fs = std::filesystem;

namespace {

struct IdxArray {
    std::vector<std::uint32_t> extents;
    std::vector<std::uint8_t> bytes;
};

using Source = std::function<Result<std::size_t>(std::span<std::uint8_t>)>;

tl::unexpected<Error> endsEarly(const fs::path& file, std::size_t got, std::uint64_t expected)
{
    return fail(ErrorCode::InvalidInput,
        "ends after " + grouped(got) + " of the " + grouped(expected) + " bytes that its header promises",
        file.string(), "fetch the file again");
}

Result<std::vector<std::uint32_t>> readHeader(const Source& source, const fs::path& file)
{
    std::array<std::uint8_t, 4> magic {};
    QS_TRY(const std::size_t got, source(magic));
    constexpr int unsignedByte = 0x08;
    if (got < magic.size() || magic[0] != 0 || magic[1] != 0 || magic[2] < 0x08 || magic[2] > 0x0E || magic[3] == 0)
        return fail(ErrorCode::InvalidInput, "is not an IDX file: it does not begin with the magic number 0 0 8 N",
            file.string(), "choose the kind of data that it is");
    if (magic[2] != unsignedByte)
        return fail(ErrorCode::Unsupported,
            "holds elements of IDX type " + std::to_string(magic[2]) + ", only unsigned bytes (8) are read",
            file.string(), "save the data as .npz");
    std::vector<std::uint32_t> extents(magic[3]);
    for (auto& extent : extents) {
        std::array<std::uint8_t, 4> big {};
        QS_TRY(const std::size_t count, source(big));
        if (count < big.size())
            return endsEarly(file, count, big.size());
        extent
            = std::uint32_t { big[0] } << 24 | std::uint32_t { big[1] } << 16 | std::uint32_t { big[2] } << 8 | big[3];
    }
    return extents;
}

/// What the header claims, refused where no file of `packed` bytes could hold it, before any memory is taken.
Result<std::uint64_t> claimedBytes(
    const std::vector<std::uint32_t>& extents, std::uint64_t possible, const fs::path& file)
{
    const std::uint64_t most = std::min(possible, maximumFileBytes);
    std::uint64_t claimed = 1;
    for (const auto extent : extents) {
        if (extent == 0)
            return fail(ErrorCode::InvalidInput, "its header names an extent of 0", file.string());
        if (claimed > most / extent)
            return fail(ErrorCode::InvalidInput,
                "its header promises more data than the file can hold (at most " + grouped(most) + " bytes)",
                file.string(), "fetch the file again");
        claimed *= extent;
    }
    return claimed;
}

Result<IdxArray> readArray(const Source& source, std::uint64_t possible, const fs::path& file)
{
    IdxArray array;
    QS_TRY(array.extents, readHeader(source, file));
    QS_TRY(const std::uint64_t claimed, claimedBytes(array.extents, possible, file));
    array.bytes.resize(static_cast<std::size_t>(claimed));
    QS_TRY(const std::size_t got, source(array.bytes));
    if (got < claimed)
        return endsEarly(file, got, claimed);
    std::array<std::uint8_t, 1> excess {};
    QS_TRY(const std::size_t more, source(excess));
    if (more > 0)
        return fail(ErrorCode::InvalidInput,
            "goes on after the " + grouped(claimed) + " bytes that its header promises", file.string(),
            "fetch the file again");
    return array;
}

Result<IdxArray> readIdx(const fs::path& file)
{
    QS_TRY(const auto bytes, base::readFile(file, maximumFileBytes));
    if (bytes.size() >= 2 && bytes[0] == 0x1F && bytes[1] == 0x8B) {
        Inflater inflater(bytes, Inflater::Format::Gzip, file.string());
        return readArray([&](std::span<std::uint8_t> out) { return inflater.read(out); },
            Inflater::largestOutput(bytes.size()), file);
    }
    std::span<const std::uint8_t> rest = bytes;
    const Source copy = [&](std::span<std::uint8_t> out) -> Result<std::size_t> {
        const auto count = std::min(out.size(), rest.size());
        std::copy_n(rest.begin(), count, out.begin());
        rest = rest.subspan(count);
        return count;
    };
    return readArray(copy, bytes.size(), file);
}

std::string replaced(std::string text, std::string_view from, std::string_view to)
{
    if (const auto at = text.rfind(from); at != std::string::npos)
        text.replace(at, from.size(), to);
    return text;
}

std::optional<fs::path> labelsBeside(const fs::path& images)
{
    const std::string name = images.filename().string();
    std::string other = replaced(replaced(name, "images", "labels"), "idx3", "idx1");
    if (other == name)
        return std::nullopt;
    const std::string plain = other.ends_with(".gz") ? other.substr(0, other.size() - 3) : other;
    std::error_code ec;
    for (const auto& candidate : { other, plain, plain + ".gz" })
        if (fs::is_regular_file(images.parent_path() / candidate, ec))
            return images.parent_path() / candidate;
    return std::nullopt;
}

Result<std::vector<int>> readLabels(const fs::path& file, std::size_t images, const fs::path& imageFile)
{
    QS_TRY(const auto array, readIdx(file));
    if (array.extents.size() != 1)
        return fail(ErrorCode::InvalidInput,
            "has " + std::to_string(array.extents.size()) + " dimensions, labels have 1", file.string(),
            "name the IDX file of the labels");
    if (array.bytes.size() != images)
        return fail(ErrorCode::InvalidInput,
            "has " + grouped(array.bytes.size()) + " labels for the " + grouped(images) + " images of "
                + imageFile.filename().string(),
            file.string(), "take images and labels of the same set");
    return std::vector<int>(array.bytes.begin(), array.bytes.end());
}

} // namespace

std::optional<fs::path> findIdxFolder(const fs::path& folder)
{
    std::error_code ec;
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(folder, ec)) {
        const std::string name = entry.path().filename().string();
        if (!name.starts_with('.') && name.find("images") != std::string::npos
            && name.find("ubyte") != std::string::npos)
            found.push_back(entry.path());
    }
    std::ranges::sort(found);
    const auto test = std::ranges::find_if(found, [](const fs::path& file) {
        const std::string name = file.filename().string();
        return name.starts_with("t10k") || name.find("test") != std::string::npos;
    });
    if (test != found.end())
        return *test;
    return found.empty() ? std::nullopt : std::optional(found.front());
}

Result<DatasetPtr> openIdx(const fs::path& path, const fs::path& labels, const ClassNames& classes)
{
    std::error_code ec;
    if (fs::is_directory(path, ec)) {
        const auto file = findIdxFolder(path);
        if (!file)
            return fail(ErrorCode::InvalidInput, "has no *-images-idx3-ubyte file, packed or not", path.string());
        return openIdx(*file, labels, classes);
    }
    QS_TRY(auto array, readIdx(path));
    const auto& extents = array.extents;
    if (extents.size() == 1)
        return fail(ErrorCode::InvalidInput, "holds labels, not images", path.string(),
            "name the images file; the labels beside it are found");
    const bool coloured = extents.size() == 4 && (extents[3] == 1 || extents[3] == 3);
    constexpr std::uint32_t largestSide = 1 << 16;
    if ((extents.size() != 3 && !coloured) || extents[1] > largestSide || extents[2] > largestSide)
        return fail(ErrorCode::Unsupported,
            "has " + std::to_string(extents.size())
                + " dimensions or odd extents, images have [N, H, W] or [N, H, W, 1 or 3]",
            path.string());
    const ImageLayout shape { static_cast<int>(extents[1]), static_cast<int>(extents[2]),
        coloured ? static_cast<int>(extents[3]) : 1 };
    ImageLayout layout = shape;
    layout.stride = shape.imageBytes();

    ArrayInfo info;
    info.path = path;
    const auto labelFile = labels.empty() ? labelsBeside(path) : std::optional(labels);
    if (labelFile) {
        QS_TRY(info.labels, readLabels(*labelFile, extents[0], path));
    } else {
        info.labels.assign(extents[0], -1);
    }
    QS_CHECK(nameClasses(info, classes, path.parent_path()));
    info.description = "IDX, " + counted(extents[0], "image") + (labelFile ? "" : " without labels") + ", "
        + path.filename().string();
    return makeArrayDataset(std::move(info), layout, std::move(array.bytes));
}

} // namespace quantoscope::dataset
