// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <memory>

#include <QtTest>
#include <nlohmann/json.hpp>

#include "core/graph/layers.h"
#include "core/graph/shape_inference.h"
#include "core/graph/verifier.h"
#include "core/quant/plan.h"
#include "tests/support/graph_builder.h"

using namespace quantoscope;
using quant::QuantizationPlan;
using test::Ints;

namespace {

graph::TensorPtr shared(Tensor tensor) { return std::make_shared<const Tensor>(std::move(tensor)); }

/// image -> conv (bias) -> plain (Conv without bias) -> Flatten -> Gemm without bias -> MatMul -> Relu -> y
graph::Graph network()
{
    test::GraphBuilder builder;
    const auto image = builder.input("image", { 1, 2, 3, 3 });
    auto x = builder.node("Conv",
        { image, builder.constant("w1", test::normalTensor({ 4, 2, 1, 1 }, 1)),
            builder.constant("b1", test::normalTensor({ 4 }, 2)) },
        "c1");
    x = builder.node("Conv", { x, builder.constant("w2", test::normalTensor({ 3, 4, 3, 3 }, 3)) }, "c2");
    x = builder.node("Flatten", { x }, "flat");
    x = builder.node("Gemm", { x, builder.constant("w3", test::normalTensor({ 3, 5 }, 4)) }, "g");
    x = builder.node("MatMul", { x, builder.constant("w4", test::normalTensor({ 5, 6 }, 5)) }, "product");
    builder.constant("indices", test::ints({ 1, 2 }));
    builder.output(builder.node("Relu", { x }, "y"));
    const auto inferred = graph::inferShapes(builder.graph());
    if (!inferred)
        qFatal("%s", inferred.error().message().c_str());
    return builder.graph();
}

QuantizationPlan planWithConstant(const std::string& name, Tensor values)
{
    QuantizationPlan plan;
    plan.setConstant(name, shared(std::move(values)));
    return plan;
}

QuantizationPlan planWithBias(const std::string& layer, Tensor values)
{
    QuantizationPlan plan;
    plan.setAddedBias(layer, shared(std::move(values)));
    return plan;
}

/// Everything a correction can leave in a plan.
QuantizationPlan correctedPlan()
{
    QuantizationPlan plan;
    plan.title = "corrected";
    plan.equalized = true;
    plan.channelFactors["c1"] = { 1.0 / 3, 2, 1, 1e-3 };
    plan.biasRoom = quant::BiasRoom::ShiftBias;
    plan.floatOperators = { "Softmax", "Tanh" };
    plan.setFloatConstant("b1", shared(test::floats({ 4, 3, 2, 1 })));
    plan.setFloatConstant("w2", shared(test::normalTensor({ 3, 4, 3, 3 }, 9)));
    plan.setConstant("w1", shared(test::normalTensor({ 4, 2, 1, 1 }, 7)));
    plan.setConstant("b1", shared(test::floats({ 1, -0.0F, std::numeric_limits<float>::denorm_min(), 3e38F })));
    plan.setAddedBias("c2_node", shared(test::floats({ 0.5F, 1.5F, -2.5F })));
    plan.setAddedBias("product_node", shared(test::normalTensor({ 6 }, 8)));
    return plan;
}

const Tensor& constantOf(const graph::Graph& graph, const std::string& name)
{
    const auto id = graph.find(name);
    if (!id || !graph.isConstant(*id))
        qFatal("no constant '%s'", name.c_str());
    return *graph.value(*id).constant;
}

bool sameElements(const Tensor& a, const Tensor& b)
{
    return a.shape() == b.shape() && std::ranges::equal(a.as<float>(), b.as<float>());
}

graph::Layer layerOf(const graph::Graph& graph, const std::string& name)
{
    for (const auto& layer : graph::computeLayers(graph))
        if (layer.name == name)
            return layer;
    qFatal("no layer '%s'", name.c_str());
    return {};
}

} // namespace

Q_DECLARE_METATYPE(quantoscope::quant::QuantizationPlan)
Q_DECLARE_METATYPE(quantoscope::ErrorCode)

class TestCorrectedGraph : public QObject {
    Q_OBJECT

private slots:
    void nothingToDo();
    void replacesConstants();
    void addsBiases_data();
    void addsBiases();
    void addsBehindMatMul();
    void everythingAtOnce();
    void leftWeights_data();
    void leftWeights();
    void errors_data();
    void errors();
    void jsonRoundTrip();
    void jsonLeavesOutWhatIsNotThere();
    void differencesShow_data();
    void differencesShow();
    void damagedJson_data();
    void damagedJson();
};

void TestCorrectedGraph::nothingToDo()
{
    const auto graph = network();
    const auto corrected = quant::correctedGraph(graph, {});
    QVERIFY(corrected.has_value());
    QCOMPARE(corrected->nodes().size(), graph.nodes().size());
    for (const char* name : { "w1", "b1", "w2", "w3", "w4" })
        QCOMPARE(&constantOf(*corrected, name), &constantOf(graph, name));
}

void TestCorrectedGraph::replacesConstants()
{
    const auto graph = network();
    const auto before = constantOf(graph, "w2");
    const auto values = test::normalTensor({ 3, 4, 3, 3 }, 99);
    const auto corrected = quant::correctedGraph(graph, planWithConstant("w2", values));
    QVERIFY(corrected.has_value());
    QVERIFY(sameElements(constantOf(*corrected, "w2"), values));
    QVERIFY(sameElements(constantOf(graph, "w2"), before)); // the original stays
    QCOMPARE(&constantOf(*corrected, "w1"), &constantOf(graph, "w1"));
}

void TestCorrectedGraph::addsBiases_data()
{
    QTest::addColumn<QString>("layer");
    QTest::addColumn<int>("channels");
    QTest::newRow("Conv") << "c2_node" << 3;
    QTest::newRow("Gemm") << "g_node" << 5;
}

void TestCorrectedGraph::addsBiases()
{
    QFETCH(const QString, layer);
    QFETCH(const int, channels);
    const auto name = layer.toStdString();
    const auto values = test::normalTensor({ channels }, 5);
    auto corrected = quant::correctedGraph(network(), planWithBias(name, values));
    QVERIFY(corrected.has_value());
    QCOMPARE(quant::addedBiasName(name), name + ".bias");
    const auto found = layerOf(*corrected, name);
    QVERIFY(found.bias.valid());
    QCOMPARE(corrected->value(found.bias).name, name + ".bias");
    QVERIFY(sameElements(constantOf(*corrected, name + ".bias"), values));
    QVERIFY(graph::inferShapes(*corrected).has_value());
    QVERIFY(graph::verify(*corrected).has_value());
}

void TestCorrectedGraph::addsBehindMatMul()
{
    auto graph = network();
    const auto product = *graph.find("product");
    graph.markOutput(product);
    const auto values = test::normalTensor({ 6 }, 5);
    auto corrected = quant::correctedGraph(graph, planWithBias("product_node", values));
    QVERIFY(corrected.has_value());
    QVERIFY(graph::inferShapes(*corrected).has_value());
    QVERIFY(graph::verify(*corrected).has_value());
    // Whoever read the product reads the sum: the Relu, and the outside.
    const auto sum = *corrected->find("product");
    QVERIFY(corrected->isOutput(sum));
    const auto& add = corrected->node(corrected->value(sum).producer);
    QCOMPARE(add.opType, std::string("Add"));
    QVERIFY(sameElements(*corrected->value(add.inputs[1]).constant, values));
    const auto& matmul = corrected->node(corrected->value(add.inputs[0]).producer);
    QCOMPARE(matmul.opType, std::string("MatMul"));
    QCOMPARE(matmul.name, std::string("product_node"));
    const auto readers = corrected->consumers(sum);
    QCOMPARE(readers.size(), std::size_t { 1 });
    QCOMPARE(corrected->node(readers[0]).opType, std::string("Relu"));
    QCOMPARE(corrected->value(sum).type.toString(), graph.value(product).type.toString());
}

void TestCorrectedGraph::everythingAtOnce()
{
    const auto plan = correctedPlan();
    QVERIFY(!plan.empty());
    auto corrected = quant::correctedGraph(network(), plan);
    QVERIFY(corrected.has_value());
    for (const auto& [name, values] : plan.constants())
        QVERIFY(sameElements(constantOf(*corrected, name), *values));
    for (const auto& [name, values] : plan.addedBiases())
        QVERIFY(sameElements(constantOf(*corrected, quant::addedBiasName(name)), *values));
    // What is not corrected is as the float network has it.
    QVERIFY(sameElements(constantOf(*corrected, "w2"), *plan.floatConstants().at("w2")));
    const auto floats = quant::floatGraph(network(), plan);
    QVERIFY(floats.has_value());
    QVERIFY(sameElements(constantOf(*floats, "b1"), *plan.floatConstants().at("b1")));
    QVERIFY(sameElements(constantOf(*floats, "w1"), constantOf(network(), "w1")));
    QVERIFY(!floats->find(quant::addedBiasName("c2_node")));
    QVERIFY(graph::inferShapes(*corrected).has_value());
    QVERIFY(graph::verify(*corrected).has_value());
}

void TestCorrectedGraph::leftWeights_data()
{
    QTest::addColumn<QString>("op");
    QTest::newRow("Gemm") << "Gemm";
    QTest::newRow("MatMul") << "MatMul";
}

/// Output channels run along the rows there, and so does the bias.
void TestCorrectedGraph::leftWeights()
{
    QFETCH(const QString, op);
    test::GraphBuilder builder;
    const auto columns = builder.input("columns", { 3, 2 });
    builder.output(
        builder.node(op.toStdString(), { builder.constant("w", test::normalTensor({ 2, 3 }, 6)), columns }, "y"));
    QVERIFY(graph::inferShapes(builder.graph()).has_value());
    const auto corrected = quant::correctedGraph(builder.graph(), planWithBias("y_node", test::floats({ 10, 20 })));
    QVERIFY2(corrected.has_value(), corrected ? "" : corrected.error().message().c_str());
    const auto& bias = constantOf(*corrected, quant::addedBiasName("y_node"));
    QCOMPARE(bias.shape(), (Shape { 2, 1 }));
    QVERIFY(std::ranges::equal(bias.as<float>(), std::array { 10.0F, 20.0F }));
    auto inferred = *corrected;
    QVERIFY(graph::inferShapes(inferred).has_value() && graph::verify(inferred).has_value());
    QCOMPARE(*inferred.value(*inferred.find("y")).type.shape(), (Shape { 2, 2 }));
}

void TestCorrectedGraph::errors_data()
{
    QTest::addColumn<QuantizationPlan>("plan");
    QTest::addColumn<ErrorCode>("code");
    QTest::addColumn<QStringList>("says");
    using Row = QStringList;
    const auto notFound = ErrorCode::NotFound;
    const auto invalid = ErrorCode::InvalidInput;
    QTest::newRow("no such tensor") << planWithConstant("w9", test::floats({ 1 })) << notFound << Row { "'w9'" };
    QTest::newRow("an activation") << planWithConstant("c1", test::normalTensor({ 1, 4, 3, 3 }, 1)) << notFound
                                   << Row { "'c1'", "constant" };
    QTest::newRow("integers") << planWithConstant("indices", test::floats({ 1, 2 })) << invalid
                              << Row { "'indices'", "int64" };
    QTest::newRow("other extents") << planWithConstant("w1", test::normalTensor({ 4, 2, 3, 3 }, 1)) << invalid
                                   << Row { "'w1'", "[4, 2, 3, 3]", "[4, 2, 1, 1]" };
    QTest::newRow("same size, other shape")
        << planWithConstant("w1", test::normalTensor({ 2, 4, 1, 1 }, 1)) << invalid << Row { "'w1'", "[2, 4, 1, 1]" };
    QTest::newRow("no such layer") << planWithBias("c9_node", test::floats({ 1 })) << notFound << Row { "'c9_node'" };
    QTest::newRow("no layer but a node") << planWithBias("flat_node", test::floats({ 1 })) << notFound
                                         << Row { "'flat_node'" };
    QTest::newRow("layer with a bias") << planWithBias("c1_node", test::floats({ 1, 2, 3, 4 })) << invalid
                                       << Row { "'c1_node'", "has one" };
    QTest::newRow("bias of rank 2") << planWithBias("c2_node", test::normalTensor({ 1, 3 }, 1)) << invalid
                                    << Row { "'c2_node'", "[1, 3]" };
    for (const char* layer : { "c2_node", "g_node", "product_node" })
        QTest::addRow("too few channels: %s", layer)
            << planWithBias(layer, test::floats({ 1, 2 })) << invalid << Row { layer, "[2]" };
}

void TestCorrectedGraph::errors()
{
    QFETCH(const QuantizationPlan, plan);
    QFETCH(const ErrorCode, code);
    QFETCH(const QStringList, says);
    const auto corrected = quant::correctedGraph(network(), plan);
    QVERIFY(!corrected.has_value());
    QCOMPARE(static_cast<int>(corrected.error().code), static_cast<int>(code));
    const auto message = QString::fromStdString(corrected.error().message());
    for (const auto& part : says)
        QVERIFY2(message.contains(part), qPrintable(message));
}

void TestCorrectedGraph::jsonRoundTrip()
{
    const auto plan = correctedPlan();
    const auto text = plan.toJson().dump();
    const auto again = QuantizationPlan::fromJson(Json::parse(text));
    QVERIFY2(again.has_value(), again ? "" : again.error().message().c_str());
    QVERIFY(*again == plan);
    QVERIFY(again->equalized);
    // Bit for bit, the sign of zero and the smallest number too.
    const auto values = again->constants().at("b1")->as<float>();
    QVERIFY(std::signbit(values[1]));
    QCOMPARE(values[2], std::numeric_limits<float>::denorm_min());
    QCOMPARE(again->toJson().dump(), text);
}

void TestCorrectedGraph::jsonLeavesOutWhatIsNotThere()
{
    const auto json = QuantizationPlan().toJson();
    for (const char* key : { "constants", "added_biases", "equalized", "channel_factors", "float_constants",
             "bias_room", "float_operators" })
        QVERIFY(!json.contains(key));
    QVERIFY(QuantizationPlan::fromJson(json).has_value());
}

void TestCorrectedGraph::differencesShow_data()
{
    QTest::addColumn<QuantizationPlan>("other");
    auto plan = correctedPlan();
    plan.setConstant("w1", shared(test::normalTensor({ 4, 2, 1, 1 }, 70)));
    QTest::newRow("an element of a constant") << plan;
    plan = correctedPlan();
    plan.setConstant("w1", shared(test::normalTensor({ 4, 1, 2, 1 }, 7)));
    QTest::newRow("the shape of a constant") << plan;
    plan = correctedPlan();
    plan.setConstant("w2", shared(test::floats({ 1 })));
    QTest::newRow("one constant more") << plan;
    plan = correctedPlan();
    plan.setAddedBias("c2_node", shared(test::floats({ 0.5F, 1.5F, -2.25F })));
    QTest::newRow("an added bias") << plan;
    plan = correctedPlan();
    plan.equalized = false;
    QTest::newRow("not equalized") << plan;
    plan = correctedPlan();
    plan.channelFactors["c1"][1] = 0.25;
    QTest::newRow("a channel's factor") << plan;
    plan = correctedPlan();
    plan.biasRoom = quant::BiasRoom::RaiseWeightScale;
    QTest::newRow("room for biases") << plan;
    plan = correctedPlan();
    plan.floatOperators.pop_back();
    QTest::newRow("float operators") << plan;
    plan = correctedPlan();
    plan.setFloatConstant("b1", shared(test::floats({ 4, 3, 2, 0 })));
    QTest::newRow("a float constant") << plan;
}

void TestCorrectedGraph::differencesShow()
{
    QFETCH(const QuantizationPlan, other);
    QVERIFY(!(other == correctedPlan()));
    QVERIFY(correctedPlan() == correctedPlan());
}

void TestCorrectedGraph::damagedJson_data()
{
    QTest::addColumn<QString>("pointer");
    QTest::addColumn<QString>("value");
    QTest::addColumn<QStringList>("says");
    using Row = QStringList;
    const QStringList bias { "added_biases 'c2_node'" };
    QTest::newRow("not base64") << "/added_biases/c2_node/float32"
                                << "\"AAAAPwAAwD8*AAgwA==\"" << Row { "base64" } + bias;
    QTest::newRow("cut base64") << "/added_biases/c2_node/float32"
                                << "\"AAAAPwAAwD8AACD\"" << Row { "base64" } + bias;
    QTest::newRow("too few bytes") << "/added_biases/c2_node/float32"
                                   << "\"AAAAPwAAwD8=\"" << Row { "8 bytes", "[3]" } + bias;
    QTest::newRow("a part of a number") << "/added_biases/c2_node/float32"
                                        << "\"AAAAPwAAwD8AACA=\"" << Row { "11 bytes" } + bias;
    QTest::newRow("not a number") << "/added_biases/c2_node/float32"
                                  << "\"AAAAPwAAwD8AAMB/\"" << Row { "NaN" } + bias;
    QTest::newRow("values are a number") << "/added_biases/c2_node/float32"
                                         << "3" << Row { "float32" } + bias;
    QTest::newRow("other shape") << "/added_biases/c2_node/shape"
                                 << "[4]" << Row { "12 bytes", "[4]" } + bias;
    QTest::newRow("negative extent") << "/added_biases/c2_node/shape"
                                     << "[-3]" << Row { "shape" } + bias;
    QTest::newRow("fractional extent") << "/added_biases/c2_node/shape"
                                       << "[3.0]" << Row { "shape" } + bias;
    QTest::newRow("shape is a number") << "/added_biases/c2_node/shape"
                                       << "3" << Row { "shape" } + bias;
    QTest::newRow("absurd shape") << "/added_biases/c2_node/shape"
                                  << "[9223372036854775807, 9223372036854775807]" << Row { "12 bytes" } + bias;
    QTest::newRow("entry is a list") << "/constants/w1"
                                     << "[]" << Row { "constants 'w1'" };
    QTest::newRow("entry without values") << "/constants/w1"
                                          << R"({"shape": [1]})" << Row { "constants 'w1'", "float32" };
    QTest::newRow("constants are a list") << "/constants"
                                          << "[1]" << Row { "constants" };
    QTest::newRow("float constants are a list") << "/float_constants"
                                                << "[1]" << Row { "float_constants" };
    QTest::newRow("unknown room") << "/bias_room"
                                  << "\"clip\"" << Row { "'clip'", "raise, shift" };
    QTest::newRow("operators are a word") << "/float_operators"
                                          << "\"Softmax\"" << Row { "float_operators" };
    QTest::newRow("an operator is a number") << "/float_operators"
                                             << "[1]" << Row { "float_operators" };
    const Row factors { "channel_factors" };
    QTest::newRow("factors are a list") << "/channel_factors"
                                        << "[1]" << factors;
    QTest::newRow("a value's factors are a number") << "/channel_factors/c1"
                                                    << "1" << factors;
    QTest::newRow("a factor is a word") << "/channel_factors/c1/0"
                                        << "\"1\"" << factors;
    QTest::newRow("a factor is negative") << "/channel_factors/c1/0"
                                          << "-1" << factors;
    QTest::newRow("a factor is zero") << "/channel_factors/c1/0"
                                      << "0" << factors;
    QTest::newRow("equalized is a word") << "/equalized"
                                         << "\"yes\"" << Row { "equalized" };
}

void TestCorrectedGraph::damagedJson()
{
    QFETCH(const QString, pointer);
    QFETCH(const QString, value);
    QFETCH(const QStringList, says);
    auto json = correctedPlan().toJson();
    json[Json::json_pointer(pointer.toStdString())] = Json::parse(value.toStdString());
    const auto plan = QuantizationPlan::fromJson(json);
    QVERIFY(!plan.has_value());
    QCOMPARE(static_cast<int>(plan.error().code), static_cast<int>(ErrorCode::InvalidInput));
    const auto message = QString::fromStdString(plan.error().message());
    for (const auto& part : says)
        QVERIFY2(message.contains(part), qPrintable(message));
}

QTEST_APPLESS_MAIN(TestCorrectedGraph)
#include "tst_corrected_graph.moc"
