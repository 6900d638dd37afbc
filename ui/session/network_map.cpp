// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/session/network_map.h"

#include <algorithm>
#include <map>
#include <set>

#include <QStringList>

#include "core/graph/layered_layout.h"
#include "ui/session/state.h"

namespace quantoscope::ui {

namespace {

constexpr double layerWidth = 184; // pixels at scale one, as all below
constexpr double operatorHeight = 26;
constexpr double letterWidth = 7.5;
constexpr double leastWidth = 64;
constexpr double textMargin = 28;

double widthFor(const QString& text)
{
    return std::clamp(letterWidth * static_cast<double>(text.size()) + textMargin, leastWidth, layerWidth);
}

class Mapper {
public:
    Mapper(const graph::Graph& graph, std::span<const LayerInfo> layers)
        : m_graph(graph)
        , m_layers(layers)
    {
        for (std::size_t i = 0; i < layers.size(); ++i)
            m_layerOf[layers[i].layer.node.index()] = static_cast<int>(i);
        m_map.nodeOfLayer.resize(layers.size(), 0);
    }

    NetworkMap run()
    {
        for (const graph::ValueId input : m_graph.inputs())
            addEnd(input, NetworkMap::Kind::Input);
        if (const auto order = m_graph.topologicalOrder())
            for (const graph::NodeId id : *order)
                addNode(id);
        for (const graph::ValueId output : m_graph.outputs())
            connect(output, addEnd(output, NetworkMap::Kind::Output));
        place();
        return std::move(m_map);
    }

private:
    std::size_t addEnd(graph::ValueId value, NetworkMap::Kind kind)
    {
        NetworkMap::Node node;
        node.kind = kind;
        node.title = node.name = QString::fromStdString(m_graph.value(value).name);
        node.shape = shapeText(m_graph.value(value).type.dims);
        node.box.setSize({ widthFor(node.title), operatorHeight });
        m_map.nodes.push_back(std::move(node));
        if (kind == NetworkMap::Kind::Input)
            m_source[value.index()] = m_map.nodes.size() - 1;
        return m_map.nodes.size() - 1;
    }

    void addNode(graph::NodeId id)
    {
        const graph::Node& source = m_graph.node(id);
        const bool flows = std::ranges::any_of(
            source.inputs, [&](graph::ValueId v) { return v.valid() && m_source.contains(v.index()); });
        if (!flows)
            return;
        const std::size_t index = m_map.nodes.size();
        NetworkMap::Node node;
        node.name = QString::fromStdString(m_graph.label(id));
        node.op = QString::fromStdString(source.opType);
        node.title = node.op;
        double width = widthFor(node.title);
        double height = operatorHeight;
        if (const auto layer = m_layerOf.find(id.index()); layer != m_layerOf.end()) {
            node.kind = NetworkMap::Kind::Layer;
            node.layer = layer->second;
            m_map.nodeOfLayer[static_cast<std::size_t>(node.layer)] = index;
            const LayerInfo& info = m_layers[static_cast<std::size_t>(node.layer)];
            node.title = info.name;
            node.subtitle = info.weightShape.isEmpty() ? node.op : node.op + QStringLiteral("  ") + info.weightShape;
            width = layerWidth;
            height = NetworkMap::layerHeight;
        }
        node.box.setSize({ width, height });
        for (const graph::ValueId output : source.outputs)
            if (output.valid()) {
                m_source[output.index()] = index;
                if (node.shape.isEmpty())
                    node.shape = shapeText(m_graph.value(output).type.dims);
            }
        m_map.nodes.push_back(std::move(node));
        for (const graph::ValueId input : source.inputs)
            if (input.valid())
                connect(input, index);
    }

    void connect(graph::ValueId value, std::size_t to)
    {
        const auto from = m_source.find(value.index());
        if (from == m_source.end() || from->second >= to || !m_known.insert({ value.index(), to }).second)
            return;
        NetworkMap::Edge edge;
        edge.from = from->second;
        edge.to = to;
        edge.tensor = m_graph.value(value).name;
        edge.shape = shapeText(m_graph.value(value).type.dims);
        m_map.nodes[edge.from].outgoing.push_back(m_map.edges.size());
        m_map.nodes[to].incoming.push_back(m_map.edges.size());
        m_map.edges.push_back(std::move(edge));
    }

    void place()
    {
        std::vector<graph::LayoutNode> boxes;
        for (const auto& node : m_map.nodes)
            boxes.push_back({ node.box.width(), node.box.height() });
        std::vector<graph::LayoutEdge> edges;
        for (const auto& edge : m_map.edges)
            edges.push_back({ edge.from, edge.to });
        const graph::LayeredLayout layout = graph::layeredLayout(boxes, edges);
        for (std::size_t i = 0; i < m_map.nodes.size(); ++i) {
            m_map.nodes[i].box.moveCenter({ layout.centres[i].x, layout.centres[i].y });
            m_map.nodes[i].row = layout.layers[i];
        }
        for (std::size_t i = 0; i < m_map.edges.size(); ++i)
            for (const graph::LayoutPoint& point : layout.routes[i])
                m_map.edges[i].route.emplace_back(point.x, point.y);
        m_map.width = layout.width;
        m_map.height = layout.height;
    }

    const graph::Graph& m_graph;
    std::span<const LayerInfo> m_layers;
    std::map<std::size_t, int> m_layerOf; ///< by node
    std::map<std::size_t, std::size_t> m_source; ///< by value: the node it comes from
    std::set<std::pair<std::size_t, std::size_t>> m_known; ///< value and reader
    NetworkMap m_map;
};

} // namespace

QString shapeText(const std::optional<graph::Dims>& dims)
{
    if (!dims)
        return QStringLiteral("?");
    QStringList parts;
    for (const graph::Dim& dim : *dims)
        parts << (dim.known()     ? QString::number(dim.value)
                : parts.isEmpty() ? QStringLiteral("N")
                                  : QStringLiteral("?"));
    return parts.join(QChar(0x00d7));
}

NetworkMap mapNetwork(const graph::Graph& graph, std::span<const LayerInfo> layers)
{
    return Mapper(graph, layers).run();
}

std::optional<std::size_t> findNode(const NetworkMap& map, const QString& text, std::size_t start)
{
    const QString wanted = text.trimmed();
    if (wanted.isEmpty())
        return std::nullopt;
    for (std::size_t i = 0; i < map.nodes.size(); ++i) {
        const std::size_t at = (start + i) % map.nodes.size();
        const NetworkMap::Node& node = map.nodes[at];
        for (const QString* part : { &node.name, &node.title, &node.op })
            if (part->contains(wanted, Qt::CaseInsensitive))
                return at;
    }
    return std::nullopt;
}

} // namespace quantoscope::ui
