// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/calibration/image_blocks.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace quantoscope::calibration {

void ImageBlock::merge(float otherMin, float otherMax, const Histogram& other)
{
    if (other.total() == 0)
        return;
    min = empty() ? otherMin : std::min(min, otherMin);
    max = empty() ? otherMax : std::max(max, otherMax);
    histogram.merge(other);
}

std::int64_t ImageBlocks::endOfBlock(std::int64_t image) const
{
    int exponent = m_exponent;
    while (image >> exponent >= most)
        ++exponent;
    return ((image >> exponent) + 1) << exponent;
}

void ImageBlocks::coarsen(int exponent)
{
    const int shift = exponent - m_exponent;
    m_exponent = exponent;
    if (shift == 0)
        return;
    std::vector<ImageBlock> joined;
    for (std::size_t i = 0; i < m_blocks.size(); ++i) {
        joined.resize((i >> shift) + 1);
        joined.back().merge(m_blocks[i].min, m_blocks[i].max, m_blocks[i].histogram);
    }
    m_blocks = std::move(joined);
}

void ImageBlocks::cover(std::int64_t image)
{
    int exponent = m_exponent;
    while (image >> exponent >= most)
        ++exponent;
    coarsen(exponent);
    m_blocks.resize(std::max(m_blocks.size(), static_cast<std::size_t>(image >> exponent) + 1));
}

void ImageBlocks::add(std::int64_t image, float min, float max, const Histogram& histogram)
{
    assert(image >= 0);
    cover(image);
    m_blocks[static_cast<std::size_t>(image >> m_exponent)].merge(min, max, histogram);
}

void ImageBlocks::merge(const ImageBlocks& other)
{
    coarsen(std::max(m_exponent, other.m_exponent));
    for (std::size_t i = 0; i < other.m_blocks.size(); ++i) {
        const auto& block = other.m_blocks[i];
        add(static_cast<std::int64_t>(i) << other.m_exponent, block.min, block.max, block.histogram);
    }
}

ImageBlocks ImageBlocks::fromBlocks(int exponent, std::vector<ImageBlock> blocks)
{
    assert(exponent >= 0 && std::ssize(blocks) <= most);
    ImageBlocks result;
    result.m_exponent = exponent;
    result.m_blocks = std::move(blocks);
    return result;
}

std::size_t ImageBlocks::bytes() const
{
    std::size_t sum = 0;
    for (const auto& block : m_blocks)
        sum += sizeof(block) - sizeof(Histogram) + block.histogram.bytes();
    return sum;
}

} // namespace quantoscope::calibration
