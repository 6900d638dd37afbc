// SPDX-License-Identifier: GPL-3.0-or-later
// labels: unit numeric
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include <QtTest>

#include "core/graph/shape_inference.h"
#include "core/graph/verifier.h"
#include "core/planning/placement.h"
#include "core/planning/transforms/equalization.h"
#include "tests/core/planning/uneven_network.h"
#include "tests/support/graph_builder.h"
#include "tests/support/run_graph.h"

using namespace quantoscope;
using graph::ValueId;
using test::Attributes;
using test::grouped;
using test::Ints;
using test::padded;
using test::uneven;
using Network = test::UnevenNetwork;

namespace {

/// conv1 -> middle -> conv2 -> y
graph::Graph joined(const std::function<ValueId(Network&, ValueId)>& middle, int opset = 13)
{
    Network net(opset);
    auto x = net.conv(net.image(), "c1", { 5, 4, 3, 3 }, padded);
    x = middle(net, x);
    return net.finish(net.conv(x, "c2", { 3, 5, 3, 3 }, padded));
}
graph::Graph joinedBy(const std::string& op, Attributes attributes = {})
{
    return joined([&](Network& net, ValueId x) { return net.node(op, { x }, "m", attributes); });
}
/// conv1 -> middle -> Gemm -> y, `features` of them
graph::Graph classified(std::int64_t features, const std::function<ValueId(Network&, ValueId)>& middle, bool transposed)
{
    Network net;
    auto x = net.conv(net.image(), "c1", { 5, 4, 3, 3 }, padded);
    x = middle(net, net.node("Relu", { x }, "r1"));
    return net.finish(net.gemm(x, "y", transposed ? Shape { 7, features } : Shape { features, 7 }, transposed));
}

graph::Graph invertedResidual()
{
    Network net;
    const auto six = [&](ValueId x, const std::string& name) {
        return net.node("Clip", { x, net.scalar(name + "_low", 0), net.scalar(name + "_high", 6) }, name);
    };
    auto x = net.conv(net.image(), "stem", { 4, 4, 1, 1 });
    const auto skipped = x;
    x = six(net.conv(x, "expand", { 12, 4, 1, 1 }), "e6");
    x = six(net.conv(x, "depthwise", { 12, 1, 3, 3 }, grouped(12)), "d6");
    x = net.conv(x, "project", { 4, 12, 1, 1 });
    x = net.node("Add", { skipped, x }, "sum");
    return net.finish(net.conv(x, "last", { 3, 4, 1, 1 }));
}

/// Two blocks on one residual chain, the second one projected.
graph::Graph residualChain()
{
    Network net;
    auto x = net.node("Relu", { net.conv(net.image(), "stem", { 5, 4, 3, 3 }, padded) }, "r0");
    auto y = net.node("Relu", { net.conv(x, "a1", { 6, 5, 3, 3 }, padded) }, "ra");
    y = net.conv(y, "a2", { 5, 6, 3, 3 }, padded);
    x = net.node("Relu", { net.node("Add", { x, y }, "sum1") }, "r1");
    y = net.conv(net.node("Relu", { net.conv(x, "b1", { 5, 5, 3, 3 }, padded) }, "rb"), "b2", { 5, 5, 3, 3 }, padded);
    x = net.node("Relu", { net.node("Add", { y, x }, "sum2") }, "r2");
    return net.finish(net.conv(x, "last", { 3, 5, 1, 1 }));
}

graph::Graph fire()
{
    Network net;
    const auto squeezed = net.node("Relu", { net.conv(net.image(), "squeeze", { 3, 4, 1, 1 }) }, "rs");
    const auto a = net.node("Relu", { net.conv(squeezed, "e1", { 4, 3, 1, 1 }) }, "r1");
    const auto b = net.node("Relu", { net.conv(squeezed, "e3", { 6, 3, 3, 3 }, padded) }, "r3");
    const auto both = net.node("Concat", { a, b }, "cat", { { "axis", std::int64_t { 1 } } });
    const auto pooled = net.node("MaxPool", { both }, "pool", { { "kernel_shape", Ints { 2, 2 } } });
    return net.finish(net.conv(pooled, "last", { 3, 10, 1, 1 }));
}

graph::Graph splitInTwo()
{
    Network net;
    const auto x = net.conv(net.image(), "c1", { 6, 4, 1, 1 });
    auto& builder = net.builder();
    const auto id = builder.add("Split", { x, net.constant("sizes", test::ints({ 2, 4 })) }, { "left", "right" },
        { { "axis", std::int64_t { 1 } } });
    const auto outputs = builder.graph().node(id).outputs;
    const auto a = net.conv(net.node("Relu", { outputs[0] }, "rl"), "a", { 3, 2, 1, 1 });
    const auto b = net.conv(outputs[1], "b", { 3, 4, 1, 1 });
    return net.finish(net.node("Add", { a, b }, "sum"));
}

graph::Graph withSharedWeight()
{
    Network net;
    const auto w = net.constant("w", uneven({ 4, 4, 1, 1 }, 5));
    auto x = net.node("Conv", { net.image(), w }, "c1");
    x = net.node("Conv", { net.node("Relu", { x }, "r"), w }, "c2");
    return net.finish(net.node("Relu", { x }, "y"));
}

graph::Graph withOtherReader()
{
    Network net;
    const auto x = net.node("Relu", { net.conv(net.image(), "c1", { 5, 4, 1, 1 }) }, "r");
    const auto read = net.conv(x, "c2", { 5, 5, 1, 1 });
    return net.finish(net.node("Mul", { read, net.node("Sigmoid", { x }, "gate") }, "y"));
}

/// A second output in the middle.
graph::Graph withOutputInside()
{
    Network net;
    const auto x = net.node("Relu", { net.conv(net.image(), "c1", { 5, 4, 1, 1 }) }, "r");
    net.builder().output(x);
    return net.finish(net.conv(x, "c2", { 5, 5, 1, 1 }));
}

/// Factors tie what an Add of a smaller tensor broadcasts.
graph::Graph withBroadcastSum()
{
    Network net;
    const auto x = net.conv(net.image(), "c1", { 5, 4, 1, 1 });
    const auto one = net.conv(x, "gate", { 1, 5, 1, 1 });
    return net.finish(net.conv(net.node("Add", { x, one }, "sum"), "c2", { 3, 5, 1, 1 }));
}

graph::Graph inGroups(bool bias)
{
    Network net;
    auto x = net.node("Relu", { net.conv(net.image(), "c1", { 6, 4, 1, 1 }, {}, bias) }, "r1");
    x = net.node("Relu", { net.conv(x, "two", { 10, 3, 3, 3 }, grouped(2), bias) }, "r2");
    return net.finish(net.conv(x, "c3", { 3, 10, 1, 1 }));
}

graph::Graph groupedTransposed()
{
    Network net;
    auto x = net.node("Relu", { net.conv(net.image(), "c1", { 6, 4, 1, 1 }) }, "r1");
    x = net.conv(x, "t", { 6, 2, 3, 3 }, { { "group", std::int64_t { 3 } }, { "transposed", std::int64_t { 1 } } });
    return net.finish(net.conv(x, "c3", { 3, 6, 1, 1 }));
}

graph::Graph multiplied()
{
    Network net;
    const auto x = net.node("Relu", { net.gemm(net.image({ 2, 4 }), "g", { 5, 4 }) }, "r");
    return net.finish(net.node("MatMul", { x, net.constant("w", uneven({ 5, 3 }, 9)) }, "y"));
}

ValueId flattened(Network& net, ValueId x) { return net.node("Flatten", { x }, "f"); }
ValueId pooled(Network& net, ValueId x) { return flattened(net, net.node("GlobalAveragePool", { x }, "p")); }
ValueId reshaped(Network& net, ValueId x)
{
    return net.node("Reshape", { x, net.constant("shape", test::ints({ 0, -1 })) }, "f");
}
ValueId reduced(Network& net, ValueId x)
{
    return net.node("ReduceMean", { x }, "f", { { "axes", Ints { -2, 3 } }, { "keepdims", std::int64_t { 0 } } });
}

std::vector<Tensor> outputsOf(const graph::Graph& graph, const Tensor& image)
{
    auto outputs = test::runGraph(graph, { image });
    if (!outputs)
        qFatal("%s", outputs.error().message().c_str());
    return *std::move(outputs);
}

/// Largest difference relative to the largest value.
double distance(const Tensor& a, const Tensor& b)
{
    const auto x = tensor::toDoubles(a.view());
    const auto y = tensor::toDoubles(b.view());
    double largest = 0;
    double difference = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        largest = std::max(largest, std::abs(x[i]));
        difference = std::max(difference, std::abs(x[i] - y[i]));
    }
    return a.shape() == b.shape() ? difference / largest : std::numeric_limits<double>::infinity();
}

} // namespace

Q_DECLARE_METATYPE(quantoscope::graph::Graph)

class TestEqualization : public QObject {
    Q_OBJECT

private slots:
    void keepsTheFunction_data();
    void keepsTheFunction();
    void closedForm();
    void balancesEveryWeight();
    void residualGroupHasOneFactor();
    void capsFollow();
    void quantizersSitWhereTheyDid_data();
    void quantizersSitWhereTheyDid();
    void deadChannelsStay();
    void deterministic();
    void cycleIsAnError();
};

void TestEqualization::keepsTheFunction_data()
{
    QTest::addColumn<graph::Graph>("graph");
    QTest::addColumn<QStringList>("scaled"); // every value whose channels get factors
    using Names = QStringList;
    const Names through { "c1", "m" };
    QTest::newRow("nothing between") << joined([](Network&, ValueId x) { return x; }) << Names { "c1" };
    for (const char* op : { "Relu", "LeakyRelu", "Abs", "Neg", "Identity" })
        QTest::newRow(op) << joinedBy(op) << through;
    QTest::newRow("PRelu") << joined([](Network& net, ValueId x) {
        return net.node("PRelu", { x, net.constant("slope", test::normalTensor({ 5, 1, 1 }, 3)) }, "m");
    }) << through;
    for (const char* op : { "Sigmoid", "Tanh", "Exp" })
        QTest::newRow(op) << joinedBy(op) << Names {};
    const auto clip = [](float low, float high) {
        return joined([=](Network& net, ValueId x) {
            return net.node("Clip", { x, net.scalar("low", low), net.scalar("high", high) }, "m");
        });
    };
    QTest::newRow("Clip [0, 6]") << clip(0, 6) << through;
    QTest::newRow("Clip [0, 0.5]") << clip(0, 0.5F) << through;
    QTest::newRow("Clip without high") << joined([](Network& net, ValueId x) {
        return net.node("Clip", { x, net.scalar("low", 0) }, "m");
    }) << through;
    QTest::newRow("Clip [-1, 1]") << clip(-1, 1) << Names {};
    QTest::newRow("Clip [0, 0]") << clip(0, 0) << Names {};
    QTest::newRow("Clip without low") << joined([](Network& net, ValueId x) {
        return net.node("Clip", { x, ValueId {}, net.scalar("high", 1) }, "m");
    }) << through;
    QTest::newRow("Clip by attributes") << joined(
        [](Network& net, ValueId x) {
            return net.node("Clip", { x }, "m", { { "min", 0.0F }, { "max", 1.0F } });
        },
        10) << through;
    const Attributes window { { "kernel_shape", Ints { 3, 3 } }, { "pads", Ints { 1, 1, 1, 1 } } };
    QTest::newRow("MaxPool") << joinedBy("MaxPool", window) << through;
    QTest::newRow("AveragePool") << joinedBy("AveragePool", window) << through;
    auto counting = window;
    counting.emplace("count_include_pad", std::int64_t { 1 });
    QTest::newRow("AveragePool that counts its pads") << joinedBy("AveragePool", counting) << through;
    const auto pad = [](Ints pads, float fill) {
        return joined([=](Network& net, ValueId x) {
            return net.node("Pad", { x, net.constant("pads", test::ints(pads)), net.scalar("fill", fill) }, "m");
        });
    };
    QTest::newRow("Pad with zeros") << pad({ 0, 0, 1, 2, 0, 0, 0, 1 }, 0) << through;
    QTest::newRow("Pad with ones") << pad({ 0, 0, 1, 1, 0, 0, 1, 1 }, 1) << Names {};
    QTest::newRow("Mul by a constant a channel") << joined([](Network& net, ValueId x) {
        return net.node("Mul", { net.constant("k", test::normalTensor({ 5, 1, 1 }, 3)), x }, "m");
    }) << through;
    QTest::newRow("Div by a constant") << joined([](Network& net, ValueId x) {
        return net.node("Div", { x, net.scalar("k", -3) }, "m");
    }) << through;
    QTest::newRow("Div of a constant") << joined([](Network& net, ValueId x) {
        const auto positive = net.node("Add", { net.node("Abs", { x }, "a"), net.scalar("one", 1) }, "p");
        return net.node("Div", { net.scalar("k", 3), positive }, "m");
    }) << Names {};
    QTest::newRow("Add a scalar") << joined([](Network& net, ValueId x) {
        return net.node("Relu", { net.node("Add", { x, net.scalar("k", 0.7F) }, "s") }, "m");
    }) << Names { "c1", "m", "s" };
    QTest::newRow("Sub from a map") << joined([](Network& net, ValueId x) {
        return net.node("Sub", { net.constant("k", test::normalTensor({ 6, 6 }, 3)), x }, "m");
    }) << through;
    QTest::newRow("Max with a constant a channel and image") << joined([](Network& net, ValueId x) {
        return net.node("Max", { x, net.constant("k", test::normalTensor({ 2, 5, 1, 6 }, 3)) }, "m");
    }) << through;
    QTest::newRow("concatenated along width") << joined([](Network& net, ValueId x) {
        return net.node("Concat", { x, net.node("Relu", { x }, "r") }, "m", { { "axis", std::int64_t { -1 } } });
    }) << Names { "c1", "m", "r" };
    for (const bool bias : { true, false })
        QTest::addRow("grouped, %s bias", bias ? "with" : "without")
            << inGroups(bias) << Names { "c1", "r1", "r2", "two" };
    QTest::newRow("transposed, in groups") << groupedTransposed() << Names { "c1", "r1", "t" };
    QTest::newRow("Gemm, transposed weight") << classified(5, pooled, true) << Names { "c1", "f", "p", "r1" };
    QTest::newRow("Gemm, plain weight") << classified(5, pooled, false) << Names { "c1", "f", "p", "r1" };
    QTest::newRow("Gemm reads every place") << classified(180, flattened, true) << Names { "c1", "f", "r1" };
    QTest::newRow("Reshape") << classified(180, reshaped, true) << Names { "c1", "f", "r1" };
    QTest::newRow("ReduceMean") << classified(5, reduced, true) << Names { "c1", "f", "r1" };
    QTest::newRow("MatMul") << multiplied() << Names { "g", "r" };
    QTest::newRow("inverted residual with ReLU6")
        << invertedResidual() << Names { "d6", "depthwise", "e6", "expand", "project", "stem", "sum" };
    QTest::newRow("residual chain") << residualChain()
                                    << Names { "a1", "a2", "b1", "b2", "r0", "r1", "r2", "ra", "rb", "stem", "sum1",
                                           "sum2" };
    QTest::newRow("fire module") << fire() << Names { "cat", "e1", "e3", "pool", "r1", "r3", "rs", "squeeze" };
    QTest::newRow("Split") << splitInTwo() << Names { "c1", "left", "right", "rl" };
    QTest::newRow("two layers share a weight") << withSharedWeight() << Names {};
    QTest::newRow("somebody else reads it") << withOtherReader() << Names {};
    QTest::newRow("an output inside") << withOutputInside() << Names {};
    QTest::newRow("a sum that broadcasts") << withBroadcastSum() << Names {};
}

void TestEqualization::keepsTheFunction()
{
    QFETCH(const graph::Graph, graph);
    QFETCH(const QStringList, scaled);
    const auto equalized = planning::equalize(graph, { .residualChains = true });
    QVERIFY(equalized.has_value());
    QStringList found;
    for (const auto& [name, factors] : equalized->factors)
        found.append(QString::fromStdString(name));
    QCOMPARE(found, scaled);
    QVERIFY(!equalized->notes.empty());
    QVERIFY(graph::verify(*equalized->graph).has_value());
    for (const auto id : graph.values())
        if (!graph.isConstant(id))
            QVERIFY2(equalized->graph->find(graph.value(id).name), graph.value(id).name.c_str());

    const auto image = test::randomTensor(*graph.value(graph.inputs()[0]).type.shape(), 42, 3);
    const auto before = outputsOf(graph, image);
    const auto after = outputsOf(*equalized->graph, image);
    QCOMPARE(after.size(), before.size());
    for (std::size_t i = 0; i < before.size(); ++i)
        QVERIFY2(distance(before[i], after[i]) < 2e-5, qPrintable(QString::number(distance(before[i], after[i]))));
}

/// Two channels: s = sqrt(r2 / r1) for shares of the whole weight (eq. 11 in the weights' ranges).
void TestEqualization::closedForm()
{
    Network net;
    auto x = net.node("Conv",
        { net.image({ 1, 1, 2, 2 }),
            net.constant("w1", Tensor::from<float>({ 2, 1, 1, 1 }, std::vector<float> { 1, -4 })),
            net.constant("b1", test::floats({ 10, 20 })) },
        "c1");
    x = net.node("Relu", { x }, "r1");
    x = net.node(
        "Conv", { x, net.constant("w2", Tensor::from<float>({ 1, 2, 1, 1 }, std::vector<float> { -8, 2 })) }, "c2");
    const auto equalized = planning::equalize(net.finish(x));
    QVERIFY(equalized.has_value());
    // Shares 1/4, 1 of the first weight and 1, 1/4 of the second.
    QCOMPARE(equalized->factors.at("r1"), (std::vector<double> { 2, 0.5 }));
    const auto values = [&](const char* name) {
        const auto span = equalized->graph->value(*equalized->graph->find(name)).constant->as<float>();
        return std::vector<float>(span.begin(), span.end());
    };
    QCOMPARE(values("w1"), (std::vector<float> { 2, -2 }));
    QCOMPARE(values("b1"), (std::vector<float> { 20, 10 }));
    QCOMPARE(values("w2"), (std::vector<float> { -4, 4 }));
}

/// Where two layers alone share a channel it takes the same part of both weights' ranges.
void TestEqualization::balancesEveryWeight()
{
    const auto graph = joinedBy("Relu");
    const auto equalized = planning::equalize(graph);
    QVERIFY(equalized.has_value());
    const auto weight
        = [&](const char* name) { return equalized->graph->value(*equalized->graph->find(name)).constant; };
    const auto shares = [](const Tensor& tensor, int axis) {
        std::vector<float> largest(static_cast<std::size_t>(tensor.shape()[axis]));
        const auto values = tensor.as<float>();
        const auto inner = static_cast<std::size_t>(tensor.shape().strides()[static_cast<std::size_t>(axis)]);
        for (std::size_t i = 0; i < values.size(); ++i) {
            auto& place = largest[i / inner % largest.size()];
            place = std::max(place, std::abs(values[i]));
        }
        const float whole = *std::ranges::max_element(largest);
        for (float& place : largest)
            place /= whole;
        return largest;
    };
    const auto made = shares(*weight("c1_w"), 0);
    const auto read = shares(*weight("c2_w"), 1);
    for (std::size_t c = 0; c < made.size(); ++c)
        QVERIFY(std::abs(made[c] / read[c] - 1) < 0.01F);
}

void TestEqualization::residualGroupHasOneFactor()
{
    const auto equalized = planning::equalize(residualChain(), { .residualChains = true });
    QVERIFY(equalized.has_value());
    const auto& chain = equalized->factors.at("r0");
    for (const char* name : { "stem", "a2", "sum1", "r1", "b2", "sum2", "r2" })
        QCOMPARE(equalized->factors.at(name), chain);
    QVERIFY(equalized->factors.at("ra") != chain);

    const auto without = planning::equalize(residualChain());
    QVERIFY(without.has_value());
    QCOMPARE(without->factors.size(), std::size_t { 4 });
    for (const char* name : { "a1", "ra", "b1", "rb" })
        QVERIFY(without->factors.contains(name));
}

/// A capped channel is a Relu and a Min, whose output has the Clip's name.
void TestEqualization::capsFollow()
{
    const auto equalized = planning::equalize(invertedResidual());
    QVERIFY(equalized.has_value());
    const auto& graph = *equalized->graph;
    for (const char* name : { "e6", "d6" }) {
        const auto& min = graph.node(graph.value(*graph.find(name)).producer);
        QCOMPARE(min.opType, std::string("Min"));
        QCOMPARE(graph.node(graph.value(min.inputs[0]).producer).opType, std::string("Relu"));
        const auto& caps = *graph.value(min.inputs[1]).constant;
        QCOMPARE(caps.shape(), (Shape { 1, 12, 1, 1 }));
        const auto& factors = equalized->factors.at(name);
        for (std::size_t c = 0; c < factors.size(); ++c)
            QCOMPARE(caps.as<float>()[c], static_cast<float>(6 * factors[c]));
    }
    for (const auto id : graph.nodes())
        QVERIFY(graph.node(id).opType != "Clip");
}

void TestEqualization::quantizersSitWhereTheyDid_data()
{
    QTest::addColumn<graph::Graph>("graph");
    QTest::addColumn<int>("scope");
    for (const auto scope : { quant::Scope::Compute, quant::Scope::Integer }) {
        const auto name = quant::toString(scope);
        QTest::addRow("ReLU6, %s", name.c_str()) << invertedResidual() << static_cast<int>(scope);
        QTest::addRow("residual chain, %s", name.c_str()) << residualChain() << static_cast<int>(scope);
        QTest::addRow("fire module, %s", name.c_str()) << fire() << static_cast<int>(scope);
    }
}

/// Caps bring no quantizers of their own, neither before them nor on their bounds; the bounds of a Clip had none.
void TestEqualization::quantizersSitWhereTheyDid()
{
    QFETCH(const graph::Graph, graph);
    QFETCH(const int, scope);
    const auto equalized = planning::equalize(graph);
    QVERIFY(equalized.has_value());
    const auto names = [&](const graph::Graph& of) {
        QStringList found;
        for (const auto& slot : planning::placeQuantizers(of, static_cast<quant::Scope>(scope)))
            found.append(QString::fromStdString(slot.tensor));
        found.sort();
        return found;
    };
    QCOMPARE(names(*equalized->graph), names(graph));
}

void TestEqualization::deadChannelsStay()
{
    auto graph = joinedBy("Relu");
    auto& constant = graph.value(*graph.find("c1_w")).constant;
    Tensor weight = *constant;
    const auto row = static_cast<std::size_t>(weight.shape().strides()[0]);
    std::fill_n(weight.as<float>().data() + 2 * row, row, 0.0F);
    constant = std::make_shared<const Tensor>(std::move(weight));
    const auto equalized = planning::equalize(graph);
    QVERIFY(equalized.has_value());
    QCOMPARE(equalized->factors.at("m")[2], 1.0);
    for (const auto& [name, factors] : equalized->factors)
        QVERIFY(std::ranges::all_of(factors, [](double f) { return std::isfinite(f) && f > 0; }));
    const auto image = test::randomTensor({ 2, 4, 6, 6 }, 42);
    QVERIFY(distance(outputsOf(graph, image)[0], outputsOf(*equalized->graph, image)[0]) < 2e-5);
}

void TestEqualization::deterministic()
{
    const auto first = planning::equalize(residualChain());
    const auto second = planning::equalize(residualChain());
    QVERIFY(first.has_value() && second.has_value());
    QVERIFY(first->factors == second->factors);
}

void TestEqualization::cycleIsAnError()
{
    auto graph = joinedBy("Relu");
    graph.setInput(graph.value(*graph.find("c1")).producer, 0, *graph.find("m"));
    const auto equalized = planning::equalize(graph);
    QVERIFY(!equalized.has_value());
    QCOMPARE(static_cast<int>(equalized.error().code), static_cast<int>(ErrorCode::InvalidInput));
}

QTEST_APPLESS_MAIN(TestEqualization)
#include "tst_equalization.moc"
