// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <set>

#include <QtTest>

#include "core/base/random.h"
#include "core/graph/verifier.h"
#include "tests/support/graph_builder.h"

using namespace quantoscope;
using namespace quantoscope::test;
using graph::Dim;
using graph::Dims;
using graph::Graph;
using graph::NodeId;
using graph::ValueId;

namespace {

/// x -> a -> b -> output, and c beside it that reads both a and x.
struct Diamond {
    GraphBuilder builder;
    Graph& graph = builder.graph();
    ValueId x = builder.input("x", { 2 });
    ValueId a = builder.node("Relu", { x }, "a");
    ValueId b = builder.node("Neg", { a }, "b");
    ValueId c = builder.node("Add", { a, x }, "c");

    Diamond()
    {
        builder.output(b);
        builder.output(c);
    }
    NodeId producer(ValueId id) const { return graph.value(id).producer; }
};

std::vector<std::string> names(const Graph& graph, const std::vector<NodeId>& nodes)
{
    std::vector<std::string> result;
    for (const NodeId id : nodes)
        result.push_back(graph.node(id).name);
    return result;
}

using Names = std::vector<std::string>;

} // namespace

class TestGraph : public QObject {
    Q_OBJECT

private slots:
    void readingFollowsTheEdges()
    {
        const Diamond net;
        QVERIFY(names(net.graph, net.graph.consumers(net.a)) == (Names { "b_node", "c_node" }));
        QVERIFY(names(net.graph, net.graph.consumers(net.x)) == (Names { "a_node", "c_node" }));
        QVERIFY(net.graph.consumers(net.c).empty());
        const auto all = net.graph.allConsumers();
        for (const ValueId id : net.graph.values())
            QVERIFY(all[id.index()] == net.graph.consumers(id));
        QVERIFY(net.graph.find("b") == net.b && !net.graph.find("nothing"));
        QVERIFY(net.graph.isInput(net.x) && !net.graph.isInput(net.a));
        QVERIFY(net.graph.isOutput(net.b) && !net.graph.isOutput(net.a));
        QVERIFY(!net.graph.contains(NodeId {}) && !net.graph.contains(NodeId { 99 })
            && !net.graph.contains(ValueId { 99 }));
        QVERIFY(!net.graph.isConstant(ValueId {}));
    }

    void aNodeThatReadsAValueTwiceIsOneConsumer()
    {
        GraphBuilder builder;
        const ValueId x = builder.input("x", { 2 });
        const ValueId y = builder.node("Mul", { x, x }, "y");
        QCOMPARE(builder.graph().consumers(x).size(), 1u);
        QCOMPARE(builder.graph().allConsumers()[x.index()].size(), 1u);
        const ValueId z = builder.input("z", { 2 });
        builder.graph().replaceUses(x, z);
        const graph::Node& node = builder.graph().node(builder.graph().value(y).producer);
        QVERIFY(node.inputs[0] == z && node.inputs[1] == z);
    }

    void copiesAreIndependent()
    {
        Diamond net;
        net.builder.constant("k", floats({ 1 }));
        Graph copy(net.graph);
        Graph assigned;
        assigned = net.graph;
        // Constants are shared, everything else is not.
        QCOMPARE(copy.value(*copy.find("k")).constant.get(), net.graph.value(*net.graph.find("k")).constant.get());
        copy.node(net.producer(net.a)).opType = "Abs";
        copy.rename(net.a, "renamed");
        copy.removeNode(net.producer(net.b));
        assigned.value(net.x).type = {};
        QCOMPARE(net.graph.node(net.producer(net.a)).opType, std::string("Relu"));
        QVERIFY(net.graph.find("a") == net.a && !net.graph.find("renamed"));
        QVERIFY(net.graph.contains(net.producer(net.b)) && net.graph.value(net.x).type.dims);
        QVERIFY(graph::verify(net.graph));
        QVERIFY(!graph::verify(copy));
        auto& self = assigned;
        assigned = self;
        QCOMPARE(assigned.nodes().size(), 3u);
    }

    void idsStayValidWhileThingsComeAndGo()
    {
        Diamond net;
        const NodeId b = net.producer(net.b);
        const NodeId c = net.producer(net.c);
        net.graph.removeNode(b);
        QVERIFY(!net.graph.contains(b) && net.graph.contains(c));
        QVERIFY(!net.graph.value(net.b).producer.valid());
        QVERIFY(names(net.graph, net.graph.nodes()) == (Names { "a_node", "c_node" }));
        const auto added = net.builder.add("Abs", { net.a }, { "d" });
        QVERIFY(added != b);
        QVERIFY(names(net.graph, net.graph.nodes()) == (Names { "a_node", "c_node", "d_node" }));
        QCOMPARE(net.graph.node(c).name, std::string("c_node"));
    }

    void removedValuesFreeTheirName()
    {
        Diamond net;
        const ValueId spare = net.graph.addInput("spare", {});
        net.graph.removeValue(spare);
        QVERIFY(!net.graph.contains(spare) && !net.graph.find("spare") && !net.graph.isInput(spare));
        QCOMPARE(net.graph.inputs().size(), 1u);
        const ValueId again = net.graph.addValue("spare");
        QVERIFY(again != spare);
    }

    void replaceUsesReachesNodesAndOutputs()
    {
        Diamond net;
        net.builder.output(net.a);
        net.graph.replaceUses(net.a, net.x);
        QVERIFY(net.graph.consumers(net.a).empty() && !net.graph.isOutput(net.a));
        QVERIFY(net.graph.outputs().back() == net.x);
        QCOMPARE(net.graph.consumers(net.x).size(), 3u);
        QVERIFY(graph::verify(net.graph));
    }

    void renamingKeepsTheIndexTrue()
    {
        Diamond net;
        net.graph.rename(net.a, "fresh");
        QVERIFY(net.graph.find("fresh") == net.a && !net.graph.find("a"));
        QCOMPARE(net.graph.value(net.a).name, std::string("fresh"));
        net.graph.rename(net.a, "fresh");
        QVERIFY(net.graph.find("fresh") == net.a);
        net.graph.addValue("a");
        QVERIFY(graph::verify(net.graph));
    }

    void namesAreMadeUpWithoutClashing()
    {
        Graph graph;
        graph.addValue("value_1");
        graph.addValue("w");
        graph.addValue("w_2");
        QCOMPARE(graph.uniqueName("w"), std::string("w_3"));
        QCOMPARE(graph.uniqueName("free"), std::string("free"));
        std::set<std::string> seen { "value_1" };
        for (int i = 0; i < 5; ++i)
            QVERIFY(seen.insert(graph.value(graph.addValue("")).name).second);
    }

    void makeConstantDetachesTheProducer()
    {
        Diamond net;
        const NodeId producer = net.producer(net.a);
        net.graph.makeConstant(net.a, std::make_shared<const Tensor>(floats({ 1, 2 })));
        QVERIFY(net.graph.isConstant(net.a) && !net.graph.value(net.a).producer.valid());
        QVERIFY(!net.graph.node(producer).hasOutput(0));
        QCOMPARE(net.graph.value(net.a).type.toString(), std::string("float32[2]"));
        net.graph.makeConstant(net.x, std::make_shared<const Tensor>(floats({ 3 })));
        QVERIFY(net.graph.inputs().empty());
        QVERIFY(graph::verify(net.graph));
    }

    void inputsAndOutputsAreRedirected()
    {
        Diamond net;
        const NodeId neg = net.producer(net.b);
        net.graph.setInput(neg, 2, net.x);
        const graph::Node& node = net.graph.node(neg);
        QCOMPARE(node.inputs.size(), 3u);
        QVERIFY(node.hasInput(0) && !node.hasInput(1) && node.hasInput(2) && !node.hasInput(3));
        const ValueId other = net.graph.addValue("other");
        net.graph.setOutput(neg, 0, other);
        QVERIFY(net.graph.value(other).producer == neg && !net.graph.value(net.b).producer.valid());
        net.graph.setOutput(neg, 2, net.b);
        QVERIFY(net.graph.value(net.b).producer == neg && !net.graph.node(neg).hasOutput(1));
    }

    void deadCodeGoesAndNothingElse()
    {
        Diamond net;
        const ValueId d = net.builder.node("Abs", { net.b }, "d");
        net.builder.node("Abs", { d, net.builder.constant("k", floats({ 1 })) }, "e");
        net.graph.addInput("unread", {});
        net.builder.constant("unread constant", floats({ 1 }));
        QCOMPARE(net.graph.removeDead(), 2);
        for (const char* gone : { "d", "e", "k", "unread constant" })
            QVERIFY2(!net.graph.find(gone), gone);
        for (const char* left : { "x", "a", "b", "c", "unread" })
            QVERIFY2(net.graph.find(left), left);
        QCOMPARE(net.graph.removeDead(), 0);
        QVERIFY(graph::verify(net.graph));
    }

    void anUnreadOutputOfALivingNodeStays()
    {
        GraphBuilder builder;
        const auto split = builder.add("Split", { builder.input("x", { 4 }) }, { "left", "right" });
        builder.output(builder.graph().node(split).outputs[0]);
        QCOMPARE(builder.graph().removeDead(), 0);
        QVERIFY(builder.graph().find("right"));
        QVERIFY(graph::verify(builder.graph()));
    }

    void producersComeBeforeConsumersAndTiesInFileOrder()
    {
        GraphBuilder builder;
        Graph& graph = builder.graph();
        const ValueId x = builder.input("x", { 2 });
        const ValueId late = graph.addValue("late");
        builder.node("Relu", { late }, "first");
        builder.node("Relu", { x }, "second");
        graph::Node node;
        node.name = "third_node";
        node.opType = "Relu";
        node.inputs = { x };
        node.outputs = { late };
        graph.addNode(node);
        builder.node("Relu", { x }, "fourth");
        const auto order = graph.topologicalOrder();
        QVERIFY(order);
        QVERIFY(names(graph, *order) == (Names { "second_node", "third_node", "first_node", "fourth_node" }));
    }

    void randomGraphsAreOrdered()
    {
        base::Random random(5);
        for (int round = 0; round < 20; ++round) {
            // Edges go from a lower to a higher place in a hidden order, nodes are added in another.
            constexpr std::size_t count = 60;
            Graph graph;
            std::vector<ValueId> values;
            for (std::size_t i = 0; i < count; ++i)
                values.push_back(graph.addValue("v" + std::to_string(i)));
            for (const auto at : base::permutation(count, static_cast<std::uint64_t>(round))) {
                graph::Node node;
                node.opType = "Sum";
                for (std::uint64_t k = random.below(4); k > 0 && at > 0; --k)
                    node.inputs.push_back(values[random.below(static_cast<std::uint64_t>(at))]);
                node.outputs = { values[static_cast<std::size_t>(at)] };
                graph.addNode(std::move(node));
            }
            const auto order = graph.topologicalOrder();
            QVERIFY(order && order->size() == count);
            std::vector<bool> done(count);
            for (const NodeId id : *order) {
                for (const ValueId input : graph.node(id).inputs)
                    QVERIFY(done[graph.value(input).producer.index()]);
                done[id.index()] = true;
            }
        }
    }

    void aCycleIsAnErrorThatNamesANodeOnIt()
    {
        GraphBuilder builder;
        Graph& graph = builder.graph();
        const ValueId back = graph.addValue("back");
        const ValueId a = builder.node("Add", { builder.input("x", { 2 }), back }, "a");
        const ValueId b = builder.node("Relu", { a }, "b");
        const auto closing = builder.add("Relu", { b }, { "c" });
        graph.setOutput(closing, 0, back);
        builder.output(builder.node("Relu", { b }, "behind"));
        const auto order = graph.topologicalOrder();
        QVERIFY(!order);
        QCOMPARE(order.error().code, ErrorCode::InvalidInput);
        QVERIFY2(order.error().where.find("behind") == std::string::npos, order.error().where.c_str());
        const bool named = std::ranges::any_of(std::vector { "'a_node'", "'b_node'", "'c_node'" },
            [&](const char* name) { return order.error().where.find(name) != std::string::npos; });
        QVERIFY2(named, order.error().where.c_str());
    }

    void labelsTellNodesApart()
    {
        GraphBuilder builder;
        const auto id = builder.add("Relu", { builder.input("x", { 2 }) }, { "y" });
        QCOMPARE(builder.graph().label(id), std::string("y_node"));
        builder.graph().node(id).name.clear();
        QCOMPARE(builder.graph().label(id), std::string("Relu producing 'y'"));
        builder.graph().node(id).outputs.clear();
        QCOMPARE(builder.graph().label(id), std::string("Relu without outputs"));
    }

    void opsetIsThatOfTheStandardOperators()
    {
        Graph graph;
        QCOMPARE(graph.opset(), 0);
        graph.opsets["com.example"] = 3;
        QCOMPARE(graph.opset(), 0);
        graph.opsets["ai.onnx"] = 12;
        QCOMPARE(graph.opset(), 12);
        graph.opsets[""] = 13;
        QCOMPARE(graph.opset(), 13);
    }

    void attributesFallBackWhereTheTypeIsAnother()
    {
        graph::Node node;
        node.attributes
            = { { "i", std::int64_t { 3 } }, { "f", 0.5f }, { "s", std::string("text") }, { "is", Ints { 1, 2 } },
                  { "fs", std::vector<float> { 1 } }, { "t", std::make_shared<const Tensor>(floats({ 1 })) } };
        QCOMPARE(node.intAttribute("i", 7), std::int64_t { 3 });
        QCOMPARE(node.intAttribute("f", 7), std::int64_t { 7 });
        QCOMPARE(node.floatAttribute("f", 7), 0.5f);
        QCOMPARE(node.floatAttribute("absent", 7), 7.0f);
        QCOMPARE(node.stringAttribute("s", "other"), std::string("text"));
        QCOMPARE(node.stringAttribute("i", "other"), std::string("other"));
        QVERIFY(node.intsAttribute("is") == (Ints { 1, 2 }) && node.intsAttribute("i", { 9 }) == Ints { 9 });
        QVERIFY(node.floatsAttribute("fs").size() == 1 && node.floatsAttribute("f").empty());
        QVERIFY(node.tensorAttribute("t") && !node.tensorAttribute("i"));
        QVERIFY(node.hasAttribute("i") && !node.hasAttribute("absent"));
    }

    void typesAreWrittenOut()
    {
        const graph::ValueType type { DType::Float32, Dims { Dim::named("batch"), 3, Dim() } };
        QCOMPARE(type.toString(), std::string("float32[batch, 3, ?]"));
        QCOMPARE(graph::ValueType {}.toString(), std::string("?[...]"));
        QVERIFY(!type.shape() && !graph::ValueType {}.shape());
        QVERIFY(graph::toShape(graph::toDims({ 2, 0 })) == (Shape { 2, 0 }));
    }
};

QTEST_APPLESS_MAIN(TestGraph)
#include "tst_graph.moc"
