// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/evaluation/evaluator.h"
#include "core/graph/graph.h"

namespace quantoscope::sweep {

/// How many networks to run together, images outer: more share more, but all of them are finished, told of and durable
/// only at the end, and a sweep that is cancelled loses those that are not.
struct WaveLimits {
    double seconds = 30; ///< that a wave should take at most
    std::int64_t least = 1;
    std::int64_t most = 1;
};

/// By what the float network took for the same images; `most` where that is not known.
std::size_t waveSize(const evaluation::EvaluationResult* floatResult, const WaveLimits& limits);

/// Bytes of a graph's constants: about what the kernels of a network take up.
std::size_t weightBytes(const graph::Graph& graph);

} // namespace quantoscope::sweep
