// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/graph/graph.h"
#include "core/graph/layers.h"
#include "core/quant/plan.h"

namespace quantoscope::cost {

/// Word-lengths one compute layer runs at; 32 for what stays float.
struct LayerCost {
    std::string layer;
    int weightBits = 32;
    int activationBits = 32;
    std::int64_t macs = 0; ///< for one image
    std::int64_t parameters = 0;
    double weightBytes = 0; ///< weights at their word-length, bias at 32 bits
    double bops = 0; ///< macs * weightBits * activationBits
    double energyPj = 0; ///< macs * (multiply + accumulate), see energyPerMac()
};

/// What one image costs under a plan.
struct Cost {
    std::vector<LayerCost> layers;
    std::int64_t macs = 0;
    std::int64_t parameters = 0;
    double sizeBytes = 0; ///< all parameters at their word-length (float: 4 bytes each)
    double bops = 0;
    double energyPj = 0; ///< arithmetic only, no memory
};

/// Shapes in `graph` must have been inferred (extents that stay symbolic count as 1).
Cost computeCost(const graph::Graph& graph, const quant::QuantizationPlan& plan);

/// pJ of one multiply-accumulate in 45 nm: the fit to Horowitz (ISSCC 2014) that QKeras' QTools uses.
/// Integer: multiply of max(w, a) bits 0.002994791667 b^2 + 0.001041666667 b, plus an add of 32 bits 0.003125 * 32.
/// Float (either operand 32): multiply 3.7, add 0.9.
double energyPerMac(int weightBits, int activationBits);

} // namespace quantoscope::cost
