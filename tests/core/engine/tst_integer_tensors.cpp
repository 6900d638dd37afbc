// SPDX-License-Identifier: GPL-3.0-or-later
// labels: unit numeric
// What lies between compute layers, on integers: pools, sums and what moves data, against dequantizing, computing in
// float and quantizing.
#include <QtTest>

#include "tests/core/engine/graph_maker.h"

using namespace quantoscope;
using namespace quantoscope::test;

namespace {

quant::Encoding grid(float scale, std::int32_t zeroPoint, bool isSigned = false)
{
    quant::Encoding encoding;
    encoding.qmin = isSigned ? -128 : 0;
    encoding.qmax = isSigned ? 127 : 255;
    encoding.scale = { scale };
    encoding.zeroPoint = { zeroPoint };
    return encoding;
}

struct Case {
    std::string op;
    Attributes attributes {};
    Shape input { 2, 6, 11, 13 };
    bool twoInputs = false;
    std::string implementation = "mean of codes"; ///< of the node, "" where it stays float
};

graph::Graph makeGraph(const Case& c)
{
    GraphMaker maker;
    std::vector<ValueId> inputs { maker.input("x", c.input) };
    if (c.twoInputs)
        inputs.push_back(maker.input("x2", c.input));
    maker.output(maker.node("Abs", { maker.node(c.op, inputs, "y", c.attributes) }, "behind"));
    return maker.graph();
}

std::vector<std::pair<const char*, Case>> cases()
{
    const auto pool = [](Attributes attributes, Shape input = { 2, 6, 11, 13 }) {
        attributes.try_emplace("kernel_shape", Ints { 3, 3 });
        return Case { "AveragePool", std::move(attributes), std::move(input) };
    };
    const Attributes padded { { "pads", Ints { 1, 1, 1, 1 } } };
    const auto with = [](Attributes attributes, const char* key, Attribute value) {
        attributes.insert_or_assign(key, std::move(value));
        return attributes;
    };
    return {
        { "average", pool({}) },
        { "average, stride 2", pool({ { "strides", Ints { 2, 2 } } }) },
        { "average, padded", pool(padded) },
        { "average, pads counted", pool(with(padded, "count_include_pad", std::int64_t { 1 })) },
        { "average, pads of four sizes", pool({ { "pads", Ints { 0, 1, 2, 1 } } }) },
        { "average of everything", pool({ { "kernel_shape", Ints { 11, 13 } } }) },
        { "average of a line",
            pool({ { "kernel_shape", Ints { 4 } }, { "pads", Ints { 2, 1 } }, { "strides", Ints { 3 } } },
                { 2, 5, 17 }) },
        { "average of a volume",
            pool({ { "kernel_shape", Ints { 2, 3, 2 } }, { "pads", Ints { 1, 0, 1, 0, 1, 1 } } }, { 1, 4, 5, 6, 7 }) },
        { "global average", { "GlobalAveragePool" } },
        { "sum", { .op = "Add", .twoInputs = true, .implementation = "sum of" } },
        { "maximum",
            { .op = "MaxPool", .attributes = { { "kernel_shape", Ints { 3, 3 } } }, .implementation = "jit" } },
        { "average, windows beyond the edge",
            { "AveragePool",
                { { "kernel_shape", Ints { 4, 4 } }, { "strides", Ints { 3, 3 } },
                    { "ceil_mode", std::int64_t { 1 } } },
                { 2, 6, 11, 13 }, false, "" } },
    };
}

} // namespace

class TestIntegerTensors : public QObject {
    Q_OBJECT

private slots:
    void matchesFloat_data();
    void matchesFloat();
};

void TestIntegerTensors::matchesFloat_data()
{
    QTest::addColumn<int>("index");
    QTest::addColumn<bool>("isSigned");
    for (int i = 0; const auto& [name, c] : cases()) {
        QTest::addRow("%s", name) << i << false;
        QTest::addRow("%s, signed", name) << i << true;
        ++i;
    }
}

void TestIntegerTensors::matchesFloat()
{
    QFETCH(int, index);
    QFETCH(bool, isSigned);
    const Case c = cases()[static_cast<std::size_t>(index)].second;
    const auto graph = makeGraph(c);
    const quant::Encoding in = grid(0.0137F, isSigned ? -11 : 93, isSigned);
    const bool keepsGrid = c.op == "MaxPool";
    const quant::Encoding out = keepsGrid ? in : grid(0.0119F, isSigned ? 5 : 141, isSigned);
    quant::QuantizationPlan plan;
    plan.scope = quant::Scope::Integer;
    const auto add = [&](const char* tensor, const quant::Encoding& encoding) {
        quant::TensorQuantizer quantizer;
        quantizer.role = quant::Role::Activation;
        quantizer.encoding = encoding;
        plan.set(tensor, quantizer);
    };
    add("x", in);
    add("y", out);
    std::vector<Tensor> inputs { randomTensor(c.input, 1, -1.4, 2.3) };
    if (c.twoInputs) {
        add("x2", out);
        inputs.push_back(randomTensor(c.input, 2, -1.4, 2.3));
    }
    CompileOptions options;
    options.arithmetic = engine::Arithmetic::Auto;
    const Tensor found = runGraph(graph, inputs, options, plan).value()[0];

    inputs[0] = quant::fakeQuantize(in, inputs[0].view());
    if (c.twoInputs)
        inputs[1] = quant::fakeQuantize(out, inputs[1].view());
    CompileOptions reference;
    reference.kernels = engine::KernelSet::Reference;
    reference.outputs = { "y" };
    Tensor expected = runGraph(graph, inputs, reference).value()[0];
    expected = quant::fakeQuantize(out, expected.view());
    for (float& value : expected.as<float>())
        value = std::abs(value);
    QCOMPARE(largestDifference(found, expected), 0.0);

    std::string implementation;
    for (const auto& step : engine::compile(graph, plan, options).value()->steps())
        if (step.node == "y_node" && step.op != c.op)
            implementation = step.implementation;
        else if (keepsGrid && step.op == c.op)
            implementation = step.implementation;
    QVERIFY2(implementation.starts_with(c.implementation), implementation.c_str());
    QCOMPARE(implementation.empty(), c.implementation.empty());
}

QTEST_GUILESS_MAIN(TestIntegerTensors)
#include "tst_integer_tensors.moc"
