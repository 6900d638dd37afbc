// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace quantoscope::graph {

/// A node to be placed: a box, in pixels or whatever unit the caller draws in.
struct LayoutNode {
    double width = 0;
    double height = 0;
};

/// A connection between two nodes, by their index. `from` comes before `to`: nodes are given in topological order.
struct LayoutEdge {
    std::size_t from = 0;
    std::size_t to = 0;
};

struct LayoutPoint {
    double x = 0;
    double y = 0;
    friend bool operator==(const LayoutPoint&, const LayoutPoint&) = default;
};

struct LayoutSpacing {
    double node = 28; ///< between boxes of one layer
    double lane = 18; ///< to either side of an edge that passes boxes
    double layer = 40; ///< between layers, for the edges
    double port = 14; ///< edges keep this far from the corners of a box
};

/// A drawing of a network from top to bottom.
struct LayeredLayout {
    std::vector<LayoutPoint> centres; ///< of the nodes' boxes; the drawing begins at (0, 0)
    std::vector<std::size_t> layers; ///< of the nodes, 0 on top
    /// Of every edge: from the lower side of one box to the upper side of the other, past the boxes between them.
    std::vector<std::vector<LayoutPoint>> routes;
    double width = 0;
    double height = 0;
};

/// Places nodes in layers so that every edge leads downwards and none runs through a box (Sugiyama, Tagawa and Toda
/// 1981). Layers: the longest path from above. Order within a layer: barycentres, swept down and up while crossings
/// become fewer; edges that leave one node share a lane. Coordinates: by priority, the nodes of the longest path first,
/// so that the trunk of a network is a straight line and shortcuts run beside it. Deterministic; time about linear in
/// boxes and in the layers that edges pass.
LayeredLayout layeredLayout(
    std::span<const LayoutNode> nodes, std::span<const LayoutEdge> edges, const LayoutSpacing& spacing = {});

} // namespace quantoscope::graph
