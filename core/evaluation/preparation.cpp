// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/evaluation/preparation.h"

#include <algorithm>
#include <cmath>

namespace quantoscope::evaluation {

namespace {

constexpr std::int64_t lookedAt = 6; // images
constexpr int photoSide = 96; // from here on photos are resized with a margin before the crop
constexpr int usualResize = 256;
constexpr int usualCrop = 224;

dataset::Extent square(int side) { return { side, side }; }

} // namespace

bool ImagesSeen::oneSize() const
{
    return std::ranges::all_of(sides, [&](const auto& s) { return s == sides.front(); });
}

Result<ImagesSeen> lookAt(const dataset::Dataset& data)
{
    ImagesSeen seen;
    seen.name = data.path().filename().string();
    if (const auto* floats = dynamic_cast<const dataset::FloatDataset*>(&data)) {
        seen.array = floats->sampleShape();
        return seen;
    }
    for (const auto index : dataset::sampleIndices(data.size(), lookedAt, 0)) {
        QS_TRY(const auto image, data.image(index));
        if (seen.sides.empty())
            seen.channels = image.channels;
        seen.sides.push_back({ image.height, image.width });
    }
    return seen;
}

std::vector<std::int64_t> imageInput(const graph::Graph& graph)
{
    if (graph.inputs().empty())
        return {};
    const auto& dims = graph.value(graph.inputs().front()).type.dims;
    if (!dims || dims->size() != 4)
        return {};
    std::vector<std::int64_t> extents;
    for (std::size_t i = 1; i < dims->size(); ++i)
        extents.push_back((*dims)[i].known() ? (*dims)[i].value : -1);
    return extents;
}

void fitSize(dataset::Preprocessing& preparation, const ImagesSeen& images, const std::vector<std::int64_t>& input)
{
    preparation.resize = {};
    preparation.crop = {};
    const bool last = preparation.layout == dataset::MemoryLayout::Nhwc;
    const std::int64_t height = input.size() == 3 ? input[last ? 0 : 1] : -1;
    const std::int64_t width = input.size() == 3 ? input[last ? 1 : 2] : -1;
    const auto possible = [](std::int64_t side) { return side > 0 && side <= dataset::largestSide; };
    if (!possible(height) || !possible(width)) {
        if (!images.oneSize()) {
            preparation.resize = usualResize;
            preparation.crop = square(usualCrop);
        }
        return;
    }
    const dataset::Extent wanted { static_cast<int>(height), static_cast<int>(width) };
    if (std::ranges::all_of(images.sides, [&](const auto& sides) { return sides == wanted; }))
        return;
    if (height != width) {
        preparation.resize = wanted;
        return;
    }
    const bool photos = wanted.height >= photoSide && std::ranges::all_of(images.sides, [](const auto& sides) {
        return std::min(sides.height, sides.width) >= photoSide;
    });
    preparation.resize = photos ? static_cast<int>(std::lround(wanted.height * 8.0 / 7)) : wanted.height;
    preparation.crop = wanted;
}

bool isPadded(const ImagesSeen& images, const dataset::Resize& resize, const dataset::Extent& crop)
{
    return std::ranges::any_of(images.sides, [&](const dataset::Extent& sides) {
        const dataset::Extent resized = resize.of(sides);
        return crop.height > resized.height || crop.width > resized.width;
    });
}

} // namespace quantoscope::evaluation
