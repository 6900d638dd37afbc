// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/calibration/grid_refinement.h"

#include <cassert>
#include <cstdint>

namespace quantoscope::calibration::detail {

namespace {

/// The range that setChannel() turns into the step `step` and the zero point `zero`.
Range rangeOf(const quant::QuantizerConfig& config, bool isSigned, double step, std::int64_t zero)
{
    const auto [qmin, qmax] = quant::integerBounds(config, isSigned);
    const double high = static_cast<double>(qmax - zero) * step;
    if (!config.symmetric)
        return { static_cast<double>(qmin - zero) * step, high };
    return { isSigned || zero != 0 ? -high : 0, high };
}

} // namespace

Range refinedRange(
    quant::QuantizerConfig config, bool isSigned, Range coarse, int coarseBits, int bits, quant::Encoding& scratch)
{
    assert(coarseBits <= bits);
    config.bits = coarseBits;
    quant::setChannel(scratch, 0, config, isSigned, coarse.low, coarse.high);
    config.bits = bits;
    const std::int64_t parts = std::int64_t { 1 } << (bits - coarseBits);
    return rangeOf(config, isSigned, static_cast<double>(scratch.scale[0]) / static_cast<double>(parts),
        parts * scratch.zeroPoint[0]);
}

void forEachPowerOfTwoRange(
    const quant::QuantizerConfig& config, bool isSigned, Range full, const std::function<void(Range)>& visit)
{
    constexpr int exponents = 10;
    constexpr int places = 32;
    quant::Encoding encoding;
    quant::setChannel(encoding, 0, config, isSigned, full.low, full.high);
    auto step = static_cast<double>(encoding.scale[0]);
    const bool zeroMoves = !config.symmetric && full.low < 0 && full.high > 0;
    for (int i = 0; i <= exponents; ++i, step /= 2) {
        visit(rangeOf(config, isSigned, step, encoding.zeroPoint[0]));
        const std::int64_t span = std::int64_t { encoding.qmax } - encoding.qmin;
        for (int place = 0; zeroMoves && place <= places; ++place)
            visit(rangeOf(config, isSigned, step, encoding.qmin + span * place / places));
    }
}

} // namespace quantoscope::calibration::detail
