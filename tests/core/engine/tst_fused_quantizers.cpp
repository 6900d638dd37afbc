// SPDX-License-Identifier: GPL-3.0-or-later
// labels: unit numeric
// Quantizers that sums, concatenations and the input's reorder compute along: the same bits as steps of their own give.
#include <QtTest>

#include "core/engine/kernels/vectors/vector_functions.h"
#include "tests/core/engine/graph_maker.h"
#include "tests/core/engine/vector_tests.h"

using namespace quantoscope;
using namespace quantoscope::test;

namespace {

/// Grids by name; the last ones are not for loops that do without a division.
const std::vector<std::pair<const char*, quant::Encoding>>& grids()
{
    static const std::vector<std::pair<const char*, quant::Encoding>> all {
        { "12 bits from zero", grid(12, false, 0.0007F) },
        { "signed", grid(12, true, 0.0013F) },
        { "odd zero point", grid(8, false, 0.03F, 77) },
        { "16 bits", grid(16, false, 5e-5F) },
        { "2 bits", grid(2, false, 0.9F) },
        { "rounded away", grid(8, true, 0.02F, 0, quant::Rounding::HalfAway) },
        { "a tiny scale", grid(8, true, 1e-30F) },
    };
    return all;
}

constexpr std::size_t firstUnsuited = 5;

quant::QuantizationPlan planFor(quant::Scope scope, const std::vector<std::pair<std::string, quant::Encoding>>& tensors)
{
    quant::QuantizationPlan plan;
    plan.scope = scope;
    for (const auto& [name, encoding] : tensors) {
        quant::TensorQuantizer quantizer;
        quantizer.role = quant::Role::Activation;
        quantizer.encoding = encoding;
        plan.set(name, quantizer);
    }
    return plan;
}

/// Normal values, and some that are none.
Tensor strangeTensor(const Shape& shape, std::uint64_t seed)
{
    Tensor tensor = randomTensor(shape, seed, -2, 3);
    const auto values = tensor.as<float>();
    const std::array strange { NAN, INFINITY, -INFINITY, -0.0F, 0.0F, 1e-42F, 3e38F, -3e38F };
    for (std::size_t i = 0; i < strange.size() && 5 * i < values.size(); ++i)
        values[5 * i] = strange[i];
    return tensor;
}

std::vector<std::string> implementationsOf(const graph::Graph& graph, const quant::QuantizationPlan& plan,
    const std::string& op, const CompileOptions& options)
{
    std::vector<std::string> found;
    for (const auto& step : engine::compile(graph, plan, options).value()->steps())
        if (step.op == op)
            found.push_back(step.implementation);
    return found;
}

bool hasVectors() { return engine::vectorFunctions() != nullptr; }

} // namespace

class TestFusedQuantizers : public QObject {
    Q_OBJECT

private slots:
    void sums_data();
    void sums();
    void plainSumIsSeenToo();
    void sumsThatBroadcast();
    void concatenations_data();
    void concatenations();
    void inputs_data();
    void inputs();
    void sumsOfCodes_data();
    void sumsOfCodes();
    void narrowerVectors();
};

void TestFusedQuantizers::sums_data()
{
    QTest::addColumn<int>("which");
    QTest::addColumn<Shape>("shape");
    QTest::addColumn<QString>("activation");
    const auto row = [](const char* name, int which, const Shape& shape, const char* activation) {
        QTest::newRow(name) << which << shape << activation;
    };
    for (int i = 0; const auto& [name, encoding] : grids()) {
        QTest::addRow("%s", name) << i << Shape { 2, 16, 5, 7 } << QString();
        QTest::addRow("%s, rectified", name) << i << Shape { 2, 16, 5, 7 } << QStringLiteral("Relu");
        QTest::addRow("%s, clipped", name) << i << Shape { 2, 16, 5, 7 } << QStringLiteral("Clip");
        ++i;
    }
    row("less than a vector", 0, Shape { 1, 3 }, "Relu");
    row("a vector and a bit", 1, Shape { 1, 33 }, "");
    row("one", 1, Shape { 1, 1 }, "");
}

/// y = Q(act(a + b)), and the plain act(a + b) where somebody reads it: as Add and quantizer do it by themselves.
void TestFusedQuantizers::sums()
{
    QFETCH(int, which);
    QFETCH(Shape, shape);
    QFETCH(QString, activation);
    const auto& encoding = grids()[static_cast<std::size_t>(which)].second;
    for (const bool readTwice : { false, true }) {
        GraphMaker maker;
        ValueId last = maker.node("Add", { maker.input("a", shape), maker.input("b", shape) }, "sum");
        if (activation == "Relu")
            last = maker.node("Relu", { last }, "act");
        if (activation == "Clip")
            last = maker.node("Clip",
                { last, maker.constant("low", Tensor::scalar(-0.5F)), maker.constant("high", Tensor::scalar(0.75F)) },
                "act");
        const std::int64_t width = shape[shape.rank() - 1];
        Tensor unit(DType::Float32, Shape { width, width });
        for (std::int64_t i = 0; i < width; ++i)
            unit.as<float>()[static_cast<std::size_t>(i * width + i)] = 1;
        maker.output(maker.node("MatMul", { last, maker.constant("w", std::move(unit)) }, "y"));
        if (readTwice)
            maker.output(maker.node("Neg", { last }, "plain"));
        const auto plan = planFor(quant::Scope::Compute, { { activation.isEmpty() ? "sum" : "act", encoding } });
        // What is not finite would not stay with itself in a product.
        std::vector<Tensor> inputs { randomTensor(shape, 1, -2, 3), randomTensor(shape, 2, -2, 3) };
        CompileOptions separately;
        separately.kernels = engine::KernelSet::Reference;
        const auto found = runGraph(maker.graph(), inputs, {}, plan).value();
        const auto expected = runGraph(maker.graph(), inputs, separately, plan).value();
        QCOMPARE(found.size(), readTwice ? 2U : 1U);
        for (std::size_t i = 0; i < found.size(); ++i)
            QCOMPARE(largestDifference(found[i], expected[i]), 0.0);
        const bool fused = hasVectors() && static_cast<std::size_t>(which) < firstUnsuited;
        QCOMPARE(implementationsOf(maker.graph(), plan, "FakeQuantize", {}).empty(), fused);
        if (fused)
            QCOMPARE(implementationsOf(maker.graph(), plan, "Add", {}),
                std::vector<std::string> { readTwice ? "sum with its quantized copy" : "sum before a quantizer" });
    }
}

/// Both results bit for bit where values are not finite, read as outputs.
void TestFusedQuantizers::plainSumIsSeenToo()
{
    for (const auto& [name, encoding] : grids()) {
        const Shape shape { 3, 50 };
        GraphMaker maker;
        maker.output(maker.node(
            "Relu", { maker.node("Add", { maker.input("a", shape), maker.input("b", shape) }, "sum") }, "act"));
        const auto plan = planFor(quant::Scope::Integer, { { "act", encoding } });
        const std::vector<Tensor> inputs { strangeTensor(shape, 1), randomTensor(shape, 2) };
        CompileOptions tapped;
        tapped.taps = { "act" };
        const auto compiled = engine::compile(maker.graph(), plan, tapped).value();
        engine::Executor executor(compiled);
        const std::array views { inputs[0].view(), inputs[1].view() };
        Tensor plain(DType::Float32, shape);
        QVERIFY(executor.run(views, [&](std::size_t, const TensorView& value) {
            std::ranges::copy(value.as<float>(), plain.as<float>().begin());
        }));
        Tensor sums(DType::Float32, shape);
        for (std::size_t i = 0; i < 150; ++i) {
            const float sum = inputs[0].as<float>()[i] + inputs[1].as<float>()[i];
            sums.as<float>()[i] = sum < 0 ? 0 : sum;
        }
        const auto isAlike = [](float a, float b) { return a == b || (std::isnan(a) && std::isnan(b)); };
        QVERIFY2(std::ranges::equal(plain.as<float>(), sums.as<float>(), isAlike), name);
        const Tensor expected = quant::fakeQuantize(encoding, sums.view());
        QVERIFY2(std::ranges::equal(executor.output(0).as<float>(), expected.as<float>()), name);
    }
}

void TestFusedQuantizers::sumsThatBroadcast()
{
    GraphMaker maker;
    maker.output(maker.node("Add", { maker.input("a", { 2, 16, 4, 4 }), maker.input("b", { 1, 16, 1, 1 }) }, "sum"));
    const auto plan = planFor(quant::Scope::Integer, { { "sum", grids()[0].second } });
    QCOMPARE(implementationsOf(maker.graph(), plan, "FakeQuantize", {}).size(), 1U);
    const std::vector<Tensor> inputs { randomTensor({ 2, 16, 4, 4 }, 1), randomTensor({ 1, 16, 1, 1 }, 2) };
    CompileOptions separately;
    separately.kernels = engine::KernelSet::Reference;
    QCOMPARE(largestDifference(runGraph(maker.graph(), inputs, {}, plan).value()[0],
                 runGraph(maker.graph(), inputs, separately, plan).value()[0]),
        0.0);
}

void TestFusedQuantizers::concatenations_data()
{
    QTest::addColumn<int>("which");
    QTest::addColumn<int>("axis");
    QTest::addColumn<bool>("pooled");
    for (int i = 0; const auto& [name, encoding] : grids()) {
        QTest::addRow("%s, channels", name) << i << 1 << false;
        QTest::addRow("%s, channels last", name) << i << 1 << true;
        ++i;
    }
    for (const int axis : { 0, 2, 3 }) {
        QTest::addRow("axis %d", axis) << 1 << axis << false;
        QTest::addRow("axis %d, channels last", axis) << 1 << axis << true;
    }
}

void TestFusedQuantizers::concatenations()
{
    QFETCH(int, which);
    QFETCH(int, axis);
    QFETCH(bool, pooled);
    for (const std::int64_t channels : { 1, 3, 16, 37 }) {
        GraphMaker maker;
        const Shape shape { 2, channels, 5, 6 };
        std::vector<std::int64_t> other = shape.dims();
        other[static_cast<std::size_t>(axis)] += 2;
        std::vector<ValueId> parts { maker.input("a", shape), maker.input("b", Shape(other)) };
        if (pooled) // which delivers channels last
            for (std::size_t i = 0; i < 2; ++i)
                parts[i] = maker.node("MaxPool", { parts[i] }, i == 0 ? "pool a" : "pool b",
                    { { "kernel_shape", Ints { 3, 3 } }, { "pads", Ints { 1, 1, 1, 1 } } });
        maker.output(maker.node("Concat", parts, "y", { { "axis", std::int64_t { axis } } }));
        const auto& encoding = grids()[static_cast<std::size_t>(which)].second;
        const auto plan = planFor(quant::Scope::Integer, { { "y", encoding } });
        const auto make = pooled ? [](const Shape& s, std::uint64_t seed) { return randomTensor(s, seed, -2, 3); }
                                 : [](const Shape& s, std::uint64_t seed) { return strangeTensor(s, seed); };
        const std::vector<Tensor> inputs { make(shape, 1), make(Shape(other), 2) };
        const Tensor found = runGraph(maker.graph(), inputs, {}, plan).value()[0];
        CompileOptions separately;
        separately.kernels = engine::KernelSet::Reference;
        const Tensor whole = runGraph(maker.graph(), inputs, separately).value()[0];
        QCOMPARE(largestDifference(found, quant::fakeQuantize(encoding, whole.view())), 0.0);
        const bool fused = hasVectors() && static_cast<std::size_t>(which) < firstUnsuited;
        QCOMPARE(implementationsOf(maker.graph(), plan, "FakeQuantize", {}).empty(), fused);
    }
}

void TestFusedQuantizers::inputs_data()
{
    QTest::addColumn<Shape>("shape");
    QTest::addColumn<bool>("fused");
    QTest::newRow("three channels") << Shape { 2, 3, 9, 11 } << true;
    QTest::newRow("four channels") << Shape { 1, 4, 30, 41 } << true;
    QTest::newRow("many positions") << Shape { 2, 3, 40, 31 } << true;
    QTest::newRow("one position") << Shape { 2, 3, 1, 1 } << true;
    QTest::newRow("five channels") << Shape { 2, 5, 9, 11 } << false;
    QTest::newRow("one channel") << Shape { 2, 1, 9, 11 } << false;
}

/// A quantizer of the network's input, read channels last by one and plain by another.
void TestFusedQuantizers::inputs()
{
    QFETCH(Shape, shape);
    QFETCH(bool, fused);
    for (const auto& [name, encoding] : grids()) {
        GraphMaker maker;
        const ValueId input = maker.input("x", shape);
        maker.output(maker.node(
            "MaxPool", { input }, "pooled", { { "kernel_shape", Ints { 3, 3 } }, { "pads", Ints { 1, 1, 1, 1 } } }));
        maker.output(maker.node("Neg", { input }, "negated"));
        maker.output(maker.node("Relu", { input }, "rectified"));
        const auto plan = planFor(quant::Scope::Integer, { { "x", encoding } });
        const std::vector<Tensor> inputs { strangeTensor(shape, 1) };
        CompileOptions separately;
        separately.kernels = engine::KernelSet::Reference;
        const auto found = runGraph(maker.graph(), inputs, {}, plan).value();
        const auto expected
            = runGraph(maker.graph(), { quant::fakeQuantize(encoding, inputs[0].view()) }, separately).value();
        for (std::size_t i = 0; i < found.size(); ++i)
            QVERIFY2(largestDifference(found[i], expected[i]) == 0, name);
        const auto steps = implementationsOf(maker.graph(), plan, "FakeQuantize", {});
        const bool isSuited = &encoding - &grids()[0].second < 0 || hasVectors();
        if (isSuited && encoding == grids()[0].second)
            QCOMPARE(std::ranges::count(steps, "transpose behind a quantizer") == 1, fused);
        QCOMPARE(steps.size(), 1U);
    }
}

void TestFusedQuantizers::sumsOfCodes_data()
{
    QTest::addColumn<float>("scaleA");
    QTest::addColumn<float>("scaleB");
    QTest::addColumn<float>("scale");
    QTest::addColumn<int>("zeroPoint");
    QTest::addColumn<int>("bits");
    QTest::addColumn<bool>("rectified");
    // Powers of two have ties everywhere; the others are as they come.
    const std::array scales { 0.0137F, 0.5F, 0.031F, 1.0F, 0.0077F };
    int row = 0;
    for (const float a : scales)
        for (const float b : scales)
            for (const float out : { 0.0219F, 1.0F, 0.5F }) {
                QTest::addRow("%d", row) << a << b << out << row % 256 << 2 + row % 7 << (row % 3 == 0);
                ++row;
            }
    QTest::newRow("coarse and fine") << 1e6F << 1e-6F << 1e-7F << 3 << 8 << false;
    QTest::newRow("a sum that vanishes") << 1e-6F << 1e-6F << 1e6F << 3 << 8 << false;
}

/// All pairs of codes at once.
void TestFusedQuantizers::sumsOfCodes()
{
    QFETCH(float, scaleA);
    QFETCH(float, scaleB);
    QFETCH(float, scale);
    QFETCH(int, zeroPoint);
    QFETCH(int, bits);
    QFETCH(bool, rectified);
    const quant::Encoding left = grid(8, false, scaleA, 17);
    const quant::Encoding right = grid(8, true, scaleB, -5);
    const quant::Encoding result = grid(bits, false, scale, zeroPoint % (1 << bits));
    const Shape shape { 256, 256 };
    GraphMaker maker;
    ValueId last = maker.node("Add", { maker.input("a", shape), maker.input("b", shape) }, "sum");
    if (rectified)
        last = maker.node("Relu", { last }, "act");
    maker.output(maker.node("Abs", { last }, "behind"));
    const auto plan
        = planFor(quant::Scope::Integer, { { "a", left }, { "b", right }, { rectified ? "act" : "sum", result } });
    Tensor a(DType::Float32, shape);
    Tensor b(DType::Float32, shape);
    for (std::size_t i = 0; i < 65536; ++i) {
        a.as<float>()[i] = static_cast<float>(static_cast<int>(i / 256) - 17) * scaleA;
        b.as<float>()[i] = static_cast<float>(static_cast<int>(i % 256) - 128 + 5) * scaleB;
    }
    CompileOptions options;
    options.arithmetic = engine::Arithmetic::Auto;
    const Tensor found = runGraph(maker.graph(), { a, b }, options, plan).value()[0];
    Tensor sums(DType::Float32, shape);
    for (std::size_t i = 0; i < 65536; ++i) {
        const float sum = a.as<float>()[i] + b.as<float>()[i];
        sums.as<float>()[i] = rectified && sum < 0 ? 0 : sum;
    }
    Tensor expected = quant::fakeQuantize(result, sums.view());
    for (float& value : expected.as<float>())
        value = std::abs(value);
    QCOMPARE(largestDifference(found, expected), 0.0);
    QCOMPARE(implementationsOf(maker.graph(), plan, "IntegerAdd", options).size(), 1U);
}

void TestFusedQuantizers::narrowerVectors() { runWithNarrowerVectors(); }

QTEST_GUILESS_MAIN(TestFusedQuantizers)
#include "tst_fused_quantizers.moc"
