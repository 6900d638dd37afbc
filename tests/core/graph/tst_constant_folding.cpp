// SPDX-License-Identifier: GPL-3.0-or-later
#include <QtTest>

#include "core/graph/passes/passes.h"
#include "core/graph/shape_inference.h"
#include "core/graph/verifier.h"
#include "tests/support/graph_builder.h"

using namespace quantoscope;
using namespace quantoscope::test;
using graph::Dim;
using graph::Dims;
using graph::Graph;
using graph::InferenceOptions;
using graph::NodeId;
using graph::ValueId;

namespace {

/// Knows Neg alone, and counts how often it is asked.
struct Evaluator {
    int asked = 0;
    InferenceOptions options;

    Evaluator()
    {
        options.evaluator = [this](const Graph& graph, NodeId id,
                                const std::vector<const Tensor*>& inputs) -> Result<std::vector<Tensor>> {
            ++asked;
            if (graph.node(id).opType != "Neg")
                return fail(ErrorCode::Unsupported, "only Neg");
            Tensor result(*inputs[0]);
            for (float& value : result.as<float>())
                value = -value;
            return std::vector<Tensor> { result };
        };
    }
};

std::vector<std::int64_t> ints(const Graph& graph, const std::string& name)
{
    const auto id = graph.find(name);
    return id && graph.isConstant(*id) ? tensor::toInt64s(graph.value(*id).constant->view()) : Ints { -999 };
}

} // namespace

class TestConstantFolding : public QObject {
    Q_OBJECT

private slots:
    void aChainOfConstantsBecomesOne()
    {
        GraphBuilder builder;
        const ValueId c = builder.constant("c", floats({ 1, -2 }));
        const ValueId once = builder.node("Neg", { c }, "once");
        const ValueId twice = builder.node("Neg", { once }, "twice");
        builder.output(builder.node("Add", { builder.input("x", { 2 }), twice }, "y"));
        Evaluator evaluator;
        const auto folded = graph::foldConstants(builder.graph(), evaluator.options);
        QVERIFY(folded);
        QCOMPARE(*folded, 2);
        QCOMPARE(evaluator.asked, 2);
        const Graph& graph = builder.graph();
        QCOMPARE(graph.nodes().size(), 1u);
        const auto result = graph.find("twice");
        QVERIFY(result && graph.isConstant(*result));
        QCOMPARE(graph.value(*result).constant->as<float>()[1], -2.0f);
        QVERIFY(!graph.find("once") && !graph.find("c"));
        QVERIFY(graph::verify(graph));
    }

    void whatTheEvaluatorCannotDoStays()
    {
        GraphBuilder builder;
        const ValueId c = builder.constant("c", floats({ 1, -2 }));
        builder.output(builder.node("Abs", { c }, "y"));
        Evaluator evaluator;
        QCOMPARE(graph::foldConstants(builder.graph(), evaluator.options).value(), 0);
        QCOMPARE(evaluator.asked, 1);
        QCOMPARE(builder.graph().nodes().size(), 1u);
    }

    void theEvaluatorsErrorsAreHandedOn()
    {
        GraphBuilder builder;
        builder.output(builder.node("Neg", { builder.constant("c", floats({ 1 })) }, "y"));
        InferenceOptions options;
        options.evaluator = [](const Graph&, NodeId, const std::vector<const Tensor*>&) -> Result<std::vector<Tensor>> {
            return fail(ErrorCode::OutOfMemory, "no room");
        };
        const auto folded = graph::foldConstants(builder.graph(), options);
        QVERIFY(!folded && folded.error().code == ErrorCode::OutOfMemory);
    }

    void aResultOfAnotherShapeIsAnInternalError_data()
    {
        QTest::addColumn<int>("outputs");
        QTest::newRow("none") << 0;
        QTest::newRow("one too short") << 1;
    }

    void aResultOfAnotherShapeIsAnInternalError()
    {
        QFETCH(int, outputs);
        GraphBuilder builder;
        builder.output(builder.node("Neg", { builder.constant("c", floats({ 1, 2 })) }, "y"));
        InferenceOptions options;
        options.evaluator
            = [outputs](const Graph&, NodeId, const std::vector<const Tensor*>&) -> Result<std::vector<Tensor>> {
            return std::vector<Tensor>(static_cast<std::size_t>(outputs), floats({ 1 }));
        };
        const auto folded = graph::foldConstants(builder.graph(), options);
        QVERIFY(!folded && folded.error().code == ErrorCode::Internal);
        QVERIFY(folded.error().where.find("'y'") != std::string::npos);
    }

    void theLimitHolds_data()
    {
        QTest::addColumn<int>("limit");
        QTest::addColumn<int>("folded");
        QTest::newRow("just enough") << 40 << 1;
        QTest::newRow("one byte less") << 39 << 0;
    }

    void theLimitHolds()
    {
        QFETCH(int, limit);
        QFETCH(int, folded);
        GraphBuilder builder;
        builder.output(builder.node("Neg", { builder.constant("c", Tensor(DType::Float32, { 10 })) }, "y"));
        Evaluator evaluator;
        evaluator.options.foldLimit = static_cast<std::size_t>(limit);
        QCOMPARE(graph::foldConstants(builder.graph(), evaluator.options).value(), folded);
    }

    void nodesThatReadAnInputStay()
    {
        GraphBuilder builder;
        builder.output(builder.node("Neg", { builder.input("x", { 2 }) }, "y"));
        Evaluator evaluator;
        QCOMPARE(graph::foldConstants(builder.graph(), evaluator.options).value(), 0);
        QCOMPARE(evaluator.asked, 0);
    }

    void constantNodesFoldWithoutAnEvaluator_data()
    {
        QTest::addColumn<QString>("key");
        for (const char* key : { "value", "value_int", "value_ints", "value_float", "value_floats" })
            QTest::newRow(key) << key;
    }

    void constantNodesFoldWithoutAnEvaluator()
    {
        QFETCH(QString, key);
        const std::map<std::string, std::pair<graph::Attribute, std::string>> kinds {
            { "value", { std::make_shared<const Tensor>(floats({ 1, 2, 3 })), "float32[3]" } },
            { "value_int", { std::int64_t { 5 }, "int64[]" } }, { "value_ints", { Ints { 5, 6 }, "int64[2]" } },
            { "value_float", { 0.5f, "float32[]" } }, { "value_floats", { std::vector<float> { 1, 2 }, "float32[2]" } }
        };
        const auto& [attribute, type] = kinds.at(key.toStdString());
        GraphBuilder builder;
        builder.output(builder.node("Constant", {}, "c", { { key.toStdString(), attribute } }));
        QCOMPARE(graph::foldConstants(builder.graph(), {}).value(), 1);
        const Graph& graph = builder.graph();
        QVERIFY(graph.isConstant(graph.outputs()[0]));
        QCOMPARE(graph.value(graph.outputs()[0]).type.toString(), type);
        QVERIFY(graph::verify(graph));
    }

    void shapeArithmeticFoldsWithoutAnEvaluator()
    {
        // What exporters write for x.view(x.size(0), x.size(1) * 2, -1).
        GraphBuilder builder;
        const ValueId x = builder.input("x", { 6, 4, 10 });
        const ValueId shape = builder.node("Shape", { x }, "shape");
        const auto pick = [&](std::int64_t i) {
            return builder.node(
                "Gather", { shape, builder.constant("", Tensor::scalar(i)) }, "size" + std::to_string(i));
        };
        const ValueId doubled
            = builder.node("Mul", { pick(1), builder.constant("two", Tensor::scalar<std::int64_t>(2)) }, "d");
        const ValueId axes = builder.constant("axes", test::ints({ 0 }));
        std::vector<ValueId> parts;
        for (const ValueId part : { pick(0), doubled })
            parts.push_back(builder.node("Unsqueeze", { part, axes }, builder.graph().uniqueName("part")));
        parts.push_back(builder.constant("rest", test::ints({ -1 })));
        const ValueId target = builder.node("Concat", parts, "target", { { "axis", std::int64_t { 0 } } });
        builder.output(builder.node("Reshape", { x, target }, "y"));
        QVERIFY(graph::foldConstants(builder.graph(), {}));
        const Graph& graph = builder.graph();
        QCOMPARE(graph.nodes().size(), 1u);
        QVERIFY(ints(graph, "target") == (Ints { 6, 8, -1 }));
        QVERIFY(graph.value(*graph.find("y")).type.shape() == (Shape { 6, 8, 5 }));
        QVERIFY(graph::verify(graph));
    }

    void aReshapeThatKeepsTheSymbolicBatchIsFrozen()
    {
        GraphBuilder builder;
        const ValueId x = builder.input("x", { Dim::named("batch"), 4, 10 });
        const ValueId shape = builder.node("Shape", { x }, "shape");
        const ValueId batch = builder.node("Gather", { shape, builder.constant("0", test::ints({ 0 })) }, "batch");
        const ValueId target = builder.node(
            "Concat", { batch, builder.constant("rest", test::ints({ -1 })) }, "t", { { "axis", std::int64_t { 0 } } });
        builder.output(builder.node("Reshape", { x, target }, "y"));
        QVERIFY(graph::foldConstants(builder.graph(), {}));
        const Graph& graph = builder.graph();
        QCOMPARE(graph.nodes().size(), 1u);
        QCOMPARE(graph.value(*graph.find("y")).type.toString(), std::string("float32[batch, 40]"));
        QVERIFY(ints(graph, graph.value(graph.node(graph.nodes()[0]).inputs[1]).name) == (Ints { -1, 40 }));
        QVERIFY(graph::verify(graph));
    }

    void aReshapeWithoutOutputIsNoCrash()
    {
        GraphBuilder builder;
        const ValueId x = builder.input("x", { 2, 3 });
        builder.add("Reshape", { x, builder.input("shape", { 1 }, DType::Int64) }, {});
        builder.output(builder.node("Relu", { x }, "y"));
        QCOMPARE(graph::foldConstants(builder.graph(), {}).value(), 1);
    }

    void prepareAppliesWhatItIsAskedTo_data()
    {
        QTest::addColumn<bool>("fold");
        QTest::addColumn<bool>("identities");
        QTest::addColumn<bool>("norms");
        QTest::addColumn<int>("nodes");
        QTest::newRow("all") << true << true << true << 1;
        QTest::newRow("none") << false << false << false << 4;
        QTest::newRow("no folding") << false << true << true << 3;
        QTest::newRow("no identities") << true << false << true << 3;
        QTest::newRow("no batch norm") << true << true << false << 2;
    }

    void prepareAppliesWhatItIsAskedTo()
    {
        QFETCH(bool, fold);
        QFETCH(bool, identities);
        QFETCH(bool, norms);
        QFETCH(int, nodes);
        // Neg makes the weight; an Identity stands between convolution and batch normalization.
        GraphBuilder builder;
        const ValueId weight
            = builder.node("Neg", { builder.constant("w", normalTensor({ 4, 3, 1, 1 }, 1)) }, "negated");
        const ValueId y = builder.node("Conv", { builder.input("x", { 1, 3, 2, 2 }), weight }, "conv");
        const ValueId same = builder.node("Identity", { y }, "same");
        std::vector<ValueId> inputs { same };
        for (const char* name : { "g", "b", "m", "v" })
            inputs.push_back(builder.constant(name, floats({ 1, 2, 3, 4 })));
        builder.output(builder.node("BatchNormalization", inputs, "bn"));
        Evaluator evaluator;
        QVERIFY(graph::prepare(builder.graph(), { fold, identities, norms }, evaluator.options));
        QCOMPARE(builder.graph().nodes().size(), static_cast<std::size_t>(nodes));
        QCOMPARE(
            builder.graph().value(builder.graph().outputs()[0]).type.toString(), std::string("float32[1, 4, 2, 2]"));
        QVERIFY(graph::verify(builder.graph()));
    }
};

QTEST_APPLESS_MAIN(TestConstantFolding)
#include "tst_constant_folding.moc"
