// SPDX-License-Identifier: GPL-3.0-or-later
#include <QtTest>

#include "core/graph/layers.h"
#include "core/graph/shape_inference.h"
#include "tests/support/graph_builder.h"

using namespace quantoscope;
using namespace quantoscope::test;
using graph::Dim;
using graph::Dims;
using graph::ValueId;

namespace {

struct Case {
    std::string op;
    Dims first;
    Dims second;
    bool firstConstant = false;
    bool secondConstant = true;
    Attributes attributes;
    std::int64_t macs = 0;
    int axis = 0;
    std::int64_t bias = 0; ///< elements; 0 for none
};

std::map<std::string, Case> cases()
{
    const Dim batch = Dim::named("batch");
    const Attributes padded { { "pads", Ints { 1, 1, 1, 1 } } };
    const auto group = [](std::int64_t groups) { return Attributes { { "group", groups } }; };
    std::map<std::string, Case> all;
    // Output elements of one image times C / group * kernel.
    all["conv"] = { "Conv", { batch, 3, 8, 8 }, { 16, 3, 3, 3 }, false, true, padded, 16 * 8 * 8 * 27, 0, 16 };
    all["conv of a batch"] = { "Conv", { 5, 3, 8, 8 }, { 16, 3, 3, 3 }, false, true, padded, 16 * 8 * 8 * 27, 0 };
    all["conv strided"] = { "Conv", { batch, 3, 9, 9 }, { 16, 3, 3, 3 }, false, true, { { "strides", Ints { 2, 2 } } },
        16 * 4 * 4 * 27, 0 };
    all["conv grouped"] = { "Conv", { batch, 8, 6, 6 }, { 12, 2, 1, 1 }, false, true, group(4), 12 * 36 * 2, 0 };
    all["conv depthwise"] = { "Conv", { batch, 8, 6, 6 }, { 8, 1, 3, 3 }, false, true, group(8), 8 * 16 * 9, 0 };
    all["conv over one axis"] = { "Conv", { batch, 4, 10 }, { 6, 4, 3 }, false, true, {}, 6 * 8 * 12, 0 };
    all["conv with computed weights"]
        = { "Conv", { batch, 3, 8, 8 }, { 16, 3, 3, 3 }, false, false, padded, 16 * 64 * 27, 0 };
    all["conv of unknown size"] = { "Conv", { batch, 3, Dim::named("h"), 8 }, { 16, 3, 3, 3 }, false, true, {}, 0, 0 };
    // Input elements of one image times M / group * kernel.
    all["transposed"] = { "ConvTranspose", { batch, 4, 5, 5 }, { 4, 6, 3, 3 }, false, true,
        { { "strides", Ints { 2, 2 } } }, 4 * 25 * 54, 1, 6 };
    all["transposed grouped"]
        = { "ConvTranspose", { batch, 4, 5, 5 }, { 4, 3, 2, 2 }, false, true, group(2), 4 * 25 * 12, 1 };
    all["gemm"] = { "Gemm", { batch, 20 }, { 20, 10 }, false, true, {}, 200, 1, 10 };
    all["gemm transB"]
        = { "Gemm", { batch, 20 }, { 10, 20 }, false, true, { { "transB", std::int64_t { 1 } } }, 200, 0, 10 };
    all["gemm of a batch"] = { "Gemm", { 7, 20 }, { 20, 10 }, false, true, {}, 200, 1 };
    all["gemm transA"]
        = { "Gemm", { 20, batch }, { 20, 10 }, false, true, { { "transA", std::int64_t { 1 } } }, 200, 1 };
    all["gemm, weight on the left"] = { "Gemm", { 10, 20 }, { 20, batch }, true, false, {}, 0, 0 };
    all["gemm, weight on the left, of known size"] = { "Gemm", { 10, 20 }, { 20, 4 }, true, false, {}, 10 * 20 * 4, 0 };
    all["gemm, weight on the left, transA"]
        = { "Gemm", { 20, 10 }, { 20, 4 }, true, false, { { "transA", std::int64_t { 1 } } }, 10 * 20 * 4, 1 };
    all["matmul"] = { "MatMul", { batch, 20 }, { 20, 10 }, false, true, {}, 200, 1 };
    all["matmul of sequences"] = { "MatMul", { batch, 6, 20 }, { 20, 10 }, false, true, {}, 6 * 200, 1 };
    all["matmul with a stack of weights"] = { "MatMul", { batch, 6, 20 }, { 1, 20, 10 }, false, true, {}, 6 * 200, 2 };
    all["matmul by a vector"] = { "MatMul", { batch, 20 }, { 20 }, false, true, {}, 20, 0 };
    all["matmul, weight on the left"] = { "MatMul", { 10, 20 }, { batch, 20, 4 }, true, false, {}, 10 * 20 * 4, 0 };
    all["matmul of two activations"]
        = { "MatMul", { batch, 6, 20 }, { batch, 20, 6 }, false, false, {}, 6 * 20 * 6, 0 };
    all["matmul of heads"] = { "MatMul", { batch, 4, 6, 8 }, { batch, 4, 8, 6 }, false, false, {}, 4 * 6 * 8 * 6, 0 };
    all["matmul of plain activations"] = { "MatMul", { 6, 20 }, { 20, 6 }, false, false, {}, 6 * 20 * 6, 0 };
    all["matmul of two vectors"] = { "MatMul", { 20 }, { 20 }, false, false, {}, 20, 0 };
    return all;
}

ValueId operand(GraphBuilder& builder, const std::string& name, const Dims& dims, bool constant)
{
    return constant ? builder.constant(name, Tensor(DType::Float32, *graph::toShape(dims))) : builder.input(name, dims);
}

} // namespace

class TestLayersAnalysis : public QObject {
    Q_OBJECT

private slots:
    void layersAreCounted_data()
    {
        QTest::addColumn<QString>("key");
        for (const auto& [key, unused] : cases())
            QTest::newRow(key.c_str()) << QString::fromStdString(key);
    }

    void layersAreCounted()
    {
        QFETCH(QString, key);
        const Case test = cases().at(key.toStdString());
        GraphBuilder builder;
        std::vector<ValueId> inputs { operand(builder, "a", test.first, test.firstConstant),
            operand(builder, "b", test.second, test.secondConstant) };
        if (test.bias)
            inputs.push_back(builder.constant("bias", Tensor(DType::Float32, { test.bias })));
        const ValueId y = builder.node(test.op, inputs, "y", test.attributes);
        builder.output(builder.node("Relu", { y }, "z"));
        const graph::Graph& graph = builder.graph();
        const auto inferred = graph::inferShapes(builder.graph());
        QVERIFY2(inferred, inferred ? "" : inferred.error().message().c_str());
        const auto layers = graph::computeLayers(graph);
        QCOMPARE(layers.size(), 1u);
        const graph::Layer& layer = layers[0];
        QCOMPARE(layer.op, test.op);
        QCOMPARE(layer.name, std::string("y_node"));
        QVERIFY(layer.output == y);
        QCOMPARE(layer.macs, test.macs);
        const ValueId moving = inputs[test.firstConstant ? 1 : 0];
        const ValueId other = inputs[test.firstConstant ? 0 : 1];
        const bool weighted = test.firstConstant || test.secondConstant;
        QVERIFY(layer.input == moving);
        QVERIFY(layer.weight == (weighted ? other : ValueId {}));
        QVERIFY(layer.secondInput == (weighted ? ValueId {} : other));
        QVERIFY(layer.bias == (test.bias ? inputs[2] : ValueId {}));
        if (weighted)
            QCOMPARE(layer.weightChannelAxis, test.axis);
        const auto size = weighted ? graph.value(other).constant->size() : 0;
        QCOMPARE(layer.parameters, size + test.bias);
        const auto group = test.attributes.find("group");
        QCOMPARE(
            layer.groups, group == test.attributes.end() ? 1 : static_cast<int>(std::get<std::int64_t>(group->second)));
    }

    void layersComeInTopologicalOrder()
    {
        GraphBuilder builder;
        const ValueId x = builder.input("x", { 1, 4 });
        const ValueId w = builder.constant("tied", Tensor(DType::Float32, { 4, 4 }));
        const ValueId between = builder.graph().addValue("between");
        builder.output(builder.node("MatMul", { between, w }, "last"));
        graph::Node first;
        first.name = "first";
        first.opType = "MatMul";
        first.inputs = { x, w };
        first.outputs = { between };
        builder.graph().addNode(first);
        QVERIFY(graph::inferShapes(builder.graph()));
        const auto layers = graph::computeLayers(builder.graph());
        QCOMPARE(layers.size(), 2u);
        QCOMPARE(layers[0].name, std::string("first"));
        QCOMPARE(layers[1].name, std::string("last_node"));
        // Tied: both read the one weight.
        QVERIFY(layers[0].weight == w && layers[1].weight == w);
    }

    void whatIsNoLayer_data()
    {
        QTest::addColumn<QString>("kind");
        for (const char* kind : { "another operator", "another domain", "an operand is left out", "nothing comes out" })
            QTest::newRow(kind) << kind;
    }

    void whatIsNoLayer()
    {
        QFETCH(QString, kind);
        GraphBuilder builder;
        const ValueId x = builder.input("x", { 4, 4 });
        const auto id = builder.add("MatMul", { x, x }, { "y" });
        QVERIFY(graph::computeLayer(builder.graph(), id));
        graph::Node& node = builder.graph().node(id);
        if (kind == "another operator")
            node.opType = "Add";
        if (kind == "another domain")
            node.domain = "com.example";
        if (kind == "an operand is left out")
            node.inputs[1] = {};
        if (kind == "nothing comes out")
            node.outputs.clear();
        QVERIFY(!graph::computeLayer(builder.graph(), id));
        QVERIFY(graph::computeLayers(builder.graph()).empty());
    }

    void macsBeforeInferenceAreZeroAndAbsurdOnesSaturate()
    {
        GraphBuilder builder;
        const std::int64_t huge = std::int64_t { 1 } << 40;
        const ValueId x = builder.input("x", { 1, huge, huge });
        const ValueId y = builder.input("y", { 1, huge, huge });
        const auto id = builder.add("MatMul", { x, y }, { "z" });
        QCOMPARE(graph::computeLayer(builder.graph(), id)->macs, std::int64_t { 0 });
        builder.graph().value(*builder.graph().find("z")).type.dims = Dims { 1, huge, huge };
        QCOMPARE(graph::computeLayer(builder.graph(), id)->macs, std::numeric_limits<std::int64_t>::max());
    }

    void unsupportedNodesSayWhy_data()
    {
        QTest::addColumn<QString>("op");
        QTest::addColumn<QString>("domain");
        QTest::addColumn<int>("opset");
        QTest::addColumn<QString>("attribute");
        QTest::addColumn<QString>("why"); // empty: supported
        QTest::newRow("fine") << "Relu"
                              << "" << 13 << ""
                              << "";
        QTest::newRow("fine, ai.onnx") << "Relu"
                                       << "ai.onnx" << 13 << ""
                                       << "";
        QTest::newRow("unknown") << "Einstein"
                                 << "" << 13 << ""
                                 << "no such operator";
        QTest::newRow("another domain") << "Relu"
                                        << "com.example" << 13 << ""
                                        << "com.example";
        QTest::newRow("older than known") << "Relu"
                                          << "" << 6 << ""
                                          << "from opset 7";
        QTest::newRow("too early for the operator") << "HardSwish"
                                                    << "" << 13 << ""
                                                    << "from opset 14";
        QTest::newRow("withdrawn") << "Upsample"
                                   << "" << 10 << ""
                                   << "withdrawn from ONNX after opset 9";
        QTest::newRow("a subgraph") << "Relu"
                                    << "" << 13 << "body"
                                    << "attribute 'body' is a graph";
        QTest::newRow("training") << "BatchNormalization"
                                  << "" << 14 << "training_mode"
                                  << "training mode";
        QTest::newRow("a string constant") << "Constant"
                                           << "" << 13 << "value_string"
                                           << "strings";
    }

    void unsupportedNodesSayWhy()
    {
        QFETCH(QString, op);
        QFETCH(QString, domain);
        QFETCH(int, opset);
        QFETCH(QString, attribute);
        QFETCH(QString, why);
        GraphBuilder builder(opset);
        builder.graph().opsets["com.example"] = 3;
        const auto id = builder.add(op.toStdString(), { builder.input("x", { 2 }) }, { "y" });
        graph::Node& node = builder.graph().node(id);
        node.domain = domain.toStdString();
        if (attribute == "body")
            node.attributes["body"] = graph::Opaque { "graph" };
        else if (attribute == "training_mode")
            node.attributes["training_mode"] = std::int64_t { 1 };
        else if (!attribute.isEmpty())
            node.attributes[attribute.toStdString()] = std::string("text");
        const auto found = graph::findUnsupported(builder.graph());
        QCOMPARE(found.size(), why.isEmpty() ? 0u : 1u);
        if (why.isEmpty())
            return;
        QVERIFY2(found[0].why.find(why.toStdString()) != std::string::npos, found[0].why.c_str());
        QVERIFY(found[0].node == id);
        QCOMPARE(found[0].name, std::string("y_node"));
        QCOMPARE(found[0].op, (domain == "com.example" ? "com.example::" : "") + op.toStdString());
        QCOMPARE(found[0].opset, domain == "com.example" ? 3 : opset);
    }
};

QTEST_APPLESS_MAIN(TestLayersAnalysis)
#include "tst_layers_analysis.moc"
