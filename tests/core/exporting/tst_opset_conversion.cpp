// SPDX-License-Identifier: GPL-3.0-or-later
#include <QTest>

#include <functional>

#include "core/exporting/opset_conversion.h"
#include "core/graph/verifier.h"
#include "tests/support/run_graph.h"

using namespace quantoscope;
using graph::Attribute;
using graph::Graph;
using graph::Node;
using graph::ValueId;

Q_DECLARE_METATYPE(quantoscope::graph::Graph)
Q_DECLARE_METATYPE(quantoscope::Shape)

namespace {

using Ints = std::vector<std::int64_t>;

template <typename T> ValueId constant(Graph& g, const std::string& name, const std::vector<T>& values)
{
    return g.addConstant(name,
        std::make_shared<const Tensor>(Tensor::from<T>(Shape { static_cast<std::int64_t>(values.size()) }, values)));
}

/// A graph of one node that reads `x`; `prepare` adds what else it needs.
Graph oneNode(int opset, const std::string& op, const Shape& shape, std::map<std::string, Attribute> attributes,
    int outputs = 1, const std::function<void(Graph&, Node&)>& prepare = {})
{
    Graph g;
    g.opsets[""] = opset;
    const auto x = g.addInput("x", { DType::Float32, graph::toDims(shape) });
    Node node;
    node.name = "n";
    node.opType = op;
    node.inputs = { x };
    node.attributes = std::move(attributes);
    for (int i = 0; i < outputs; ++i)
        node.outputs.push_back(g.addValue("y" + std::to_string(i)));
    const auto results = node.outputs;
    if (prepare)
        prepare(g, node);
    g.addNode(std::move(node));
    for (const auto result : results)
        g.markOutput(result);
    return g;
}

template <typename T> std::function<void(Graph&, Node&)> withInput(std::vector<T> values)
{
    return [values](Graph& g, Node& node) { node.inputs.push_back(constant(g, "operand", values)); };
}

void addStatistics(Graph& g, Node& node)
{
    node.inputs.push_back(constant(g, "scale", std::vector<float> { 1, 2 }));
    node.inputs.push_back(constant(g, "shift", std::vector<float> { 0, -1 }));
    node.inputs.push_back(constant(g, "mean", std::vector<float> { 0.5F, 0.25F }));
    node.inputs.push_back(constant(g, "variance", std::vector<float> { 1, 4 }));
}

} // namespace

class TstOpsetConversion : public QObject {
    Q_OBJECT

private slots:
    void meansTheSame_data();
    void meansTheSame();
    void refuses_data();
    void refuses();
    void leavesNewerGraphsAlone();
    void softmaxOverOneAxisStaysOneNode();
    void namesDoNotCollide();
};

void TstOpsetConversion::meansTheSame_data()
{
    QTest::addColumn<Graph>("graph");
    QTest::addColumn<Shape>("shape");
    const auto row = [](const char* name, int opset, const std::string& op, const Shape& shape,
                         std::map<std::string, Attribute> attributes, int outputs = 1,
                         const std::function<void(Graph&, Node&)>& prepare = {}) {
        QTest::newRow(name) << oneNode(opset, op, shape, std::move(attributes), outputs, prepare) << shape;
    };
    const Shape image { 1, 2, 4, 4 };
    row("Clip with both bounds", 7, "Clip", image, { { "min", -0.5F }, { "max", 0.25F } });
    row("Clip with max only", 7, "Clip", image, { { "max", 0.25F } });
    row("Clip without bounds", 7, "Clip", image, {});
    row("Pad constant", 9, "Pad", image, { { "pads", Ints { 0, 0, 1, 0, 0, 0, 2, 1 } }, { "value", 3.0F } });
    row("Pad reflect", 9, "Pad", image,
        { { "mode", std::string("reflect") }, { "pads", Ints { 0, 0, 1, 1, 0, 0, 1, 1 } } });
    row("Slice with axes", 9, "Slice", image,
        { { "starts", Ints { 1, 0 } }, { "ends", Ints { 3, 2 } }, { "axes", Ints { 2, 3 } } });
    row("Slice without axes", 9, "Slice", image, { { "starts", Ints { 0, 1 } }, { "ends", Ints { 1, 2 } } });
    row("TopK", 9, "TopK", image, { { "k", std::int64_t { 2 } }, { "axis", std::int64_t { -1 } } }, 2);
    row("Dropout 7", 7, "Dropout", image, { { "ratio", 0.7F } });
    row("Dropout 10", 10, "Dropout", image, { { "ratio", 0.7F } });
    row("Squeeze", 11, "Squeeze", { 1, 3, 1, 2 }, { { "axes", Ints { 0, 2 } } });
    row("Squeeze of every 1", 11, "Squeeze", { 1, 3, 1, 2 }, {});
    row("Unsqueeze", 11, "Unsqueeze", { 3, 2 }, { { "axes", Ints { 0, 3 } } });
    row("ReduceSum", 11, "ReduceSum", image, { { "axes", Ints { 2, 3 } }, { "keepdims", std::int64_t { 0 } } });
    row("ReduceSum of all", 11, "ReduceSum", image, {});
    for (const char* op :
        { "ReduceMean", "ReduceMax", "ReduceMin", "ReduceL1", "ReduceL2", "ReduceSumSquare", "ReduceProd" })
        row(op, 13, op, image, { { "axes", Ints { 1, -1 } } });
    row("Split into sizes", 11, "Split", { 2, 5 }, { { "axis", std::int64_t { 1 } }, { "split", Ints { 1, 4 } } }, 2);
    row("Split into halves", 11, "Split", { 2, 6 }, { { "axis", std::int64_t { 1 } } }, 2);
    row("Softmax, rank 2", 11, "Softmax", { 3, 4 }, {});
    row("Softmax, image, default axis", 11, "Softmax", image, {});
    row("Softmax, axis 2 of 4", 11, "Softmax", image, { { "axis", std::int64_t { 2 } } });
    row("Softmax, axis -1", 11, "Softmax", image, { { "axis", std::int64_t { -1 } } });
    row("Softmax, trailing ones", 8, "Softmax", { 2, 5, 1, 1 }, {});
    row("LogSoftmax, image", 11, "LogSoftmax", image, { { "axis", std::int64_t { 1 } } });
    row("Upsample 7 nearest", 7, "Upsample", image,
        { { "mode", std::string("nearest") }, { "scales", std::vector<float> { 1, 1, 2, 1.5F } } });
    row("Upsample 9 nearest", 9, "Upsample", image, {}, 1, withInput<float>({ 1, 1, 1.5F, 2 }));
    row("Upsample 9 linear", 9, "Upsample", image, { { "mode", std::string("linear") } }, 1,
        withInput<float>({ 1, 1, 2, 2 }));
    row("Resize 10 nearest", 10, "Resize", image, {}, 1, withInput<float>({ 1, 1, 0.5F, 1.75F }));
    row("Resize 10 linear", 10, "Resize", image, { { "mode", std::string("linear") } }, 1,
        withInput<float>({ 1, 1, 2, 2 }));
    row("Resize 11 by scales", 11, "Resize", image, { { "mode", std::string("linear") } }, 1, [](Graph& g, Node& node) {
        node.inputs.push_back(constant(g, "roi", std::vector<float> {}));
        node.inputs.push_back(constant(g, "scales", std::vector<float> { 1, 1, 2, 2 }));
    });
    row("Resize 11 by sizes", 11, "Resize", image, {}, 1, [](Graph& g, Node& node) {
        node.inputs.push_back(constant(g, "roi", std::vector<float> {}));
        node.inputs.push_back(constant(g, "scales", std::vector<float> {}));
        node.inputs.push_back(constant(g, "sizes", Ints { 1, 2, 7, 3 }));
    });
    row("BatchNormalization 7", 7, "BatchNormalization", image, { { "spatial", std::int64_t { 1 } } }, 1,
        addStatistics);
    row("BatchNormalization 9", 9, "BatchNormalization", image, { { "epsilon", 0.01F } }, 1, addStatistics);
    row("unchanged operator", 7, "Relu", image, {});
}

void TstOpsetConversion::meansTheSame()
{
    QFETCH(Graph, graph);
    QFETCH(Shape, shape);
    const std::vector<Tensor> inputs { test::randomTensor(shape, 5) };
    const auto before = test::runGraph(graph, inputs);
    QVERIFY2(before.has_value(), before ? "" : before.error().message().c_str());
    for (const int target : { 13, 18, 21 }) {
        Graph raised = graph;
        const auto done = exporting::raiseOpset(raised, target);
        QVERIFY2(done.has_value(), done ? "" : done.error().message().c_str());
        QCOMPARE(raised.opset(), target);
        const auto sound = graph::verify(raised);
        QVERIFY2(sound.has_value(), sound ? "" : sound.error().message().c_str());
        const auto after = test::runGraph(raised, inputs);
        QVERIFY2(after.has_value(), after ? "" : after.error().message().c_str());
        QCOMPARE(after->size(), before->size());
        for (std::size_t i = 0; i < before->size(); ++i) {
            QCOMPARE((*after)[i].shape(), (*before)[i].shape());
            QCOMPARE(tensor::toDoubles((*after)[i].view()), tensor::toDoubles((*before)[i].view()));
        }
    }
}

void TstOpsetConversion::refuses_data()
{
    QTest::addColumn<Graph>("graph");
    QTest::addColumn<int>("target");
    QTest::addColumn<QString>("part");
    const Shape image { 1, 2, 4, 4 };
    QTest::newRow("mask of Dropout") << oneNode(7, "Dropout", image, {}, 2) << 13 << QString("mask of Dropout");
    QTest::newRow("batch norm that is not spatial")
        << oneNode(7, "BatchNormalization", image, { { "spatial", std::int64_t { 0 } } }, 1, addStatistics) << 13
        << QString("spatial");
    QTest::newRow("batch norm that trains")
        << oneNode(9, "BatchNormalization", image, {}, 3, addStatistics) << 14 << QString("statistics");
    QTest::newRow("Resize as TensorFlow 1 had it")
        << oneNode(11, "Resize", image, { { "coordinate_transformation_mode", std::string("tf_half_pixel_for_nn") } })
        << 13 << QString("tf_half_pixel_for_nn");
    QTest::newRow("unknown operator") << oneNode(9, "Frobnicate", image, {}) << 13 << QString("operator Frobnicate");
}

void TstOpsetConversion::refuses()
{
    QFETCH(Graph, graph);
    QFETCH(int, target);
    QFETCH(QString, part);
    const auto refused = exporting::raiseOpset(graph, target);
    QVERIFY(!refused);
    QCOMPARE(refused.error().code, ErrorCode::Unsupported);
    const auto message = QString::fromStdString(refused.error().message());
    QVERIFY2(message.contains(part) && message.contains("node 'n'"), qPrintable(message));
}

void TstOpsetConversion::leavesNewerGraphsAlone()
{
    Graph g = oneNode(17, "Frobnicate", { 2 }, {});
    QVERIFY(exporting::raiseOpset(g, 13).has_value());
    QCOMPARE(g.opset(), 17);
}

void TstOpsetConversion::softmaxOverOneAxisStaysOneNode()
{
    Graph g = oneNode(11, "Softmax", { 2, 5, 1, 1 }, {});
    QVERIFY(exporting::raiseOpset(g, 13).has_value());
    QCOMPARE(g.nodes().size(), 1U);
    QCOMPARE(g.node(g.nodes()[0]).intAttribute("axis", 0), std::int64_t { 1 });
}

void TstOpsetConversion::namesDoNotCollide()
{
    Graph g = oneNode(11, "Squeeze", { 1, 3 }, { { "axes", Ints { 0 } } });
    g.markOutput(constant(g, "y0_axes", std::vector<float> { 1 }));
    QVERIFY(exporting::raiseOpset(g, 13).has_value());
    QVERIFY(g.find("y0_axes_2").has_value());
}

QTEST_APPLESS_MAIN(TstOpsetConversion)
#include "tst_opset_conversion.moc"
