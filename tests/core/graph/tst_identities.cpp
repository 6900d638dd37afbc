// SPDX-License-Identifier: GPL-3.0-or-later
#include <limits>

#include <QtTest>

#include "core/graph/passes/passes.h"
#include "core/graph/shape_inference.h"
#include "core/graph/verifier.h"
#include "tests/support/graph_builder.h"

using namespace quantoscope;
using namespace quantoscope::test;
using graph::Dim;
using graph::Dims;
using graph::ValueId;

namespace {

constexpr std::int64_t toTheEnd = std::numeric_limits<std::int64_t>::max();

/// input -> Relu -> the operator in question -> Relu -> output.
struct Case {
    std::string op;
    Dims input;
    std::vector<Tensor> operands = {}; ///< constant inputs behind the first
    Attributes attributes = {};
    int opset = 13;
    bool removed = true;
};

Tensor boolean(bool value)
{
    Tensor tensor(DType::Bool, {});
    tensor.as<std::uint8_t>()[0] = value;
    return tensor;
}

std::map<std::string, Case> identities()
{
    const Dims image { Dim::named("batch"), 3, 4, 5 };
    const Dims known { 2, 3, 4, 5 };
    std::map<std::string, Case> all;
    all["Identity"] = { "Identity", image };
    all["Dropout, opset 7"] = { "Dropout", image, {}, { { "ratio", 0.5f } }, 7 };
    all["Dropout, ratio as input"] = { "Dropout", image, { Tensor::scalar(0.5f) } };
    all["Dropout, not training"] = { "Dropout", image, { Tensor::scalar(0.5f), boolean(false) } };
    all["Cast to the same type"] = { "Cast", image, {}, { { "to", std::int64_t { 1 } } } };
    all["Pad by nothing"] = { "Pad", image, { ints({ 0, 0, 0, 0, 0, 0, 0, 0 }) } };
    all["Pad by nothing, attribute"] = { "Pad", image, {}, { { "pads", Ints(8) } }, 10 };
    all["Pad by nothing on one axis"] = { "Pad", image, { ints({ 0, 0 }), Tensor::scalar(1.0f), ints({ 2 }) }, {}, 18 };
    all["Slice of everything"] = { "Slice", image, { ints({ 0, 0 }), ints({ toTheEnd, 3 }) } };
    all["Slice to the end, attribute"] = { "Slice", image, {},
        { { "starts", Ints { 0 } }, { "ends", Ints { toTheEnd } }, { "axes", Ints { -1 } } }, 9 };
    all["Slice from before the start"] = { "Slice", known, { ints({ -9 }), ints({ 9 }), ints({ 2 }), ints({ 1 }) } };
    all["Reshape to the same"] = { "Reshape", known, { ints({ 2, 3, 4, 5 }) } };
    all["Reshape with 0 and -1"] = { "Reshape", image, { ints({ 0, -1, 4, 5 }) } };
    all["Reshape of a symbolic batch"] = { "Reshape", image, { ints({ -1, 3, 4, 5 }) } };
    all["Flatten of a matrix"] = { "Flatten", { Dim::named("batch"), 10 }, {}, { { "axis", std::int64_t { 1 } } } };
    all["Transpose in order"] = { "Transpose", image, {}, { { "perm", Ints { 0, 1, 2, 3 } } } };
    all["Transpose of a vector"] = { "Transpose", { Dim::named("batch") } };
    all["Concat of one"] = { "Concat", image, {}, { { "axis", std::int64_t { 1 } } } };
    return all;
}

std::map<std::string, Case> changes()
{
    const Dims image { Dim::named("batch"), 3, 4, 5 };
    const Dims known { 2, 3, 4, 5 };
    std::map<std::string, Case> all;
    const auto stays = [&](const std::string& name, Case test) {
        test.removed = false;
        all[name] = std::move(test);
    };
    stays("Dropout, training", { "Dropout", image, { Tensor::scalar(0.5f), boolean(true) } });
    stays("Cast to float64", { "Cast", image, {}, { { "to", std::int64_t { 11 } } } });
    stays("Pad at the end", { "Pad", image, { ints({ 0, 0, 0, 0, 0, 0, 0, 1 }) } });
    stays("Pad that crops and pads", { "Pad", known, { ints({ 0, 0, 0, -1, 0, 0, 0, 1 }) } });
    stays("Slice without the first", { "Slice", image, { ints({ 1 }), ints({ toTheEnd }), ints({ 1 }) } });
    stays("Slice without the last", { "Slice", image, { ints({ 0 }), ints({ -1 }), ints({ 3 }) } });
    stays("Slice of an unknown extent", { "Slice", image, { ints({ 0 }), ints({ 100 }), ints({ 0 }) } });
    stays("Slice of every second",
        { "Slice", { Dim::named("batch"), 1 }, { ints({ 0 }), ints({ toTheEnd }), ints({ 0 }), ints({ 2 }) } });
    stays("Slice backwards",
        { "Slice", known,
            { ints({ toTheEnd }), ints({ std::numeric_limits<std::int64_t>::min() }), ints({ 0 }), ints({ -1 }) } });
    stays("Reshape to another rank", { "Reshape", known, { ints({ 6, 4, 5 }) } });
    stays("Reshape that swaps extents", { "Reshape", known, { ints({ 3, 2, 4, 5 }) } });
    stays("Reshape of two symbols", { "Reshape", { Dim::named("a"), Dim::named("b") }, { ints({ -1, 4 }) } });
    stays("Flatten of a cube", { "Flatten", { 2, 3, 4 } });
    stays("Flatten to one row", { "Flatten", { Dim::named("batch"), 10 }, {}, { { "axis", std::int64_t { 0 } } } });
    stays("Flatten of a column to a row",
        { "Flatten", { Dim::named("batch"), 1 }, {}, { { "axis", std::int64_t { 0 } } } });
    stays("Transpose of a square", { "Transpose", { 4, 4 }, {}, { { "perm", Ints { 1, 0 } } } });
    stays("Transpose by default", { "Transpose", { 4, 4 } });
    stays("Transpose counted from the back", { "Transpose", { 4, 4 }, {}, { { "perm", Ints { -1, 0 } } } });
    stays("Relu", { "Relu", image });
    stays("Identity of another domain", { "custom.Identity", image });
    return all;
}

} // namespace

Q_DECLARE_METATYPE(Case)

class TestIdentities : public QObject {
    Q_OBJECT

private slots:
    void removal_data()
    {
        QTest::addColumn<Case>("test");
        for (const auto& all : { identities(), changes() }) {
            for (const auto& [name, test] : all)
                QTest::newRow(name.c_str()) << test;
        }
    }

    void removal()
    {
        QFETCH(Case, test);
        GraphBuilder builder(test.opset);
        graph::Graph& graph = builder.graph();
        const ValueId before = builder.node("Relu", { builder.input("x", test.input) }, "before");
        std::vector<ValueId> inputs { before };
        for (const Tensor& operand : test.operands)
            inputs.push_back(builder.constant("operand_" + std::to_string(inputs.size()), operand));
        const ValueId middle = builder.node(test.op, inputs, "middle", test.attributes);
        const auto id = graph.value(middle).producer;
        if (test.op.starts_with("custom.")) {
            graph.node(id).domain = "custom";
            graph.node(id).opType = "Identity";
        }
        const ValueId after = builder.node("Relu", { middle }, "after");
        builder.output(after);
        const auto inferred = graph::inferShapes(graph);
        QVERIFY2(inferred, inferred ? "" : inferred.error().message().c_str());
        QCOMPARE(graph::removeIdentities(graph), test.removed ? 1 : 0);
        QCOMPARE(graph.contains(id), !test.removed);
        const graph::Node& reader = graph.node(graph.value(after).producer);
        QVERIFY(reader.inputs[0] == (test.removed ? before : middle));
        QCOMPARE(graph.contains(middle), !test.removed);
        graph.removeDead();
        QVERIFY(graph::verify(graph));
    }

    void aGraphOutputKeepsItsName()
    {
        GraphBuilder builder;
        const ValueId y = builder.node("Relu", { builder.input("x", { 2 }) }, "relu");
        builder.output(builder.node("Identity", { y }, "result"));
        graph::Graph& graph = builder.graph();
        QVERIFY(graph::inferShapes(graph));
        QCOMPARE(graph::removeIdentities(graph), 1);
        QCOMPARE(graph.outputs().size(), 1u);
        QCOMPARE(graph.value(graph.outputs()[0]).name, std::string("result"));
        QVERIFY(!graph.find("relu"));
        QVERIFY(graph.find("result") == y);
        QVERIFY(graph::verify(graph));
    }

    void otherReadersFollowTheRename()
    {
        GraphBuilder builder;
        const ValueId y = builder.node("Relu", { builder.input("x", { 2 }) }, "relu");
        builder.output(builder.node("Identity", { y }, "result"));
        builder.output(builder.node("Neg", { y }, "negated"));
        graph::Graph& graph = builder.graph();
        QVERIFY(graph::inferShapes(graph));
        QCOMPARE(graph::removeIdentities(graph), 1);
        QVERIFY(graph::verify(graph));
        QVERIFY(graph.node(graph.value(graph.outputs()[1]).producer).inputs[0] == graph.outputs()[0]);
    }

    void aChainOfIdentitiesGoesAltogether()
    {
        GraphBuilder builder;
        ValueId last = builder.node("Relu", { builder.input("x", { 2, 3 }) }, "relu");
        for (int i = 0; i < 5; ++i)
            last = builder.node("Identity", { last }, "same" + std::to_string(i));
        builder.output(last);
        graph::Graph& graph = builder.graph();
        QVERIFY(graph::inferShapes(graph));
        QCOMPARE(graph::removeIdentities(graph), 5);
        QCOMPARE(graph.nodes().size(), 1u);
        QCOMPARE(graph.value(graph.outputs()[0]).name, std::string("same4"));
        QVERIFY(graph::verify(graph));
    }

    void aConstantThroughAnIdentityIsAConstantOutput()
    {
        GraphBuilder builder;
        builder.output(builder.node("Identity", { builder.constant("c", floats({ 1, 2 })) }, "result"));
        graph::Graph& graph = builder.graph();
        QVERIFY(graph::inferShapes(graph));
        QCOMPARE(graph::removeIdentities(graph), 1);
        QVERIFY(graph.isConstant(graph.outputs()[0]));
        QCOMPARE(graph.value(graph.outputs()[0]).name, std::string("result"));
    }

    void staysBetweenTwoNamesThatBothMatter_data()
    {
        QTest::addColumn<bool>("input");
        QTest::newRow("a graph input") << true;
        QTest::newRow("two graph outputs") << false;
    }

    void staysBetweenTwoNamesThatBothMatter()
    {
        QFETCH(bool, input);
        GraphBuilder builder;
        ValueId source = builder.input("x", { 2 });
        if (!input) {
            source = builder.node("Relu", { source }, "relu");
            builder.output(source);
        }
        builder.output(builder.node("Identity", { source }, "result"));
        graph::Graph& graph = builder.graph();
        QVERIFY(graph::inferShapes(graph));
        QCOMPARE(graph::removeIdentities(graph), 0);
        QCOMPARE(graph.value(graph.outputs().back()).name, std::string("result"));
        QVERIFY(graph::verify(graph));
    }

    void dropoutWhoseMaskIsReadStays_data()
    {
        QTest::addColumn<bool>("read");
        QTest::newRow("read") << true;
        QTest::newRow("not read") << false;
    }

    void dropoutWhoseMaskIsReadStays()
    {
        QFETCH(bool, read);
        GraphBuilder builder;
        const ValueId x = builder.node("Relu", { builder.input("x", { 2 }) }, "relu");
        const auto dropout = builder.add("Dropout", { x }, { "kept", "mask" });
        graph::Graph& graph = builder.graph();
        builder.output(builder.node("Relu", { graph.node(dropout).outputs[0] }, "out"));
        if (read)
            builder.output(graph.node(dropout).outputs[1]);
        QVERIFY(graph::inferShapes(graph));
        QCOMPARE(graph::removeIdentities(graph), read ? 0 : 1);
        graph.removeDead();
        QVERIFY(graph::verify(graph));
        QCOMPARE(graph.find("mask").has_value(), read);
    }

    void aReshapeWithAComputedShapeStays()
    {
        GraphBuilder builder;
        const ValueId x = builder.node("Relu", { builder.input("x", { 2, 3 }) }, "relu");
        const ValueId y = builder.node("Reshape", { x, builder.input("shape", { 2 }, DType::Int64) }, "y");
        builder.output(builder.node("Relu", { y }, "out"));
        builder.graph().value(y).type = { DType::Float32, Dims { 2, 3 } };
        QVERIFY(graph::inferShapes(builder.graph()));
        QCOMPARE(graph::removeIdentities(builder.graph()), 0);
    }
};

QTEST_APPLESS_MAIN(TestIdentities)
#include "tst_identities.moc"
