// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "core/graph/graph.h"

namespace quantoscope::graph {

/// An activation that a runtime computes together with the node before it: clamp to [low, high].
/// Relu is [0, inf), Relu6 and Clip with constant bounds are clamps too.
struct FusedActivation {
    NodeId node; ///< the Relu or Clip
    ValueId output; ///< what the pair produces
    float low = 0;
    float high = 0; ///< infinity for Relu
};

/// An analysis, not a rewrite: the graph stays as it is, and the engine and the quantizer placement both ask here, so
/// that they agree. Conv, ConvTranspose, Gemm, MatMul, Add (any producer of float values among them) whose only reader
/// is a Relu or a Clip with constant bounds, and whose output is not a graph output. A Min with constants that alone
/// reads such a Relu belongs to them: it is a clamp whose upper bound may differ from channel to channel, which the
/// engine computes as a step of its own.
class ActivationFusion {
public:
    explicit ActivationFusion(const Graph& graph);

    /// The activation fused onto `producer`, if any.
    std::optional<FusedActivation> after(NodeId producer) const;
    /// True if `activation` is computed by the node before it.
    bool isFused(NodeId activation) const { return m_producers.contains(activation); }
    /// True if `min` bounds a Relu that is computed by the node before it.
    bool isCap(NodeId min) const { return m_capped.contains(min); }
    /// The value that leaves `node` once its fused activation is applied, and the Min behind that: first output, the
    /// activation's or the Min's.
    ValueId finalOutput(const Graph& graph, NodeId node) const;

private:
    void findCap(const Graph& graph, const FusedActivation& clamp, const std::vector<NodeId>& readers);

    std::unordered_map<NodeId, FusedActivation> m_after;
    std::unordered_map<NodeId, NodeId> m_producers;
    std::unordered_map<NodeId, NodeId> m_caps; ///< Min by the Relu it bounds
    std::unordered_set<NodeId> m_capped; ///< those Mins
};

} // namespace quantoscope::graph
