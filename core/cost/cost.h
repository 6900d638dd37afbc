// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/cost/energy.h"
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
    std::int64_t parameters = 0; ///< weight and bias, one that a correction added among them
    double weightBytes = 0; ///< those at their word-length
    double bops = 0; ///< macs * weightBits * activationBits
    double energyPj = 0; ///< arithmetic: macs * EnergyModel::perMac()
    int accumulatorBits = 0; ///< dataTypeBits(); 0 where an operand is float
};

/// What one image costs under a plan.
struct Cost {
    std::vector<LayerCost> layers;
    std::int64_t macs = 0;
    std::int64_t parameters = 0;
    double sizeBytes = 0; ///< all parameters at their word-length (float: 4 bytes each)
    double peakActivationBytes = 0; ///< activationStorage()
    double bops = 0;
    int accumulatorBits = 0; ///< the widest a layer needs; 0: all of them are float
    double arithmeticPj = 0;
    double memoryPj = 0; ///< each parameter read once, and activations moved as activationStorage() says
    double energyPj = 0; ///< both
};

/// Shapes in `graph` must have been inferred (extents that stay symbolic count as 1). A bias that the plan adds counts
/// as one of the graph's would.
Cost computeCost(
    const graph::Graph& graph, const quant::QuantizationPlan& plan, const EnergyModel& energy = defaultEnergyModel());

} // namespace quantoscope::cost
