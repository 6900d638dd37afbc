// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <vector>

#include "core/graph/graph.h"
#include "core/graph/layers.h"

namespace quantoscope::planning {

/// A layer whose weight and bias can take up factors of the channels it reads and writes: float32 constants that nobody
/// else reads, one bias an output channel.
struct ScalableLayer {
    graph::Layer layer;
    std::int64_t outputs = 0; ///< channels, those of all groups
    std::int64_t inputs = 0;
};

/// A constant that takes part in the arithmetic of a value, broadcast to it, and so must be scaled with its channels.
struct ScaledOperand {
    graph::NodeId node;
    std::size_t slot = 0; ///< where the constant stands
    graph::ValueId value; ///< whose channels it goes with
};

/// Which channels (along axis 1) of which activations must be multiplied by the same positive factor so that the
/// network goes on computing the same. Two are in one class if something homogeneous leads from one to the other (Relu,
/// a clamp whose bounds follow, pooling, padding with zeros, multiplication by a constant, data movement, Concat) or if
/// they are added. Layers separate what they read from what they write, since their weights take up both factors. A
/// class is fixed if one of its channels is an input or output of the network or meets anything else.
class ChannelClasses {
public:
    explicit ChannelClasses(const graph::Graph& graph);

    static constexpr int fixed = -1;
    /// Number of the class below size(), or fixed.
    int classOf(graph::ValueId value, std::int64_t channel) const;
    std::size_t size() const { return m_size; }

    const std::vector<ScalableLayer>& layers() const { return m_layers; } ///< in topological order
    const std::vector<graph::NodeId>& caps() const { return m_caps; } ///< every Clip to [0, b] or (-inf, b]
    const std::vector<ScaledOperand>& operands() const { return m_operands; }

private:
    friend class ClassFinder;
    ChannelClasses() = default;

    std::vector<std::int64_t> m_first; ///< by ValueId::index(): position of its first channel in m_classes, or -1
    std::vector<int> m_classes;
    std::size_t m_size = 0;
    std::vector<ScalableLayer> m_layers;
    std::vector<graph::NodeId> m_caps;
    std::vector<ScaledOperand> m_operands;
};

} // namespace quantoscope::planning
