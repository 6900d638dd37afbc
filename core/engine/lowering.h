// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/base/error.h"
#include "core/engine/engine.h"
#include "core/engine/value_key.h"
#include "core/graph/graph.h"
#include "core/quant/plan.h"

namespace quantoscope::engine {

/// Operator of the nodes lower() adds, in a domain of our own: one float32 input, one output, the numbers in
/// Lowered::quantizers.
inline constexpr std::string_view fakeQuantizeOp = "FakeQuantize";
inline constexpr std::string_view ownDomain = "quantoscope";

/// A kernel that lower() made already, for a node in our own domain.
struct OwnKernel {
    std::shared_ptr<const Kernel> kernel;
    ValueKey key; ///< of the kernel with all its numbers
    std::optional<Layout> layout; ///< of all operands; empty: whichever they are in, all the same
};

struct PlacedQuantizer {
    quant::Encoding encoding;
    std::uint64_t seed = 0; ///< of stochastic rounding
};

/// A graph with static shapes in which the plan's quantizers are nodes and its weights and biases are fake-quantized.
struct Lowered {
    graph::Graph graph;
    std::unordered_map<graph::NodeId, PlacedQuantizer> quantizers;
    std::unordered_map<graph::NodeId, OwnKernel> kernels;
    std::unordered_map<graph::ValueId, quant::Encoding> constantGrids; ///< of constants that are fake-quantized
    ArithmeticUse use;
    std::vector<graph::ValueId> outputs; ///< in the order of the original graph's outputs
    std::vector<std::string> outputNames; ///< as the original graph has them
    std::vector<graph::ValueId> taps; ///< before any quantizer
};

/// Binds shapes, folds what becomes constant, removes what nobody needs, and places quantizers as compile() says.
Result<Lowered> lower(const graph::Graph& graph, const quant::QuantizationPlan& plan, const CompileOptions& options);

} // namespace quantoscope::engine
