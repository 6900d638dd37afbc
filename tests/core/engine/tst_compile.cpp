// SPDX-License-Identifier: GPL-3.0-or-later
#include <QtTest>

#include "tests/core/engine/graph_maker.h"

using namespace quantoscope;
using namespace quantoscope::test;

namespace {

quant::TensorQuantizer quantizer(std::vector<float> scale, std::int32_t qmin, std::int32_t qmax, int axis = -1)
{
    quant::TensorQuantizer result;
    result.encoding.zeroPoint.assign(scale.size(), 0);
    result.encoding.scale = std::move(scale);
    result.encoding.qmin = qmin;
    result.encoding.qmax = qmax;
    result.encoding.axis = axis;
    return result;
}

Tensor row(std::vector<float> values)
{
    const auto count = static_cast<std::int64_t>(values.size());
    return Tensor::from<float>(Shape { 1, count }, values);
}

QString text(const Tensor& tensor)
{
    QStringList parts;
    for (float value : tensor.as<float>())
        parts << QString::number(static_cast<double>(value));
    return parts.join(' ');
}

QString message(const Error& error) { return QString::fromStdString(error.message()); }

int count(const engine::CompiledGraph& compiled, std::string_view op)
{
    int found = 0;
    for (const auto& step : compiled.steps())
        found += step.op == op ? 1 : 0;
    return found;
}

/// x [1, 2] times w [2, 2] gives y; y + x is the output: x has a compute reader and another one.
GraphMaker residual()
{
    GraphMaker maker;
    const ValueId x = maker.input("x", { 1, 2 });
    const ValueId w = maker.constant("w", Tensor::from<float>({ 2, 2 }, std::vector<float> { 1.2F, 0, 0, 0.7F }));
    const ValueId y = maker.node("MatMul", { x, w }, "y");
    maker.output(maker.node("Add", { y, x }, "z"));
    return maker;
}

} // namespace

class TestCompile : public QObject {
    Q_OBJECT

private slots:
    void computeScopeIsSeenByLayersOnly()
    {
        GraphMaker maker = residual();
        quant::QuantizationPlan plan;
        plan.scope = quant::Scope::Compute;
        plan.set("x", quantizer({ 1 }, -128, 127)); // integers
        plan.set("w", quantizer({ 0.5F }, -8, 7)); // 1.2 -> 1, 0.7 -> 0.5
        const auto outputs = runGraph(maker.graph(), { row({ 1.4F, -2.6F }) }, {}, plan);
        QVERIFY2(outputs, outputs ? "" : qPrintable(message(outputs.error())));
        // MatMul sees 1 and -3; Add sees 1.4 and -2.6.
        QCOMPARE(text((*outputs)[0]), text(row({ 1 * 1 + 1.4F, -3 * 0.5F - 2.6F })));
    }

    void integerScopeIsSeenByEveryone()
    {
        GraphMaker maker = residual();
        quant::QuantizationPlan plan;
        plan.scope = quant::Scope::Integer;
        plan.set("x", quantizer({ 1 }, -128, 127));
        plan.set("w", quantizer({ 0.5F }, -8, 7));
        plan.set("y", quantizer({ 1 }, -128, 127)); // 1 -> 1, -1.5 -> -2
        plan.set("z", quantizer({ 4 }, -128, 127)); // 2 -> 0 (half to even), -5 -> -4
        const auto outputs = runGraph(maker.graph(), { row({ 1.4F, -2.6F }) }, {}, plan);
        QVERIFY2(outputs, outputs ? "" : qPrintable(message(outputs.error())));
        QCOMPARE(text((*outputs)[0]), text(row({ 0, -4 })));
    }

    void outputKeepsItsNameUnderAQuantizer()
    {
        GraphMaker maker = residual();
        quant::QuantizationPlan plan;
        plan.scope = quant::Scope::Integer;
        plan.set("z", quantizer({ 1 }, -128, 127));
        const auto compiled = engine::compile(maker.graph(), plan, {});
        QVERIFY(compiled);
        QCOMPARE((*compiled)->outputs()[0].name, std::string("z"));
    }

    void oneQuantizerServesSeveralLayers()
    {
        GraphMaker maker;
        const ValueId x = maker.input("x", { 1, 2 });
        const ValueId w = maker.constant("w", randomTensor({ 2, 2 }, 1));
        const ValueId a = maker.node("MatMul", { x, w }, "a");
        const ValueId b = maker.node("MatMul", { x, w }, "b");
        maker.output(maker.node("Add", { a, b }, "z"));
        quant::QuantizationPlan plan;
        plan.set("x", quantizer({ 1 }, -128, 127));
        const auto compiled = engine::compile(maker.graph(), plan, {});
        QVERIFY(compiled);
        QCOMPARE(count(**compiled, "FakeQuantize"), 1);
    }

    void sharedWeightIsQuantizedForTheLayerAlone()
    {
        GraphMaker maker;
        const ValueId x = maker.input("x", { 1, 2 });
        const ValueId w = maker.constant("w", Tensor::from<float>({ 2, 2 }, std::vector<float> { 1.2F, 0, 0, 1.4F }));
        maker.output(maker.node("MatMul", { x, w }, "product"));
        maker.output(maker.node("Add", { x, w }, "sum"));
        quant::QuantizationPlan plan;
        plan.set("w", quantizer({ 1 }, -8, 7));
        auto outputs = runGraph(maker.graph(), { row({ 2, 3 }) }, {}, plan);
        QVERIFY2(outputs, outputs ? "" : qPrintable(message(outputs.error())));
        QCOMPARE(text((*outputs)[0]), text(row({ 2, 3 })));
        QCOMPARE(text((*outputs)[1]), QString("3.2 3 2 4.4"));
        plan.scope = quant::Scope::Integer;
        outputs = runGraph(maker.graph(), { row({ 2, 3 }) }, {}, plan);
        QVERIFY(outputs);
        QCOMPARE(text((*outputs)[1]), QString("3 3 2 4"));
    }

    void integerQuantizerComesAfterTheFusedActivation()
    {
        GraphMaker maker;
        const ValueId x = maker.input("x", { 1, 2 });
        const ValueId w = maker.constant("w", Tensor::from<float>({ 2, 2 }, std::vector<float> { 1, 0, 0, 1 }));
        const ValueId y = maker.node("MatMul", { x, w }, "y");
        maker.output(maker.node("Relu", { y }, "z"));
        quant::QuantizationPlan plan;
        plan.scope = quant::Scope::Integer;
        plan.set("z", quantizer({ 1 }, 0, 255));
        const auto compiled = engine::compile(maker.graph(), plan, {});
        QVERIFY(compiled);
        QCOMPARE(count(**compiled, "Relu"), 0);
        QCOMPARE(count(**compiled, "FakeQuantize"), 1);
        const auto outputs = runGraph(maker.graph(), { row({ -3.4F, 3.4F }) }, {}, plan);
        QVERIFY(outputs);
        QCOMPARE(text((*outputs)[0]), text(row({ 0, 3 })));
    }

    void quantizerInsideAPairTakesItApart()
    {
        GraphMaker maker;
        const ValueId x = maker.input("x", { 1, 2 });
        const ValueId w = maker.constant("w", Tensor::from<float>({ 2, 2 }, std::vector<float> { 1, 0, 0, 1 }));
        const ValueId y = maker.node("MatMul", { x, w }, "y");
        maker.output(maker.node("Relu", { y }, "z"));
        quant::QuantizationPlan plan;
        plan.scope = quant::Scope::Integer;
        plan.set("y", quantizer({ 2 }, -128, 127));
        const auto outputs = runGraph(maker.graph(), { row({ -3.4F, 3.4F }) }, {}, plan);
        QVERIFY(outputs);
        QCOMPARE(text((*outputs)[0]), text(row({ 0, 4 })));
    }

    /// The step must be quant::fakeQuantize bit for bit, whatever layout the tensor happens to have.
    void quantizerMatchesTheDefinition_data()
    {
        QTest::addColumn<int>("axis");
        QTest::addColumn<int>("rounding");
        QTest::newRow("per tensor") << -1 << static_cast<int>(quant::Rounding::HalfEven);
        QTest::newRow("per channel") << 1 << static_cast<int>(quant::Rounding::HalfEven);
        QTest::newRow("per column") << 3 << static_cast<int>(quant::Rounding::HalfEven);
        QTest::newRow("per image") << 0 << static_cast<int>(quant::Rounding::HalfAway);
        QTest::newRow("stochastic") << -1 << static_cast<int>(quant::Rounding::Stochastic);
    }

    void quantizerMatchesTheDefinition()
    {
        QFETCH(int, axis);
        QFETCH(int, rounding);
        const Shape shape { 2, 5, 4, 3 };
        GraphMaker maker;
        // The pool leaves its result channels last.
        const ValueId x = maker.input("x", shape);
        const ValueId pooled = maker.node("MaxPool", { x }, "pooled", { { "kernel_shape", Ints { 1, 1 } } });
        maker.output(pooled);
        std::vector<float> scales;
        for (std::int64_t i = 0; i < (axis < 0 ? 1 : shape[axis]); ++i)
            scales.push_back(0.01F * static_cast<float>(i + 1));
        quant::TensorQuantizer wanted = quantizer(scales, -20, 15, axis);
        for (std::int32_t& zero : wanted.encoding.zeroPoint)
            zero = -3;
        wanted.encoding.rounding = static_cast<quant::Rounding>(rounding);
        quant::QuantizationPlan plan;
        plan.scope = quant::Scope::Integer;
        plan.seed = 7;
        plan.set("pooled", wanted);
        const Tensor input = randomTensor(shape, 3);
        const auto outputs = runGraph(maker.graph(), { input }, {}, plan);
        QVERIFY2(outputs, outputs ? "" : qPrintable(message(outputs.error())));
        QVERIFY(sameBits((*outputs)[0], quant::fakeQuantize(wanted.encoding, input.view(), plan.seedFor("pooled"))));
    }

    void planOfAnotherModelIsRefused()
    {
        GraphMaker maker = residual();
        quant::QuantizationPlan plan;
        plan.set("elsewhere", quantizer({ 1 }, -128, 127));
        const auto compiled = engine::compile(maker.graph(), plan, {});
        QVERIFY(!compiled);
        QCOMPARE(compiled.error().code, ErrorCode::NotFound);
        QVERIFY(message(compiled.error()).contains("elsewhere"));
    }

    void encodingMustFitTheTensor()
    {
        GraphMaker maker = residual();
        quant::QuantizationPlan plan;
        plan.set("w", quantizer({ 1, 1, 1 }, -128, 127, 1));
        const auto compiled = engine::compile(maker.graph(), plan, {});
        QVERIFY(!compiled);
        QCOMPARE(compiled.error().code, ErrorCode::InvalidInput);
        QVERIFY2(message(compiled.error()).contains("'w'") && message(compiled.error()).contains("3 channels"),
            qPrintable(message(compiled.error())));
    }

    void unknownTapIsRefused()
    {
        GraphMaker maker = residual();
        CompileOptions options;
        options.taps = { "nowhere" };
        const auto compiled = engine::compile(maker.graph(), {}, options);
        QVERIFY(!compiled);
        QCOMPARE(compiled.error().code, ErrorCode::NotFound);
        QVERIFY(message(compiled.error()).contains("nowhere"));
    }

    void unknownOperatorIsNamed()
    {
        GraphMaker maker;
        const ValueId x = maker.input("x", { 1, 2 });
        maker.output(maker.node("FrobnicateTensor", { x }, "z"));
        const auto compiled = engine::compile(maker.graph(), {}, {});
        QVERIFY(!compiled);
        QCOMPARE(compiled.error().code, ErrorCode::Unsupported);
        QVERIFY2(message(compiled.error()).contains("FrobnicateTensor"), qPrintable(message(compiled.error())));
        const auto unsupported = engine::findUnsupported(maker.graph());
        QCOMPARE(unsupported.size(), std::size_t { 1 });
        QCOMPARE(unsupported[0].op, std::string("FrobnicateTensor"));
        graph::Model model;
        model.graph = maker.graph();
        const auto prepared = engine::prepareGraph(model);
        QVERIFY(!prepared);
        QCOMPARE(prepared.error().code, ErrorCode::Unsupported);
        QVERIFY(message(prepared.error()).contains("FrobnicateTensor"));
    }

    void symbolicShapesMustBeBound()
    {
        GraphMaker maker;
        const ValueId x = maker.input("x", { 1, 2 });
        maker.graph().value(x).type.dims = graph::Dims { graph::Dim::named("batch"), graph::Dim(2) };
        const ValueId w = maker.constant("w", randomTensor({ 2, 2 }, 1));
        maker.output(maker.node("MatMul", { x, w }, "y"));
        const auto unbound = engine::compile(maker.graph(), {}, {});
        QVERIFY(!unbound);
        QVERIFY2(message(unbound.error()).contains("batch"), qPrintable(message(unbound.error())));
        CompileOptions options;
        options.inputShapes["x"] = Shape { 5, 2 };
        const auto bound = engine::compile(maker.graph(), {}, options);
        QVERIFY2(bound, bound ? "" : qPrintable(message(bound.error())));
        QCOMPARE(QString::fromStdString((*bound)->outputs()[0].shape.toString()), QString("[5, 2]"));
    }

    void shapeChainsVanish()
    {
        GraphMaker maker;
        const ValueId x = maker.input("x", { 2, 3, 4 });
        const ValueId shape = maker.node("Shape", { x }, "shape");
        const ValueId zero = maker.constant("zero", Tensor::from<std::int64_t>({ 1 }, std::vector<std::int64_t> { 0 }));
        const ValueId rest
            = maker.constant("rest", Tensor::from<std::int64_t>({ 1 }, std::vector<std::int64_t> { -1 }));
        const ValueId batch = maker.node("Gather", { shape, zero }, "batch");
        const ValueId target = maker.node("Concat", { batch, rest }, "target", { { "axis", std::int64_t { 0 } } });
        maker.output(maker.node("Reshape", { maker.node("Relu", { x }, "positive"), target }, "y"));
        const auto compiled = engine::compile(maker.graph(), {}, {});
        QVERIFY2(compiled, compiled ? "" : qPrintable(message(compiled.error())));
        QCOMPARE((*compiled)->steps().size(), std::size_t { 1 });
        QCOMPARE(QString::fromStdString((*compiled)->outputs()[0].shape.toString()), QString("[2, 12]"));
    }
};

QTEST_APPLESS_MAIN(TestCompile)
#include "tst_compile.moc"
