// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

#include "core/graph/graph.h"
#include "core/quant/plan.h"

namespace quantoscope::flow {

/// What a correction changed in a plan, layer by layer, so that it can be undone in some of them. Layers that share a
/// weight or a bias belong together. A change of anything but weights and biases cannot be told apart by layers; then
/// all of it is one part.
class PlanPatch {
public:
    /// The difference between two plans for the same graph. They must outlive the patch.
    PlanPatch(const graph::Graph& graph, const quant::QuantizationPlan& before, const quant::QuantizationPlan& after);

    std::size_t size() const { return m_parts.size(); } ///< parts that differ, in the order of the network
    const std::vector<std::string>& layers(std::size_t part) const { return m_parts[part].layers; }

    /// `before` with the parts of `after` for which `keep` is true.
    quant::QuantizationPlan apply(const std::vector<bool>& keep) const;

private:
    struct Part {
        std::vector<std::string> layers;
        std::vector<std::string> tensors; ///< whose quantizer or constant differs
    };

    bool differs(const std::string& tensor) const;
    std::vector<Part> partsByLayer(const graph::Graph& graph) const;
    bool coversAll(const std::vector<Part>& parts) const;

    const quant::QuantizationPlan& m_before;
    const quant::QuantizationPlan& m_after;
    std::vector<Part> m_parts;
};

} // namespace quantoscope::flow
