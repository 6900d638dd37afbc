// SPDX-License-Identifier: GPL-3.0-or-later
#include <functional>
#include <map>
#include <string>

#include <QtTest>

#include "core/graph/shape_inference.h"
#include "core/planning/placement.h"
#include "tests/support/graph_builder.h"

using namespace quantoscope;
using namespace quantoscope::test;
using graph::ValueId;
using quant::Role;
using quant::Scope;

namespace {

/// What a rule is about: a graph, and for every tensor that gets a quantizer its role and whose encoding it shares, in
/// the order of placement: "x, w weight, y, z = y".
struct Rule {
    std::function<void(GraphBuilder&)> build;
    std::string integer;
    std::string compute;
    std::vector<std::string> floatOperators = {};
};

ValueId weight(GraphBuilder& make, const std::string& name, const Shape& shape)
{
    return make.constant(name, normalTensor(shape, 1));
}

ValueId conv(GraphBuilder& make, ValueId x, const std::string& output, const std::string& w, std::int64_t inputs = 2)
{
    return make.node("Conv", { x, weight(make, w, { 2, inputs, 1, 1 }) }, output);
}

Attributes pool() { return { { "kernel_shape", Ints { 2, 2 } } }; }

ValueId image(GraphBuilder& make) { return make.input("x", { 1, 2, 4, 4 }); }

/// x -> op -> y.
Rule unary(const std::string& op, const std::string& integer, Attributes attributes = {})
{
    return { [=](GraphBuilder& make) { make.output(make.node(op, { image(make) }, "y", attributes)); }, integer, "" };
}

/// x -> conv -> c -> activation -> y.
Rule fused(const std::string& op, const std::string& integer)
{
    return { [=](GraphBuilder& make) {
                auto c = conv(make, image(make), "c", "w");
                std::vector<ValueId> inputs { c };
                if (op == "Clip") {
                    inputs.push_back(make.constant("low", Tensor::scalar(0.0F)));
                    inputs.push_back(make.constant("high", Tensor::scalar(6.0F)));
                }
                make.output(make.node(op, inputs, "y"));
            },
        integer, "x, w weight" };
}

/// x -> op with a constant -> y.
Rule withConstant(const std::string& op, const std::string& integer)
{
    return { [=](GraphBuilder& make) {
                make.output(make.node(op, { image(make), make.constant("k", floats({ 1, -2, 3, 4 })) }, "y"));
            },
        integer, "" };
}

std::map<std::string, Rule> fusionRules()
{
    std::map<std::string, Rule> rules;
    rules["Conv then Relu: none between"] = fused("Relu", "x, w weight, y");
    rules["Conv then Clip: none between"] = fused("Clip", "x, w weight, y");
    rules["Conv then Sigmoid: one between"] = fused("Sigmoid", "x, w weight, c, y [0, 1]");
    rules["Gemm then Relu: none between"]
        = { [](GraphBuilder& make) {
               const auto x = make.input("x", { 1, 2 });
               make.output(make.node("Relu", { make.node("Gemm", { x, weight(make, "w", { 2, 3 }) }, "g") }, "y"));
           },
              "x, w weight, y", "x, w weight" };
    rules["Add then Relu: none between"]
        = { [](GraphBuilder& make) {
               const auto x = image(make);
               make.output(make.node("Relu", { make.node("Add", { conv(make, x, "c", "w"), x }, "a") }, "y"));
           },
              "x, w weight, c, y", "x, w weight" };
    rules["Conv read by Relu and another: one between"]
        = { [](GraphBuilder& make) {
               const auto c = conv(make, image(make), "c", "w");
               make.output(make.node("Add", { make.node("Relu", { c }, "r"), c }, "y"));
           },
              "x, w weight, c, r, y", "x, w weight" };
    rules["Conv that is an output: one between"] = { [](GraphBuilder& make) {
                                                        const auto c = conv(make, image(make), "c", "w");
                                                        make.output(c);
                                                        make.output(make.node("Relu", { c }, "y"));
                                                    },
        "x, w weight, c logits, y", "x, w weight" };
    return rules;
}

std::map<std::string, Rule> sharingRules()
{
    std::map<std::string, Rule> rules;
    rules["MaxPool shares"] = unary("MaxPool", "x, y = x", pool());
    rules["GlobalMaxPool shares"] = unary("GlobalMaxPool", "x, y = x");
    rules["Flatten shares"] = unary("Flatten", "x, y = x");
    rules["Transpose shares"] = unary("Transpose", "x, y = x");
    rules["DepthToSpace shares"] = { [](GraphBuilder& make) {
                                        make.output(make.node("DepthToSpace", { make.input("x", { 1, 4, 2, 2 }) }, "y",
                                            { { "blocksize", std::int64_t { 2 } } }));
                                    },
        "x, y = x", "" };
    rules["Reshape shares"]
        = { [](GraphBuilder& make) {
               make.output(make.node("Reshape", { image(make), make.constant("to", ints({ 1, 32 })) }, "y"));
           },
              "x, y = x", "" };
    rules["Slice shares"] = { [](GraphBuilder& make) {
                                 make.output(make.node("Slice",
                                     { image(make), make.constant("from", ints({ 0 })),
                                         make.constant("to", ints({ 1 })), make.constant("axes", ints({ 1 })) },
                                     "y"));
                             },
        "x, y = x", "" };
    rules["Split shares with every part"]
        = { [](GraphBuilder& make) {
               const auto node = make.add("Split", { image(make) }, { "a", "b" }, { { "axis", std::int64_t { 1 } } });
               for (const auto part : make.graph().node(node).outputs)
                   make.output(part);
           },
              "x, a = x, b = x", "" };
    rules["AveragePool has its own"] = unary("AveragePool", "x, y", pool());
    rules["GlobalAveragePool has its own"] = unary("GlobalAveragePool", "x, y");
    rules["Sigmoid is fixed"] = unary("Sigmoid", "x, y [0, 1]");
    rules["Softmax is fixed"] = unary("Softmax", "x, y [0, 1]");
    rules["Concat shares"]
        = { [](GraphBuilder& make) {
               const auto x = image(make);
               make.output(make.node("Concat", { conv(make, x, "a", "w"), make.node("Tanh", { x }, "b") }, "y",
                   { { "axis", std::int64_t { 1 } } }));
           },
              "x, w weight, a, b = a, y = a", "x, w weight" };
    return rules;
}

std::map<std::string, Rule> operandRules()
{
    std::map<std::string, Rule> rules;
    for (const char* op : { "Add", "Sub", "Mul", "Div", "Max", "Min", "PRelu" })
        rules[std::string(op) + " with a constant"] = withConstant(op, "x, k constant, y");
    rules["Pow with a constant"] = withConstant("Pow", "x, y");
    rules["Concat with a constant"]
        = { [](GraphBuilder& make) {
               make.output(make.node("Concat", { image(make), make.constant("k", normalTensor({ 1, 1, 4, 4 }, 3)) },
                   "y", { { "axis", std::int64_t { 1 } } }));
           },
              "x, k constant = x, y = x", "" };
    rules["Clip bounds are no operands"]
        = { [](GraphBuilder& make) {
               make.output(make.node("Clip", { image(make), make.constant("k", Tensor::scalar(-1.0F)) }, "y"));
           },
              "x, y", "" };
    rules["bias of a Conv"]
        = { [](GraphBuilder& make) {
               make.output(make.node("Conv",
                   { image(make), weight(make, "w", { 2, 2, 1, 1 }), make.constant("b", floats({ 1, 2 })) }, "y"));
           },
              "x, w weight, b bias, y", "x, w weight" };
    rules["weight on the left"]
        = { [](GraphBuilder& make) {
               make.output(make.node("Gemm", { weight(make, "w", { 3, 2 }), make.input("x", { 2, 4 }) }, "y"));
           },
              "x, w weight, y", "x, w weight" };
    rules["MatMul of two activations"]
        = { [](GraphBuilder& make) {
               make.output(make.node("MatMul", { make.input("a", { 1, 3, 2 }), make.input("b", { 1, 2, 3 }) }, "y"));
           },
              "a, b, y", "a, b" };
    rules["bias that an Add reads first"]
        = { [](GraphBuilder& make) {
               const auto k = make.constant("k", floats({ 1, 2 }));
               const auto a = make.node("Add", { make.input("x", { 1, 2 }), k }, "a");
               make.output(make.node("Gemm", { a, weight(make, "w", { 2, 2 }), k }, "y"));
           },
              "x, k constant, a, w weight, y", "a, w weight" };
    return rules;
}

std::map<std::string, Rule> floatRules()
{
    const auto tail = [](GraphBuilder& make) {
        const auto x = make.input("x", { 1, 2 });
        const auto g = make.node("Gemm", { x, weight(make, "w", { 2, 3 }) }, "g");
        make.output(make.node("Softmax", { g }, "y"));
    };
    const auto middle = [](GraphBuilder& make) {
        const auto s = make.node("Softmax", { make.input("x", { 1, 2 }) }, "s");
        make.output(make.node("Gemm", { s, weight(make, "w", { 2, 3 }) }, "y"));
    };
    std::map<std::string, Rule> rules;
    rules["float operator at the end"] = { tail, "x, w weight, g", "x, w weight", { "Softmax" } };
    rules["float operator at the start"] = { middle, "s [0, 1], w weight, y", "s [0, 1], w weight", { "Softmax" } };
    rules["float layer"] = { tail, "g, y [0, 1]", "", { "Gemm" } };
    rules["all of it float"] = { tail, "", "", { "Gemm", "Softmax" } };
    rules["others unmoved"] = { tail, "x, w weight, g, y [0, 1]", "x, w weight", { "LSTM" } };
    return rules;
}

std::map<std::string, Rule> allRules()
{
    auto rules = fusionRules();
    rules.merge(sharingRules());
    rules.merge(operandRules());
    rules.merge(floatRules());
    return rules;
}

std::string placed(const graph::Graph& graph, Scope scope, const std::vector<std::string>& floatOperators)
{
    std::string text;
    const bool one = graph.outputs().size() == 1;
    for (const auto& slot : planning::placeQuantizers(graph, scope, floatOperators)) {
        text += (text.empty() ? "" : ", ") + slot.tensor;
        if (slot.role != Role::Activation)
            text += ' ' + quant::toString(slot.role);
        if (slot.fixedRange)
            text += slot.fixedRange == std::pair(0.0, 1.0) ? " [0, 1]" : " [?]";
        if (slot.isLogits && !one && slot.tensor != "y" && slot.sharesWith.empty())
            text += " logits";
        if (!slot.sharesWith.empty())
            text += " = " + slot.sharesWith;
    }
    return text;
}

} // namespace

/// Every rule of placement, in both scopes, on a graph made for it.
class TestPlacement : public QObject {
    Q_OBJECT

private slots:
    void rules_data();
    void rules();
};

void TestPlacement::rules_data()
{
    QTest::addColumn<QString>("key");
    for (const auto& [key, unused] : allRules())
        QTest::newRow(key.c_str()) << QString::fromStdString(key);
}

void TestPlacement::rules()
{
    QFETCH(QString, key);
    const Rule rule = allRules().at(key.toStdString());
    GraphBuilder make;
    rule.build(make);
    const auto inferred = graph::inferShapes(make.graph());
    QVERIFY2(inferred, inferred ? "" : inferred.error().message().c_str());
    QCOMPARE(placed(make.graph(), Scope::Integer, rule.floatOperators), rule.integer);
    QCOMPARE(placed(make.graph(), Scope::Compute, rule.floatOperators), rule.compute);
}

QTEST_APPLESS_MAIN(TestPlacement)
#include "tst_placement.moc"
