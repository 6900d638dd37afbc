// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <cmath>
#include <utility>

#include "core/calibration/stats.h"

namespace quantoscope::calibration {

TensorStats::TensorStats(Distribution distribution, TensorMoments moments)
    : m_distribution(std::move(distribution))
    , m_moments(std::move(moments))
{
}

void TensorStats::observe(const TensorView& batch, std::int64_t firstImage)
{
    if (firstImage < 0)
        firstImage = m_images;
    m_images = std::max(m_images, firstImage + (batch.shape().rank() > 0 ? batch.shape()[0] : 1));
    m_moments.merge(m_distribution.observe(batch, { .first = firstImage }));
}

void TensorStats::merge(const TensorStats& other)
{
    m_distribution.merge(other.m_distribution);
    m_moments.merge(other.m_moments);
    m_images = std::max(m_images, other.m_images);
}

TensorStats TensorStats::withoutChannels() const
{
    TensorStats copy = *this;
    copy.m_distribution.dropChannels();
    copy.m_moments.channels.clear();
    return copy;
}

double TensorStats::quantile(double share) const
{
    if (count() == 0)
        return 0;
    const double last = static_cast<double>(count() - 1);
    const double fromBelow = share * last;
    const double fromAbove = last - fromBelow;
    const auto inTail = [](const std::vector<float>& tail, double position) {
        const auto index = static_cast<std::size_t>(position);
        const double next = static_cast<double>(tail[std::min(index + 1, tail.size() - 1)]);
        return std::lerp(static_cast<double>(tail[index]), next, position - static_cast<double>(index));
    };
    const auto reaches = [](const std::vector<float>& tail, double position) {
        return position <= static_cast<double>(tail.size()) - 1;
    };
    if (reaches(tails().lowest(), fromBelow))
        return inTail(tails().lowest(), fromBelow);
    if (reaches(tails().highest(), fromAbove))
        return inTail(tails().highest(), fromAbove);
    return histogram().quantile(share);
}

std::size_t TensorStats::bytes() const
{
    return sizeof(*this) - sizeof(m_distribution) + m_distribution.bytes()
        + m_moments.channels.capacity() * sizeof(Moments);
}

const TensorStats* CalibrationStats::find(std::string_view tensor) const
{
    const auto found = tensors.find(tensor);
    return found == tensors.end() ? nullptr : &found->second;
}

std::size_t CalibrationStats::bytes() const
{
    std::size_t sum = sizeof(*this) + description.size();
    for (const auto& [name, stats] : tensors)
        sum += name.size() + stats.bytes();
    return sum;
}

} // namespace quantoscope::calibration
