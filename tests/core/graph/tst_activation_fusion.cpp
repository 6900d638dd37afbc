// SPDX-License-Identifier: GPL-3.0-or-later
#include <cmath>
#include <limits>
#include <optional>

#include <QtTest>

#include "core/graph/passes/activation_fusion.h"
#include "tests/support/graph_builder.h"

using namespace quantoscope;
using namespace quantoscope::test;
using graph::ActivationFusion;
using graph::NodeId;
using graph::ValueId;

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

/// producer -> activation -> Neg -> output
struct Net {
    GraphBuilder builder;
    graph::Graph& graph = builder.graph();
    ValueId between;
    ValueId after;

    explicit Net(const std::string& producer, const std::string& activation,
        std::vector<std::optional<Tensor>> bounds = {}, Attributes attributes = {}, int opset = 13)
        : builder(opset)
    {
        const ValueId x = builder.input("x", { 1, 4 });
        between = builder.node(producer, { x, builder.input("w", { 4, 4 }) }, "between");
        std::vector<ValueId> inputs { between };
        for (auto& bound : bounds)
            inputs.push_back(bound ? builder.constant("", std::move(*bound)) : ValueId {});
        after = builder.node(activation, inputs, "after", std::move(attributes));
        builder.output(builder.node("Neg", { after }, "out"));
    }
    NodeId producer() const { return graph.value(between).producer; }
    NodeId activation() const { return graph.value(after).producer; }
    bool fuses() const
    {
        const ActivationFusion fusion(graph);
        return fusion.after(producer()).has_value();
    }
};

} // namespace

class TestActivationFusion : public QObject {
    Q_OBJECT

private slots:
    void producersThatCarryAnActivation_data()
    {
        QTest::addColumn<QString>("op");
        QTest::addColumn<bool>("carries");
        for (const char* op : { "Conv", "ConvTranspose", "Gemm", "MatMul", "Add" })
            QTest::newRow(op) << op << true;
        for (const char* op : { "Mul", "Sub", "Concat", "Custom" })
            QTest::newRow(op) << op << false;
    }

    void producersThatCarryAnActivation()
    {
        QFETCH(QString, op);
        QFETCH(bool, carries);
        const Net net(op.toStdString(), "Relu");
        const ActivationFusion fusion(net.graph);
        const auto fused = fusion.after(net.producer());
        QCOMPARE(fused.has_value(), carries);
        QCOMPARE(fusion.isFused(net.activation()), carries);
        QVERIFY(fusion.finalOutput(net.graph, net.producer()) == (carries ? net.after : net.between));
        QVERIFY(!fusion.after(net.activation()) && !fusion.isFused(net.producer()));
        if (!carries)
            return;
        QVERIFY(fused->node == net.activation() && fused->output == net.after);
        QCOMPARE(fused->low, 0.0f);
        QCOMPARE(fused->high, infinity);
    }

    void clipBounds()
    {
        const auto bounds = [](const Net& net) {
            const auto fused = ActivationFusion(net.graph).after(net.producer());
            return fused ? std::pair(fused->low, fused->high) : std::pair(NAN, NAN);
        };
        const Tensor zero = Tensor::scalar(0.0f);
        const Tensor six = Tensor::scalar(6.0f);
        QVERIFY((bounds(Net("Conv", "Clip", { zero, six })) == std::pair(0.0f, 6.0f)));
        QVERIFY((bounds(Net("Conv", "Clip", { std::nullopt, six })) == std::pair(-infinity, 6.0f)));
        QVERIFY((bounds(Net("Conv", "Clip", { Tensor::scalar(-1.0f) })) == std::pair(-1.0f, infinity)));
        QVERIFY((bounds(Net("Conv", "Clip")) == std::pair(-infinity, infinity)));
        QVERIFY((bounds(Net("Conv", "Clip", { floats({ 0 }), six })) == std::pair(0.0f, 6.0f)));
        const Attributes attributes { { "min", -2.0f }, { "max", 3.0f } };
        QVERIFY((bounds(Net("Conv", "Clip", {}, attributes, 10)) == std::pair(-2.0f, 3.0f)));
    }

    void staysApart_data()
    {
        QTest::addColumn<QString>("why");
        for (const char* why : { "two readers", "a graph output", "computed bound", "NaN bound", "empty range",
                 "integers", "another activation", "read as a bound", "nothing reads it" })
            QTest::newRow(why) << why;
    }

    void staysApart()
    {
        QFETCH(QString, why);
        Net net("Add", why == "another activation" ? "Sigmoid" : "Clip",
            why == "NaN bound" ? std::vector<std::optional<Tensor>> { Tensor::scalar(NAN) }
                : why == "empty range"
                ? std::vector<std::optional<Tensor>> { Tensor::scalar(2.0f), Tensor::scalar(1.0f) }
                : std::vector<std::optional<Tensor>> {});
        if (why == "two readers")
            net.builder.output(net.builder.node("Abs", { net.between }, "other"));
        if (why == "a graph output")
            net.builder.output(net.between);
        if (why == "computed bound")
            net.graph.setInput(net.activation(), 2, net.builder.input("bound", {}));
        if (why == "integers")
            net.graph.value(net.between).type.dtype = DType::Int32;
        if (why == "read as a bound") {
            net.graph.setInput(net.activation(), 0, net.builder.input("data", { 1, 4 }));
            net.graph.setInput(net.activation(), 1, net.between);
        }
        if (why == "nothing reads it")
            net.graph.removeNode(net.activation());
        QVERIFY(!net.fuses());
    }

    void theSecondOfTwoActivationsStays()
    {
        Net net("Conv", "Relu");
        const ValueId second = net.builder.node("Clip", { net.after }, "second");
        net.graph.setInput(net.graph.value(*net.graph.find("out")).producer, 0, second);
        const ActivationFusion fusion(net.graph);
        QVERIFY(fusion.isFused(net.activation()));
        QVERIFY(!fusion.isFused(net.graph.value(second).producer));
    }

    void capsBehindARelu_data()
    {
        QTest::addColumn<QString>("how");
        QTest::addColumn<bool>("belongs");
        QTest::newRow("Min with a bound a channel") << "Relu" << true;
        QTest::newRow("the bound comes first") << "bound first" << true;
        QTest::newRow("Min behind a Clip") << "Clip" << false;
        QTest::newRow("the Relu has another reader") << "two readers" << false;
        QTest::newRow("the Relu is a graph output") << "a graph output" << false;
        QTest::newRow("computed bound") << "computed bound" << false;
        QTest::newRow("Max") << "Max" << false;
    }

    /// A Relu and a Min that alone reads it are one activation for whoever places quantizers.
    void capsBehindARelu()
    {
        QFETCH(QString, how);
        QFETCH(bool, belongs);
        Net net("Conv", how == "Clip" ? "Clip" : "Relu");
        const ValueId bound = how == "computed bound" ? net.builder.input("b", { 1, 4 })
                                                      : net.builder.constant("b", floats({ 1, 2, 3, 4 }));
        const auto inputs = how == "bound first" ? std::vector { bound, net.after } : std::vector { net.after, bound };
        const ValueId capped = net.builder.node(how == "Max" ? "Max" : "Min", inputs, "capped");
        net.graph.setInput(net.graph.value(*net.graph.find("out")).producer, 0, capped);
        if (how == "two readers")
            net.builder.output(net.builder.node("Abs", { net.after }, "other"));
        if (how == "a graph output")
            net.builder.output(net.after);
        const ActivationFusion fusion(net.graph);
        const NodeId min = net.graph.value(capped).producer;
        QCOMPARE(fusion.isCap(min), belongs);
        QVERIFY(fusion.finalOutput(net.graph, net.producer()) == (belongs ? capped : net.after));
        QVERIFY(fusion.finalOutput(net.graph, net.activation()) == (belongs ? capped : net.after));
        QVERIFY(fusion.finalOutput(net.graph, min) == capped);
        // What the engine fuses is still the pair.
        QVERIFY(fusion.after(net.producer())->node == net.activation());
        QVERIFY(fusion.after(net.producer())->output == net.after);
    }

    void theGraphStaysAsItIs()
    {
        const Net net("Conv", "Relu");
        const std::size_t nodes = net.graph.nodes().size();
        const ActivationFusion fusion(net.graph);
        QCOMPARE(net.graph.nodes().size(), nodes);
    }
};

QTEST_APPLESS_MAIN(TestActivationFusion)
#include "tst_activation_fusion.moc"
