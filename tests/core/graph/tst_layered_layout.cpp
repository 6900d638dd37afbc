// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <cmath>

#include <QTest>

#include "core/base/random.h"
#include "core/graph/layered_layout.h"

using namespace quantoscope;
using namespace quantoscope::graph;

namespace {

using Nodes = std::vector<LayoutNode>;
using Edges = std::vector<LayoutEdge>;

Nodes boxes(std::size_t count, double width = 100, double height = 30) { return Nodes(count, { width, height }); }

Edges chain(std::size_t count)
{
    Edges edges;
    for (std::size_t i = 1; i < count; ++i)
        edges.push_back({ i - 1, i });
    return edges;
}

/// Blocks of three nodes with a shortcut around the first two, boxes of different widths.
void addResidual(Nodes& nodes, Edges& edges, int blocks)
{
    nodes = boxes(1);
    for (int b = 0; b < blocks; ++b) {
        const std::size_t first = nodes.size();
        nodes.push_back({ 160, 40 });
        nodes.push_back({ 60, 24 });
        nodes.push_back({ 50, 24 });
        for (std::size_t i = first; i < first + 3; ++i)
            edges.push_back({ i - 1, i });
        edges.push_back({ first - 1, first + 2 });
    }
}

bool inside(const LayoutPoint& p, const LayoutPoint& centre, const LayoutNode& node)
{
    return std::abs(p.x - centre.x) < node.width / 2 - 1e-6 && std::abs(p.y - centre.y) < node.height / 2 - 1e-6;
}

/// What every drawing must keep to, whatever the network.
void checkDrawing(
    const Nodes& nodes, const Edges& edges, const LayeredLayout& layout, const LayoutSpacing& spacing = {})
{
    QCOMPARE(layout.centres.size(), nodes.size());
    QCOMPARE(layout.routes.size(), edges.size());
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        const auto& c = layout.centres[i];
        QVERIFY(c.x - nodes[i].width / 2 > -1e-6 && c.x + nodes[i].width / 2 < layout.width + 1e-6);
        QVERIFY(c.y - nodes[i].height / 2 > -1e-6 && c.y + nodes[i].height / 2 < layout.height + 1e-6);
        for (std::size_t j = 0; j < i; ++j)
            if (layout.layers[i] == layout.layers[j])
                QVERIFY(
                    std::abs(c.x - layout.centres[j].x) > (nodes[i].width + nodes[j].width) / 2 + spacing.node - 1e-6);
    }
    for (std::size_t e = 0; e < edges.size(); ++e) {
        const auto& route = layout.routes[e];
        QVERIFY(layout.layers[edges[e].from] < layout.layers[edges[e].to]);
        QVERIFY(route.size() >= 2);
        const auto& from = layout.centres[edges[e].from];
        const auto& to = layout.centres[edges[e].to];
        QCOMPARE(route.front().y, from.y + nodes[edges[e].from].height / 2);
        QCOMPARE(route.back().y, to.y - nodes[edges[e].to].height / 2);
        QVERIFY(std::abs(route.front().x - from.x) <= nodes[edges[e].from].width / 2);
        QVERIFY(std::abs(route.back().x - to.x) <= nodes[edges[e].to].width / 2);
        for (std::size_t p = 1; p < route.size(); ++p)
            QVERIFY(route[p].y >= route[p - 1].y);
        // Where an edge passes a layer it goes straight down, so its corners tell whether it runs through a box.
        for (std::size_t p = 1; p + 1 < route.size(); ++p) {
            const LayoutPoint middle { route[p].x, (route[p].y + route[p % 2 == 1 ? p + 1 : p - 1].y) / 2 };
            for (std::size_t i = 0; i < nodes.size(); ++i)
                QVERIFY(!inside(middle, layout.centres[i], nodes[i]));
        }
    }
}

} // namespace

class TestLayeredLayout : public QObject {
    Q_OBJECT

private slots:
    void nothing()
    {
        const auto layout = layeredLayout({}, {});
        QVERIFY(layout.centres.empty());
        QCOMPARE(layout.width, 0.0);
    }

    void aChainIsAStraightLine()
    {
        const Nodes nodes = boxes(5);
        const Edges edges = chain(5);
        const auto layout = layeredLayout(nodes, edges);
        checkDrawing(nodes, edges, layout);
        QCOMPARE(layout.width, 100.0);
        QCOMPARE(layout.height, 5 * 30 + 4 * LayoutSpacing {}.layer);
        for (std::size_t i = 0; i < 5; ++i) {
            QCOMPARE(layout.layers[i], i);
            QCOMPARE(layout.centres[i].x, 50.0);
        }
        for (const auto& route : layout.routes)
            QCOMPARE(route.front().x, route.back().x);
    }

    void shortcutsRunBesideTheTrunk()
    {
        Nodes nodes;
        Edges edges;
        addResidual(nodes, edges, 6);
        const auto layout = layeredLayout(nodes, edges);
        checkDrawing(nodes, edges, layout);
        for (const auto& centre : layout.centres)
            QCOMPARE(centre.x, layout.centres[0].x);
        // Each shortcut is one straight lane, all of them on the same side.
        const auto& first = layout.routes[3];
        QCOMPARE(first.size(), std::size_t { 6 });
        for (std::size_t e = 3; e < edges.size(); e += 4) {
            const auto& route = layout.routes[e];
            for (std::size_t p = 1; p + 1 < route.size(); ++p)
                QCOMPARE(route[p].x, first[1].x);
            QVERIFY(route[1].x > layout.centres[0].x + 80);
        }
    }

    void crossingsThatNeedNotBeAreNone()
    {
        // Two chains whose nodes are listed crosswise.
        const Nodes nodes = boxes(6, 20);
        const Edges edges { { 0, 3 }, { 1, 2 }, { 2, 5 }, { 3, 4 } };
        const auto layout = layeredLayout(nodes, edges);
        checkDrawing(nodes, edges, layout);
        const auto side = [&](std::size_t a, std::size_t b) { return layout.centres[a].x < layout.centres[b].x; };
        QCOMPARE(side(0, 1), side(3, 2));
        QCOMPARE(side(3, 2), side(4, 5));
    }

    void aSecondInputStandsByItsReader()
    {
        const Nodes nodes = boxes(6, 20);
        // 0 -> 2 -> 3 -> 4 -> 5, and 1 -> 5.
        const Edges edges { { 0, 2 }, { 2, 3 }, { 3, 4 }, { 4, 5 }, { 1, 5 } };
        const auto layout = layeredLayout(nodes, edges);
        checkDrawing(nodes, edges, layout);
        QCOMPARE(layout.layers[1], layout.layers[5] - 1);
    }

    void edgesOfOneNodeShareTheirWay()
    {
        const Nodes nodes = boxes(6, 20);
        Edges edges = chain(6);
        edges.push_back({ 0, 3 });
        edges.push_back({ 0, 5 });
        const auto layout = layeredLayout(nodes, edges);
        checkDrawing(nodes, edges, layout);
        QCOMPARE(layout.routes[5][1].x, layout.routes[6][1].x);
    }

    void severalParts()
    {
        const Nodes nodes = boxes(4, 20);
        const Edges edges { { 0, 1 }, { 2, 3 } };
        checkDrawing(nodes, edges, layeredLayout(nodes, edges));
        checkDrawing(nodes, {}, layeredLayout(nodes, {}));
    }

    void anyNetwork_data()
    {
        QTest::addColumn<int>("seed");
        for (int seed = 0; seed < 12; ++seed)
            QTest::addRow("seed %d", seed) << seed;
    }

    void anyNetwork()
    {
        QFETCH(int, seed);
        base::Random random(static_cast<std::uint64_t>(seed));
        Nodes nodes;
        Edges edges;
        for (std::size_t i = 0; i < 60; ++i) {
            nodes.push_back(
                { 20.0 + static_cast<double>(random.below(140)), 16.0 + static_cast<double>(random.below(30)) });
            const std::size_t inputs = i == 0 ? 0 : random.below(3);
            for (std::size_t k = 0; k < inputs; ++k)
                edges.push_back({ static_cast<std::size_t>(random.below(i)), i });
        }
        const auto layout = layeredLayout(nodes, edges);
        checkDrawing(nodes, edges, layout);
        const auto again = layeredLayout(nodes, edges);
        QVERIFY(layout.centres == again.centres);
        QVERIFY(layout.routes == again.routes);
    }

    void thousandsOfNodes()
    {
        Nodes nodes;
        Edges edges;
        addResidual(nodes, edges, 2000);
        // What an attention mask does: read by everyone.
        for (std::size_t i = 100; i < nodes.size(); i += 100)
            edges.push_back({ 0, i });
        const auto layout = layeredLayout(nodes, edges);
        QCOMPARE(layout.centres.size(), nodes.size());
        QVERIFY(layout.width < 1000);
    }
};

QTEST_APPLESS_MAIN(TestLayeredLayout)
#include "tst_layered_layout.moc"
