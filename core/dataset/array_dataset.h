// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/dataset/dataset.h"

namespace quantoscope::dataset {

/// The largest file, or unpacked content of one, that is read into memory as a whole.
constexpr std::uint64_t maximumFileBytes = std::uint64_t { 4 } << 30;
/// Labels are class indices; a larger number is a mistake in the file, not a class.
constexpr int maximumLabel = 65535;

/// What every in-memory dataset knows about itself.
struct ArrayInfo {
    std::filesystem::path path;
    std::string description;
    std::vector<std::string> classNames;
    std::vector<int> labels; ///< one an image, -1: not labelled
};

/// Where 8-bit images of one size lie in a block of bytes.
struct ImageLayout {
    int height = 0;
    int width = 0;
    int channels = 1;
    bool planar = false; ///< channel planes one after the other, otherwise interleaved
    std::size_t first = 0; ///< offset of the first image
    std::size_t stride = 0; ///< from one image to the next

    std::size_t imageBytes() const { return static_cast<std::size_t>(height) * width * channels; }
};

/// Images of one size in memory: CIFAR, IDX and uint8 NumPy arrays. `bytes` must hold every image of `info.labels`.
DatasetPtr makeArrayDataset(ArrayInfo info, ImageLayout layout, std::vector<std::uint8_t> bytes);

} // namespace quantoscope::dataset
