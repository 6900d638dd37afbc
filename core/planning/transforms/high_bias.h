// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/calibration/stats.h"
#include "core/graph/graph.h"
#include "core/quant/plan.h"

namespace quantoscope::planning {

/// Biases, and bounds of capped activations, that take the place of a graph's. As a plan's float
/// constants they make quant::floatGraph() the network with its high biases absorbed.
struct AbsorbedBiases {
    quant::QuantizationPlan::Constants constants;
    std::vector<std::string> notes;
};

/// High-bias absorption (Nagel et al. 2019, Data-Free Quantization, section 4.1.3, eq. 13-16): where a channel behind a
/// Relu (and the Min that equalize() leaves of a ReLU6) never falls below c > 0, Relu(y) = Relu(y - c) + c, so c goes
/// from the bias before it into the biases of the layers behind it, b += W c, and the activation's range shrinks. For c
/// the paper takes mean - 3 sigma of a normal distribution; this takes the least value that calibration saw, so that
/// the network does exactly the same on those images. The activation must be read by layers with a bias and without
/// padding alone: a padded zero would not be shifted along. `stats` are those of `graph`, with channels. Thread safe.
/// Errors: InvalidInput where stats lack such an activation.
Result<AbsorbedBiases> absorbHighBiases(const graph::Graph& graph, const calibration::CalibrationStats& stats);

} // namespace quantoscope::planning
