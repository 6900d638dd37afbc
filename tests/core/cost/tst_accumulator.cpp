// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include <QtTest>

#include "core/base/random.h"
#include "core/cost/accumulator.h"
#include "core/graph/shape_inference.h"
#include "tests/support/graph_builder.h"

using namespace quantoscope;
using namespace quantoscope::test;
using quant::Role;

namespace {

quant::TensorQuantizer quantizer(
    Role role, std::int32_t qmin, std::int32_t qmax, float scale = 1, std::int32_t zero = 0)
{
    quant::TensorQuantizer result;
    result.role = role;
    result.encoding.qmin = qmin;
    result.encoding.qmax = qmax;
    result.encoding.scale = { scale };
    result.encoding.zeroPoint = { zero };
    return result;
}

struct Case {
    std::string op;
    graph::Dims input;
    Tensor weight;
    Attributes attributes = {};
    bool weightIsLeft = false;
    quant::TensorQuantizer activations = {};
    quant::TensorQuantizer weights = {};
    std::optional<Tensor> bias = {}; ///< empty: none; quantized at 32 bits
    std::int64_t depth = 0;
    double low = 0; ///< ends of the sum by hand
    double high = 0;
};

Tensor filled(const Shape& shape, std::vector<float> values) { return Tensor::from<float>(shape, values); }

std::map<std::string, Case> cases()
{
    const auto u8 = quantizer(Role::Activation, 0, 255);
    const auto s8 = quantizer(Role::Weight, -128, 127);
    std::map<std::string, Case> all;
    // Unsigned activations: only weights of one sign add up in the worst case.
    all["conv"] = { "Conv", { 1, 2, 4, 4 }, filled({ 2, 2, 1, 1 }, { 3, -5, 100, 27 }), {}, false, u8, s8, {}, 2,
        -5 * 255, 127 * 255 };
    all["conv with a bias"] = { "Conv", { 1, 2, 4, 4 }, filled({ 2, 2, 1, 1 }, { 3, -5, 100, 27 }), {}, false, u8, s8,
        filled({ 2 }, { -1000, 2000 }), 2, -5 * 255 - 1000, 127 * 255 + 2000 };
    all["depthwise"] = { "Conv", { 1, 2, 4, 4 }, filled({ 2, 1, 1, 2 }, { 3, -5, 100, 27 }),
        { { "group", std::int64_t { 2 } } }, false, u8, s8, {}, 2, -5 * 255, 127 * 255 };
    all["zero point"] = { "Conv", { 1, 1, 2, 2 }, filled({ 1, 1, 1, 2 }, { 2, -3 }), {}, false,
        quantizer(Role::Activation, 0, 255, 1, 100), s8, {}, 2, -2 * 100 - 3 * 155, 2 * 155 + 3 * 100 };
    all["weights with a zero point"] = { "Conv", { 1, 1, 2, 2 }, filled({ 1, 1, 1, 2 }, { 2, -3 }), {}, false, u8,
        quantizer(Role::Weight, 0, 255, 1, 10), {}, 2, -3 * 255, 2 * 255 };
    // Groups of two inputs, each with one of two outputs: sums {1, 5}, {2, 6}, {3, 7}, {4, 8}.
    all["transposed, grouped"] = { "ConvTranspose", { 1, 4, 2, 2 }, filled({ 4, 2, 1, 1 }, { 1, 2, 5, 6, 3, 4, 7, 8 }),
        { { "group", std::int64_t { 2 } } }, false, u8, s8, {}, 2, 0, (4 + 8) * 255 };
    all["gemm"] = { "Gemm", { 1, 2 }, filled({ 2, 2 }, { 1, -2, 3, 4 }), {}, false, u8, s8, {}, 2, -2 * 255, 4 * 255 };
    all["gemm transB"] = { "Gemm", { 1, 2 }, filled({ 2, 2 }, { 1, -2, 3, 4 }), { { "transB", std::int64_t { 1 } } },
        false, u8, s8, {}, 2, -2 * 255, 7 * 255 };
    all["weight on the left"] = { "Gemm", { 2, 3 }, filled({ 2, 2 }, { 1, -2, 3, 4 }), {}, true, u8, s8,
        filled({ 2, 1 }, { 10, -20 }), 2, -2 * 255, 7 * 255 };
    all["stack of matrices"] = { "MatMul", { 2, 1, 2 }, filled({ 2, 2, 1 }, { 1, 1, -9, -9 }), {}, false, u8, s8, {}, 2,
        -18 * 255, 2 * 255 };
    return all;
}

struct Built {
    graph::Graph graph;
    quant::QuantizationPlan plan;
};

Built build(const Case& test)
{
    GraphBuilder make;
    const auto x = make.input("x", test.input);
    const auto w = make.constant("w", test.weight);
    std::vector<graph::ValueId> operands = test.weightIsLeft ? std::vector { w, x } : std::vector { x, w };
    Built built;
    built.plan.scope = quant::Scope::Integer;
    if (test.bias) {
        operands.push_back(make.constant("b", *test.bias));
        auto bias = quantizer(Role::Bias, std::numeric_limits<std::int32_t>::min(), 2'147'483'647);
        bias.encoding.scale[0] = test.activations.encoding.scale[0] * test.weights.encoding.scale[0];
        built.plan.set("b", bias);
    }
    make.output(make.node(test.op, operands, "y", test.attributes));
    if (!graph::inferShapes(make.graph()))
        qFatal("the case is not a valid graph");
    built.plan.set("x", test.activations);
    built.plan.set("w", test.weights);
    built.graph = std::move(make.graph());
    return built;
}

} // namespace

class TestAccumulator : public QObject {
    Q_OBJECT

private slots:
    void signedBits_data();
    void signedBits();
    void worstCase_data();
    void worstCase();
    void neverAboveTheDataType();
    void worstInputReachesTheBound();
    void twoActivations();
    void floatLayersHaveNone();
};

void TestAccumulator::signedBits_data()
{
    QTest::addColumn<double>("low");
    QTest::addColumn<double>("high");
    QTest::addColumn<int>("bits");
    QTest::newRow("nothing") << 0.0 << 0.0 << 1;
    QTest::newRow("minus one") << -1.0 << 0.0 << 1;
    QTest::newRow("one") << 0.0 << 1.0 << 2;
    QTest::newRow("int8") << -128.0 << 127.0 << 8;
    QTest::newRow("one above int8") << -128.0 << 128.0 << 9;
    QTest::newRow("one below int8") << -129.0 << 0.0 << 9;
    QTest::newRow("int32") << -2147483648.0 << 2147483647.0 << 32;
    QTest::newRow("one above int32") << 0.0 << 2147483648.0 << 33;
}

void TestAccumulator::signedBits()
{
    QFETCH(double, low);
    QFETCH(double, high);
    QTEST(cost::signedBits(low, high), "bits");
}

void TestAccumulator::worstCase_data()
{
    QTest::addColumn<QString>("key");
    for (const auto& [key, unused] : cases())
        QTest::newRow(key.c_str()) << QString::fromStdString(key);
}

void TestAccumulator::worstCase()
{
    QFETCH(QString, key);
    const Case test = cases().at(key.toStdString());
    const auto [graph, plan] = build(test);
    const auto found = cost::accumulators(graph, plan);
    QVERIFY2(found, found ? "" : found.error().message().c_str());
    QCOMPARE(found->size(), std::size_t { 1 });
    QCOMPARE(found->front().layer, std::string("y_node"));
    QCOMPARE(found->front().depth, test.depth);
    QCOMPARE(found->front().worstCaseBits, cost::signedBits(test.low, test.high));
    QVERIFY(!found->front().observedBits);
    // A2Q, equation 3, with the logarithms it is written in.
    const auto& x = test.activations.encoding;
    const auto& w = test.weights.encoding;
    const double alpha
        = std::log2(static_cast<double>(test.depth)) + x.bits() + (w.zeroPoint[0] == 0 ? w.bits() - 1 : w.bits());
    QCOMPARE(found->front().dataTypeBits, static_cast<int>(std::ceil(alpha + std::log2(1 + std::exp2(-alpha)) + 1)));
}

void TestAccumulator::neverAboveTheDataType()
{
    base::Random random(3);
    for (int round = 0; round < 200; ++round) {
        const int bits = 2 + static_cast<int>(random.below(7));
        const std::int32_t half = 1 << (bits - 1);
        Case test { "Conv", { 1, 8, 4, 4 }, normalTensor({ 3, 8, 2, 2 }, random(), half) };
        test.activations = round % 2 == 0 ? quantizer(Role::Activation, 0, 2 * half - 1)
                                          : quantizer(Role::Activation, -half, half - 1);
        test.weights = quantizer(Role::Weight, -half, half - 1);
        const auto [graph, plan] = build(test);
        const auto found = cost::accumulators(graph, plan);
        QVERIFY(found);
        QVERIFY(found->front().worstCaseBits <= found->front().dataTypeBits);
    }
}

/// The bound is tight: an input made for the weights needs that many bits.
void TestAccumulator::worstInputReachesTheBound()
{
    Case test { "Conv", { 1, 16, 4, 4 }, normalTensor({ 1, 16, 3, 3 }, 5, 40) };
    test.activations = quantizer(Role::Activation, -8, 7);
    test.weights = quantizer(Role::Weight, -128, 127);
    const auto [graph, plan] = build(test);
    std::vector<std::int32_t> levels(16 * 9);
    quant::quantize(test.weights.encoding, test.weight.shape(), test.weight.as<float>(), levels);
    double low = 0;
    double high = 0;
    for (const auto level : levels) {
        high += level > 0 ? level * 7 : level * -8;
        low += level > 0 ? level * -8 : level * 7;
    }
    QCOMPARE(cost::accumulators(graph, plan)->front().worstCaseBits, cost::signedBits(low, high));
}

void TestAccumulator::twoActivations()
{
    GraphBuilder make;
    const auto a = make.input("a", { 1, 4, 6 });
    const auto b = make.input("b", { 1, 6, 4 });
    make.output(make.node("MatMul", { a, b }, "y"));
    QVERIFY(graph::inferShapes(make.graph()));
    quant::QuantizationPlan plan;
    plan.set("a", quantizer(Role::Activation, 0, 255));
    plan.set("b", quantizer(Role::Activation, -128, 127));
    const auto found = cost::accumulators(make.graph(), plan);
    QVERIFY(found);
    QCOMPARE(found->front().depth, 6);
    QCOMPARE(found->front().worstCaseBits, cost::signedBits(-6 * 255 * 128, 6 * 255 * 127));
}

void TestAccumulator::floatLayersHaveNone()
{
    auto built = build(cases().at("conv"));
    built.plan.erase("w");
    QVERIFY(cost::accumulators(built.graph, built.plan)->empty());
    built = build(cases().at("conv"));
    built.plan.erase("x");
    QVERIFY(cost::accumulators(built.graph, built.plan)->empty());
}

QTEST_APPLESS_MAIN(TestAccumulator)
#include "tst_accumulator.moc"
