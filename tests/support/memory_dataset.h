// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/base/random.h"
#include "core/dataset/dataset.h"
#include "core/dataset/preprocessing.h"

namespace quantoscope::test {

/// Images made in memory, for tests that need data of a certain shape.
class MemoryDataset : public dataset::Dataset {
public:
    MemoryDataset(std::vector<dataset::Image> images, std::vector<int> labels)
        : m_images(std::move(images))
        , m_labels(std::move(labels))
    {
    }

    std::int64_t size() const override { return static_cast<std::int64_t>(m_images.size()); }
    Result<dataset::Image> image(std::int64_t index) const override
    {
        return m_images[static_cast<std::size_t>(index)];
    }
    int label(std::int64_t index) const override { return m_labels[static_cast<std::size_t>(index)]; }
    std::string name(std::int64_t index) const override { return "#" + std::to_string(index); }
    const std::vector<std::string>& classNames() const override { return m_classNames; }
    std::string description() const override { return "images made in memory"; }
    std::filesystem::path path() const override { return "memory"; }

private:
    std::vector<dataset::Image> m_images;
    std::vector<int> m_labels;
    std::vector<std::string> m_classNames;
};

/// `count` images of uniformly random pixels with labels below `classes`; the same for the same seed.
inline dataset::DatasetPtr randomDataset(
    std::int64_t count, int height, int width, int channels, int classes, std::uint64_t seed = 1)
{
    base::Random random(seed);
    std::vector<dataset::Image> images;
    std::vector<int> labels;
    for (std::int64_t i = 0; i < count; ++i) {
        dataset::Image image { height, width, channels, {} };
        image.pixels.resize(static_cast<std::size_t>(height) * width * channels);
        for (auto& pixel : image.pixels)
            pixel = static_cast<std::uint8_t>(random.below(256));
        images.push_back(std::move(image));
        labels.push_back(static_cast<int>(random.below(static_cast<std::uint64_t>(classes))));
    }
    return std::make_shared<MemoryDataset>(std::move(images), std::move(labels));
}

} // namespace quantoscope::test
