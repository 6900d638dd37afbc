// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/calibration/histogram.h"

namespace quantoscope::calibration {

/// What one tensor did on consecutive images.
struct ImageBlock {
    static constexpr int bins = 256;

    float min = 0;
    float max = 0;
    Histogram histogram { bins };

    bool empty() const { return histogram.total() == 0; }
    void merge(float otherMin, float otherMax, const Histogram& other);
    friend bool operator==(const ImageBlock&, const ImageBlock&) = default;
};

/// Images in order, cut into few blocks that are seen apart, to tell how much a statistic changes from images to
/// images. Block i holds images [i s, (i+1) s) with s the smallest power of two for which all images fit into `most`
/// blocks, so memory does not depend on the number of images and merging is exact in any order.
class ImageBlocks {
public:
    static constexpr std::int64_t most = 32;
    static constexpr int mostExponent = 57; ///< 2^57 times 32 images

    std::int64_t imagesPerBlock() const { return std::int64_t { 1 } << m_exponent; }
    /// Blocks in the order of their images; one that saw no finite value is empty().
    const std::vector<ImageBlock>& blocks() const { return m_blocks; }
    /// Number of the first image that belongs to another block than `image` does, once `image` has been seen.
    std::int64_t endOfBlock(std::int64_t image) const;

    /// Adds what was seen of images of one block.
    void add(std::int64_t image, float min, float max, const Histogram& histogram);
    void merge(const ImageBlocks& other);
    static ImageBlocks fromBlocks(int exponent, std::vector<ImageBlock> blocks);
    int exponent() const { return m_exponent; } ///< imagesPerBlock() = 2^exponent
    std::size_t bytes() const;
    friend bool operator==(const ImageBlocks&, const ImageBlocks&) = default;

private:
    void cover(std::int64_t image);
    void coarsen(int exponent);

    int m_exponent = 0;
    std::vector<ImageBlock> m_blocks; ///< up to the last one that saw an image
};

} // namespace quantoscope::calibration
