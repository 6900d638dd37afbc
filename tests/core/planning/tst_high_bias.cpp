// SPDX-License-Identifier: GPL-3.0-or-later
// labels: unit numeric
#include <algorithm>
#include <cmath>
#include <memory>

#include <QtTest>

#include "core/calibration/feed.h"
#include "core/calibration/stats.h"
#include "core/planning/transforms/equalization.h"
#include "core/planning/transforms/high_bias.h"
#include "tests/support/memory_dataset.h"
#include "tests/support/small_networks.h"

using namespace quantoscope;
using test::Attributes;
using test::Ints;

namespace {

const dataset::SampleSet& images()
{
    static const auto samples = *dataset::SampleSet::load(test::randomDataset(12, 6, 6, 3, 5), {});
    return *samples;
}

/// image -> a (1x1, high biases) -> activation -> b (`kernel`) -> Relu -> c -> y
graph::Graph network(
    const std::string& activation, const Attributes& secondLayer = {}, int kernel = 1, bool bias = true)
{
    test::GraphBuilder builder;
    const auto image = builder.input("image", { graph::Dim::named("batch"), 3, 6, 6 });
    const auto weight = [&](const std::string& name, const Shape& shape, std::uint64_t seed) {
        return builder.constant(name, test::normalTensor(shape, seed, 0.5));
    };
    auto x = builder.node(
        "Conv", { image, weight("wa", { 4, 3, 1, 1 }, 1), builder.constant("ba", test::floats({ 3, 0, 4, -1 })) }, "a");
    x = activation == "Clip" ? builder.node("Clip",
            { x, builder.constant("low", Tensor::scalar(0.0F)), builder.constant("high", Tensor::scalar(6.0F)) }, "r")
                             : builder.node(activation, { x }, "r");
    std::vector<graph::ValueId> inputs { x, weight("wb", { 5, 4, kernel, kernel }, 2) };
    if (bias)
        inputs.push_back(weight("bb", { 5 }, 3));
    x = builder.node("Conv", inputs, "b", secondLayer);
    x = builder.node("Conv", { builder.node("Relu", { x }, "rb"), weight("wc", { 2, 5, 1, 1 }, 4) }, "c");
    builder.output(x);
    const auto inferred = graph::inferShapes(builder.graph());
    if (!inferred)
        qFatal("%s", inferred.error().message().c_str());
    return builder.graph();
}

calibration::CalibrationStatsPtr statsOf(const graph::Graph& graph)
{
    auto stats = calibration::calibrate(graph, images());
    if (!stats)
        qFatal("%s", stats.error().message().c_str());
    return *stats;
}

std::vector<float> outputsOf(const graph::Graph& graph)
{
    const auto feed = calibration::Feed::create(graph, {}, images(), { .batch = 12 });
    if (!feed)
        qFatal("%s", feed.error().message().c_str());
    calibration::FeedWorker worker(*feed);
    if (!worker.run(0))
        qFatal("does not run");
    const auto view = worker.output(0);
    const auto values = view.as<float>();
    return { values.begin(), values.end() };
}

} // namespace

Q_DECLARE_METATYPE(quantoscope::graph::Graph)

class TestHighBias : public QObject {
    Q_OBJECT

private slots:
    void absorbs_data();
    void absorbs();
    void staysAsItIs_data();
    void staysAsItIs();
    void statisticsMustBeThere();
};

void TestHighBias::absorbs_data()
{
    QTest::addColumn<graph::Graph>("graph");
    QTest::newRow("Relu") << network("Relu");
    QTest::newRow("kernel without padding") << network("Relu", {}, 3);
    QTest::newRow("capped") << *planning::equalize(network("Clip"))->graph;
}

/// Outputs stay, and the channels that never fell to zero now do.
void TestHighBias::absorbs()
{
    QFETCH(const graph::Graph, graph);
    const auto before = statsOf(graph);
    const auto absorbed = planning::absorbHighBiases(graph, *before);
    QVERIFY(absorbed.has_value());
    QVERIFY(absorbed->constants.contains("ba") && absorbed->constants.contains("bb"));
    QVERIFY(absorbed->notes.front().find("of 1 tensors") != std::string::npos);
    quant::QuantizationPlan plan;
    for (const auto& [name, values] : absorbed->constants)
        plan.setConstant(name, values);
    const auto after = quant::correctedGraph(graph, plan);
    QVERIFY(after.has_value());

    const auto expected = outputsOf(graph);
    const auto actual = outputsOf(*after);
    for (std::size_t i = 0; i < expected.size(); ++i)
        QVERIFY2(std::abs(expected[i] - actual[i]) < 1e-4F, qPrintable(QString::number(expected[i] - actual[i])));
    const auto seen = statsOf(*after);
    std::size_t lowered = 0;
    for (std::size_t c = 0; c < 4; ++c) {
        const auto& old = before->find("r")->channels()[c];
        const auto& now = seen->find("r")->channels()[c];
        QVERIFY(std::abs(now.min) < 1e-5F);
        QVERIFY(std::abs(now.max - (old.max - old.min)) < 1e-4F);
        lowered += old.min > 0.5F ? 1 : 0;
    }
    QCOMPARE(lowered, std::size_t { 2 });
}

void TestHighBias::staysAsItIs_data()
{
    QTest::addColumn<graph::Graph>("graph");
    QTest::newRow("the next layer pads") << network("Relu", { { "pads", Ints { 1, 1, 1, 1 } } }, 3);
    QTest::newRow("the next layer pads by itself") << network("Relu", { { "auto_pad", std::string("SAME_UPPER") } }, 3);
    QTest::newRow("the next layer has no bias") << network("Relu", {}, 1, false);
    QTest::newRow("one bound for all channels") << network("Clip");
    QTest::newRow("another activation") << network("LeakyRelu");
    auto readByMore = network("Relu");
    readByMore.markOutput(*readByMore.find("r"));
    QTest::newRow("an output too") << readByMore;
}

void TestHighBias::staysAsItIs()
{
    QFETCH(const graph::Graph, graph);
    const auto absorbed = planning::absorbHighBiases(graph, *statsOf(graph));
    QVERIFY(absorbed.has_value());
    QVERIFY(absorbed->constants.empty());
}

void TestHighBias::statisticsMustBeThere()
{
    const auto absorbed = planning::absorbHighBiases(network("Relu"), {});
    QVERIFY(!absorbed.has_value());
    QCOMPARE(static_cast<int>(absorbed.error().code), static_cast<int>(ErrorCode::InvalidInput));
    QCOMPARE(QString::fromStdString(absorbed.error().where), QString("tensor 'r'"));
}

QTEST_APPLESS_MAIN(TestHighBias)
#include "tst_high_bias.moc"
