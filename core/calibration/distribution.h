// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/calibration/histogram.h"
#include "core/calibration/image_blocks.h"
#include "core/calibration/moments.h"
#include "core/calibration/tails.h"
#include "core/tensor/tensor.h"

namespace quantoscope::calibration {

/// Counts of what one tensor did: the part of the statistics whose merging is exact, so that any number of workers may
/// collect it in any order. Memory depends on the number of channels, and not on images or their size.
class Distribution {
public:
    struct Parts {
        Histogram histogram;
        Tails tails;
        ImageBlocks blocks;
        std::vector<Histogram> channels;
        friend bool operator==(const Parts&, const Parts&) = default;
    };

    /// `perChannel`: keep the extents along axis 1 apart, where there are such and their number stays the same.
    explicit Distribution(bool perChannel = true)
        : m_perChannel(perChannel)
    {
    }
    /// From what an earlier one counted, of a tensor of so many channels (0: not kept apart).
    explicit Distribution(Parts parts, std::size_t channels = 0);

    /// What a batch is of: `count` images from number `first` on. 0: as many as the tensor's first extent.
    struct Images {
        std::int64_t first = 0;
        std::int64_t count = 0;
    };

    /// One batch, [N, C, ...] row-major, of a floating type; N is a multiple of the number of images, or all is taken
    /// for the first image's. Counts it and returns its moments, which the caller is to merge in a fixed order.
    TensorMoments observe(const TensorView& batch, const Images& images);
    void merge(const Distribution& other);
    void dropChannels();

    const Parts& parts() const { return m_parts; }
    std::size_t bytes() const;

    /// Bins of a channel's histogram: fewer where there are many channels (a power of two from 32 to 128), 0 where
    /// there are so many that channels are not counted.
    static int channelBins(std::int64_t channels);
    /// A channel's histogram has at most this many values of an image, evenly spread over it; extremes and moments
    /// miss none.
    static constexpr std::size_t channelSample = 1024;

private:
    void chooseChannels(std::size_t channels);
    Moments observeRow(
        std::span<const float> row, std::size_t channel, TensorMoments& batch, std::vector<float>& scratch);

    bool m_perChannel;
    std::optional<std::size_t> m_channels; ///< of the first batch
    Parts m_parts;
};

} // namespace quantoscope::calibration
