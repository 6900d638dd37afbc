// SPDX-License-Identifier: GPL-3.0-or-later
// Corrections of whole networks: what the layers see, that constants lie on their grids, that outputs come closer to
// float, and that nothing depends on the number of threads.
#include <cmath>
#include <stop_token>

#include <QTest>

#include "core/calibration/feed.h"
#include "core/calibration/stats.h"
#include "core/planning/plan_builder.h"
#include "core/planning/transforms/adaptive_rounding.h"
#include "core/planning/transforms/compensation.h"
#include "core/planning/transforms/reconstruction.h"
#include "core/planning/transforms/replay.h"
#include "tests/support/memory_dataset.h"
#include "tests/support/small_networks.h"

using namespace quantoscope;
using namespace quantoscope::planning;
using test::Attributes;
using test::Ints;
using test::normalTensor;

namespace {

dataset::SampleSetPtr images(std::int64_t count)
{
    return *dataset::SampleSet::load(test::randomDataset(count, 8, 8, 3, 4), {});
}

/// A residual block with a depthwise layer in it, and two branches that are joined: more than one value is alive at
/// most cuts.
graph::Graph branchedNet()
{
    test::GraphBuilder b;
    const auto x = b.input("image", { graph::Dim::named("batch"), 3, 8, 8 });
    const auto weight = [&b](const char* name, const Shape& shape, std::uint64_t seed) {
        return b.constant(name, normalTensor(shape, seed, 0.4));
    };
    const Attributes padded { { "pads", Ints { 1, 1, 1, 1 } } };
    Attributes depthwise = padded;
    depthwise["group"] = std::int64_t { 8 };
    const auto stem = b.node("Relu", { b.node("Conv", { x, weight("w0", { 8, 3, 3, 3 }, 1) }, "stem", padded) }, "r0");
    const auto middle
        = b.node("Relu", { b.node("Conv", { stem, weight("w1", { 8, 1, 3, 3 }, 2) }, "dw", depthwise) }, "r1");
    const auto back = b.node("Conv", { middle, weight("w2", { 8, 8, 1, 1 }, 3), weight("b2", { 8 }, 4) }, "project");
    const auto sum = b.node("Add", { back, stem }, "sum");
    const auto left = b.node("Conv", { sum, weight("w3", { 4, 8, 1, 1 }, 5) }, "left");
    const auto right = b.node("Conv", { sum, weight("w4", { 4, 8, 3, 3 }, 6) }, "right", padded);
    const auto both = b.node("Concat", { left, right }, "both", { { "axis", std::int64_t { 1 } } });
    const auto flat
        = b.node("Flatten", { b.node("GlobalAveragePool", { b.node("Relu", { both }, "r2") }, "pool") }, "flat");
    b.output(b.node("MatMul", { flat, weight("w5", { 8, 4 }, 7) }, "logits"));
    [[maybe_unused]] const auto inferred = graph::inferShapes(b.graph());
    Q_ASSERT(inferred.has_value());
    return b.graph();
}

/// A value and what one more layer makes of it, added.
graph::Graph sumNet()
{
    test::GraphBuilder b;
    const auto x = b.input("image", { graph::Dim::named("batch"), 3, 8, 8 });
    const auto weight = [&b](const char* name, const Shape& shape, std::uint64_t seed) {
        return b.constant(name, normalTensor(shape, seed, 0.4));
    };
    const auto stem = b.node("Relu", { b.node("Conv", { x, weight("w0", { 6, 3, 3, 3 }, 1) }, "stem") }, "r0");
    const auto branch = b.node("Conv", { stem, weight("w1", { 6, 6, 1, 1 }, 2), weight("b1", { 6 }, 3) }, "branch");
    b.output(b.node("Add", { stem, branch }, "sum"));
    [[maybe_unused]] const auto inferred = graph::inferShapes(b.graph());
    Q_ASSERT(inferred.has_value());
    return b.graph();
}

/// Of each of six channels over images and places.
std::vector<double> channelMeans(const std::vector<float>& values)
{
    std::vector<double> means(6);
    const std::size_t places = 36;
    for (std::size_t i = 0; i < values.size(); ++i)
        means[i / places % 6] += static_cast<double>(values[i]) * 6 / static_cast<double>(values.size());
    return means;
}

quant::QuantizationPlan planFor(
    const graph::Graph& graph, const dataset::SampleSet& samples, quant::Scope scope, int bits)
{
    PlanRequest request;
    request.scope = scope;
    request.weights.bits = bits;
    request.activations.bits = bits;
    request.weights.range.method = request.activations.range.method = quant::RangeSpec::Method::Mse;
    const auto stats = calibration::calibrate(graph, samples);
    Q_ASSERT(stats.has_value());
    const auto built = buildPlan(graph, stats->get(), request);
    Q_ASSERT(built.has_value());
    return built->plan;
}

std::vector<float> outputs(
    const graph::Graph& graph, const quant::QuantizationPlan& plan, const dataset::SampleSet& samples)
{
    const auto feed = calibration::Feed::create(graph, plan, samples, { .batch = 1 });
    Q_ASSERT(feed.has_value());
    calibration::FeedWorker worker(*feed);
    std::vector<float> all;
    for (std::int64_t item = 0; item < feed->batches(); ++item) {
        const auto run = worker.run(item);
        if (!run)
            qFatal("%s", run.error().message().c_str());
        const auto values = worker.output(0).as<float>();
        all.insert(all.end(), values.begin(), values.end());
    }
    return all;
}

double distance(const std::vector<float>& a, const std::vector<float>& b)
{
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i)
        sum += std::pow(static_cast<double>(a[i]) - static_cast<double>(b[i]), 2);
    return sum;
}

enum Kind { Compensate, CompensateWithGain, Adaptive, Reconstruct };

Result<CorrectedPlan> correct(Kind kind, const CorrectionData& data, const quant::QuantizationPlan& plan,
    const base::Job& job = {}, const SamplingLimits& limits = {})
{
    switch (kind) {
    case Compensate:
        return compensateWeights(data, plan, { .limits = limits }, job);
    case CompensateWithGain:
        return compensateWeights(data, plan, { .gain = true, .limits = limits }, job);
    case Adaptive:
        return roundAdaptively(data, plan, { .limits = limits }, job);
    case Reconstruct:
        return reconstructWeights(data, plan, { .sweeps = 3, .limits = limits }, job);
    }
    Q_UNREACHABLE();
}

void addCases()
{
    QTest::addColumn<int>("kind");
    QTest::addColumn<bool>("integer");
    const std::pair<const char*, Kind> kinds[] { { "compensation", Compensate },
        { "compensation with gain", CompensateWithGain }, { "adaptive rounding", Adaptive },
        { "reconstruction", Reconstruct } };
    for (const auto& [name, kind] : kinds) {
        QTest::addRow("%s, compute", name) << static_cast<int>(kind) << false;
        QTest::addRow("%s, integer", name) << static_cast<int>(kind) << true;
    }
}

} // namespace

class TestWeightCorrection : public QObject {
    Q_OBJECT

private slots:
    /// Whatever the cut, values are those of the whole network.
    void replayIsTheNetwork_data()
    {
        QTest::addColumn<bool>("integer");
        QTest::addColumn<qulonglong>("memory");
        QTest::newRow("compute, every cut kept") << false << qulonglong { 1 } * (1 << 30);
        QTest::newRow("integer, every cut kept") << true << qulonglong { 1 } * (1 << 30);
        QTest::newRow("integer, small cuts kept") << true << qulonglong { 20000 };
        QTest::newRow("integer, none kept") << true << qulonglong { 0 };
    }
    void replayIsTheNetwork()
    {
        QFETCH(bool, integer);
        QFETCH(qulonglong, memory);
        const auto graph = branchedNet();
        const auto samples = images(11);
        const auto plan = planFor(graph, *samples, integer ? quant::Scope::Integer : quant::Scope::Compute, 4);
        const auto expected = outputs(graph, plan, *samples);
        const auto stage = *Stage::create(graph, *samples, -1);
        Replay replay(stage, 2, static_cast<std::size_t>(memory));
        for (const auto& layer : graph::computeLayers(stage->graph())) {
            QVERIFY(replay.advance(plan, layer.node, {}).has_value());
            std::vector<float> values(expected.size());
            const auto run = replay.run(plan, { stage->graph().outputs()[0], layer.input },
                [&](std::int64_t batch, std::span<const TensorView> seen) {
                    const auto logits = seen[0].as<float>();
                    const auto first = static_cast<std::size_t>(batch * stage->batch() * 4);
                    for (std::size_t i = 0; i < logits.size() && first + i < values.size(); ++i)
                        values[first + i] = logits[i];
                },
                {});
            QVERIFY2(run.has_value(), run ? "" : run.error().message().c_str());
            QVERIFY2(distance(values, expected) < 1e-8 * distance(expected, std::vector<float>(expected.size())),
                layer.name.c_str());
        }
    }

    /// What is wrong with the other part of a sum is made up for: no layer before is corrected, and yet means are
    /// right.
    void sumsAreMadeRight_data()
    {
        QTest::addColumn<bool>("integer");
        QTest::newRow("compute") << false;
        QTest::newRow("integer") << true;
    }
    void sumsAreMadeRight()
    {
        QFETCH(bool, integer);
        const auto graph = sumNet();
        const auto samples = images(20);
        const auto plan = planFor(graph, *samples, integer ? quant::Scope::Integer : quant::Scope::Compute, 3);
        CorrectionData data { graph, *samples };
        data.layers = { graph::computeLayers(graph).back().name };
        // Every position is looked at, so that means are those of all of them.
        const auto corrected = reconstructWeights(data, plan, { .gain = false, .limits = { .positions = 36 } });
        QVERIFY2(corrected.has_value(), corrected ? "" : corrected.error().message().c_str());
        const auto wanted = channelMeans(outputs(graph, {}, *samples));
        const auto before = channelMeans(outputs(graph, plan, *samples));
        const auto after = channelMeans(outputs(graph, corrected->plan, *samples));
        double worst = 0;
        double wrong = 0;
        for (std::size_t c = 0; c < wanted.size(); ++c) {
            worst = std::max(worst, std::abs(after[c] - wanted[c]));
            wrong = std::max(wrong, std::abs(before[c] - wanted[c]));
        }
        // The sum's own quantizer moves means by a part of its step.
        const auto limit = integer ? 0.7 * wrong : 1e-3 * wrong;
        QVERIFY2(worst < limit, qPrintable(QString("%1, before %2").arg(worst).arg(wrong)));
    }

    void constantsLieOnTheirGrids_data() { addCases(); }
    void constantsLieOnTheirGrids()
    {
        QFETCH(int, kind);
        QFETCH(bool, integer);
        const auto graph = branchedNet();
        const auto samples = images(24);
        const auto plan = planFor(graph, *samples, integer ? quant::Scope::Integer : quant::Scope::Compute, 3);
        const auto corrected = correct(static_cast<Kind>(kind), { graph, *samples }, plan);
        QVERIFY2(corrected.has_value(), corrected ? "" : corrected.error().message().c_str());
        for (const char* name : { "w0", "w1", "w2", "w3", "w4", "w5" }) {
            QVERIFY2(corrected->plan.constants().contains(name), name);
            const auto& values = *corrected->plan.constants().at(name);
            const auto& encoding = corrected->plan.find(name)->encoding;
            QVERIFY(encoding.validate().has_value());
            QVERIFY(std::ranges::equal(quant::fakeQuantize(encoding, values.view()).as<float>(), values.as<float>()));
            if (kind == Compensate)
                QVERIFY(encoding == plan.find(name)->encoding);
        }
        for (const auto& [name, quantizer] : corrected->plan.tensors()) {
            if (quantizer.role != quant::Role::Bias)
                continue;
            const auto layers = graph::computeLayers(graph);
            const auto layer = std::ranges::find_if(layers, [&](const graph::Layer& l) {
                return name == (l.bias.valid() ? graph.value(l.bias).name : quant::addedBiasName(l.name));
            });
            QVERIFY(layer != layers.end());
            const double wanted
                = static_cast<double>(corrected->plan.find(graph.value(layer->input).name)->encoding.scale[0])
                * static_cast<double>(corrected->plan.find(graph.value(layer->weight).name)->encoding.scale[0]);
            QVERIFY(std::abs(static_cast<double>(quantizer.encoding.scale[0]) / wanted - 1) < 1e-5);
        }
    }

    void outputsComeCloserToFloat_data() { addCases(); }
    void outputsComeCloserToFloat()
    {
        QFETCH(int, kind);
        QFETCH(bool, integer);
        const auto graph = branchedNet();
        const auto samples = images(64);
        const auto plan = planFor(graph, *samples, integer ? quant::Scope::Integer : quant::Scope::Compute, 4);
        const auto corrected = correct(static_cast<Kind>(kind), { graph, *samples }, plan);
        QVERIFY2(corrected.has_value(), corrected ? "" : corrected.error().message().c_str());
        const auto wanted = outputs(graph, {}, *samples);
        const double before = distance(outputs(graph, plan, *samples), wanted);
        const double after = distance(outputs(graph, corrected->plan, *samples), wanted);
        // Gains are not there to bring this distance down; they must not blow it up.
        const double share = kind == Reconstruct ? 0.5 : kind == CompensateWithGain ? 1.1 : 0.95;
        QVERIFY2(after < share * before, qPrintable(QString("%1 -> %2").arg(before).arg(after)));
    }

    void sameForAnyNumberOfThreads_data() { addCases(); }
    void sameForAnyNumberOfThreads()
    {
        QFETCH(int, kind);
        QFETCH(bool, integer);
        const auto graph = branchedNet();
        const auto samples = images(13);
        const auto plan = planFor(graph, *samples, integer ? quant::Scope::Integer : quant::Scope::Compute, 4);
        CorrectionData data { graph, *samples };
        data.threads = 1;
        const auto one = correct(static_cast<Kind>(kind), data, plan);
        data.threads = 3;
        const auto three = correct(static_cast<Kind>(kind), data, plan, {}, { .activationMemory = 0 });
        QVERIFY(one.has_value() && three.has_value());
        QVERIFY(one->plan == three->plan);
        data.seed = 1;
        const auto other = correct(static_cast<Kind>(kind), data, plan, {}, { .positions = 4 });
        QVERIFY(other.has_value());
        QVERIFY(!(other->plan == one->plan));
    }

    void onlyChosenLayersChange()
    {
        const auto graph = branchedNet();
        const auto samples = images(8);
        const auto plan = planFor(graph, *samples, quant::Scope::Compute, 4);
        CorrectionData data { graph, *samples };
        data.layers = { "project_node" };
        const auto corrected = reconstructWeights(data, plan);
        QVERIFY(corrected.has_value());
        QCOMPARE(corrected->plan.constants().size(), std::size_t { 2 }); // weight and bias
        QVERIFY(corrected->plan.addedBiases().empty());
        data.layers = { "nobody" };
        QCOMPARE(reconstructWeights(data, plan).error().code, ErrorCode::NotFound);
    }

    void weightsThatStayAreNoted()
    {
        const auto graph = branchedNet();
        const auto samples = images(8);
        auto plan = planFor(graph, *samples, quant::Scope::Compute, 4);
        plan.erase("w0"); // float: nothing to say
        const auto corrected
            = correct(Compensate, { graph, *samples }, plan, {}, { .columns = 40 }); // "right" reads 72 inputs
        QVERIFY(corrected.has_value());
        QVERIFY(!corrected->plan.constants().contains("w0"));
        QVERIFY(!corrected->plan.constants().contains("w4"));
        QCOMPARE(corrected->notes.size(), std::size_t { 1 });
        QVERIFY2(corrected->notes[0].find("right_node") != std::string::npos, corrected->notes[0].c_str());
    }

    void stopsWhenAsked_data() { addCases(); }
    void stopsWhenAsked()
    {
        QFETCH(int, kind);
        const auto graph = branchedNet();
        const auto samples = images(8);
        const auto plan = planFor(graph, *samples, quant::Scope::Compute, 4);
        std::stop_source stop;
        base::Progress progress([&](const base::ProgressState&) { stop.request_stop(); });
        const auto corrected
            = correct(static_cast<Kind>(kind), { graph, *samples }, plan, { &progress, stop.get_token() });
        QVERIFY(!corrected.has_value());
        QCOMPARE(corrected.error().code, ErrorCode::Cancelled);
    }

    void oneImageIsEnough_data() { addCases(); }
    void oneImageIsEnough()
    {
        QFETCH(int, kind);
        QFETCH(bool, integer);
        const auto graph = branchedNet();
        const auto samples = images(1);
        const auto plan = planFor(graph, *samples, integer ? quant::Scope::Integer : quant::Scope::Compute, 8);
        const auto corrected = correct(static_cast<Kind>(kind), { graph, *samples }, plan);
        QVERIFY2(corrected.has_value(), corrected ? "" : corrected.error().message().c_str());
        for (const float value : outputs(graph, corrected->plan, *samples))
            QVERIFY(std::isfinite(value));
    }

    void noImagesAreAnError()
    {
        const auto graph = branchedNet();
        const auto samples = images(8);
        CorrectionData data { graph, *samples };
        data.images = 0;
        const auto corrected = compensateWeights(data, planFor(graph, *samples, quant::Scope::Compute, 4));
        QVERIFY(!corrected.has_value());
        QCOMPARE(corrected.error().code, ErrorCode::InvalidInput);
    }
};

QTEST_APPLESS_MAIN(TestWeightCorrection)
#include "tst_weight_correction.moc"
