// SPDX-License-Identifier: GPL-3.0-or-later
#include <functional>
#include <memory>
#include <string>

#include <QtTest>

#include "core/graph/fingerprint.h"
#include "tests/support/small_networks.h"

using namespace quantoscope;
using graph::Graph;

namespace {

using Change = std::function<void(Graph&)>;

graph::NodeId nodeNamed(const Graph& graph, const std::string& output)
{
    return graph.value(*graph.find(output)).producer;
}

/// Another tensor in a constant's place.
void setConstant(Graph& graph, const std::string& name, Tensor tensor)
{
    graph.value(*graph.find(name)).constant = std::make_shared<const Tensor>(std::move(tensor));
}

} // namespace

Q_DECLARE_METATYPE(Change)

class TestFingerprint : public QObject {
    Q_OBJECT

private slots:
    void sameForTheSame();
    void differs_data();
    void differs();
    void commentsDoNotCount();
};

void TestFingerprint::sameForTheSame()
{
    const auto first = graph::fingerprint(test::smallConvNet(3, 8, 10));
    QCOMPARE(first.size(), std::size_t { 64 });
    QCOMPARE(graph::fingerprint(test::smallConvNet(3, 8, 10)), first); // constants made anew, at other addresses
    const Graph copy = test::smallConvNet(3, 8, 10);
    QCOMPARE(graph::fingerprint(Graph(copy)), first);
}

void TestFingerprint::differs_data()
{
    QTest::addColumn<Change>("change");
    const auto row = [](const char* name, Change change) { QTest::newRow(name) << std::move(change); };
    row("one weight, last bit", [](Graph& graph) {
        Tensor weight = *graph.value(*graph.find("conv2_weight")).constant;
        auto* bits = static_cast<unsigned char*>(weight.data());
        bits[weight.bytes() - 4] ^= 1; // little end of the last float
        setConstant(graph, "conv2_weight", std::move(weight));
    });
    row("the same elements in another shape", [](Graph& graph) {
        setConstant(graph, "conv1_bias", graph.value(*graph.find("conv1_bias")).constant->reshaped({ 1, 8 }));
    });
    row("a tensor's name", [](Graph& graph) { graph.rename(*graph.find("relu1"), "other"); });
    row("a constant's name", [](Graph& graph) { graph.rename(*graph.find("conv1_weight"), "other"); });
    row("a node's name", [](Graph& graph) { graph.node(nodeNamed(graph, "conv1")).name = "other"; });
    row("an operator", [](Graph& graph) { graph.node(nodeNamed(graph, "relu1")).opType = "Sigmoid"; });
    row("a domain", [](Graph& graph) { graph.node(nodeNamed(graph, "relu1")).domain = "org.example"; });
    row("an attribute", [](Graph& graph) {
        graph.node(nodeNamed(graph, "conv1")).attributes["pads"] = std::vector<std::int64_t> { 1, 1, 1, 0 };
    });
    row("an attribute's type", [](Graph& graph) { graph.node(nodeNamed(graph, "flat")).attributes["axis"] = 1.0F; });
    row("one attribute more",
        [](Graph& graph) { graph.node(nodeNamed(graph, "conv1")).attributes["group"] = std::int64_t { 1 }; });
    row("operator set", [](Graph& graph) { graph.opsets[""] += 1; });
    row("input type", [](Graph& graph) { graph.value(graph.inputs().front()).type.dims->back() = 9; });
    row("one output more", [](Graph& graph) { graph.markOutput(*graph.find("pool")); });
    row("another edge", [](Graph& graph) { graph.setInput(nodeNamed(graph, "pool"), 0, *graph.find("conv2")); });
    row("an edge less", [](Graph& graph) { graph.node(nodeNamed(graph, "conv1")).inputs.pop_back(); });
}

void TestFingerprint::differs()
{
    QFETCH(Change, change);
    Graph graph = test::smallConvNet(3, 8, 10);
    const auto before = graph::fingerprint(graph);
    change(graph);
    QVERIFY(graph::fingerprint(graph) != before);
}

void TestFingerprint::commentsDoNotCount()
{
    Graph graph = test::smallConvNet(3, 8, 10);
    const auto before = graph::fingerprint(graph);
    graph.docString = "about the network";
    graph.node(nodeNamed(graph, "conv1")).docString = "about a node";
    QCOMPARE(graph::fingerprint(graph), before);
}

QTEST_APPLESS_MAIN(TestFingerprint)
#include "tst_fingerprint.moc"
