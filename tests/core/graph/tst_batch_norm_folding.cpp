// SPDX-License-Identifier: GPL-3.0-or-later
// labels: numeric
#include <cmath>
#include <functional>

#include <QtTest>

#include "core/graph/passes/passes.h"
#include "core/graph/shape_inference.h"
#include "core/graph/verifier.h"
#include "tests/support/graph_builder.h"

using namespace quantoscope;
using namespace quantoscope::test;
using graph::Dim;
using graph::ValueId;

namespace {

constexpr float epsilon = 1e-3f;

std::vector<double> numbers(const graph::Graph& graph, ValueId id)
{
    return tensor::toDoubles(graph.value(id).constant->view());
}

/// One layer whose output's channels a batch normalization follows.
struct Case {
    std::string op;
    Shape input;
    Shape weight;
    std::int64_t channels = 0;
    Shape bias; ///< rank 0 with one channel for none, see hasBias
    bool hasBias = false;
    Attributes attributes;
    /// Output channel of the weight's element `i`, written down without looking at the pass.
    std::function<std::int64_t(std::int64_t)> channelOf;
};

std::map<std::string, Case> cases()
{
    const Shape image { 2, 4, 7, 7 };
    std::map<std::string, Case> all;
    const auto conv = [](std::int64_t elementsPerFilter) {
        return [elementsPerFilter](std::int64_t i) { return i / elementsPerFilter; };
    };
    all["conv with bias"] = { "Conv", image, { 6, 4, 3, 3 }, 6, { 6 }, true, {}, conv(36) };
    all["conv without bias"] = { "Conv", image, { 6, 4, 3, 3 }, 6, {}, false, {}, conv(36) };
    all["conv grouped"]
        = { "Conv", image, { 6, 2, 3, 3 }, 6, { 6 }, true, { { "group", std::int64_t { 2 } } }, conv(18) };
    all["conv depthwise"]
        = { "Conv", image, { 4, 1, 3, 3 }, 4, {}, false, { { "group", std::int64_t { 4 } } }, conv(9) };
    all["conv depthwise, multiplier 2"]
        = { "Conv", image, { 8, 1, 3, 3 }, 8, { 8 }, true, { { "group", std::int64_t { 4 } } }, conv(9) };
    all["conv over one axis"] = { "Conv", { 2, 4, 9 }, { 5, 4, 3 }, 5, { 5 }, true, {}, conv(12) };
    all["conv one channel"] = { "Conv", image, { 1, 4, 1, 1 }, 1, { 1 }, true, {}, conv(4) };
    all["transposed with bias"]
        = { "ConvTranspose", image, { 4, 5, 3, 3 }, 5, { 5 }, true, {}, [](std::int64_t i) { return i / 9 % 5; } };
    all["transposed without bias"]
        = { "ConvTranspose", image, { 4, 5, 2, 2 }, 5, {}, false, {}, [](std::int64_t i) { return i / 4 % 5; } };
    // Rows 0 and 1 of the weight make channels 0..2, rows 2 and 3 make channels 3..5.
    all["transposed grouped"] = { "ConvTranspose", image, { 4, 3, 3, 3 }, 6, { 6 }, true,
        { { "group", std::int64_t { 2 } } }, [](std::int64_t i) { return i / 27 / 2 * 3 + i / 9 % 3; } };
    all["transposed depthwise"] = { "ConvTranspose", image, { 4, 1, 3, 3 }, 4, {}, false,
        { { "group", std::int64_t { 4 } } }, [](std::int64_t i) { return i / 9; } };
    const auto column = [](std::int64_t i) { return i % 5; };
    const auto row = [](std::int64_t i) { return i / 8; };
    all["gemm with bias"] = { "Gemm", { 3, 8 }, { 8, 5 }, 5, { 5 }, true, {}, column };
    all["gemm without bias"] = { "Gemm", { 3, 8 }, { 8, 5 }, 5, {}, false, {}, column };
    all["gemm transB"] = { "Gemm", { 3, 8 }, { 5, 8 }, 5, { 5 }, true, { { "transB", std::int64_t { 1 } } }, row };
    all["gemm alpha and beta"] = { "Gemm", { 3, 8 }, { 5, 8 }, 5, { 5 }, true,
        { { "transB", std::int64_t { 1 } }, { "alpha", 0.5f }, { "beta", -3.0f } }, row };
    all["gemm one bias for all"] = { "Gemm", { 3, 8 }, { 8, 5 }, 5, { 1 }, true, { { "beta", 2.0f } }, column };
    all["gemm bias as a row"] = { "Gemm", { 3, 8 }, { 8, 5 }, 5, { 1, 5 }, true, {}, column };
    all["gemm beta without a bias"] = { "Gemm", { 3, 8 }, { 8, 5 }, 5, {}, false, { { "beta", 7.0f } }, column };
    all["matmul"] = { "MatMul", { 3, 8 }, { 8, 5 }, 5, {}, false, {}, column };
    return all;
}

/// The four vectors of a batch normalization; variances are positive.
struct Norm {
    std::vector<float> gamma, beta, mean, variance;

    explicit Norm(std::int64_t channels, std::uint64_t seed = 99)
    {
        base::Random random(seed);
        for (std::int64_t c = 0; c < channels; ++c) {
            gamma.push_back(static_cast<float>(random.normal()));
            beta.push_back(static_cast<float>(random.normal()));
            mean.push_back(static_cast<float>(random.normal()));
            variance.push_back(static_cast<float>(0.01 + 2 * random.uniform()));
        }
    }
    double scale(std::size_t c) const
    {
        return static_cast<double>(gamma[c])
            / std::sqrt(static_cast<double>(variance[c]) + static_cast<double>(epsilon));
    }
    ValueId addTo(GraphBuilder& builder, ValueId x, const std::string& output) const
    {
        return builder.node("BatchNormalization",
            { x, builder.constant(output + ".gamma", floats(gamma)), builder.constant(output + ".beta", floats(beta)),
                builder.constant(output + ".mean", floats(mean)), builder.constant(output + ".var", floats(variance)) },
            output, { { "epsilon", epsilon } });
    }
};

/// The layer of a case, under the names "x", "layer.weight", "layer.bias" and "layer".
ValueId addLayer(GraphBuilder& builder, const Case& test)
{
    std::vector<ValueId> inputs { builder.input("x", graph::toDims(test.input)),
        builder.constant("layer.weight", normalTensor(test.weight, 1)) };
    if (test.hasBias)
        inputs.push_back(builder.constant("layer.bias", normalTensor(test.bias, 2)));
    return builder.node(test.op, inputs, "layer", test.attributes);
}

bool close(double got, double expected, double magnitude)
{
    return std::abs(got - expected) <= 1.3e-7 * std::max(std::abs(expected), magnitude);
}

const graph::Node& onlyNode(const graph::Graph& graph) { return graph.node(graph.nodes().at(0)); }

/// Conv [2, 3, 5, 5] -> [2, 4, 3, 3] with the weight "w" that all of the tests below fold into.
struct Conv {
    GraphBuilder builder;
    ValueId x = builder.input("x", { Dim::named("batch"), 3, 5, 5 });
    ValueId weight = builder.constant("w", normalTensor({ 4, 3, 3, 3 }, 5));
    ValueId y = builder.node("Conv", { x, weight }, "conv");

    int fold()
    {
        const auto inferred = graph::inferShapes(builder.graph());
        return inferred ? graph::foldBatchNorm(builder.graph()) : -1;
    }
};

} // namespace

class TestBatchNormFolding : public QObject {
    Q_OBJECT

private slots:
    void weightsAndBiasFollowTheFormula_data()
    {
        QTest::addColumn<QString>("key");
        for (const auto& [key, unused] : cases())
            QTest::newRow(key.c_str()) << QString::fromStdString(key);
    }

    void weightsAndBiasFollowTheFormula()
    {
        QFETCH(QString, key);
        const Case test = cases().at(key.toStdString());
        const Norm norm(test.channels);
        GraphBuilder builder;
        builder.output(norm.addTo(builder, addLayer(builder, test), "bn"));
        graph::Graph& graph = builder.graph();
        const auto inferred = graph::inferShapes(graph);
        QVERIFY2(inferred, inferred ? "" : inferred.error().message().c_str());
        const auto shape = graph.value(*graph.find("bn")).type.shape();
        const auto oldWeight = numbers(graph, *graph.find("layer.weight"));
        const auto oldBias = test.hasBias ? numbers(graph, *graph.find("layer.bias")) : std::vector<double> { 0 };
        const auto betaAttribute = test.attributes.find("beta");
        const double oldBeta = betaAttribute == test.attributes.end() ? 1 : std::get<float>(betaAttribute->second);

        QCOMPARE(graph::foldBatchNorm(graph), 1);
        graph.removeDead();
        QVERIFY(graph::verify(graph));
        QCOMPARE(graph.nodes().size(), 1u);
        const graph::Node& node = onlyNode(graph);
        QCOMPARE(node.opType, test.op == "MatMul" ? std::string("Gemm") : test.op);
        QCOMPARE(graph.value(node.outputs[0]).name, std::string("bn"));
        QVERIFY(graph.isOutput(node.outputs[0]));
        QCOMPARE(graph.value(node.inputs[1]).name, std::string("layer.weight"));
        QCOMPARE(graph.value(node.inputs[2]).name, std::string("layer.bias"));
        QCOMPARE(graph.value(node.inputs[1]).constant->shape(), test.weight);
        QCOMPARE(node.floatAttribute("beta", 1), 1.0f);
        if (test.attributes.contains("alpha"))
            QCOMPARE(node.floatAttribute("alpha", 1), std::get<float>(test.attributes.at("alpha")));

        const auto weight = numbers(graph, node.inputs[1]);
        for (std::size_t i = 0; i < weight.size(); ++i) {
            const auto c = static_cast<std::size_t>(test.channelOf(static_cast<std::int64_t>(i)));
            QVERIFY2(close(weight[i], oldWeight[i] * norm.scale(c), 0), qPrintable(QString::number(i)));
        }
        const auto bias = numbers(graph, node.inputs[2]);
        QCOMPARE(bias.size(), static_cast<std::size_t>(test.channels));
        for (std::size_t c = 0; c < bias.size(); ++c) {
            const double before = oldBias[oldBias.size() == 1 ? 0 : c] * (test.hasBias ? oldBeta : 0);
            const double expected = (before - norm.mean[c]) * norm.scale(c) + norm.beta[c];
            QVERIFY2(close(bias[c], expected, 1e-3), qPrintable(QString::number(c)));
        }
        QVERIFY(graph::inferShapes(graph));
        QVERIFY(graph.value(graph.outputs()[0]).type.shape() == shape);
    }

    void perChannelAddAndMul_data()
    {
        QTest::addColumn<QString>("op");
        QTest::addColumn<QList<qlonglong>>("shape");
        QTest::addColumn<bool>("constantFirst");
        QTest::addColumn<bool>("folds");
        QTest::newRow("add a number") << "Add" << QList<qlonglong> {} << false << true;
        QTest::newRow("mul by a number, on the left") << "Mul" << QList<qlonglong> {} << true << true;
        QTest::newRow("add one element") << "Add" << QList<qlonglong> { 1 } << false << true;
        QTest::newRow("add a channel vector") << "Add" << QList<qlonglong> { 4, 1, 1 } << true << true;
        QTest::newRow("mul by a channel vector") << "Mul" << QList<qlonglong> { 4, 1, 1 } << false << true;
        QTest::newRow("mul with a leading 1") << "Mul" << QList<qlonglong> { 1, 4, 1, 1 } << false << true;
        QTest::newRow("along the wrong axis") << "Mul" << QList<qlonglong> { 3, 1 } << false << false;
        QTest::newRow("a whole image") << "Add" << QList<qlonglong> { 4, 3, 3 } << false << false;
        QTest::newRow("a vector along the columns") << "Add" << QList<qlonglong> { 3 } << false << false;
        QTest::newRow("grows the rank") << "Add" << QList<qlonglong> { 1, 1, 1, 1, 1 } << false << false;
        QTest::newRow("grows the batch") << "Add" << QList<qlonglong> { 2, 1, 1, 1 } << false << false;
    }

    void perChannelAddAndMul()
    {
        QFETCH(QString, op);
        QFETCH(QList<qlonglong>, shape);
        QFETCH(bool, constantFirst);
        QFETCH(bool, folds);
        Conv net;
        const Tensor operand = normalTensor(Shape(Ints(shape.begin(), shape.end())), 17);
        const ValueId constant = net.builder.constant("operand", operand);
        const auto operands = constantFirst ? std::vector { constant, net.y } : std::vector { net.y, constant };
        net.builder.output(net.builder.node(op.toStdString(), operands, "out"));
        graph::Graph& graph = net.builder.graph();
        const auto before = numbers(graph, net.weight);
        QCOMPARE(net.fold(), folds ? 1 : 0);
        if (!folds) {
            QCOMPARE(graph.nodes().size(), 2u);
            QVERIFY(numbers(graph, net.weight) == before);
            return;
        }
        const graph::Node& node = onlyNode(graph);
        const auto values = tensor::toDoubles(operand.view());
        const auto at = [&](std::size_t c) { return values[values.size() == 1 ? 0 : c]; };
        const auto weight = numbers(graph, node.inputs[1]);
        for (std::size_t i = 0; i < weight.size(); ++i)
            QVERIFY(close(weight[i], op == "Mul" ? before[i] * at(i / 27) : before[i], 0));
        // Nothing to add: a layer that had no bias needs none.
        QCOMPARE(node.hasInput(2), op == "Add");
        if (op == "Add") {
            const auto bias = numbers(graph, node.inputs[2]);
            for (std::size_t c = 0; c < bias.size(); ++c)
                QVERIFY(close(bias[c], at(c), 0));
        }
    }

    void aChainFoldsIntoOneLayer()
    {
        Conv net;
        const Norm norm(4);
        ValueId last = norm.addTo(net.builder, net.y, "bn");
        last = net.builder.node(
            "Mul", { last, net.builder.constant("m", Tensor::from<float>({ 4, 1, 1 }, { 2, 3, 4, 5 })) }, "mul");
        last = net.builder.node(
            "Add", { net.builder.constant("a", Tensor::from<float>({ 4, 1, 1 }, { 1, -1, 0.5f, 8 })), last }, "add");
        net.builder.output(last);
        graph::Graph& graph = net.builder.graph();
        const auto before = numbers(graph, net.weight);
        QCOMPARE(net.fold(), 3);
        QCOMPARE(graph.nodes().size(), 1u);
        const graph::Node& node = onlyNode(graph);
        QCOMPARE(graph.value(node.outputs[0]).name, std::string("add"));
        const double added[] = { 1, -1, 0.5, 8 };
        const auto weight = numbers(graph, node.inputs[1]);
        const auto bias = numbers(graph, node.inputs[2]);
        for (std::size_t c = 0; c < 4; ++c) {
            const double factor = static_cast<double>(c) + 2;
            // Each fold rounds to float once.
            QVERIFY(std::abs(weight[c * 27] - before[c * 27] * norm.scale(c) * factor) < 1e-6);
            QVERIFY(std::abs(bias[c] - ((norm.beta[c] - norm.mean[c] * norm.scale(c)) * factor + added[c])) < 1e-5);
        }
    }

    void aMatMulOverMoreAxesTakesAScaleButNoShift()
    {
        for (const bool shift : { false, true }) {
            GraphBuilder builder;
            const ValueId x = builder.input("x", { 2, 6, 8 });
            const ValueId y = builder.node("MatMul", { x, builder.constant("w", normalTensor({ 8, 5 }, 1)) }, "y");
            const ValueId operand = builder.constant("v", normalTensor({ 5 }, 2));
            builder.output(builder.node(shift ? "Add" : "Mul", { y, operand }, "out"));
            QVERIFY(graph::inferShapes(builder.graph()));
            QCOMPARE(graph::foldBatchNorm(builder.graph()), shift ? 0 : 1);
            QCOMPARE(onlyNode(builder.graph()).opType, std::string("MatMul"));
        }
    }

    void aSharedWeightIsCopied()
    {
        Conv net;
        const Norm norm(4);
        net.builder.output(norm.addTo(net.builder, net.y, "bn"));
        net.builder.output(net.builder.node("Conv", { net.x, net.weight }, "other"));
        graph::Graph& graph = net.builder.graph();
        const auto before = numbers(graph, net.weight);
        QCOMPARE(net.fold(), 1);
        QVERIFY(numbers(graph, net.weight) == before);
        for (const auto id : graph.nodes()) {
            const graph::Node& node = graph.node(id);
            const bool folded = graph.value(node.outputs[0]).name == "bn";
            QCOMPARE(node.inputs[1] == net.weight, !folded);
            const auto weight = numbers(graph, node.inputs[1]);
            QVERIFY(close(weight[30], before[30] * (folded ? norm.scale(1) : 1), 0));
        }
        QVERIFY(graph::verify(graph));
    }

    void aSharedBiasIsCopied()
    {
        GraphBuilder builder;
        const ValueId x = builder.input("x", { 1, 3, 5, 5 });
        const ValueId bias = builder.constant("shared", normalTensor({ 4 }, 3));
        const Norm norm(4);
        for (const char* name : { "a", "b" }) {
            const ValueId weight = builder.constant(std::string(name) + ".weight", normalTensor({ 4, 3, 3, 3 }, 4));
            const ValueId y = builder.node("Conv", { x, weight, bias }, name);
            builder.output(std::string(name) == "a" ? norm.addTo(builder, y, "bn") : y);
        }
        graph::Graph& graph = builder.graph();
        const auto before = numbers(graph, bias);
        QVERIFY(graph::inferShapes(graph));
        QCOMPARE(graph::foldBatchNorm(graph), 1);
        QVERIFY(numbers(graph, bias) == before);
        QVERIFY(graph::verify(graph));
    }

    void twoNormsOnOneTiedWeightBothFold()
    {
        GraphBuilder builder;
        const ValueId x = builder.input("x", { 1, 3, 5, 5 });
        const ValueId weight = builder.constant("tied", normalTensor({ 4, 3, 3, 3 }, 4));
        for (const std::uint64_t i : { 1u, 2u }) {
            const ValueId y = builder.node("Conv", { x, weight }, "conv" + std::to_string(i));
            builder.output(Norm(4, i).addTo(builder, y, "bn" + std::to_string(i)));
        }
        graph::Graph& graph = builder.graph();
        const auto before = numbers(graph, weight);
        QVERIFY(graph::inferShapes(graph));
        QCOMPARE(graph::foldBatchNorm(graph), 2);
        QVERIFY(graph::verify(graph));
        for (const std::uint64_t i : { 1u, 2u }) {
            const graph::Node& node = graph.node(graph.value(*graph.find("bn" + std::to_string(i))).producer);
            const Norm norm(4, i);
            const auto folded = numbers(graph, node.inputs[1]);
            for (std::size_t k = 0; k < folded.size(); ++k)
                QVERIFY(close(folded[k], before[k] * norm.scale(k / 27), 0));
        }
    }

    void staysWhereItMust_data()
    {
        QTest::addColumn<QString>("why");
        for (const char* why : { "the convolution has another reader", "the convolution is a graph output",
                 "the variance is negative", "a parameter is computed", "training mode", "a statistics output is read",
                 "the weight is computed", "the weights would overflow", "a Relu stands between" })
            QTest::newRow(why) << why;
    }

    void staysWhereItMust()
    {
        QFETCH(QString, why);
        Conv net;
        GraphBuilder& builder = net.builder;
        graph::Graph& graph = builder.graph();
        Norm norm(4);
        ValueId normed = net.y;
        if (why == "the variance is negative")
            norm.variance[2] = -1;
        if (why == "the weights would overflow")
            norm.gamma[1] = 3e38f, norm.variance[1] = 0;
        if (why == "a Relu stands between")
            normed = builder.node("Relu", { net.y }, "relu");
        const ValueId out = norm.addTo(builder, normed, "bn");
        builder.output(out);
        const graph::NodeId node = graph.value(out).producer;
        if (why == "the convolution has another reader")
            builder.output(builder.node("Relu", { net.y }, "relu"));
        if (why == "the convolution is a graph output")
            builder.output(net.y);
        if (why == "a parameter is computed")
            graph.setInput(node, 1, builder.input("gamma", { 4 }));
        if (why == "training mode")
            graph.node(node).attributes["training_mode"] = std::int64_t { 1 };
        if (why == "a statistics output is read") {
            graph.setOutput(node, 1, graph.addValue("running_mean", { DType::Float32, graph::Dims { 4 } }));
            builder.output(*graph.find("running_mean"));
        }
        if (why == "the weight is computed")
            graph.setInput(graph.value(net.y).producer, 1, builder.input("weights", { 4, 3, 3, 3 }));
        const auto before = numbers(graph, net.weight);
        const std::size_t count = graph.nodes().size();
        QCOMPARE(net.fold(), 0);
        QCOMPARE(graph.nodes().size(), count);
        QVERIFY(numbers(graph, net.weight) == before);
        QVERIFY(graph.contains(node) && graph.node(node).opType == "BatchNormalization");
    }
};

QTEST_APPLESS_MAIN(TestBatchNormFolding)
#include "tst_batch_norm_folding.moc"
