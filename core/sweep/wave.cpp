// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/sweep/wave.h"

#include <algorithm>

namespace quantoscope::sweep {

std::size_t waveSize(const evaluation::EvaluationResult* floatResult, const WaveLimits& limits)
{
    if (!floatResult || !(floatResult->seconds > 0))
        return static_cast<std::size_t>(limits.most);
    const double networks = std::min(limits.seconds / floatResult->seconds, static_cast<double>(limits.most));
    return static_cast<std::size_t>(std::max(limits.least, static_cast<std::int64_t>(networks)));
}

std::size_t weightBytes(const graph::Graph& graph)
{
    std::size_t bytes = 0;
    for (const auto id : graph.values())
        if (const auto& constant = graph.value(id).constant)
            bytes += constant->bytes();
    return bytes;
}

} // namespace quantoscope::sweep
