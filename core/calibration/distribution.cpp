// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/calibration/distribution.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

#include "core/calibration/value_loops.h"

namespace quantoscope::calibration {

namespace {

Moments momentsOf(const detail::RunSums& sums, std::size_t count, float shift)
{
    // Around a value of the run itself: its distance from the mean is at most sqrt(count) standard deviations, so that
    // the subtraction loses no more than log2(count) bits.
    const auto n = static_cast<double>(count);
    Moments moments;
    moments.count = count;
    moments.min = sums.low + 0.0F; // one zero: which of -0 and 0 it is must not depend on the order
    moments.max = sums.high + 0.0F;
    moments.mean = static_cast<double>(shift) + sums.sum / n;
    moments.squaredDeviations = std::max(0.0, sums.squares - sums.sum * sums.sum / n);
    moments.absolute = sums.absolute;
    return moments;
}

/// Moments of a row; where it has values that are not finite, `row` becomes a copy without them, in `finite`.
Moments momentsOf(std::span<const float>& row, std::vector<float>& finite)
{
    if (row.empty())
        return {};
    const auto sums = detail::sumsOf(row.data(), row.size(), row.front());
    if (sums.finite)
        return momentsOf(sums, row.size(), row.front());
    finite.clear();
    std::ranges::copy_if(row, std::back_inserter(finite), [](float value) { return std::isfinite(value); });
    row = finite;
    return momentsOf(row, finite);
}

/// Adds evenly spread values of a row. The step is odd, so that it does not keep to some columns of an image.
void addSample(Histogram& histogram, std::span<const float> row, const Moments& moments, std::vector<float>& sample)
{
    const std::size_t step = (row.size() + Distribution::channelSample - 1) / Distribution::channelSample | 1;
    if (step > 1) {
        sample.clear();
        for (std::size_t i = 0; i < row.size(); i += step)
            sample.push_back(row[i]);
        row = sample;
    }
    histogram.addFinite(row, moments.min, moments.max);
}

} // namespace

int Distribution::channelBins(std::int64_t channels)
{
    constexpr std::uint64_t all = std::uint64_t { 1 } << 17;
    constexpr std::uint64_t fewest = 32;
    constexpr std::uint64_t most = 128;
    const auto each = std::bit_floor(all / static_cast<std::uint64_t>(std::max<std::int64_t>(channels, 1)));
    return each < fewest ? 0 : static_cast<int>(std::min(each, most));
}

Distribution::Distribution(Parts parts, std::size_t channels)
    : m_perChannel(channels > 0)
    , m_channels(channels)
    , m_parts(std::move(parts))
{
}

void Distribution::dropChannels()
{
    m_perChannel = false;
    m_channels.reset();
    m_parts.channels = {};
}

/// Settles the number of channels; where it changes, channels are no longer counted apart.
void Distribution::chooseChannels(std::size_t channels)
{
    if (!m_perChannel || m_channels == channels)
        return;
    if (m_channels) {
        dropChannels();
        return;
    }
    m_channels = channels;
    if (const int bins = channelBins(static_cast<std::int64_t>(channels)); bins > 0)
        m_parts.channels.assign(channels, Histogram(bins));
}

/// Values of one channel of one image: everything but the histogram over channels. Returns their moments.
Moments Distribution::observeRow(
    std::span<const float> row, std::size_t channel, TensorMoments& batch, std::vector<float>& scratch)
{
    const std::size_t all = row.size();
    const Moments moments = momentsOf(row, scratch);
    batch.nonFinite += all - row.size();
    if (row.empty())
        return moments;
    m_parts.tails.add(row, moments.min, moments.max);
    if (!batch.channels.empty())
        batch.channels[channel].merge(moments);
    if (!m_parts.channels.empty())
        addSample(m_parts.channels[channel], row, moments, scratch);
    return moments;
}

TensorMoments Distribution::observe(const TensorView& batch, const Images& images)
{
    Tensor converted;
    if (batch.dtype() != DType::Float32)
        converted = tensor::convert(batch, DType::Float32);
    const auto values = batch.dtype() == DType::Float32 ? batch.as<float>() : std::as_const(converted).as<float>();
    const auto& shape = batch.shape();
    chooseChannels(shape.rank() >= 2 ? static_cast<std::size_t>(shape[1]) : 0);
    TensorMoments moments;
    moments.channels.resize(m_channels.value_or(0));
    if (values.empty())
        return moments;

    const std::int64_t extent = shape.rank() > 0 ? shape[0] : 1;
    const std::int64_t wanted = images.count > 0 ? images.count : extent;
    const std::int64_t count = extent % wanted == 0 ? wanted : 1;
    const std::size_t channels = std::max<std::size_t>(moments.channels.size(), 1);
    const std::size_t inner = values.size() / (static_cast<std::size_t>(extent) * channels);
    const std::size_t rowsEach = static_cast<std::size_t>(extent / count) * channels; // of an image
    std::vector<float> scratch;
    for (std::int64_t image = images.first; image < images.first + count;) {
        const std::int64_t end = std::min(images.first + count, m_parts.blocks.endOfBlock(image));
        const std::size_t firstRow = static_cast<std::size_t>(image - images.first) * rowsEach;
        const std::size_t rows = static_cast<std::size_t>(end - image) * rowsEach;
        const auto nonFinite = moments.nonFinite;
        Moments block;
        for (std::size_t row = firstRow; row < firstRow + rows; row += rowsEach) {
            Moments one; // image by image: where blocks end depends on what this object has seen before
            for (std::size_t i = row; i < row + rowsEach; ++i)
                one.merge(observeRow(values.subspan(i * inner, inner), i % channels, moments, scratch));
            moments.tensor.merge(one);
            block.merge(one);
        }

        const auto blockValues = values.subspan(firstRow * inner, rows * inner);
        Histogram histogram;
        if (moments.nonFinite == nonFinite)
            histogram.addFinite(blockValues, block.min, block.max);
        else
            histogram.add(blockValues);
        m_parts.histogram.merge(histogram);
        m_parts.blocks.add(image, block.min, block.max, histogram);
        image = end;
    }
    return moments;
}

void Distribution::merge(const Distribution& other)
{
    m_parts.histogram.merge(other.m_parts.histogram);
    m_parts.tails.merge(other.m_parts.tails);
    m_parts.blocks.merge(other.m_parts.blocks);
    if (!other.m_perChannel)
        dropChannels();
    if (!other.m_channels)
        return;
    chooseChannels(*other.m_channels);
    for (std::size_t c = 0; c < m_parts.channels.size(); ++c)
        m_parts.channels[c].merge(other.m_parts.channels[c]);
}

std::size_t Distribution::bytes() const
{
    std::size_t sum = sizeof(*this) + m_parts.histogram.bytes() + m_parts.tails.bytes() + m_parts.blocks.bytes();
    for (const auto& channel : m_parts.channels)
        sum += channel.bytes();
    return sum;
}

} // namespace quantoscope::calibration
