// SPDX-License-Identifier: GPL-3.0-or-later
#include <cmath>
#include <limits>
#include <memory>

#include <QtTest>

#include "core/cost/cost.h"
#include "core/graph/shape_inference.h"

using namespace quantoscope;

namespace {

/// x[1, 3, 8, 8] -> Conv 3x3 to 4 channels, same size -> PRelu -> y; a MatMul of x's rows would only repeat the same.
graph::Graph makeGraph()
{
    graph::Graph graph;
    graph.opsets[""] = 13;
    const auto constant = [&graph](const char* name, Shape shape) {
        return graph.addConstant(name, std::make_shared<const Tensor>(DType::Float32, std::move(shape)));
    };
    const auto x = graph.addInput("x", { DType::Float32, graph::Dims { 1, 3, 8, 8 } });
    graph::Node conv;
    conv.name = "conv";
    conv.opType = "Conv";
    conv.inputs = { x, constant("w", { 4, 3, 3, 3 }), constant("b", { 4 }) };
    conv.outputs = { graph.addValue("c") };
    conv.attributes["pads"] = std::vector<std::int64_t> { 1, 1, 1, 1 };
    graph.addNode(conv);
    graph::Node activation;
    activation.opType = "PRelu";
    activation.inputs = { conv.outputs[0], constant("slope", { 4, 1, 1 }) };
    activation.outputs = { graph.addValue("y") };
    graph.addNode(activation);
    graph.markOutput(activation.outputs[0]);
    return graph;
}

quant::TensorQuantizer quantizer(quant::Role role, std::int32_t qmin, std::int32_t qmax)
{
    quant::TensorQuantizer result;
    result.role = role;
    result.encoding.qmin = qmin;
    result.encoding.qmax = qmax;
    return result;
}

} // namespace

class TestCost : public QObject {
    Q_OBJECT

private slots:
    void initTestCase();
    void floatCost();
    void quantizedCost();
    void energy_data();
    void energy();

private:
    graph::Graph m_graph;
};

constexpr std::int64_t macs = 4 * 3 * 3 * 3 * 8 * 8;

void TestCost::initTestCase()
{
    m_graph = makeGraph();
    QVERIFY(graph::inferShapes(m_graph));
}

void TestCost::floatCost()
{
    const auto cost = cost::computeCost(m_graph, {});
    QCOMPARE(cost.layers.size(), std::size_t { 1 });
    const auto& layer = cost.layers.front();
    QCOMPARE(layer.layer, std::string("conv"));
    QCOMPARE(layer.weightBits, 32);
    QCOMPARE(layer.activationBits, 32);
    QCOMPARE(layer.macs, macs);
    QCOMPARE(layer.parameters, 108 + 4);
    QCOMPARE(layer.weightBytes, 4.0 * 112);
    QCOMPARE(layer.bops, static_cast<double>(macs) * 1024);
    QCOMPARE(layer.energyPj, static_cast<double>(macs) * 4.6);
    QCOMPARE(cost.macs, macs);
    QCOMPARE(cost.parameters, 116); // the slopes too
    QCOMPARE(cost.sizeBytes, 4.0 * 116);
    QCOMPARE(cost.bops, layer.bops);
    QCOMPARE(cost.energyPj, layer.energyPj);
}

void TestCost::quantizedCost()
{
    quant::QuantizationPlan plan;
    plan.set("w", quantizer(quant::Role::Weight, -4, 3));
    plan.set("x", quantizer(quant::Role::Activation, 0, 31));
    auto cost = cost::computeCost(m_graph, plan);
    QCOMPARE(cost.layers[0].weightBits, 3);
    QCOMPARE(cost.layers[0].activationBits, 5);
    QCOMPARE(cost.layers[0].weightBytes, 108 * 3 / 8.0 + 16);
    QCOMPARE(cost.sizeBytes, 108 * 3 / 8.0 + 4 * 8);
    QCOMPARE(cost.bops, static_cast<double>(macs) * 15);
    QCOMPARE(cost.energyPj, static_cast<double>(macs) * cost::energyPerMac(3, 5));
    // An int32 bias is no larger than a float one.
    plan.set("b", quantizer(quant::Role::Bias, std::numeric_limits<int>::min(), std::numeric_limits<int>::max()));
    QCOMPARE(cost::computeCost(m_graph, plan).sizeBytes, cost.sizeBytes);
    // One float operand makes the arithmetic float.
    plan.erase("x");
    cost = cost::computeCost(m_graph, plan);
    QCOMPARE(cost.bops, static_cast<double>(macs) * 3 * 32);
    QCOMPARE(cost.energyPj, static_cast<double>(macs) * 4.6);
}

void TestCost::energy_data()
{
    QTest::addColumn<int>("weightBits");
    QTest::addColumn<int>("activationBits");
    QTest::addColumn<double>("picojoules");
    QTest::newRow("8 x 8") << 8 << 8 << 0.2 + 0.1; // Horowitz: an 8-bit multiply takes 0.2 pJ, a 32-bit add 0.1 pJ
    QTest::newRow("4 x 8 counts as 8 x 8") << 4 << 8 << 0.2 + 0.1;
    QTest::newRow("2 x 2") << 2 << 2 << 0.002994791667 * 4 + 0.001041666667 * 2 + 0.1;
    QTest::newRow("16 x 2") << 16 << 2 << 0.002994791667 * 256 + 0.001041666667 * 16 + 0.1;
    QTest::newRow("float") << 32 << 32 << 4.6;
    QTest::newRow("float activations") << 4 << 32 << 4.6;
}

void TestCost::energy()
{
    QFETCH(int, weightBits);
    QFETCH(int, activationBits);
    QFETCH(double, picojoules);
    QVERIFY(std::abs(cost::energyPerMac(weightBits, activationBits) - picojoules) < 1e-6);
}

QTEST_APPLESS_MAIN(TestCost)
#include "tst_cost.moc"
