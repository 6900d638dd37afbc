// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "core/base/random.h"
#include "core/calibration/range_estimator.h"
#include "core/calibration/stats.h"
#include "core/quant/encoding.h"

/// Values of known distributions, and what an estimator makes of them.
namespace quantoscope::test {

using Values = std::vector<float>;

inline Values drawGauss(std::size_t count, double sigma = 1, double mean = 0)
{
    base::Random random(5);
    Values values(count);
    for (float& value : values)
        value = static_cast<float>(mean + sigma * random.normal());
    return values;
}

inline Values drawLaplace(std::size_t count, double scale = 1, double mean = 0)
{
    base::Random random(6);
    Values values(count);
    for (float& value : values) {
        const double sign = random.uniform() < 0.5 ? -1 : 1;
        value = static_cast<float>(mean - sign * scale * std::log(1 - random.uniform()));
    }
    return values;
}

inline Values rectified(Values values)
{
    for (float& value : values)
        value = std::max(value, 0.0F);
    return values;
}

inline Tensor tensorOf(const Values& values) { return Tensor::from<float>({ std::ssize(values) }, values); }

inline calibration::TensorStats statsOf(const Values& values)
{
    calibration::TensorStats stats;
    stats.observe(tensorOf(values).view());
    return stats;
}

inline quant::QuantizerConfig configFor(int bits, bool symmetric)
{
    quant::QuantizerConfig config;
    config.bits = bits;
    config.symmetric = symmetric;
    return config;
}

inline double noise(const Values& values, const quant::Encoding& encoding)
{
    return quant::measureError(encoding, tensorOf(values).view()).noisePower;
}

inline quant::Encoding estimate(const Values& values, const quant::QuantizerConfig& config, const char* spec)
{
    return *calibration::estimateEncoding(statsOf(values), config, *quant::RangeSpec::parse(spec));
}

} // namespace quantoscope::test
