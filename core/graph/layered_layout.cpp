// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/graph/layered_layout.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <numeric>
#include <set>

namespace quantoscope::graph {

namespace {

constexpr int orderSweeps = 12; ///< down and up; most networks are done after two
constexpr int placeSweeps = 4;

/// A box, or the place where an edge passes a layer.
struct Vertex {
    std::size_t layer = 0;
    double halfWidth = 0;
    double gap = 0; ///< to either neighbour
    double priority = 0; ///< who goes straight where not both can
    bool lane = false;
    std::vector<std::size_t> above;
    std::vector<std::size_t> below;
    double x = 0;
};

class Placement {
public:
    Placement(std::span<const LayoutNode> nodes, std::span<const LayoutEdge> edges, const LayoutSpacing& spacing)
        : m_nodes(nodes)
        , m_edges(edges)
        , m_spacing(spacing)
    {
        assignLayers();
        addLanes();
        setPriorities();
        order();
        place();
    }

    LayeredLayout result() const;

private:
    void assignLayers();
    void addLanes();
    void connect(std::size_t upper, std::size_t lower);
    void setPriorities();
    void order();
    void sortBy(bool downwards);
    void renumber();
    std::int64_t crossings() const;
    std::int64_t crossingsBelow(std::size_t layer) const;
    void place();
    void spread();
    void placeLayer(const std::vector<std::size_t>& row, bool downwards);
    double wanted(const Vertex& vertex, bool downwards) const;
    double separation(std::size_t left, std::size_t right) const;
    std::vector<LayoutPoint> route(
        const LayoutEdge& edge, const std::vector<double>& tops, const std::vector<double>& heights, double left) const;

    std::span<const LayoutNode> m_nodes;
    std::span<const LayoutEdge> m_edges;
    LayoutSpacing m_spacing;
    std::vector<Vertex> m_vertices; ///< the nodes, then the lanes
    std::vector<std::vector<std::size_t>> m_rows; ///< vertices of each layer from left to right
    std::vector<std::size_t> m_position; ///< of a vertex in its row
    std::vector<std::vector<std::size_t>> m_lanes; ///< of a node: the places its edges pass, downwards
};

void Placement::assignLayers()
{
    m_vertices.resize(m_nodes.size());
    std::vector<std::size_t> firstReader(m_nodes.size(), std::numeric_limits<std::size_t>::max());
    std::vector<bool> fed(m_nodes.size(), false);
    for (std::size_t i = 0; i < m_nodes.size(); ++i) {
        m_vertices[i].halfWidth = m_nodes[i].width / 2;
        m_vertices[i].gap = m_spacing.node / 2;
    }
    // Edges may come in any order; their sources are final once they are sorted by them.
    std::vector<LayoutEdge> sorted(m_edges.begin(), m_edges.end());
    std::ranges::sort(sorted, {}, &LayoutEdge::from);
    for (const LayoutEdge& edge : sorted) {
        assert(edge.from < edge.to && edge.to < m_nodes.size());
        m_vertices[edge.to].layer = std::max(m_vertices[edge.to].layer, m_vertices[edge.from].layer + 1);
        fed[edge.to] = true;
    }
    // What nothing feeds stands right above who reads it, not at the top of everything.
    for (const LayoutEdge& edge : sorted)
        firstReader[edge.from] = std::min(firstReader[edge.from], m_vertices[edge.to].layer);
    for (std::size_t i = 0; i < m_nodes.size(); ++i)
        if (!fed[i] && firstReader[i] != std::numeric_limits<std::size_t>::max())
            m_vertices[i].layer = firstReader[i] - 1;
}

void Placement::connect(std::size_t upper, std::size_t lower)
{
    auto& below = m_vertices[upper].below;
    if (std::ranges::find(below, lower) != below.end())
        return;
    below.push_back(lower);
    m_vertices[lower].above.push_back(upper);
}

void Placement::addLanes()
{
    std::size_t last = 0;
    for (const Vertex& vertex : m_vertices)
        last = std::max(last, vertex.layer);
    m_lanes.resize(m_nodes.size());
    for (const LayoutEdge& edge : m_edges) {
        const std::size_t from = m_vertices[edge.from].layer;
        auto& lanes = m_lanes[edge.from];
        while (from + lanes.size() + 1 < m_vertices[edge.to].layer) {
            Vertex lane;
            lane.layer = from + lanes.size() + 1;
            lane.gap = m_spacing.lane / 2;
            lane.lane = true;
            m_vertices.push_back(lane);
            connect(lanes.empty() ? edge.from : lanes.back(), m_vertices.size() - 1);
            lanes.push_back(m_vertices.size() - 1);
        }
        const std::size_t passed = m_vertices[edge.to].layer - from - 1;
        connect(passed == 0 ? edge.from : lanes[passed - 1], edge.to);
    }
    m_rows.resize(m_vertices.empty() ? 0 : last + 1);
    for (std::size_t i = 0; i < m_vertices.size(); ++i)
        m_rows[m_vertices[i].layer].push_back(i);
    m_position.resize(m_vertices.size());
    renumber();
}

void Placement::setPriorities()
{
    // The longest path through a node; its lanes come after all boxes.
    std::vector<std::size_t> toEnd(m_nodes.size(), 0);
    std::vector<LayoutEdge> sorted(m_edges.begin(), m_edges.end());
    std::ranges::sort(sorted, std::greater<>(), &LayoutEdge::from);
    for (const LayoutEdge& edge : sorted)
        toEnd[edge.from] = std::max(toEnd[edge.from], toEnd[edge.to] + 1);
    for (std::size_t i = 0; i < m_nodes.size(); ++i)
        m_vertices[i].priority = 1 + static_cast<double>(m_vertices[i].layer + toEnd[i]);
}

void Placement::renumber()
{
    for (const auto& row : m_rows)
        for (std::size_t i = 0; i < row.size(); ++i)
            m_position[row[i]] = i;
}

std::int64_t Placement::crossingsBelow(std::size_t layer) const
{
    // Inversions among the lower ends, taken from left to right, with a binary indexed tree.
    const std::size_t size = layer + 1 < m_rows.size() ? m_rows[layer + 1].size() : 0;
    std::vector<std::int64_t> tree(size + 1, 0);
    std::int64_t seen = 0;
    std::int64_t found = 0;
    for (const std::size_t upper : m_rows[layer]) {
        std::vector<std::size_t> ends;
        for (const std::size_t lower : m_vertices[upper].below)
            ends.push_back(m_position[lower]);
        for (const std::size_t end : ends) {
            std::int64_t notRight = 0;
            for (std::size_t i = end + 1; i > 0; i -= i & (~i + 1))
                notRight += tree[i];
            found += seen - notRight;
        }
        for (const std::size_t end : ends) {
            for (std::size_t i = end + 1; i <= size; i += i & (~i + 1))
                ++tree[i];
            ++seen;
        }
    }
    return found;
}

std::int64_t Placement::crossings() const
{
    std::int64_t found = 0;
    for (std::size_t layer = 0; layer < m_rows.size(); ++layer)
        found += crossingsBelow(layer);
    return found;
}

void Placement::sortBy(bool downwards)
{
    std::vector<double> centre(m_vertices.size());
    const auto arrange = [&](std::vector<std::size_t>& row) {
        for (const std::size_t v : row) {
            const auto& fixed = downwards ? m_vertices[v].above : m_vertices[v].below;
            double sum = 0;
            for (const std::size_t other : fixed)
                sum += static_cast<double>(m_position[other]);
            centre[v] = fixed.empty() ? static_cast<double>(m_position[v]) : sum / static_cast<double>(fixed.size());
        }
        std::ranges::stable_sort(row, {}, [&](std::size_t v) { return centre[v]; });
        for (std::size_t i = 0; i < row.size(); ++i)
            m_position[row[i]] = i;
    };
    if (downwards)
        std::ranges::for_each(m_rows, arrange);
    else
        std::for_each(m_rows.rbegin(), m_rows.rend(), arrange);
}

void Placement::order()
{
    auto best = m_rows;
    std::int64_t fewest = crossings();
    int idle = 0;
    for (int sweep = 0; sweep < orderSweeps && fewest > 0 && idle < 4; ++sweep) {
        sortBy(sweep % 2 == 0);
        const std::int64_t now = crossings();
        ++idle;
        if (now < fewest) {
            fewest = now;
            best = m_rows;
            idle = 0;
        }
    }
    m_rows = std::move(best);
    renumber();
}

double Placement::separation(std::size_t left, std::size_t right) const
{
    const Vertex& a = m_vertices[left];
    const Vertex& b = m_vertices[right];
    return a.halfWidth + a.gap + b.gap + b.halfWidth;
}

void Placement::spread()
{
    for (const auto& row : m_rows) {
        double x = 0;
        for (std::size_t i = 0; i < row.size(); ++i) {
            x += i == 0 ? 0 : separation(row[i - 1], row[i]);
            m_vertices[row[i]].x = x;
        }
    }
}

double Placement::wanted(const Vertex& vertex, bool downwards) const
{
    const auto& fixed = downwards ? vertex.above : vertex.below;
    double most = -1;
    double sum = 0;
    int equals = 0;
    for (const std::size_t other : fixed) {
        const Vertex& candidate = m_vertices[other];
        // Upwards a lane stays where it got to; it is straight then, whatever it ends in.
        if (!downwards && vertex.lane && !candidate.lane)
            continue;
        if (candidate.priority > most) {
            most = candidate.priority;
            sum = 0;
            equals = 0;
        }
        if (candidate.priority == most) {
            sum += candidate.x;
            ++equals;
        }
    }
    return equals == 0 ? vertex.x : sum / equals;
}

void Placement::placeLayer(const std::vector<std::size_t>& row, bool downwards)
{
    // How far each vertex is from the first at least.
    std::vector<double> offset(row.size(), 0);
    for (std::size_t i = 1; i < row.size(); ++i)
        offset[i] = offset[i - 1] + separation(row[i - 1], row[i]);
    std::vector<std::size_t> turn(row.size());
    std::iota(turn.begin(), turn.end(), std::size_t { 0 });
    std::ranges::stable_sort(turn, std::greater<>(), [&](std::size_t i) { return m_vertices[row[i]].priority; });
    std::set<std::size_t> placed;
    for (const std::size_t i : turn) {
        double x = wanted(m_vertices[row[i]], downwards);
        const auto right = placed.upper_bound(i);
        if (right != placed.end())
            x = std::min(x, m_vertices[row[*right]].x - (offset[*right] - offset[i]));
        if (right != placed.begin()) {
            const std::size_t left = *std::prev(right);
            x = std::max(x, m_vertices[row[left]].x + (offset[i] - offset[left]));
        }
        m_vertices[row[i]].x = x;
        placed.insert(i);
    }
}

void Placement::place()
{
    spread();
    for (int sweep = 0; sweep < placeSweeps; ++sweep) {
        const bool downwards = sweep % 2 == 0;
        for (std::size_t i = 0; i < m_rows.size(); ++i)
            placeLayer(m_rows[downwards ? i : m_rows.size() - 1 - i], downwards);
    }
}

std::vector<LayoutPoint> Placement::route(
    const LayoutEdge& edge, const std::vector<double>& tops, const std::vector<double>& heights, double left) const
{
    const Vertex& from = m_vertices[edge.from];
    const Vertex& to = m_vertices[edge.to];
    std::vector<LayoutPoint> points;
    for (std::size_t i = 0; i + from.layer + 1 < to.layer; ++i) {
        const Vertex& lane = m_vertices[m_lanes[edge.from][i]];
        points.push_back({ lane.x - left, tops[lane.layer] });
        points.push_back({ lane.x - left, tops[lane.layer] + heights[lane.layer] });
    }
    // Each end is as near to where the edge comes from as its box allows.
    const auto port = [&](const Vertex& box, double towards) {
        const double reach = std::max(0.0, box.halfWidth - m_spacing.port);
        return std::clamp(towards, box.x - left - reach, box.x - left + reach);
    };
    const double fromHeight = m_nodes[edge.from].height;
    const double toHeight = m_nodes[edge.to].height;
    const double startX = port(from, points.empty() ? to.x - left : points.front().x);
    const double endX = port(to, points.empty() ? startX : points.back().x);
    points.insert(points.begin(), { startX, tops[from.layer] + (heights[from.layer] + fromHeight) / 2 });
    points.push_back({ endX, tops[to.layer] + (heights[to.layer] - toHeight) / 2 });
    return points;
}

LayeredLayout Placement::result() const
{
    LayeredLayout layout;
    std::vector<double> heights(m_rows.size(), 0);
    double left = std::numeric_limits<double>::max();
    double right = std::numeric_limits<double>::lowest();
    for (std::size_t i = 0; i < m_vertices.size(); ++i) {
        const Vertex& vertex = m_vertices[i];
        left = std::min(left, vertex.x - vertex.halfWidth - (vertex.lane ? vertex.gap : 0));
        right = std::max(right, vertex.x + vertex.halfWidth + (vertex.lane ? vertex.gap : 0));
        if (i < m_nodes.size())
            heights[vertex.layer] = std::max(heights[vertex.layer], m_nodes[i].height);
    }
    if (m_vertices.empty())
        return layout;
    std::vector<double> tops(m_rows.size(), 0);
    for (std::size_t i = 1; i < tops.size(); ++i)
        tops[i] = tops[i - 1] + heights[i - 1] + m_spacing.layer;
    for (std::size_t i = 0; i < m_nodes.size(); ++i) {
        const Vertex& vertex = m_vertices[i];
        layout.centres.push_back({ vertex.x - left, tops[vertex.layer] + heights[vertex.layer] / 2 });
        layout.layers.push_back(vertex.layer);
    }
    for (const LayoutEdge& edge : m_edges)
        layout.routes.push_back(route(edge, tops, heights, left));
    layout.width = right - left;
    layout.height = tops.back() + heights.back();
    return layout;
}

} // namespace

LayeredLayout layeredLayout(
    std::span<const LayoutNode> nodes, std::span<const LayoutEdge> edges, const LayoutSpacing& spacing)
{
    return Placement(nodes, edges, spacing).result();
}

} // namespace quantoscope::graph
