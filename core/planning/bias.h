// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/graph/graph.h"
#include "core/graph/layers.h"
#include "core/planning/placement.h"
#include "core/quant/hardware_profile.h"
#include "core/quant/plan.h"

namespace quantoscope::planning {

/// How biases are stored.
struct BiasRules {
    std::optional<int> bits = quant::maxBiasBits; ///< empty: float
    quant::BiasRoom room = quant::BiasRoom::RaiseWeightScale;
};

/// What was done about the biases of one layer that did not fit their word-length at s_x s_w.
struct BiasRemedy {
    std::string layer;
    std::string weight; ///< whose scale was raised; with BiasRoom::ShiftBias the tensor whose scale was left alone
    int bits = quant::maxBiasBits;
    quant::BiasRoom room = quant::BiasRoom::RaiseWeightScale;
    std::int64_t channels = 0;
    std::int64_t raised = 0; ///< channels among them that did not fit
    double largestFactor = 1; ///< what s_w (raise) or the bias' step (shift) was multiplied by in the worst channel
    /// Forecast in dB of how much the noise of rounding the weight grows: uniform noise s^2 / 12 a weight (Widrow
    /// 1956), so 10 log10(sum s'^2 / sum s^2) over the channels. 0 with BiasRoom::ShiftBias, which leaves weights
    /// alone.
    double weightNoiseDb = 0;

    std::string describe() const; ///< one sentence
    friend bool operator==(const BiasRemedy&, const BiasRemedy&) = default;
};

/// Adds the biases among `slots` to a plan that has its weights and activations: at s_x s_w, z = 0 (formats.md, Bias),
/// with room made as the rules say where one would not fit. Biases that have no such scale stay float; `notes` says
/// which.
std::vector<BiasRemedy> planBiases(const graph::Graph& graph, const std::vector<graph::Layer>& layers,
    const std::vector<QuantizerSlot>& slots, const BiasRules& rules, quant::QuantizationPlan& plan,
    std::vector<std::string>& notes);

} // namespace quantoscope::planning
