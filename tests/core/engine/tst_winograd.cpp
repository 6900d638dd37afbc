// SPDX-License-Identifier: GPL-3.0-or-later
// labels: unit numeric
// Convolutions by minimal filtering against direct sums in double.
#include <QtTest>

#include "tests/core/engine/graph_maker.h"
#include "tests/core/engine/vector_tests.h"

using namespace quantoscope;
using namespace quantoscope::test;

namespace {

struct Case {
    Shape input { 2, 16, 12, 12 };
    std::int64_t outputs = 16;
    Ints pads { 1, 1, 1, 1 };
    bool bias = true;
    std::optional<std::pair<float, float>> clip {};
};

graph::Graph makeGraph(const Case& c)
{
    GraphMaker maker;
    const double spread = std::sqrt(2.0 / static_cast<double>(9 * c.input[1]));
    std::vector<ValueId> inputs { maker.input("x", c.input),
        maker.constant("w", randomTensor(Shape { c.outputs, c.input[1], 3, 3 }, 2, -2 * spread, 2 * spread)) };
    if (c.bias)
        inputs.push_back(maker.constant("b", randomTensor(Shape { c.outputs }, 3)));
    ValueId last = maker.node("Conv", inputs, "y", { { "pads", c.pads } });
    if (c.clip)
        last = maker.node("Clip",
            { last, maker.constant("low", Tensor::scalar(c.clip->first)),
                maker.constant("high", Tensor::scalar(c.clip->second)) },
            "clipped");
    maker.output(last);
    return maker.graph();
}

std::string implementationOf(
    const graph::Graph& graph, const CompileOptions& options = {}, const quant::QuantizationPlan& plan = {})
{
    for (const auto& step : engine::compile(graph, plan, options).value()->steps())
        if (step.op == "Conv")
            return step.implementation;
    return {};
}

double rootMeanSquare(const Tensor& tensor)
{
    double sum = 0;
    for (const float value : tensor.as<float>())
        sum += static_cast<double>(value) * static_cast<double>(value);
    return std::sqrt(sum / static_cast<double>(tensor.size()));
}

quant::TensorQuantizer quantizer(int bits, bool isSigned, float scale, quant::Role role)
{
    quant::TensorQuantizer result;
    result.role = role;
    result.encoding = grid(bits, isSigned, scale);
    return result;
}

} // namespace

Q_DECLARE_METATYPE(Case)

class TestWinograd : public QObject {
    Q_OBJECT

private slots:
    void matchesDirectSums_data();
    void matchesDirectSums();
    void batchDoesNotShow();
    void leavesOthersAlone_data();
    void leavesOthersAlone();
    void exactSumsStayExact_data();
    void exactSumsStayExact();
    void narrowerVectors();
};

void TestWinograd::matchesDirectSums_data()
{
    QTest::addColumn<Case>("c");
    const auto row = [](const char* name, const Case& c) { QTest::newRow(name) << c; };
    row("whole tiles", {});
    row("parts of tiles", { .input = { 2, 16, 11, 14 } });
    row("less than two tiles", { .input = { 1, 16, 6, 7 } });
    row("unpadded", { .input = { 2, 16, 10, 9 }, .pads = { 0, 0, 0, 0 } });
    row("pads of four sizes", { .input = { 1, 16, 9, 10 }, .pads = { 0, 2, 1, 3 } });
    row("without bias", { .bias = false });
    row("clipped", { .clip = { { -0.25F, 0.5F } } });
    row("rectified", { .clip = { { 0.0F, INFINITY } } });
    row("three panels", { .input = { 1, 16, 8, 8 }, .outputs = 80 });
    row("32 channels to 48", { .input = { 1, 32, 13, 13 }, .outputs = 48 });
    row("many channels", { .input = { 1, 128, 8, 8 }, .outputs = 64 });
    row("many images", { .input = { 17, 16, 8, 8 }, .outputs = 32 });
}

void TestWinograd::matchesDirectSums()
{
    QFETCH(Case, c);
    const auto graph = makeGraph(c);
    const bool expected = engine::floatLanes() > 0;
    QCOMPARE(implementationOf(graph) == "winograd 4x4", expected);
    const Tensor input = randomTensor(c.input, 1, -2, 2);
    CompileOptions options;
    const Tensor found = runGraph(graph, { input }, options).value()[0];
    options.kernels = engine::KernelSet::Reference;
    const Tensor reference = runGraph(graph, { input }, options).value()[0];
    Case unclipped = c;
    unclipped.clip.reset();
    const Tensor sums = runGraph(makeGraph(unclipped), { input }, options).value()[0];
    double largest = 0;
    for (const float value : sums.as<float>())
        largest = std::max(largest, std::abs(static_cast<double>(value)));
    Tensor difference(DType::Float32, found.shape());
    for (std::size_t i = 0; i < static_cast<std::size_t>(found.size()); ++i)
        difference.as<float>()[i] = found.as<float>()[i] - reference.as<float>()[i];
    const double worst = largestDifference(found, reference) / largest;
    const double typical = rootMeanSquare(difference) / rootMeanSquare(reference);
    qInfo("at most %.2g of the largest result, typically %.2g of a result", worst, typical);
    QVERIFY2(worst < 1e-5, qPrintable(QString::number(worst)));
    QVERIFY2(typical < 3e-6, qPrintable(QString::number(typical)));
}

/// An image's results are the same bits whatever else is computed with it.
void TestWinograd::batchDoesNotShow()
{
    const Case whole { .input = { 13, 16, 9, 9 }, .outputs = 32 };
    const Tensor input = randomTensor(whole.input, 1);
    const Tensor together = runGraph(makeGraph(whole), { input }).value()[0];
    Case one = whole;
    one.input = { 1, 16, 9, 9 };
    const auto graph = makeGraph(one);
    const std::int64_t size = 16 * 9 * 9;
    const std::int64_t resultSize = 32 * 9 * 9;
    for (std::int64_t image = 0; image < 13; ++image) {
        Tensor part(DType::Float32, one.input);
        std::copy_n(input.as<float>().begin() + image * size, size, part.as<float>().begin());
        const Tensor alone = runGraph(graph, { part }).value()[0];
        QVERIFY(std::equal(
            alone.as<float>().begin(), alone.as<float>().end(), together.as<float>().begin() + image * resultSize));
    }
}

void TestWinograd::leavesOthersAlone_data()
{
    QTest::addColumn<Shape>("weight");
    QTest::addColumn<Ints>("strides");
    QTest::addColumn<Ints>("dilations");
    QTest::addColumn<std::int64_t>("group");
    const Ints one { 1, 1 };
    QTest::newRow("stride 2") << Shape { 16, 16, 3, 3 } << Ints { 2, 2 } << one << std::int64_t { 1 };
    QTest::newRow("dilated") << Shape { 16, 16, 3, 3 } << one << Ints { 2, 2 } << std::int64_t { 1 };
    QTest::newRow("5 x 5") << Shape { 16, 16, 5, 5 } << one << one << std::int64_t { 1 };
    QTest::newRow("20 results") << Shape { 20, 16, 3, 3 } << one << one << std::int64_t { 1 };
    QTest::newRow("groups") << Shape { 16, 8, 3, 3 } << one << one << std::int64_t { 2 };
}

void TestWinograd::leavesOthersAlone()
{
    QFETCH(Shape, weight);
    QFETCH(Ints, strides);
    QFETCH(Ints, dilations);
    QFETCH(std::int64_t, group);
    GraphMaker maker;
    maker.output(
        maker.node("Conv", { maker.input("x", { 1, 16, 20, 20 }), maker.constant("w", randomTensor(weight, 1)) }, "y",
            { { "strides", strides }, { "dilations", dilations }, { "group", group } }));
    QVERIFY(implementationOf(maker.graph()) != "winograd 4x4");
}

void TestWinograd::exactSumsStayExact_data()
{
    QTest::addColumn<int>("weightBits");
    QTest::addColumn<int>("activationBits");
    QTest::addColumn<bool>("tapped");
    QTest::addColumn<bool>("direct");
    QTest::newRow("8 and 8 bits") << 8 << 8 << false << true;
    QTest::newRow("4 and 8 bits") << 4 << 8 << false << true;
    QTest::newRow("8 bits and float") << 8 << 0 << false << false;
    QTest::newRow("8 and 9 bits") << 8 << 9 << false << false;
    QTest::newRow("9 and 8 bits") << 9 << 8 << false << true;
    QTest::newRow("16 and 16 bits") << 16 << 16 << false << false;
    QTest::newRow("float") << 0 << 0 << false << false;
    QTest::newRow("float, looked at") << 0 << 0 << true << true;
}

/// Integer arithmetic is compared with float sums that are whole numbers, and ranges are found on direct sums.
void TestWinograd::exactSumsStayExact()
{
    QFETCH(int, weightBits);
    QFETCH(int, activationBits);
    QFETCH(bool, tapped);
    QFETCH(bool, direct);
    quant::QuantizationPlan plan;
    plan.scope = quant::Scope::Compute;
    if (weightBits > 0)
        plan.set("w", quantizer(weightBits, true, 0.01F, quant::Role::Weight));
    if (activationBits > 0)
        plan.set("x", quantizer(activationBits, false, 0.01F, quant::Role::Activation));
    CompileOptions options;
    if (tapped)
        options.taps = { "y" };
    if (engine::floatLanes() == 0)
        QSKIP("this processor has no vectors wide enough");
    QCOMPARE(implementationOf(makeGraph({}), options, plan) == "winograd 4x4", !direct);
}

void TestWinograd::narrowerVectors() { runWithNarrowerVectors(); }

QTEST_GUILESS_MAIN(TestWinograd)
#include "tst_winograd.moc"
