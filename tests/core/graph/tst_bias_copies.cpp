// SPDX-License-Identifier: GPL-3.0-or-later
#include <QtTest>

#include "core/graph/layers.h"
#include "core/graph/passes/passes.h"
#include "core/graph/shape_inference.h"
#include "tests/support/graph_builder.h"

using namespace quantoscope;
using namespace quantoscope::test;

class TestBiasCopies : public QObject {
    Q_OBJECT

private slots:
    void everyLayerGetsItsOwn();
    void anAddKeepsTheOriginal();
    void nothingToDo();
    void prepareDoesIt();
};

namespace {

/// Two convolutions in a row with one bias.
GraphBuilder sharedBias()
{
    GraphBuilder make;
    const auto x = make.input("x", { 1, 2, 4, 4 });
    const auto b = make.constant("b", floats({ 1, 2 }));
    const auto first = make.node("Conv", { x, make.constant("w1", normalTensor({ 2, 2, 1, 1 }, 1)), b }, "c1");
    make.output(make.node("Conv", { first, make.constant("w2", normalTensor({ 2, 2, 1, 1 }, 2)), b }, "c2"));
    return make;
}

} // namespace

void TestBiasCopies::everyLayerGetsItsOwn()
{
    auto make = sharedBias();
    QCOMPARE(graph::separateBiases(make.graph()), 1);
    const auto layers = graph::computeLayers(make.graph());
    QVERIFY(layers[0].bias != layers[1].bias);
    QCOMPARE(make.graph().value(layers[0].bias).name, std::string("b"));
    QVERIFY(make.graph().value(layers[1].bias).constant == make.graph().value(layers[0].bias).constant);
    QCOMPARE(graph::separateBiases(make.graph()), 0);
}

void TestBiasCopies::anAddKeepsTheOriginal()
{
    GraphBuilder make;
    const auto x = make.input("x", { 1, 3 });
    const auto b = make.constant("b", floats({ 1, 2 }));
    const auto y = make.node("Gemm", { x, make.constant("w", normalTensor({ 3, 2 }, 1)), b }, "y");
    make.output(make.node("Add", { y, b }, "z"));
    QCOMPARE(graph::separateBiases(make.graph()), 1);
    QVERIFY(graph::computeLayers(make.graph())[0].bias != b);
    QCOMPARE(make.graph().consumers(b).size(), std::size_t { 1 });
}

void TestBiasCopies::nothingToDo()
{
    GraphBuilder make;
    const auto x = make.input("x", { 1, 3 });
    const auto computed = make.node("Relu", { make.input("bias", { 2 }) }, "computed");
    const auto w = make.constant("w", normalTensor({ 3, 2 }, 1));
    make.output(make.node("Gemm", { x, w, computed }, "y"));
    make.output(make.node("Gemm", { x, w, computed }, "z"));
    QCOMPARE(graph::separateBiases(make.graph()), 0);
}

void TestBiasCopies::prepareDoesIt()
{
    for (const bool wanted : { true, false }) {
        auto make = sharedBias();
        graph::PassOptions passes;
        passes.separateBiases = wanted;
        passes.foldConstants = false;
        QVERIFY(graph::prepare(make.graph(), passes, {}));
        const auto layers = graph::computeLayers(make.graph());
        QCOMPARE(layers[0].bias != layers[1].bias, wanted);
    }
}

QTEST_APPLESS_MAIN(TestBiasCopies)
#include "tst_bias_copies.moc"
