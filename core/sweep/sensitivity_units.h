// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/graph/graph.h"
#include "core/planning/request.h"
#include "core/quant/plan.h"
#include "core/sweep/sweep.h"

namespace quantoscope::sweep {

/// What can have a word-length of its own: a layer's weight, or an activation that compute layers read, with every
/// tensor that must share its encoding.
struct QuantizedUnit {
    std::string name; ///< of its first layer
    quant::Role role = quant::Role::Weight; ///< Weight or Activation
    std::vector<std::string> tensors; ///< not empty
    std::vector<std::string> layers; ///< compute layers that read it, in topological order; not empty

    friend bool operator==(const QuantizedUnit&, const QuantizedUnit&) = default;
};

/// The units of a scope in topological order. Activations that no compute layer reads, constants and biases belong to
/// none: they follow the request.
std::vector<QuantizedUnit> findUnits(
    const graph::Graph& graph, quant::Scope scope, std::span<const std::string> floatOperators = {});

/// The word-length asked for in `plan`; empty: float.
Bits bitsOf(const quant::QuantizationPlan& plan, const QuantizedUnit& unit);

/// `plan` with this unit quantized and nothing else. A corrected weight keeps its values; biases are float's.
quant::QuantizationPlan onlyUnit(const quant::QuantizationPlan& plan, const QuantizedUnit& unit);

/// What gives the unit a word-length in a request: one override a layer that reads it.
std::vector<planning::LayerOverride> overridesFor(const QuantizedUnit& unit, Bits bits);

} // namespace quantoscope::sweep
