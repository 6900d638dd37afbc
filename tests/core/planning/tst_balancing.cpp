// SPDX-License-Identifier: GPL-3.0-or-later
// labels: unit numeric
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include <QtTest>

#include "core/calibration/feed.h"
#include "core/calibration/stats.h"
#include "core/graph/verifier.h"
#include "core/planning/plan_builder.h"
#include "core/planning/transforms/balancing.h"
#include "core/planning/transforms/noise_model.h"
#include "tests/core/planning/uneven_network.h"
#include "tests/support/memory_dataset.h"

using namespace quantoscope;
using graph::ValueId;
using planning::balance;
using test::grouped;
using test::Ints;
using test::padded;
using Network = test::UnevenNetwork;

namespace {

const dataset::SampleSet& images()
{
    static const auto samples = *dataset::SampleSet::load(test::randomDataset(24, 6, 6, 3, 5), {});
    return *samples;
}

ValueId image(Network& net) { return net.image({ graph::Dim::named("batch"), 3, 6, 6 }); }

ValueId six(Network& net, ValueId x, const std::string& name)
{
    return net.node("Clip", { x, net.scalar(name + "_low", 0), net.scalar(name + "_high", 6) }, name);
}

/// Expand, depthwise, project and a sum, with ReLU6.
graph::Graph invertedResidual()
{
    Network net;
    auto x = net.conv(image(net), "stem", { 4, 3, 1, 1 });
    const auto skipped = x;
    x = six(net, net.conv(x, "expand", { 12, 4, 1, 1 }), "e6");
    x = six(net, net.conv(x, "depthwise", { 12, 1, 3, 3 }, grouped(12)), "d6");
    x = net.conv(x, "project", { 4, 12, 1, 1 });
    x = net.node("Add", { skipped, x }, "sum");
    return net.finish(net.conv(x, "last", { 3, 4, 1, 1 }));
}

/// Conv, Relu, depthwise and no more.
graph::Graph depthwise()
{
    Network net;
    auto x = net.node("Relu", { net.conv(image(net), "first", { 12, 3, 1, 1 }) }, "r");
    x = net.node("Relu", { net.conv(x, "depthwise", { 12, 1, 3, 3 }, grouped(12)) }, "rd");
    return net.finish(net.conv(x, "last", { 3, 12, 1, 1 }));
}

graph::Graph fire()
{
    Network net;
    const auto squeezed = net.node("Relu", { net.conv(image(net), "squeeze", { 3, 3, 1, 1 }) }, "rs");
    const auto a = net.node("Relu", { net.conv(squeezed, "e1", { 4, 3, 1, 1 }) }, "r1");
    const auto b = net.node("Relu", { net.conv(squeezed, "e3", { 6, 3, 3, 3 }, padded) }, "r3");
    const auto both = net.node("Concat", { a, b }, "cat", { { "axis", std::int64_t { 1 } } });
    const auto pooled = net.node("MaxPool", { both }, "pool", { { "kernel_shape", Ints { 2, 2 } } });
    return net.finish(net.conv(pooled, "last", { 3, 10, 1, 1 }));
}

/// Two convolutions in groups of several channels.
graph::Graph inGroups()
{
    Network net;
    auto x = net.node("Relu", { net.conv(image(net), "c1", { 6, 3, 1, 1 }) }, "r1");
    x = net.node("Relu", { net.conv(x, "two", { 10, 3, 3, 3 }, grouped(2)) }, "r2");
    return net.finish(net.conv(x, "c3", { 3, 10, 1, 1 }));
}

graph::Graph classified()
{
    Network net;
    auto x = net.node("Relu", { net.conv(image(net), "c1", { 5, 3, 3, 3 }, padded) }, "r1");
    x = net.node("Flatten", { net.node("GlobalAveragePool", { x }, "p") }, "f");
    x = net.node("Relu", { net.gemm(x, "g1", { 7, 5 }) }, "r2");
    return net.finish(net.gemm(x, "y", { 7, 3 }, false));
}

planning::PlanRequest requestFor(std::optional<int> weightBits, std::optional<int> activationBits,
    quant::Scope scope = quant::Scope::Compute, bool perChannel = true)
{
    planning::PlanRequest request;
    request.scope = scope;
    request.weights.bits = weightBits;
    request.weights.perChannel = perChannel;
    request.activations.bits = activationBits;
    return request;
}

calibration::CalibrationStatsPtr statsOf(const graph::Graph& graph)
{
    auto stats = calibration::calibrate(graph, images());
    if (!stats)
        qFatal("%s", stats.error().message().c_str());
    return *stats;
}

quant::QuantizationPlan planOf(const graph::Graph& graph, const planning::PlanRequest& request)
{
    auto built = planning::buildPlan(graph, statsOf(graph).get(), request);
    if (!built)
        qFatal("%s", built.error().message().c_str());
    return built->plan;
}

planning::EqualizedGraph balanced(const graph::Graph& graph, const planning::PlanRequest& request)
{
    auto result = balance(graph, *statsOf(graph), planOf(graph, request));
    if (!result)
        qFatal("%s", result.error().message().c_str());
    return *std::move(result);
}

std::vector<double> outputsOf(const graph::Graph& graph, const quant::QuantizationPlan& plan = {})
{
    const auto feed = calibration::Feed::create(graph, plan, images(), { .batch = images().size() });
    if (!feed)
        qFatal("%s", feed.error().message().c_str());
    calibration::FeedWorker worker(*feed);
    if (!worker.run(0))
        qFatal("does not run");
    return tensor::toDoubles(worker.output(0));
}

/// Power of the difference over power.
double relativeNoise(const std::vector<double>& exact, const std::vector<double>& other)
{
    double power = 0;
    double noise = 0;
    for (std::size_t i = 0; i < exact.size(); ++i) {
        power += exact[i] * exact[i];
        noise += (exact[i] - other[i]) * (exact[i] - other[i]);
    }
    return noise / power;
}

std::vector<std::pair<const char*, graph::Graph>> networks()
{
    return { { "inverted residual", invertedResidual() }, { "depthwise", depthwise() }, { "fire module", fire() },
        { "groups", inGroups() }, { "classifier", classified() } };
}

void addNetworks()
{
    QTest::addColumn<graph::Graph>("graph");
    QTest::addColumn<planning::PlanRequest>("request");
    for (const auto& [name, graph] : networks())
        for (const auto scope : { quant::Scope::Compute, quant::Scope::Integer })
            for (const bool perChannel : { true, false })
                QTest::addRow(
                    "%s, %s, weights per %s", name, quant::toString(scope).c_str(), perChannel ? "channel" : "tensor")
                    << graph << requestFor(4, 4, scope, perChannel);
}

} // namespace

Q_DECLARE_METATYPE(quantoscope::graph::Graph)
Q_DECLARE_METATYPE(quantoscope::planning::PlanRequest)

class TestBalancing : public QObject {
    Q_OBJECT

private slots:
    void keepsTheFunction_data() { addNetworks(); }
    void keepsTheFunction();
    void gradientIsTheSlope_data() { addNetworks(); }
    void gradientIsTheSlope();
    void lowersTheNoise_data();
    void lowersTheNoise();
    void depthwiseChannelsGetTheWholeRange();
    void nothingQuantizedNothingMoved();
    void chainsOfSumsHaveOneFactor();
    void unknownChannelsStay();
    void deterministic();
    void cycleIsAnError();
    void factorsThatDoNotFit_data();
    void factorsThatDoNotFit();
};

void TestBalancing::keepsTheFunction()
{
    QFETCH(const graph::Graph, graph);
    QFETCH(const planning::PlanRequest, request);
    const auto result = balanced(graph, request);
    QVERIFY(!result.factors.empty());
    QVERIFY(graph::verify(*result.graph).has_value());
    for (const auto id : graph.values())
        if (!graph.isConstant(id))
            QVERIFY2(result.graph->find(graph.value(id).name), graph.value(id).name.c_str());
    const auto exact = outputsOf(graph);
    QVERIFY(relativeNoise(exact, outputsOf(*result.graph)) < 1e-10);
    // The factors alone make the same graph.
    const auto again = planning::scaledGraph(graph, result.factors);
    QVERIFY(again.has_value());
    QCOMPARE(outputsOf(*again), outputsOf(*result.graph));
}

void TestBalancing::gradientIsTheSlope()
{
    QFETCH(const graph::Graph, graph);
    QFETCH(const planning::PlanRequest, request);
    const planning::ChannelClasses classes(graph);
    const planning::NoiseModel model(graph, classes, *statsOf(graph), planOf(graph, request));
    QVERIFY(!model.empty());
    base::Random random(3);
    std::vector<double> at(classes.size());
    for (double& factor : at)
        factor = 0.7 * random.normal();
    std::vector<double> gradient;
    std::vector<double> unused;
    const double noise = model.evaluate(at, gradient);
    QVERIFY(noise > 0);
    constexpr double step = 1e-5;
    for (std::size_t c = 0; c < at.size(); ++c) {
        QVERIFY(model.movable()[c]);
        auto moved = at;
        moved[c] += step;
        const double above = model.evaluate(moved, unused);
        moved[c] -= 2 * step;
        const double slope = (above - model.evaluate(moved, unused)) / (2 * step);
        QVERIFY2(std::abs(slope - gradient[c]) < 1e-5 * noise + 1e-4 * std::abs(slope),
            qPrintable(QString("class %1: %2, not %3").arg(c).arg(gradient[c]).arg(slope)));
    }
}

/// Each kind of noise by itself: how much the one weighs against the other is a choice.
void TestBalancing::lowersTheNoise_data()
{
    QTest::addColumn<planning::PlanRequest>("request");
    QTest::newRow("activations") << requestFor({}, 5);
    QTest::newRow("every activation") << requestFor({}, 5, quant::Scope::Integer);
    QTest::newRow("weights per tensor") << requestFor(5, {}, quant::Scope::Compute, false);
}

/// What counts: quantized networks come closer to the float ones. On the whole: the model knows variances alone, and a
/// small network is one draw.
void TestBalancing::lowersTheNoise()
{
    QFETCH(const planning::PlanRequest, request);
    double logarithms = 0;
    for (const auto& [name, graph] : networks()) {
        const auto result = balanced(graph, request);
        QVERIFY(result.notes.front().find("balanced") != std::string::npos);
        const auto exact = outputsOf(graph);
        const double before = relativeNoise(exact, outputsOf(graph, planOf(graph, request)));
        const double after = relativeNoise(exact, outputsOf(*result.graph, planOf(*result.graph, request)));
        logarithms += std::log(after / before);
    }
    const double ratio = std::exp(logarithms / static_cast<double>(networks().size()));
    QVERIFY2(ratio < 0.8, qPrintable(QString::number(ratio)));
}

/// Nothing weighs against it where the layers on both sides have a scale a channel.
void TestBalancing::depthwiseChannelsGetTheWholeRange()
{
    const auto result = balanced(depthwise(), requestFor(4, 4));
    const auto before = statsOf(depthwise());
    const auto after = statsOf(*result.graph);
    std::vector<double> highest;
    for (std::size_t c = 0; c < 12; ++c)
        if (before->find("r")->channels()[c].max > before->find("r")->max() / 60) // the others are as good as dead
            highest.push_back(static_cast<double>(after->find("r")->channels()[c].max));
    QVERIFY2(highest.size() > 2, qPrintable(QString::number(highest.size())));
    const auto [least, most] = std::ranges::minmax_element(highest);
    // Sixteenth powers stand for maxima, so that channels that hardly matter behind stop a little short.
    QVERIFY2(*least > 0.4 * *most, qPrintable(QString("%1 of %2").arg(*least).arg(*most)));
}

void TestBalancing::nothingQuantizedNothingMoved()
{
    const auto result = balanced(fire(), requestFor({}, {}));
    QVERIFY(result.factors.empty());
    QVERIFY(result.notes.front().find("nothing to balance") != std::string::npos);
}

void TestBalancing::chainsOfSumsHaveOneFactor()
{
    const auto result = balanced(invertedResidual(), requestFor(4, 4, quant::Scope::Integer));
    QCOMPARE(result.factors.at("stem"), result.factors.at("project"));
    QVERIFY(!result.factors.contains("last"));
}

/// Without statistics of a layer's channels neither what it reads nor what it puts out can be weighed.
void TestBalancing::unknownChannelsStay()
{
    const auto graph = fire();
    const auto plan = planOf(graph, requestFor(4, 4));
    calibration::CalibrationStats stats = *statsOf(graph);
    stats.tensors["pool"] = stats.tensors["pool"].withoutChannels();
    const auto result = balance(graph, stats, plan);
    QVERIFY(result.has_value());
    QVERIFY(result->factors.contains("squeeze"));
    QVERIFY(!result->factors.contains("e1"));
    QVERIFY(!result->factors.contains("e3"));
}

void TestBalancing::deterministic()
{
    const auto first = balanced(invertedResidual(), requestFor(4, 6));
    QVERIFY(first.factors == balanced(invertedResidual(), requestFor(4, 6)).factors);
    QVERIFY(first.factors != balanced(invertedResidual(), requestFor(6, 4)).factors);
}

void TestBalancing::cycleIsAnError()
{
    auto graph = depthwise();
    const auto stats = statsOf(graph);
    const auto plan = planOf(graph, requestFor(4, 4));
    graph.setInput(graph.value(*graph.find("first")).producer, 0, *graph.find("r"));
    const auto result = balance(graph, *stats, plan);
    QVERIFY(!result.has_value());
    QCOMPARE(static_cast<int>(result.error().code), static_cast<int>(ErrorCode::InvalidInput));
}

void TestBalancing::factorsThatDoNotFit_data()
{
    QTest::addColumn<QString>("tensor");
    QTest::addColumn<std::vector<double>>("factors");
    QTest::addColumn<QString>("says");
    const std::vector<double> three { 1, 2, 3 };
    QTest::newRow("no such tensor") << "nowhere" << three << "does not have";
    QTest::newRow("too few") << "squeeze" << std::vector<double> { 1, 2 } << "scales 2 channels";
    QTest::newRow("zero") << "squeeze" << std::vector<double> { 1, 0, 1 } << "not positive";
    QTest::newRow("negative") << "squeeze" << std::vector<double> { 1, -1, 1 } << "not positive";
    QTest::newRow("infinite") << "squeeze" << std::vector<double> { 1, std::numeric_limits<double>::infinity(), 1 }
                              << "not positive";
    QTest::newRow("the output") << "last" << std::vector<double> { 1, 2, 1 } << "must stay";
    QTest::newRow("the image") << "image" << three << "must stay";
}

void TestBalancing::factorsThatDoNotFit()
{
    QFETCH(const QString, tensor);
    QFETCH(const std::vector<double>, factors);
    QFETCH(const QString, says);
    const auto result = planning::scaledGraph(fire(), { { tensor.toStdString(), factors } });
    QVERIFY(!result.has_value());
    const auto message = QString::fromStdString(result.error().message());
    QVERIFY2(message.contains(says) && message.contains(tensor), qPrintable(message));
}

QTEST_APPLESS_MAIN(TestBalancing)
#include "tst_balancing.moc"
