// SPDX-License-Identifier: GPL-3.0-or-later
#include <functional>
#include <limits>

#include <QtTest>

#include "core/graph/verifier.h"
#include "tests/support/graph_builder.h"

using namespace quantoscope;
using namespace quantoscope::test;
using graph::Dims;
using graph::Graph;
using graph::ValueId;

namespace {

/// A sound graph to be damaged: y = Relu(Gemm(x, w, b)).
struct Sound {
    GraphBuilder builder;
    Graph& graph = builder.graph();
    ValueId x = builder.input("x", { 2, 3 });
    ValueId w = builder.constant("w", normalTensor({ 3, 4 }, 1));
    ValueId b = builder.constant("b", normalTensor({ 4 }, 2));
    ValueId h = builder.node("Gemm", { x, w, b }, "h");
    ValueId y = builder.node("Relu", { h }, "y");

    Sound() { builder.output(y); }
    graph::Node& gemm() { return graph.node(graph.value(h).producer); }
    graph::Node& relu() { return graph.node(graph.value(y).producer); }
    void setWeight(std::size_t at, float number)
    {
        Tensor weight = normalTensor({ 3, 4 }, 1);
        weight.as<float>()[at] = number;
        graph.makeConstant(w, std::make_shared<const Tensor>(weight));
    }
};

struct Damage {
    std::function<void(Sound&)> apply;
    std::string what; ///< part of the message
    std::string where; ///< likewise
};

std::map<std::string, Damage> damages()
{
    constexpr float infinity = std::numeric_limits<float>::infinity();
    std::map<std::string, Damage> all;
    all["two tensors of one name"]
        = { [](Sound& s) { s.graph.value(s.b).name = "w"; }, "two tensors have this name", "'w'" };
    all["too few inputs"]
        = { [](Sound& s) { s.gemm().inputs.resize(1); }, "has 1 inputs, expected 2 to 3", "'h_node' (Gemm)" };
    all["too many inputs"]
        = { [](Sound& s) { s.relu().inputs.push_back(s.x); }, "has 2 inputs, expected 1", "'y_node' (Relu)" };
    all["too few for a variadic one"] = { [](Sound& s) { s.relu().opType = "Concat", s.relu().inputs.clear(); },
        "has 0 inputs, expected at least 1", "(Concat)" };
    all["a required input is left out"]
        = { [](Sound& s) { s.gemm().inputs[1] = {}; }, "input 1 is required but left out", "(Gemm)" };
    all["an input that does not exist"] = { [](Sound& s) { s.gemm().inputs[2] = ValueId { 77 }; },
        "input 2 refers to a tensor that does not exist", "(Gemm)" };
    all["an input nobody makes"]
        = { [](Sound& s) { s.graph.setInput(s.graph.value(s.h).producer, 0, s.graph.addValue("lost")); },
              "tensor 'lost', is neither an input, nor an initializer", "(Gemm)" };
    all["an input whose node was removed"]
        = { [](Sound& s) { s.graph.removeNode(s.graph.value(s.h).producer); }, "tensor 'h', is neither", "(Relu)" };
    all["an output that does not exist"] = { [](Sound& s) {
                                                s.relu().outputs = { s.y, ValueId { 88 } };
                                            },
        "an output refers to a tensor that does not exist", "(Relu)" };
    all["two producers"]
        = { [](Sound& s) { s.gemm().outputs.push_back(s.y); }, "tensor 'y' is computed here, but", "'h_node'" };
    all["a node computes a graph input"]
        = { [](Sound& s) { s.gemm().outputs.push_back(s.x); }, "tensor 'x' is computed here", "'h_node'" };
    all["a node computes a constant"]
        = { [](Sound& s) { s.relu().outputs.push_back(s.b); }, "tensor 'b' is computed here", "'y_node'" };
    all["a constant of another shape"] = { [](Sound& s) {
                                              s.graph.value(s.w).type.dims = Dims { 4, 3 };
                                          },
        "is declared as float32[4, 3], but holds float32[3, 4]", "'w'" };
    all["a constant of another type"] = { [](Sound& s) { s.graph.value(s.w).type.dtype = DType::Int8; },
        "is declared as int8[3, 4], but holds float32", "'w'" };
    all["NaN in a weight"]
        = { [](Sound& s) { s.setWeight(5, std::nanf("")); }, "element 5 is NaN", "'w', read by node 'h_node'" };
    all["infinity in a weight"]
        = { [infinity](Sound& s) { s.setWeight(11, -infinity); }, "element 11 is infinite", "'w'" };
    all["a cycle"] = { [](Sound& s) { s.gemm().inputs[0] = s.y; }, "cycle", "_node'" };
    all["a node that reads itself"] = { [](Sound& s) { s.relu().inputs[0] = s.y; }, "cycle", "'y_node'" };
    all["a graph output nobody makes"]
        = { [](Sound& s) { s.graph.markOutput(s.graph.addValue("lost")); }, "output is not computed", "'lost'" };
    return all;
}

} // namespace

class TestVerifier : public QObject {
    Q_OBJECT

private slots:
    void damageIsFound_data()
    {
        QTest::addColumn<QString>("key");
        for (const auto& [key, unused] : damages())
            QTest::newRow(key.c_str()) << QString::fromStdString(key);
    }

    void damageIsFound()
    {
        QFETCH(QString, key);
        const Damage damage = damages().at(key.toStdString());
        Sound sound;
        QVERIFY(graph::verify(sound.graph));
        damage.apply(sound);
        const auto verified = graph::verify(sound.graph);
        QVERIFY(!verified);
        QCOMPARE(verified.error().code, ErrorCode::InvalidInput);
        QVERIFY2(verified.error().what.find(damage.what) != std::string::npos, verified.error().what.c_str());
        QVERIFY2(verified.error().where.find(damage.where) != std::string::npos, verified.error().where.c_str());
        QVERIFY(!verified.error().hint.empty());
    }

    void aGraphWithoutOutputsIsAnError()
    {
        GraphBuilder builder;
        builder.node("Relu", { builder.input("x", { 2 }) }, "y");
        const auto verified = graph::verify(builder.graph());
        QVERIFY(!verified);
        QVERIFY(verified.error().what.find("no outputs") != std::string::npos);
        QVERIFY(!graph::verify(Graph {}));
    }

    void nonFiniteConstantsMayBeAllowed()
    {
        Sound sound;
        sound.setWeight(0, std::nanf(""));
        QVERIFY(!graph::verify(sound.graph));
        QVERIFY(graph::verify(sound.graph, { .requireFinite = false }));
    }

    void aNonFiniteConstantThatNobodyReadsIsNoError()
    {
        Sound sound;
        sound.builder.constant("unread", floats({ std::nanf("") }));
        QVERIFY(graph::verify(sound.graph));
    }

    void whatIsAllowed_data()
    {
        QTest::addColumn<QString>("kind");
        for (const char* kind : { "an operator without a schema", "an optional input left out", "an output left out",
                 "an input that is an output", "a constant that is an output", "an integer constant" })
            QTest::newRow(kind) << kind;
    }

    void whatIsAllowed()
    {
        QFETCH(QString, kind);
        Sound sound;
        if (kind == "an operator without a schema")
            sound.relu().opType = "Custom", sound.relu().inputs.resize(9);
        if (kind == "an optional input left out")
            sound.gemm().inputs[2] = {};
        if (kind == "an output left out")
            sound.relu().outputs.push_back({});
        if (kind == "an input that is an output")
            sound.graph.markOutput(sound.x);
        if (kind == "a constant that is an output")
            sound.graph.markOutput(sound.w);
        if (kind == "an integer constant")
            sound.builder.output(sound.builder.node("Relu", { sound.builder.constant("i", ints({ 1 })) }, "r"));
        const auto verified = graph::verify(sound.graph);
        QVERIFY2(verified, verified ? "" : verified.error().message().c_str());
    }
};

QTEST_APPLESS_MAIN(TestVerifier)
#include "tst_verifier.moc"
