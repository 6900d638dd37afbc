// SPDX-License-Identifier: GPL-3.0-or-later
// labels: unit numeric
// Depthwise convolutions in float against direct sums in double, and the quantizers they take along.
#include <QtTest>

#include "tests/core/engine/graph_maker.h"
#include "tests/core/engine/vector_tests.h"

using namespace quantoscope;
using namespace quantoscope::test;

namespace {

struct Case {
    Shape input { 2, 32, 11, 13 };
    Ints kernel { 3, 3 };
    Ints pads { 1, 1, 1, 1 };
    Ints strides { 1, 1 };
    bool bias = true;
    std::optional<std::pair<float, float>> clip {};
};

graph::Graph makeGraph(const Case& c)
{
    GraphMaker maker;
    const std::int64_t channels = c.input[1];
    std::vector<ValueId> inputs { maker.input("x", c.input),
        maker.constant("w", randomTensor(Shape { channels, 1, c.kernel[0], c.kernel[1] }, 2)) };
    if (c.bias)
        inputs.push_back(maker.constant("b", randomTensor(Shape { channels }, 3)));
    ValueId last
        = maker.node("Conv", inputs, "y", { { "pads", c.pads }, { "strides", c.strides }, { "group", channels } });
    if (c.clip)
        last = maker.node("Clip",
            { last, maker.constant("low", Tensor::scalar(c.clip->first)),
                maker.constant("high", Tensor::scalar(c.clip->second)) },
            "z");
    maker.output(maker.node("Relu", { last }, "behind"));
    return maker.graph();
}

std::vector<std::string> stepsOf(const graph::Graph& graph, const quant::QuantizationPlan& plan = {})
{
    std::vector<std::string> steps;
    for (const auto& step : engine::compile(graph, plan, {}).value()->steps())
        steps.push_back(step.op == "Conv" ? step.implementation : step.op);
    return steps;
}

bool has(const std::vector<std::string>& steps, const std::string& wanted)
{
    return std::ranges::find(steps, wanted) != steps.end();
}

std::vector<std::pair<const char*, Case>> cases()
{
    return {
        { "3 x 3", {} },
        { "stride 2", { .strides = { 2, 2 } } },
        { "strides of two sizes", { .strides = { 2, 1 } } },
        { "stride 3", { .strides = { 3, 3 } } },
        { "unpadded", { .pads = { 0, 0, 0, 0 } } },
        { "pads of four sizes", { .pads = { 0, 2, 3, 1 } } },
        { "5 x 5", { .kernel = { 5, 5 }, .pads = { 2, 2, 2, 2 } } },
        { "5 x 5, stride 2", { .kernel = { 5, 5 }, .pads = { 2, 2, 2, 2 }, .strides = { 2, 2 } } },
        { "7 x 1", { .kernel = { 7, 1 }, .pads = { 3, 0, 3, 0 } } },
        { "without bias", { .bias = false } },
        { "clipped", { .clip = { { -0.5F, 0.75F } } } },
        { "one group of channels", { .input = { 1, 16, 9, 9 } } },
        { "nine groups of channels", { .input = { 1, 144, 9, 9 } } },
        { "more channels than a chunk", { .input = { 1, 272, 7, 7 } } },
        { "wider than a band", { .input = { 1, 32, 5, 53 } } },
        { "one column", { .input = { 1, 16, 8, 1 } } },
        { "one position", { .input = { 3, 16, 1, 1 } } },
    };
}

} // namespace

class TestDepthwise : public QObject {
    Q_OBJECT

private slots:
    void matchesDirectSums_data();
    void matchesDirectSums();
    void quantizersOnTheWay_data();
    void quantizersOnTheWay();
    void leavesOthersAlone_data();
    void leavesOthersAlone();
    void narrowerVectors();
};

void TestDepthwise::matchesDirectSums_data()
{
    QTest::addColumn<int>("index");
    for (int i = 0; const auto& [name, c] : cases())
        QTest::newRow(name) << i++;
}

void TestDepthwise::matchesDirectSums()
{
    QFETCH(int, index);
    const Case c = cases()[static_cast<std::size_t>(index)].second;
    const auto graph = makeGraph(c);
    QCOMPARE(has(stepsOf(graph), "depthwise"), engine::floatLanes() > 0);
    const Tensor input = randomTensor(c.input, 1, -2, 2);
    CompileOptions options;
    const Tensor found = runGraph(graph, { input }, options).value()[0];
    options.kernels = engine::KernelSet::Reference;
    const double difference = largestDifference(found, runGraph(graph, { input }, options).value()[0]);
    QVERIFY2(difference < 5e-6, qPrintable(QString::number(difference)));
}

void TestDepthwise::quantizersOnTheWay_data()
{
    QTest::addColumn<int>("index");
    QTest::addColumn<int>("before");
    QTest::addColumn<int>("behind");
    // Indices into the grids of quantizersOnTheWay(); -1: none.
    for (int i = 0; const auto& [name, c] : cases()) {
        QTest::addRow("%s, before", name) << i << 0 << -1;
        QTest::addRow("%s, behind", name) << i << -1 << 1;
        QTest::addRow("%s, both", name) << i << 0 << 1;
        ++i;
    }
    QTest::newRow("odd zero points") << 0 << 2 << 2;
    QTest::newRow("12 bits") << 0 << 3 << 3;
    QTest::newRow("16 bits") << 0 << 4 << 4;
    QTest::newRow("another rounding") << 0 << 5 << 5;
    QTest::newRow("a scale at the end of the range") << 0 << 6 << 6;
}

/// The same bits as quantizing before and behind.
void TestDepthwise::quantizersOnTheWay()
{
    QFETCH(int, index);
    QFETCH(int, before);
    QFETCH(int, behind);
    const std::array grids { grid(8, false, 0.013F), grid(8, true, 0.021F), grid(8, false, 0.03F, 77),
        grid(12, true, 0.0011F), grid(16, false, 1.7e-4F, 12345), grid(8, true, 0.02F, 0, quant::Rounding::HalfAway),
        grid(8, true, 1e-30F) };
    const Case c = cases()[static_cast<std::size_t>(index)].second;
    const auto graph = makeGraph(c);
    const char* const result = c.clip ? "z" : "y";
    quant::QuantizationPlan plan;
    plan.scope = quant::Scope::Integer;
    const auto add = [&](const char* tensor, int which) {
        if (which < 0)
            return;
        quant::TensorQuantizer quantizer;
        quantizer.role = quant::Role::Activation;
        quantizer.encoding = grids[static_cast<std::size_t>(which)];
        plan.set(tensor, quantizer);
    };
    add("x", before);
    add(result, behind);

    Tensor input = randomTensor(c.input, 1, -3, 3);
    const Tensor found = runGraph(graph, { input }, {}, plan).value()[0];
    if (before >= 0)
        input = quant::fakeQuantize(grids[static_cast<std::size_t>(before)], input.view());
    CompileOptions seen;
    seen.outputs = { result };
    Tensor expected = runGraph(graph, { input }, seen).value()[0];
    if (behind >= 0)
        expected = quant::fakeQuantize(grids[static_cast<std::size_t>(behind)], expected.view());
    for (float& value : expected.as<float>())
        value = std::max(value, 0.0F);
    QCOMPARE(largestDifference(found, expected), 0.0);

    const auto steps = stepsOf(graph, plan);
    const bool taken = engine::floatLanes() > 0 && before < 5 && behind < 5;
    QCOMPARE(!has(steps, "FakeQuantize"), taken);
}

void TestDepthwise::leavesOthersAlone_data()
{
    QTest::addColumn<Shape>("weight");
    QTest::addColumn<Ints>("dilations");
    QTest::addColumn<std::int64_t>("group");
    const Ints one { 1, 1 };
    QTest::newRow("dilated") << Shape { 32, 1, 3, 3 } << Ints { 2, 2 } << std::int64_t { 32 };
    QTest::newRow("two results a channel") << Shape { 64, 1, 3, 3 } << one << std::int64_t { 32 };
    QTest::newRow("groups of two") << Shape { 32, 2, 3, 3 } << one << std::int64_t { 16 };
    QTest::newRow("20 channels") << Shape { 20, 1, 3, 3 } << one << std::int64_t { 20 };
    QTest::newRow("a very high kernel") << Shape { 32, 1, 13, 1 } << one << std::int64_t { 32 };
}

void TestDepthwise::leavesOthersAlone()
{
    QFETCH(Shape, weight);
    QFETCH(Ints, dilations);
    QFETCH(std::int64_t, group);
    GraphMaker maker;
    maker.output(maker.node("Conv",
        { maker.input("x", { 1, group * weight[1], 20, 20 }), maker.constant("w", randomTensor(weight, 1)) }, "y",
        { { "dilations", dilations }, { "group", group } }));
    QVERIFY(!has(stepsOf(maker.graph()), "depthwise"));
}

void TestDepthwise::narrowerVectors() { runWithNarrowerVectors(); }

QTEST_GUILESS_MAIN(TestDepthwise)
#include "tst_depthwise.moc"
