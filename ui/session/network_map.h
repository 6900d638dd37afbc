// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <QPointF>
#include <QRectF>
#include <QString>

#include "core/graph/graph.h"

namespace quantoscope::ui {

struct LayerInfo;

/// "N×3×224×224"; "?" where not even the rank is known.
QString shapeText(const std::optional<graph::Dims>& dims);

/// A prepared graph as it is drawn: what is where, in pixels at a scale of one, from top to bottom. Made once a model,
/// away from the window; says nothing of quantizers.
struct NetworkMap {
    static constexpr double layerHeight = 44; ///< of a layer's box

    enum class Kind { Input, Output, Layer, Operator };
    struct Node {
        Kind kind = Kind::Operator;
        QString title; ///< of layers their name, of inputs and outputs the tensor's, otherwise the operator
        QString subtitle; ///< of layers operator and weight shape; otherwise empty
        QString name; ///< what the file calls it
        QString op; ///< empty for inputs and outputs
        QString shape; ///< of what it produces
        int layer = -1; ///< into LoadedModel::layers; -1: none
        std::size_t row = 0; ///< layer of the drawing, 0 on top
        QRectF box;
        std::vector<std::size_t> incoming; ///< edges
        std::vector<std::size_t> outgoing;
    };
    struct Edge {
        std::size_t from = 0; ///< nodes
        std::size_t to = 0;
        std::string tensor; ///< name in the graph
        QString shape;
        std::vector<QPointF> route;
    };

    std::vector<Node> nodes; ///< topologically
    std::vector<Edge> edges;
    std::vector<std::size_t> nodeOfLayer; ///< as LoadedModel::layers
    double width = 0;
    double height = 0;
};
using NetworkMapPtr = std::shared_ptr<const NetworkMap>;

/// Nodes that only read constants are left out; they are no part of the flow.
NetworkMap mapNetwork(const graph::Graph& graph, std::span<const LayerInfo> layers);

/// The first node at or after `start`, around the end, whose name, title or operator contains `text`, in any case.
std::optional<std::size_t> findNode(const NetworkMap& map, const QString& text, std::size_t start);

} // namespace quantoscope::ui
