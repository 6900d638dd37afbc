// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/progress.h"
#include "core/cost/cost.h"
#include "core/dataset/preprocessing.h"
#include "core/graph/graph.h"
#include "core/quant/plan.h"

namespace quantoscope::evaluation {

/// SQNR in dB by tensor.
using TensorSqnr = std::map<std::string, double, std::less<>>;

/// SQNR of what a plan quantizes: of every tensor on the samples as compareLayers() measures it; without samples (null)
/// of weights and constants alone, the graph's values against those the quantized network has.
Result<TensorSqnr> tensorSqnr(const graph::Graph& graph, const quant::QuantizationPlan& plan,
    const dataset::SampleSet* samples, const base::Job& job = {});

/// A graph with a plan for it, and how its tensors fare as far as that is known.
struct PlannedNetwork {
    const graph::Graph& graph;
    const quant::QuantizationPlan& plan;
    TensorSqnr sqnr;
};

struct PlannedTensor {
    quant::TensorQuantizer quantizer;
    std::optional<double> sqnrDb; ///< empty: not measured
};

/// One tensor in two plans; a side is empty where the plan leaves it float or does not have it.
struct TensorPair {
    std::string tensor;
    quant::Role role = quant::Role::Activation;
    std::vector<std::string> layers; ///< compute layers that read it, in either network
    std::optional<PlannedTensor> a;
    std::optional<PlannedTensor> b;

    /// Whether both sides quantize to the same values: encodings that differ in nothing but the integers they use for
    /// them (signed or not, unused levels of constants) do.
    bool same() const;
};

/// One compute layer in two plans; a side is empty where the network has no layer of that name.
struct LayerPair {
    std::string layer;
    std::optional<cost::LayerCost> a;
    std::optional<cost::LayerCost> b;
    std::string weight; ///< tensor names; empty: none
    std::string activation;
};

struct PlanComparison {
    std::vector<LayerPair> layers; ///< in the order of a's network, what only b has after it
    std::vector<TensorPair> tensors; ///< likewise
    std::size_t different = 0; ///< tensors that are not the same()
    cost::Cost costA;
    cost::Cost costB;
};

PlanComparison comparePlans(const PlannedNetwork& a, const PlannedNetwork& b);

} // namespace quantoscope::evaluation
