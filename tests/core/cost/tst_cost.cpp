// SPDX-License-Identifier: GPL-3.0-or-later
#include <cmath>
#include <limits>
#include <memory>

#include <QDir>
#include <QtTest>

#include <nlohmann/json.hpp>

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
    void addedBias();
    void keepsBothCopiesWhereBothAreRead();
    void energy_data();
    void energy();
    void memoryGoesWithWhereThingsAre();
    void readsEveryModel();
    void refusesModels_data();
    void refusesModels();
    void namesTheModelsThereAre();

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
    QCOMPARE(layer.accumulatorBits, 0);
    QCOMPARE(cost.macs, macs);
    QCOMPARE(cost.parameters, 116); // the slopes too
    QCOMPARE(cost.sizeBytes, 4.0 * 116);
    QCOMPARE(cost.bops, layer.bops);
    QCOMPARE(cost.arithmeticPj, layer.energyPj);
    // x is read, c written, read and written as y, which leaves: 32 bits of 192, 256 and 256 values.
    QCOMPARE(cost.peakActivationBytes, 4.0 * (256 + 256));
    const double activationBits = 32.0 * (192 + 192 + 256 + 256 + 256 + 256);
    QCOMPARE(cost.memoryPj, 32.0 * 116 * 20.3125 + activationBits * 0.3125);
    QCOMPARE(cost.energyPj, cost.arithmeticPj + cost.memoryPj);
}

void TestCost::addedBias()
{
    quant::QuantizationPlan plan;
    plan.setAddedBias("conv", std::make_shared<const Tensor>(DType::Float32, Shape { 4 }));
    auto cost = cost::computeCost(m_graph, plan);
    QCOMPARE(cost.parameters, 120);
    QCOMPARE(cost.sizeBytes, 4.0 * 120);
    QCOMPARE(cost.layers[0].parameters, 116);
    QCOMPARE(cost.layers[0].weightBytes, 4.0 * 116);
    // A device with 16-bit biases stores two bytes each.
    plan.set(quant::addedBiasName("conv"), quantizer(quant::Role::Bias, -32768, 32767));
    plan.set("b", quantizer(quant::Role::Bias, -32768, 32767));
    cost = cost::computeCost(m_graph, plan);
    QCOMPARE(cost.layers[0].weightBytes, 4.0 * 108 + 2.0 * 8);
    QCOMPARE(cost.sizeBytes, 4.0 * 112 + 2.0 * 8);
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
    QCOMPARE(cost.arithmeticPj, static_cast<double>(macs) * cost::defaultEnergyModel().perMac(3, 5));
    QCOMPARE(cost.layers[0].accumulatorBits, 13); // 27 products of 2^2 * 2^5, and a sign
    QCOMPARE(cost.accumulatorBits, 13);
    // Only x is read quantized; what comes behind is float.
    QCOMPARE(
        cost.memoryPj, 8 * cost.sizeBytes * 20.3125 + 0.3125 * (5.0 * (192 + 192) + 32.0 * (256 + 256 + 256 + 256)));
    // An int32 bias is no larger than a float one.
    plan.set("b", quantizer(quant::Role::Bias, std::numeric_limits<int>::min(), std::numeric_limits<int>::max()));
    QCOMPARE(cost::computeCost(m_graph, plan).sizeBytes, cost.sizeBytes);
    // One float operand makes the arithmetic float.
    plan.erase("x");
    cost = cost::computeCost(m_graph, plan);
    QCOMPARE(cost.bops, static_cast<double>(macs) * 3 * 32);
    QCOMPARE(cost.arithmeticPj, static_cast<double>(macs) * 4.6);
}

void TestCost::keepsBothCopiesWhereBothAreRead()
{
    // a reads x as a layer does, and an Add reads it as it is.
    graph::Graph graph;
    graph.opsets[""] = 13;
    const auto x = graph.addInput("x", { DType::Float32, graph::Dims { 1, 4, 8, 8 } });
    graph::Node conv;
    conv.name = "conv";
    conv.opType = "Conv";
    conv.inputs = { x, graph.addConstant("w", std::make_shared<const Tensor>(DType::Float32, Shape { 4, 4, 1, 1 })) };
    conv.outputs = { graph.addValue("c") };
    graph.addNode(conv);
    graph::Node add;
    add.opType = "Add";
    add.inputs = { conv.outputs[0], x };
    add.outputs = { graph.addValue("s") };
    graph.addNode(add);
    graph::Node relu;
    relu.opType = "Relu";
    relu.inputs = { add.outputs[0] };
    relu.outputs = { graph.addValue("y") };
    graph.addNode(relu);
    graph.markOutput(relu.outputs[0]);
    QVERIFY(graph::inferShapes(graph));
    quant::QuantizationPlan plan;
    plan.set("x", quantizer(quant::Role::Activation, 0, 15));
    plan.scope = quant::Scope::Compute;
    // x is alive until the Add in both forms; c and the sum, which the Relu is part of, are float.
    QCOMPARE(cost::computeCost(graph, plan).peakActivationBytes, 256 * (4 + 32 + 32 + 32) / 8.0);
    plan.scope = quant::Scope::Integer;
    QCOMPARE(cost::computeCost(graph, plan).peakActivationBytes, 256 * (4 + 32 + 32) / 8.0);
    plan.set("y", quantizer(quant::Role::Activation, 0, 255));
    plan.set("c", quantizer(quant::Role::Activation, 0, 255));
    QCOMPARE(cost::computeCost(graph, plan).peakActivationBytes, 256 * (4 + 8 + 8) / 8.0);
}

void TestCost::energy_data()
{
    QTest::addColumn<QString>("model");
    QTest::addColumn<int>("weightBits");
    QTest::addColumn<int>("activationBits");
    QTest::addColumn<double>("picojoules");
    const QString table = "horowitz-45nm";
    // Horowitz: an 8-bit multiply takes 0.2 pJ, a 32-bit add 0.1 pJ
    QTest::newRow("8 x 8") << table << 8 << 8 << 0.2 + 0.1;
    QTest::newRow("4 x 8 counts as 8 x 8") << table << 4 << 8 << 0.2 + 0.1;
    QTest::newRow("2 x 2") << table << 2 << 2 << 0.002994791667 * 4 + 0.001041666667 * 2 + 0.1;
    QTest::newRow("16 x 2") << table << 16 << 2 << 0.002994791667 * 256 + 0.001041666667 * 16 + 0.1;
    QTest::newRow("float") << table << 32 << 32 << 4.6;
    QTest::newRow("float activations") << table << 4 << 32 << 4.6;
    QTest::newRow("word-length, float") << "word-length" << 32 << 32 << 4.6;
    QTest::newRow("word-length, 4 x 8") << "word-length" << 4 << 8 << 4.6 * 6 / 32;
    QTest::newRow("bops, float") << "bops" << 32 << 32 << 4.6;
    QTest::newRow("bops, 4 x 8") << "bops" << 4 << 8 << 4.6 * 32 / 1024;
}

void TestCost::energy()
{
    QFETCH(QString, model);
    QFETCH(int, weightBits);
    QFETCH(int, activationBits);
    QFETCH(double, picojoules);
    const auto found = cost::findEnergyModel(model.toStdString());
    QVERIFY(found.has_value());
    QVERIFY(std::abs(found->perMac(weightBits, activationBits) - picojoules) < 1e-6);
}

void TestCost::memoryGoesWithWhereThingsAre()
{
    auto model = cost::defaultEnergyModel();
    const double before = cost::computeCost(m_graph, {}, model).memoryPj;
    model.weightsOffChip = false;
    QCOMPARE(cost::computeCost(m_graph, {}, model).memoryPj, before - 32.0 * 116 * (20.3125 - 0.3125));
    model.weightsOffChip = true;
    model.activationsOffChip = true;
    QCOMPARE(cost::computeCost(m_graph, {}, model).memoryPj, before + 32.0 * (2 * 192 + 4 * 256) * (20.3125 - 0.3125));
    const auto arithmetic = cost::findEnergyModel("horowitz-45nm-compute");
    QVERIFY(arithmetic.has_value());
    QCOMPARE(cost::computeCost(m_graph, {}, *arithmetic).memoryPj, 0.0);
}

void TestCost::readsEveryModel()
{
    const QDir folder(QS_SOURCE_DIR "/resources/energy");
    const auto files = folder.entryList({ "*.json" }, QDir::Files);
    QCOMPARE(static_cast<std::size_t>(files.size()), cost::builtInEnergyModels().size());
    for (const auto& file : files) {
        const auto fromFile = cost::findEnergyModel(folder.filePath(file).toStdString());
        QVERIFY2(fromFile.has_value(), fromFile ? "" : fromFile.error().message().c_str());
        QCOMPARE(QString::fromStdString(fromFile->name) + ".json", file);
        const auto builtIn = cost::findEnergyModel(fromFile->name);
        QVERIFY(builtIn.has_value() && *builtIn == *fromFile);
        const auto again = cost::EnergyModel::fromJson(fromFile->toJson());
        QVERIFY(again.has_value() && *again == *fromFile);
    }
}

void TestCost::refusesModels_data()
{
    QTest::addColumn<QString>("field");
    QTest::addColumn<QString>("value"); // JSON; empty: the field is taken out
    QTest::addColumn<QString>("says");
    QTest::newRow("missing") << "float_add"
                             << ""
                             << "'float_add' is missing";
    QTest::newRow("unknown") << "memory"
                             << "1"
                             << "'memory' is not known";
    QTest::newRow("negative") << "on_chip_bit"
                              << "-1"
                              << "not negative";
    QTest::newRow("text for a number") << "float_multiply"
                                       << "\"4\""
                                       << "'float_multiply' is \"4\"";
    QTest::newRow("accumulator") << "accumulator_bits"
                                 << "7"
                                 << "8 to 64";
    QTest::newRow("kind") << "model"
                          << "\"exact\""
                          << "'operations'";
    QTest::newRow("place") << "weights_in"
                           << "\"cloud\""
                           << "'off-chip' or 'on-chip'";
    QTest::newRow("operation") << "multiply"
                               << "{ \"linear\": 1 }"
                               << "'quadratic' is missing";
    QTest::newRow("field of another kind") << "picojoules"
                                           << "1"
                                           << "'picojoules' is not known";
}

void TestCost::refusesModels()
{
    QFETCH(QString, field);
    QFETCH(QString, value);
    QFETCH(QString, says);
    Json json = cost::defaultEnergyModel().toJson();
    if (value.isEmpty())
        json.erase(field.toStdString());
    else
        json[field.toStdString()] = Json::parse(value.toStdString());
    const auto model = cost::EnergyModel::fromJson(json);
    QVERIFY(!model.has_value());
    QVERIFY(model.error().code == ErrorCode::InvalidInput);
    QVERIFY2(QString::fromStdString(model.error().message()).contains(says), model.error().message().c_str());
}

void TestCost::namesTheModelsThereAre()
{
    const auto model = cost::findEnergyModel("perpetuum mobile");
    QVERIFY(!model.has_value());
    QVERIFY(model.error().code == ErrorCode::NotFound);
    QVERIFY(QString::fromStdString(model.error().message()).contains("horowitz-45nm"));
}

QTEST_APPLESS_MAIN(TestCost)
#include "tst_cost.moc"
