// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/graph/graph.h"
#include "core/graph/layers.h"
#include "core/quant/plan.h"

namespace quantoscope::cost {

/// How wide the register must be in which an integer device sums the products of one compute layer: signed bits. Sums
/// are those of (q_w - z_w) (q_x - z_x), what is left once zero points are taken care of.
struct Accumulator {
    std::string layer;
    std::int64_t depth = 0; ///< products in one sum (ConvTranspose: at most)
    /// What the types alone promise: ceil(log2(K 2^(a - [signed]) 2^(w-1) + 1)) + 1 for K products of a-bit activations
    /// and w-bit weights (Colbert, Pappalardo, Petri-Koenig 2023, "A2Q", equation 3). Biases are not in it.
    int dataTypeBits = 0;
    /// What the worst input needs with these weights, in whatever order the products are summed, over all channels:
    /// each weight meets the end of the activations' grid that its sign makes worse, and the bias starts the sum where
    /// it is quantized. Never above the bound by sum |w| of the same paper (equation 5), which takes the larger end for
    /// all.
    int worstCaseBits = 0;
    std::optional<int> observedBits = {}; ///< what final sums over images needed; empty: not observed

    friend bool operator==(const Accumulator&, const Accumulator&) = default;
};

/// Accumulator::dataTypeBits of one layer; 0 if an operand is float. Looks at no weight, only at how many there are.
int dataTypeBits(const graph::Graph& graph, const quant::QuantizationPlan& plan, const graph::Layer& layer);

/// Bits of a two's complement integer that holds low..high; low <= 0 <= high.
int signedBits(double low, double high);

/// The accumulators of the layers whose operands are both quantized, in topological order, without observedBits.
/// Shapes must have been inferred where a layer multiplies two activations. Errors: as quant::correctedGraph().
Result<std::vector<Accumulator>> accumulators(const graph::Graph& graph, const quant::QuantizationPlan& plan);

} // namespace quantoscope::cost
