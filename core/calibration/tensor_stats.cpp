// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>

#include "core/calibration/stats.h"

namespace quantoscope::calibration {

namespace {

/// Extremes and power sums of finite values.
struct Moments {
    float min = 0;
    float max = 0;
    double sum = 0;
    double squares = 0;
    double absolute = 0;
};

/// In a fixed number of lanes, so that the loops vectorise and the result still does not depend on the machine.
Moments momentsOf(std::span<const float> values)
{
    constexpr std::size_t lanes = 8;
    assert(!values.empty());
    std::array<float, lanes> low;
    std::array<float, lanes> high;
    std::array<double, lanes> sum {};
    std::array<double, lanes> squares {};
    std::array<double, lanes> absolute {};
    low.fill(values.front());
    high.fill(values.front());
    const auto take = [&](float value, std::size_t lane) {
        const auto wide = static_cast<double>(value);
        low[lane] = value < low[lane] ? value : low[lane];
        high[lane] = value > high[lane] ? value : high[lane];
        sum[lane] += wide;
        squares[lane] += wide * wide;
        absolute[lane] += std::abs(wide);
    };
    std::size_t i = 0;
    for (; i + lanes <= values.size(); i += lanes)
        for (std::size_t lane = 0; lane < lanes; ++lane)
            take(values[i + lane], lane);
    for (; i < values.size(); ++i)
        take(values[i], 0);
    Moments moments { *std::ranges::min_element(low), *std::ranges::max_element(high) };
    for (std::size_t lane = 0; lane < lanes; ++lane) {
        moments.sum += sum[lane];
        moments.squares += squares[lane];
        moments.absolute += absolute[lane];
    }
    return moments;
}

bool allFinite(std::span<const float> values)
{
    // x - x is 0 for finite x and NaN otherwise; sums of it vectorise, a search does not.
    float sum = 0;
    for (const float value : values)
        sum += value - value;
    return sum == 0;
}

} // namespace

TensorStats::TensorStats(std::int64_t channels)
    : m_channels(static_cast<std::size_t>(channels))
    , m_channelSeen(static_cast<std::size_t>(channels))
{
}

void TensorStats::observeRun(std::span<const float> values, std::size_t channel)
{
    if (values.empty())
        return;
    if (!allFinite(values)) {
        std::vector<float> finite;
        finite.reserve(values.size());
        std::ranges::copy_if(values, std::back_inserter(finite), [](float value) { return std::isfinite(value); });
        m_nonFinite += values.size() - finite.size();
        observeRun(finite, channel);
        return;
    }
    const auto moments = momentsOf(values);
    m_min = m_count == 0 ? moments.min : std::min(m_min, moments.min);
    m_max = m_count == 0 ? moments.max : std::max(m_max, moments.max);
    m_count += values.size();
    m_sum += moments.sum;
    m_sumSquares += moments.squares;
    m_sumAbsolute += moments.absolute;
    if (m_channels.empty())
        return;
    const bool seen = m_channelSeen[channel];
    auto& range = m_channels[channel];
    range.min = seen ? std::min(range.min, moments.min) : moments.min;
    range.max = seen ? std::max(range.max, moments.max) : moments.max;
    m_channelSeen[channel] = true;
}

void TensorStats::observe(const TensorView& batch)
{
    Tensor converted;
    if (batch.dtype() != DType::Float32)
        converted = tensor::convert(batch, DType::Float32);
    const auto values = batch.dtype() == DType::Float32 ? batch.as<float>() : std::as_const(converted).as<float>();
    m_histogram.add(values);
    if (m_channels.empty()) {
        observeRun(values, 0);
        return;
    }
    const auto channels = m_channels.size();
    assert(batch.shape().rank() >= 2 && static_cast<std::size_t>(batch.shape()[1]) == channels);
    const std::size_t rows = static_cast<std::size_t>(batch.shape()[0]) * channels;
    if (rows == 0)
        return;
    const std::size_t inner = values.size() / rows;
    for (std::size_t row = 0; row < rows; ++row)
        observeRun(values.subspan(row * inner, inner), row % channels);
}

void TensorStats::merge(const TensorStats& other)
{
    m_nonFinite += other.m_nonFinite;
    if (other.m_count == 0)
        return;
    assert(m_channels.size() == other.m_channels.size());
    m_min = m_count == 0 ? other.m_min : std::min(m_min, other.m_min);
    m_max = m_count == 0 ? other.m_max : std::max(m_max, other.m_max);
    for (std::size_t c = 0; c < m_channels.size(); ++c) {
        if (!other.m_channelSeen[c])
            continue;
        const auto& range = other.m_channels[c];
        m_channels[c].min = m_channelSeen[c] ? std::min(m_channels[c].min, range.min) : range.min;
        m_channels[c].max = m_channelSeen[c] ? std::max(m_channels[c].max, range.max) : range.max;
        m_channelSeen[c] = true;
    }
    m_count += other.m_count;
    m_sum += other.m_sum;
    m_sumSquares += other.m_sumSquares;
    m_sumAbsolute += other.m_sumAbsolute;
    m_histogram.merge(other.m_histogram);
}

TensorStats TensorStats::withoutChannels() const
{
    TensorStats copy = *this;
    copy.m_channels.clear();
    copy.m_channelSeen.clear();
    return copy;
}

double TensorStats::mean() const { return m_count == 0 ? 0 : m_sum / static_cast<double>(m_count); }

double TensorStats::variance() const
{
    if (m_count == 0)
        return 0;
    const double average = mean();
    return std::max(0.0, m_sumSquares / static_cast<double>(m_count) - average * average);
}

double TensorStats::meanAbsolute() const { return m_count == 0 ? 0 : m_sumAbsolute / static_cast<double>(m_count); }

const TensorStats* CalibrationStats::find(std::string_view tensor) const
{
    const auto found = tensors.find(tensor);
    return found == tensors.end() ? nullptr : &found->second;
}

} // namespace quantoscope::calibration
