// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <cmath>

#include "core/engine/kernels/integer/integer_kernels.h"

namespace quantoscope::engine {

namespace {

std::vector<float> biasOf(const IntegerLayer& layer, const std::vector<std::int64_t>& inputSums)
{
    const std::size_t channels = std::max(layer.bias.size(), inputSums.size());
    std::vector<float> bias(channels, 0.0F);
    for (std::size_t c = 0; c < channels; ++c) {
        const double own = layer.bias.empty() ? 0 : layer.bias[c];
        const double fromInput = inputSums.empty() ? 0 : static_cast<double>(inputSums[c]);
        bias[c] = static_cast<float>(own - fromInput);
    }
    return bias;
}

} // namespace

Epilogue epilogueOf(const IntegerLayer& layer, const std::vector<std::int64_t>& inputSums)
{
    Epilogue epilogue;
    epilogue.bias = biasOf(layer, inputSums);
    const Clamp clamp = layer.activation.value_or(Clamp {});
    const double step = layer.output ? static_cast<double>(layer.output->scale()) : 1.0;
    for (const double scale : layer.scale)
        epilogue.multiplier.push_back(static_cast<float>(scale / step));
    if (!layer.output) {
        epilogue.low = clamp.low;
        epilogue.high = clamp.high;
        return epilogue;
    }
    const auto [low, high] = layer.output->levelBounds(layer.activation);
    epilogue.toCodes = true;
    epilogue.zeroPoint = layer.output->zeroPoint();
    epilogue.low = low;
    epilogue.high = high;
    return epilogue;
}

bool fitsPairs(std::int32_t largestCode, std::int32_t largestWeight)
{
    return std::int64_t { 2 } * largestCode * largestWeight <= 32767;
}

} // namespace quantoscope::engine
