// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/dataset/numpy_dataset.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <limits>
#include <string_view>
#include <utility>

#include "core/base/file.h"
#include "core/dataset/array_dataset.h"
#include "core/dataset/npy.h"
#include "core/dataset/text.h"
#include "core/dataset/zip_archive.h"

namespace quantoscope::dataset {

namespace fs = std::filesystem;

namespace {

/// Samples that are fed to the network as they are.
class NumpyFloatDataset final : public Dataset, public FloatDataset {
public:
    NumpyFloatDataset(ArrayInfo info, NpyArray array)
        : m_info(std::move(info))
        , m_array(std::move(array))
    {
    }

    std::int64_t size() const override { return static_cast<std::int64_t>(m_info.labels.size()); }
    int label(std::int64_t index) const override { return m_info.labels[static_cast<std::size_t>(index)]; }
    std::string name(std::int64_t index) const override { return "#" + std::to_string(index); }
    const std::vector<std::string>& classNames() const override { return m_info.classNames; }
    std::string description() const override { return m_info.description; }
    fs::path path() const override { return m_info.path; }

    Result<Image> image(std::int64_t) const override
    {
        return fail(ErrorCode::Unsupported, "holds " + m_array.describe() + ", not 8-bit images", m_info.path.string());
    }

    std::vector<std::int64_t> sampleShape() const override
    {
        return { m_array.shape.begin() + 1, m_array.shape.end() };
    }

    Result<void> sample(std::int64_t index, std::span<float> out) const override
    {
        assert(static_cast<std::int64_t>(out.size()) == m_array.size() / size());
        m_array.copyTo(index * static_cast<std::int64_t>(out.size()), out);
        const auto odd = std::ranges::find_if_not(out, [](float value) { return std::isfinite(value); });
        if (odd != out.end())
            return fail(ErrorCode::InvalidInput,
                "sample " + std::to_string(index) + " holds " + (std::isnan(*odd) ? "NaN" : "an infinite value"),
                m_info.path.string(), "clean the data");
        return {};
    }

private:
    ArrayInfo m_info;
    NpyArray m_array;
};

/// [N, H, W], [N, H, W, C] or [N, C, H, W] with 1 or 3 channels; the last extent is looked at first.
Result<ImageLayout> imageLayout(const NpyArray& array, const std::string& where)
{
    const auto& shape = array.shape;
    const auto isChannels = [](std::int64_t extent) { return extent == 1 || extent == 3; };
    ImageLayout layout;
    std::array<std::int64_t, 2> sides {};
    if (shape.size() == 3) {
        sides = { shape[1], shape[2] };
    } else if (shape.size() == 4 && isChannels(shape[3])) {
        sides = { shape[1], shape[2] };
        layout.channels = static_cast<int>(shape[3]);
    } else if (shape.size() == 4 && isChannels(shape[1])) {
        sides = { shape[2], shape[3] };
        layout.channels = static_cast<int>(shape[1]);
        layout.planar = true;
    } else {
        return fail(ErrorCode::Unsupported,
            "holds " + array.describe() + ", uint8 images have [N, H, W], [N, H, W, 1 or 3] or [N, 1 or 3, H, W]",
            where, "save other data as float32, which goes to the network as it is");
    }
    constexpr std::int64_t largestSide = 1 << 16;
    if (std::ranges::max(sides) > largestSide)
        return fail(
            ErrorCode::Unsupported, "holds " + array.describe() + ", images larger than 65,536 pixels a side", where);
    layout.height = static_cast<int>(sides[0]);
    layout.width = static_cast<int>(sides[1]);
    layout.first = array.first;
    layout.stride = layout.imageBytes();
    return layout;
}

Result<std::vector<int>> labelsFrom(const NpyArray& array, std::int64_t samples, const std::string& where)
{
    const bool column = array.shape.size() == 1 || (array.shape.size() == 2 && array.shape[1] == 1);
    if (!column)
        return fail(ErrorCode::InvalidInput, "labels are " + array.describe() + ", expected one number a sample: [N]",
            where, "turn one-hot rows into indices with y.argmax(1)");
    if (array.size() != samples)
        return fail(ErrorCode::InvalidInput,
            "has " + grouped(static_cast<std::uint64_t>(array.size())) + " labels for "
                + grouped(static_cast<std::uint64_t>(samples)) + " samples",
            where, "take images and labels of the same set");
    std::vector<int> labels(static_cast<std::size_t>(samples));
    for (std::int64_t i = 0; i < samples; ++i) {
        const double value = array.value(i);
        if (!(value >= 0 && value <= maximumLabel) || value != std::floor(value))
            return fail(ErrorCode::InvalidInput,
                "label " + std::to_string(i) + " is " + std::to_string(value) + ", expected a whole number from 0 to "
                    + grouped(maximumLabel),
                where);
        labels[static_cast<std::size_t>(i)] = static_cast<int>(value);
    }
    return labels;
}

Result<DatasetPtr> makeDataset(const fs::path& path, const char* format, NpyArray samples, const NpyArray* labels,
    const std::string& labelsWhere, const ClassNames& classes)
{
    if (samples.shape.size() < 2 || samples.size() == 0)
        return fail(
            ErrorCode::InvalidInput, "holds " + samples.describe() + ", expected samples: [N, ...]", path.string());
    ArrayInfo info;
    info.path = path;
    if (labels) {
        QS_TRY(info.labels, labelsFrom(*labels, samples.shape[0], labelsWhere));
    } else {
        info.labels.assign(static_cast<std::size_t>(samples.shape[0]), -1);
    }
    QS_CHECK(nameClasses(info, classes, path.parent_path()));
    const bool images = samples.type == NpyArray::Type::U8;
    info.description = std::string(format) + ", " + counted(info.labels.size(), images ? "image" : "float sample")
        + (labels ? "" : " without labels") + ", " + path.filename().string();
    if (!images)
        return std::make_shared<NumpyFloatDataset>(std::move(info), std::move(samples));
    QS_TRY(const auto layout, imageLayout(samples, path.string()));
    return makeArrayDataset(std::move(info), layout, std::move(samples.bytes));
}

Result<NpyArray> readNpy(const fs::path& file)
{
    QS_TRY(auto bytes, base::readFile(file, maximumFileBytes));
    return parseNpy(std::move(bytes), file.string());
}

Result<DatasetPtr> openNpy(const fs::path& path, const fs::path& labels, const ClassNames& classes)
{
    QS_TRY(auto samples, readNpy(path));
    if (labels.empty())
        return makeDataset(path, "NumPy array", std::move(samples), nullptr, {}, classes);
    QS_TRY(const auto values, readNpy(labels));
    return makeDataset(path, "NumPy array", std::move(samples), &values, labels.string(), classes);
}

fs::path labelsBeside(const fs::path& path)
{
    const std::string stem = path.stem().string();
    std::vector<std::string> candidates { stem + "_y", stem + "_labels" };
    for (const auto& [from, to] : { std::pair("images", "labels"), std::pair("x_", "y_"), std::pair("X_", "y_"),
             std::pair("_x", "_y"), std::pair("_X", "_y") })
        if (const auto at = stem.rfind(from); at != std::string::npos)
            candidates.push_back(std::string(stem).replace(at, std::string_view(from).size(), to));
    if (stem == "x" || stem == "X")
        candidates.emplace_back("y");
    candidates.emplace_back("labels");
    std::error_code ec;
    for (const auto& candidate : candidates) {
        const fs::path file = path.parent_path() / (candidate + ".npy");
        if (candidate != stem && fs::is_regular_file(file, ec))
            return file;
    }
    return {};
}

struct NamedEntries {
    const ZipArchive::Entry* samples = nullptr;
    const ZipArchive::Entry* labels = nullptr;
};

NamedEntries chooseEntries(const ZipArchive& archive)
{
    const auto find = [&](std::string_view name) -> const ZipArchive::Entry* {
        const auto& entries = archive.entries();
        const auto found = std::ranges::find(entries, std::string(name) + ".npy", &ZipArchive::Entry::name);
        return found == entries.end() ? nullptr : &*found;
    };
    for (const auto& [x, y] : { std::pair("x", "y"), std::pair("X", "y"), std::pair("images", "labels"),
             std::pair("x_test", "y_test"), std::pair("X_test", "y_test"), std::pair("test_images", "test_labels"),
             std::pair("data", "labels"), std::pair("data", "targets") })
        if (const auto* samples = find(x))
            return { samples, find(y) };
    NamedEntries chosen;
    if (!archive.entries().empty())
        chosen.samples = &archive.entries()[0];
    if (archive.entries().size() > 1)
        chosen.labels = &archive.entries()[1];
    return chosen;
}

Result<NpyArray> readEntry(const ZipArchive& archive, const ZipArchive::Entry& entry, const std::string& where)
{
    QS_TRY(auto bytes, archive.read(entry));
    return parseNpy(std::move(bytes), where);
}

Result<DatasetPtr> openNpz(const fs::path& path, const fs::path& labels, const ClassNames& classes)
{
    QS_TRY(const auto archive, ZipArchive::open(path));
    const auto [x, y] = chooseEntries(archive);
    if (!x)
        return fail(ErrorCode::InvalidInput, "is an empty .npz file", path.string(), "save arrays x and y in it");
    const auto whereOf = [&](const ZipArchive::Entry& entry) { return path.string() + ", array '" + entry.name + "'"; };
    QS_TRY(auto samples, readEntry(archive, *x, whereOf(*x)));
    if (!labels.empty()) {
        QS_TRY(const auto values, readNpy(labels));
        return makeDataset(path, "NumPy archive", std::move(samples), &values, labels.string(), classes);
    }
    if (!y)
        return makeDataset(path, "NumPy archive", std::move(samples), nullptr, {}, classes);
    QS_TRY(const auto values, readEntry(archive, *y, whereOf(*y)));
    return makeDataset(path, "NumPy archive", std::move(samples), &values, whereOf(*y), classes);
}

} // namespace

Result<DatasetPtr> openNumpy(const fs::path& path, const fs::path& labels, const ClassNames& classes)
{
    if (lowered(path.extension().string()) == ".npy")
        return openNpy(path, labels.empty() ? labelsBeside(path) : labels, classes);
    return openNpz(path, labels, classes);
}

} // namespace quantoscope::dataset
