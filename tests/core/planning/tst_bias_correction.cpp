// SPDX-License-Identifier: GPL-3.0-or-later
// labels: unit numeric
#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <thread>

#include <QElapsedTimer>
#include <QtTest>

#include "core/calibration/stats.h"
#include "core/dataset/preprocessing.h"
#include "core/planning/plan_builder.h"
#include "core/planning/transforms/bias_correction.h"
#include "core/planning/transforms/channel_means.h"
#include "tests/support/memory_dataset.h"
#include "tests/support/small_networks.h"

using namespace quantoscope;
using planning::CorrectionData;
using quant::QuantizationPlan;
using quant::Scope;
using test::Attributes;
using test::Ints;

namespace {

dataset::SampleSetPtr samples(std::int64_t count = 21, int size = 8)
{
    return *dataset::SampleSet::load(test::randomDataset(count, size, size, 3, 5), {});
}

/// A residual block, a MatMul and a Gemm that scales its bias; half of the layers without one.
graph::Graph blockNet()
{
    test::GraphBuilder builder;
    const Attributes padded { { "pads", Ints { 1, 1, 1, 1 } } };
    const auto image = builder.input("image", { graph::Dim::named("batch"), 3, 8, 8 });
    const auto weight = [&](const std::string& name, Shape shape, std::uint64_t seed) {
        return builder.constant(name, test::normalTensor(shape, seed, 0.4));
    };
    auto x = builder.node("Conv", { image, weight("w1", { 6, 3, 3, 3 }, 1), weight("b1", { 6 }, 2) }, "c1", padded);
    x = builder.node("Relu", { x }, "r1");
    auto y = builder.node("Conv", { x, weight("w2", { 6, 6, 3, 3 }, 3) }, "c2", padded);
    y = builder.node("Conv", { y, weight("w3", { 6, 1, 3, 3 }, 4), weight("b3", { 6 }, 5) }, "c3",
        { { "pads", Ints { 1, 1, 1, 1 } }, { "group", std::int64_t { 6 } } });
    const auto beside = builder.node("Conv", { x, weight("w4", { 6, 6, 1, 1 }, 6) }, "c4");
    x = builder.node("Relu", { builder.node("Add", { y, beside }, "sum") }, "r2");
    x = builder.node("Flatten", { builder.node("GlobalAveragePool", { x }, "pool") }, "flat");
    x = builder.node("MatMul", { x, weight("w5", { 6, 7 }, 7) }, "product");
    x = builder.node("Relu", { x }, "r3");
    builder.output(builder.node(
        "Gemm", { x, weight("w6", { 7, 5 }, 8), weight("b6", { 1, 5 }, 9) }, "logits", { { "beta", 2.0F } }));
    const auto inferred = graph::inferShapes(builder.graph());
    if (!inferred)
        qFatal("%s", inferred.error().message().c_str());
    return builder.graph();
}

planning::PlanRequest coarse(Scope scope, bool activations = true, bool perChannel = true)
{
    planning::PlanRequest request;
    request.scope = scope;
    request.weights.bits = 3;
    request.weights.perChannel = perChannel;
    request.activations.bits = activations ? std::optional(4) : std::nullopt;
    return request;
}

QuantizationPlan planFor(
    const graph::Graph& graph, const dataset::SampleSet& images, const planning::PlanRequest& request)
{
    const auto stats = calibration::calibrate(graph, images);
    if (!stats)
        qFatal("%s", stats.error().message().c_str());
    auto built = planning::buildPlan(graph, stats->get(), request);
    if (!built)
        qFatal("%s", built.error().message().c_str());
    return std::move(*built).plan;
}

QuantizationPlan corrected(const CorrectionData& data, const QuantizationPlan& plan, const base::Job& job = {})
{
    auto result = planning::correctBias(data, plan, job);
    if (!result)
        qFatal("%s", result.error().message().c_str());
    return std::move(*result).plan;
}

/// |E[y] - E[y~]| at worst over the channels of a layer's output.
double meanError(const CorrectionData& data, const QuantizationPlan& plan, const std::string& value)
{
    const std::vector<planning::ChannelValue> values { { value, 1 } };
    const auto wanted = planning::channelMeans(data, {}, values, 1, {});
    const auto found = planning::channelMeans(data, plan, values, 1, {});
    if (!wanted || !found)
        qFatal("no means of '%s'", value.c_str());
    double largest = 0;
    for (std::size_t c = 0; c < wanted->front().size(); ++c)
        largest = std::max(largest, std::abs(wanted->front()[c] - found->front()[c]));
    return largest;
}

bool mentions(const std::vector<std::string>& notes, const std::string& text)
{
    return std::ranges::any_of(notes, [&](const auto& note) { return note.find(text) != std::string::npos; });
}

} // namespace

Q_DECLARE_METATYPE(quantoscope::planning::PlanRequest)

class TestBiasCorrection : public QObject {
    Q_OBJECT

private slots:
    void meanErrorVanishes_data();
    void meanErrorVanishes();
    void closedForm();
    void addedBiasesAreQuantized();
    void clipsToTheWordLength();
    void onlySomeLayers();
    void onlySomeImages();
    void sameForAnyThreads();
    void nothingQuantized();
    void notesWhatHasNoBias();
    void unknownLayer();
    void cancelled_data();
    void cancelled();
    void correctsAgain();
};

void TestBiasCorrection::meanErrorVanishes_data()
{
    QTest::addColumn<planning::PlanRequest>("request");
    QTest::newRow("weights alone") << coarse(Scope::Compute, false);
    QTest::newRow("weights per tensor") << coarse(Scope::Compute, false, false);
    QTest::newRow("compute scope") << coarse(Scope::Compute);
    QTest::newRow("integer scope") << coarse(Scope::Integer);
    auto floatBiases = coarse(Scope::Integer);
    floatBiases.biasBits.reset();
    QTest::newRow("integer scope, float biases") << floatBiases;
}

/// Up to float rounding, or half a step where the bias is quantized.
void TestBiasCorrection::meanErrorVanishes()
{
    QFETCH(const planning::PlanRequest, request);
    const auto graph = blockNet();
    const auto images = samples();
    const CorrectionData data { .graph = graph, .samples = *images };
    const auto before = planFor(graph, *images, request);
    const auto after = corrected(data, before);
    const std::map<std::string, std::string> biases { { "c1", "b1" }, { "c2", "c2_node.bias" }, { "c3", "b3" },
        { "c4", "c4_node.bias" }, { "product", "product_node.bias" }, { "logits", "b6" } };
    double worst = 0;
    for (const auto& [value, bias] : biases) {
        const auto* quantizer = after.find(bias);
        const float step = quantizer ? std::ranges::max(quantizer->encoding.scale) : 0;
        const double left = meanError(data, after, value);
        worst = std::max(worst, meanError(data, before, value));
        QVERIFY2(left < 1e-5 + static_cast<double>(step) / 2,
            qPrintable(QString("%1: %2").arg(QString::fromStdString(value)).arg(left)));
    }
    QVERIFY2(worst > 0.1, qPrintable(QString::number(worst)));
    // Nothing but biases changed.
    QCOMPARE(after.constants().size(), std::size_t { 3 });
    QCOMPARE(after.addedBiases().size(), std::size_t { 3 });
    for (const auto& [name, quantizer] : before.tensors())
        QVERIFY(after.find(name) && *after.find(name) == quantizer);
}

/// One weight of 0.8 that becomes 1: the bias must give back 0.2 E[x].
void TestBiasCorrection::closedForm()
{
    test::Chain chain({ graph::Dim::named("batch"), 3, 8, 8 });
    const std::vector<float> weight { 0.8F, 0, 0, 0, 0.8F, 0 };
    chain.node("Conv", "c", { Tensor::from<float>({ 2, 3, 1, 1 }, weight), test::floats({ 7, -7 }) });
    const auto graph = chain.finish();
    QuantizationPlan plan;
    quant::TensorQuantizer quantizer;
    quantizer.role = quant::Role::Weight; // a step of 1
    plan.set("c_weight", quantizer);
    const auto images = samples();
    const CorrectionData data { .graph = graph, .samples = *images };
    const auto means = planning::channelMeans(data, {}, { { "image", 1 } }, 4, {});
    QVERIFY(means.has_value());
    const auto after = corrected(data, plan);
    const auto bias = after.constants().at("c_bias")->as<float>();
    QVERIFY(std::abs(static_cast<double>(bias[0]) - (7 - 0.2 * means->front()[0])) < 1e-5);
    QVERIFY(std::abs(static_cast<double>(bias[1]) - (-7 - 0.2 * means->front()[1])) < 1e-5);
    QVERIFY(means->front()[0] > 0.1);
}

void TestBiasCorrection::addedBiasesAreQuantized()
{
    const auto graph = blockNet();
    const auto images = samples();
    const CorrectionData data { .graph = graph, .samples = *images };
    const auto after = corrected(data, planFor(graph, *images, coarse(Scope::Integer)));
    for (const auto& [layer, input, weight] : { std::tuple { "c2_node", "r1", "w2" }, { "c4_node", "r1", "w4" } }) {
        const auto* quantizer = after.find(quant::addedBiasName(layer));
        QVERIFY(quantizer);
        QCOMPARE(static_cast<int>(quantizer->role), static_cast<int>(quant::Role::Bias));
        const auto& scales = after.find(weight)->encoding.scale;
        for (std::size_t c = 0; c < scales.size(); ++c)
            QCOMPARE(quantizer->encoding.scale[c], after.find(input)->encoding.scale[0] * scales[c]);
        QCOMPARE(quantizer->encoding.bits(), 32);
    }
    // In the compute scope biases are float.
    const auto computed = corrected(data, planFor(graph, *images, coarse(Scope::Compute)));
    QVERIFY(!computed.find(quant::addedBiasName("c2_node")));
}

void TestBiasCorrection::clipsToTheWordLength()
{
    const auto graph = blockNet();
    const auto images = samples();
    auto plan = planFor(graph, *images, coarse(Scope::Integer));
    auto narrow = *plan.find("b1");
    narrow.encoding.qmin = -3;
    narrow.encoding.qmax = 3;
    plan.set("b1", narrow);
    const auto result = planning::correctBias({ .graph = graph, .samples = *images, .layers = { "c1_node" } }, plan);
    QVERIFY(result.has_value());
    QVERIFY(mentions(result->notes, "'c1_node': the corrected bias does not fit int3"));
    const auto bias = result->plan.constants().at("b1")->as<float>();
    for (std::size_t c = 0; c < bias.size(); ++c)
        QVERIFY(bias[c] <= narrow.encoding.high(c) && bias[c] >= narrow.encoding.low(c));
}

void TestBiasCorrection::onlySomeLayers()
{
    const auto graph = blockNet();
    const auto images = samples();
    const auto plan = planFor(graph, *images, coarse(Scope::Compute));
    const CorrectionData data { .graph = graph, .samples = *images, .layers = { "logits_node", "c3_node" } };
    const auto after = corrected(data, plan);
    QCOMPARE(after.constants().size(), std::size_t { 2 });
    QVERIFY(after.constants().contains("b3") && after.constants().contains("b6"));
    QVERIFY(after.addedBiases().empty());
    QVERIFY(meanError(data, after, "c3") < 1e-5 && meanError(data, after, "logits") < 1e-5);
    QVERIFY(meanError(data, after, "c2") > 1e-3);
}

void TestBiasCorrection::onlySomeImages()
{
    const auto graph = blockNet();
    const auto images = samples();
    const auto plan = planFor(graph, *images, coarse(Scope::Compute));
    const CorrectionData few { .graph = graph, .samples = *images, .images = 3 };
    const auto after = corrected(few, plan);
    QVERIFY(meanError(few, after, "logits") < 1e-5);
    QVERIFY(meanError({ .graph = graph, .samples = *images }, after, "logits") > 1e-4);
}

void TestBiasCorrection::sameForAnyThreads()
{
    const auto graph = blockNet();
    const auto images = samples(40);
    const auto plan = planFor(graph, *images, coarse(Scope::Integer));
    const auto one = corrected({ .graph = graph, .samples = *images, .threads = 1 }, plan);
    for (const int threads : { 2, 5 })
        QVERIFY(corrected({ .graph = graph, .samples = *images, .threads = threads }, plan) == one);
}

void TestBiasCorrection::nothingQuantized()
{
    const auto graph = blockNet();
    const auto images = samples();
    QVERIFY(corrected({ .graph = graph, .samples = *images }, {}) == QuantizationPlan());
}

void TestBiasCorrection::notesWhatHasNoBias()
{
    test::GraphBuilder builder;
    const auto image = builder.input("image", { graph::Dim::named("batch"), 3, 8, 8 });
    const auto turned = builder.node("Transpose", { image }, "t", { { "perm", Ints { 0, 1, 3, 2 } } });
    const auto x = builder.node("MatMul", { image, turned }, "m");
    builder.output(builder.node("MatMul", { builder.constant("w", test::normalTensor({ 8, 8 }, 1)), x }, "y"));
    QVERIFY(graph::inferShapes(builder.graph()).has_value());
    const auto images = samples();
    const auto plan = planFor(builder.graph(), *images, coarse(Scope::Compute));
    const auto result = planning::correctBias({ .graph = builder.graph(), .samples = *images }, plan);
    QVERIFY(result.has_value());
    QVERIFY(result->plan == plan);
    QVERIFY(mentions(result->notes, "'m_node': bias not corrected: it multiplies two activations"));
    QVERIFY(mentions(result->notes, "'y_node': bias not corrected: its weight is the left operand"));
}

void TestBiasCorrection::unknownLayer()
{
    const auto graph = blockNet();
    const auto images = samples();
    const auto result = planning::correctBias({ .graph = graph, .samples = *images, .layers = { "c9" } }, {});
    QVERIFY(!result.has_value());
    QCOMPARE(static_cast<int>(result.error().code), static_cast<int>(ErrorCode::NotFound));
    QCOMPARE(QString::fromStdString(result.error().where), QString("layer 'c9'"));
}

void TestBiasCorrection::cancelled_data()
{
    QTest::addColumn<int>("milliseconds");
    QTest::newRow("before it began") << 0;
    QTest::newRow("while it runs") << 40;
}

void TestBiasCorrection::cancelled()
{
    QFETCH(const int, milliseconds);
    const auto graph = blockNet();
    const auto images = samples(20000);
    const auto plan = planFor(graph, *samples(), coarse(Scope::Compute));
    std::stop_source stop;
    const std::jthread later([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
        stop.request_stop();
    });
    if (milliseconds == 0)
        stop.request_stop();
    QElapsedTimer timer;
    timer.start();
    const auto result
        = planning::correctBias({ .graph = graph, .samples = *images }, plan, { nullptr, stop.get_token() });
    QVERIFY(!result.has_value());
    QCOMPARE(static_cast<int>(result.error().code), static_cast<int>(ErrorCode::Cancelled));
    QVERIFY2(timer.elapsed() < milliseconds + 1000, qPrintable(QString::number(timer.elapsed())));
}

/// What is right already stays.
void TestBiasCorrection::correctsAgain()
{
    const auto graph = blockNet();
    const auto images = samples();
    const CorrectionData data { .graph = graph, .samples = *images };
    const auto once = corrected(data, planFor(graph, *images, coarse(Scope::Compute)));
    const auto twice = corrected(data, once);
    for (const auto& [name, values] : once.constants()) {
        const auto again = twice.constants().at(name)->as<float>();
        for (std::size_t i = 0; i < again.size(); ++i)
            QVERIFY(std::abs(again[i] - values->as<float>()[i]) < 1e-4F);
    }
}

QTEST_APPLESS_MAIN(TestBiasCorrection)
#include "tst_bias_correction.moc"
