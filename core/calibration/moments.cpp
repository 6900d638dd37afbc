// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/calibration/moments.h"

#include <algorithm>
#include <cstddef>

namespace quantoscope::calibration {

void Moments::merge(const Moments& other)
{
    if (other.count == 0)
        return;
    if (count == 0) {
        *this = other;
        return;
    }
    const auto mine = static_cast<double>(count);
    const auto theirs = static_cast<double>(other.count);
    const double distance = other.mean - mean;
    mean += distance * (theirs / (mine + theirs));
    squaredDeviations += other.squaredDeviations + distance * distance * (mine * theirs / (mine + theirs));
    absolute += other.absolute;
    min = std::min(min, other.min);
    max = std::max(max, other.max);
    count += other.count;
}

double Moments::variance() const { return count == 0 ? 0 : squaredDeviations / static_cast<double>(count); }

double Moments::meanAbsolute() const { return count == 0 ? 0 : absolute / static_cast<double>(count); }

void TensorMoments::merge(const TensorMoments& other)
{
    const bool same = channels.size() == other.channels.size();
    if (tensor.count + nonFinite == 0 && channels.empty())
        channels = other.channels;
    else if (!same)
        channels.clear();
    else
        for (std::size_t c = 0; c < channels.size(); ++c)
            channels[c].merge(other.channels[c]);
    tensor.merge(other.tensor);
    nonFinite += other.nonFinite;
}

} // namespace quantoscope::calibration
