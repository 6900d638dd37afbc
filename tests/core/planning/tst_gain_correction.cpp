// SPDX-License-Identifier: GPL-3.0-or-later
// labels: unit numeric
#include <algorithm>
#include <cmath>
#include <memory>

#include <QtTest>

#include "core/dataset/preprocessing.h"
#include "core/planning/plan_builder.h"
#include "core/planning/transforms/gain_correction.h"
#include "tests/support/memory_dataset.h"
#include "tests/support/small_networks.h"

using namespace quantoscope;
using planning::CorrectionData;
using quant::QuantizationPlan;
using quant::Rounding;

namespace {

const dataset::SampleSet& noImagesNeeded()
{
    static const auto samples = *dataset::SampleSet::load(test::randomDataset(1, 8, 8, 3, 5), {});
    return *samples;
}

planning::CorrectedPlan corrected(
    const graph::Graph& graph, const QuantizationPlan& plan, std::vector<std::string> layers = {})
{
    auto result
        = planning::correctGain({ .graph = graph, .samples = noImagesNeeded(), .layers = layers, .images = 0 }, plan);
    if (!result)
        qFatal("%s", result.error().message().c_str());
    return *std::move(result);
}

QuantizationPlan planFor(const graph::Graph& graph, const planning::TensorWish& weights)
{
    planning::PlanRequest request;
    request.weights = weights;
    request.activations.bits.reset();
    auto built = planning::buildPlan(graph, nullptr, request);
    if (!built)
        qFatal("%s", built.error().message().c_str());
    return std::move(*built).plan;
}

planning::TensorWish wish(
    int bits, bool perChannel, const char* scheme = "symmetric", Rounding rounding = Rounding::HalfEven)
{
    planning::TensorWish wish;
    wish.bits = bits;
    wish.perChannel = perChannel;
    wish.scheme = scheme;
    wish.range.method = quant::RangeSpec::Method::Mse;
    wish.rounding = rounding;
    return wish;
}

/// A 1x1 convolution with these weights [outputs, 3].
graph::Graph single(const std::vector<float>& weights)
{
    test::Chain chain({ 1, 3, 8, 8 });
    const auto outputs = static_cast<std::int64_t>(weights.size() / 3);
    chain.node(
        "Conv", "c", { Tensor::from<float>({ outputs, 3, 1, 1 }, weights), Tensor(DType::Float32, { outputs }) });
    return chain.finish();
}

/// Step 1 for each of `channels` channels, one in all for 0.
QuantizationPlan unitSteps(std::size_t channels)
{
    quant::TensorQuantizer quantizer;
    quantizer.role = quant::Role::Weight;
    if (channels > 0) {
        quantizer.encoding.scale.assign(channels, 1);
        quantizer.encoding.zeroPoint.assign(channels, 0);
        quantizer.encoding.axis = 0;
    }
    QuantizationPlan plan;
    plan.set("c_weight", quantizer);
    return plan;
}

bool mentions(const std::vector<std::string>& notes, const std::string& text)
{
    return std::ranges::any_of(notes, [&](const auto& note) { return note.find(text) != std::string::npos; });
}

} // namespace

Q_DECLARE_METATYPE(quantoscope::planning::TensorWish)

class TestGainCorrection : public QObject {
    Q_OBJECT

private slots:
    void closedForm_data();
    void closedForm();
    void restores_data();
    void restores();
    void restoresOutputs_data();
    void restoresOutputs();
    void sameForAnyThreads();
    void startsFromCorrectedWeights();
    void biasesFollow();
    void powerOfTwoStays();
    void onlySomeLayers();
    void unknownLayer();
    void cancelled();
};

void TestGainCorrection::closedForm_data()
{
    QTest::addColumn<std::size_t>("channels");
    QTest::addColumn<std::vector<float>>("scales");
    // Channel 0 rounds to 1, 0, 0; channel 1 to 2, -1, 0.
    QTest::newRow("per channel") << std::size_t { 2 }
                                 << std::vector<float> { 1.16F, static_cast<float>((4.84 + 0.64) / (4.4 + 0.8)) };
    QTest::newRow("per tensor") << std::size_t { 0 }
                                << std::vector<float> { static_cast<float>((1.16 + 5.48) / (1 + 5.2)) };
}

void TestGainCorrection::closedForm()
{
    QFETCH(const std::size_t, channels);
    QFETCH(const std::vector<float>, scales);
    const auto after = corrected(single({ 1, 0.4F, 0, 2.2F, -0.8F, 0 }), unitSteps(channels));
    const auto& encoding = after.plan.find("c_weight")->encoding;
    QCOMPARE(encoding.scale.size(), scales.size());
    const std::vector<float> levels { 1, 0, 0, 2, -1, 0 };
    const auto values = after.plan.constants().at("c_weight")->as<float>();
    for (std::size_t i = 0; i < levels.size(); ++i) {
        const float scale = encoding.scale[scales.size() == 1 ? 0 : i / 3];
        QVERIFY(std::abs(scale - scales[scales.size() == 1 ? 0 : i / 3]) < 1e-6F);
        QCOMPARE(values[i], levels[i] * scale);
    }
}

void TestGainCorrection::restores_data()
{
    QTest::addColumn<planning::TensorWish>("weights");
    for (const int bits : { 2, 3, 4, 8, 16 }) {
        QTest::addRow("%d bits per channel", bits) << wish(bits, true);
        QTest::addRow("%d bits per tensor", bits) << wish(bits, false);
        QTest::addRow("%d bits asymmetric", bits) << wish(bits, true, "asymmetric");
    }
    QTest::newRow("floor") << wish(4, true, "symmetric", Rounding::Floor);
    QTest::newRow("ceil") << wish(4, true, "asymmetric", Rounding::Ceil);
    QTest::newRow("half away") << wish(4, true, "symmetric", Rounding::HalfAway);
    QTest::newRow("stochastic") << wish(4, true, "symmetric", Rounding::Stochastic);
}

/// The integers stay, <w, w~> becomes <w, w>, and quantizing the new weight changes nothing.
void TestGainCorrection::restores()
{
    QFETCH(const planning::TensorWish, weights);
    const auto graph = test::smallConvNet(3, 8, 5);
    const auto plan = planFor(graph, weights);
    const auto after = corrected(graph, plan).plan;
    QCOMPARE(after.constants().size(), std::size_t { 3 });
    for (const auto& [name, values] : after.constants()) {
        const auto& exact = *graph.value(*graph.find(name)).constant;
        const auto& before = plan.find(name)->encoding;
        const auto& encoding = after.find(name)->encoding;
        const auto count = static_cast<std::size_t>(exact.size());
        std::vector<std::int32_t> chosen(count);
        std::vector<std::int32_t> levels(count);
        quant::quantize(before, exact.shape(), exact.as<float>(), chosen, plan.seedFor(name));
        quant::quantize(encoding, exact.shape(), values->as<float>(), levels, after.seedFor(name));
        QVERIFY(chosen == levels);
        const auto again = quant::fakeQuantize(encoding, values->view(), after.seedFor(name));
        QVERIFY(std::ranges::equal(again.as<float>(), values->as<float>()));

        const auto channels = encoding.scale.size();
        const auto inner = encoding.perChannel() ? count / channels : 1;
        std::vector<double> power(channels);
        std::vector<double> product(channels);
        for (std::size_t i = 0; i < count; ++i) {
            const auto w = static_cast<double>(exact.as<float>()[i]);
            power[i / inner % channels] += w * w;
            product[i / inner % channels] += w * static_cast<double>(values->as<float>()[i]);
        }
        for (std::size_t c = 0; c < channels; ++c)
            QVERIFY2(std::abs(product[c] / power[c] - 1) < 1e-6, qPrintable(QString::number(product[c] / power[c])));
    }
}

void TestGainCorrection::restoresOutputs_data()
{
    QTest::addColumn<bool>("perChannel");
    QTest::newRow("per channel") << true;
    QTest::newRow("per tensor") << false;
}

/// On the images each channel answers as strongly as the float network's: another correction finds nothing to do.
void TestGainCorrection::restoresOutputs()
{
    QFETCH(const bool, perChannel);
    const auto graph = test::smallConvNet(3, 8, 5);
    const auto samples = *dataset::SampleSet::load(test::randomDataset(21, 8, 8, 3, 5), {});
    const CorrectionData data { .graph = graph, .samples = *samples };
    const auto plan = planFor(graph, wish(3, perChannel));
    const auto once = planning::correctGain(data, plan);
    QVERIFY(once.has_value());
    const auto twice = planning::correctGain(data, once->plan);
    QVERIFY(twice.has_value());
    double changed = 0;
    for (const auto& [name, quantizer] : once->plan.tensors())
        for (std::size_t c = 0; c < quantizer.encoding.scale.size(); ++c) {
            const float before = plan.find(name)->encoding.scale[c];
            const float restored = quantizer.encoding.scale[c];
            changed = std::max(changed, std::abs(static_cast<double>(restored / before) - 1));
            QVERIFY(std::abs(twice->plan.find(name)->encoding.scale[c] / restored - 1) < 1e-4F);
        }
    QVERIFY(changed > 0.02);
}

void TestGainCorrection::sameForAnyThreads()
{
    const auto graph = test::smallConvNet(3, 8, 5);
    const auto samples = *dataset::SampleSet::load(test::randomDataset(40, 8, 8, 3, 5), {});
    const auto plan = planFor(graph, wish(3, true));
    const auto one = planning::correctGain({ .graph = graph, .samples = *samples, .threads = 1 }, plan);
    for (const int threads : { 2, 5 }) {
        const auto many = planning::correctGain({ .graph = graph, .samples = *samples, .threads = threads }, plan);
        QVERIFY(one.has_value() && many.has_value() && one->plan == many->plan);
    }
}

/// After compensation the plan's weight counts, not the graph's rounded to nearest.
void TestGainCorrection::startsFromCorrectedWeights()
{
    auto plan = unitSteps(1);
    plan.setConstant("c_weight",
        std::make_shared<const Tensor>(Tensor::from<float>({ 1, 3, 1, 1 }, std::vector<float> { 1, 1, 0 })));
    const auto after = corrected(single({ 1, 0.4F, 0 }), plan).plan;
    QVERIFY(std::abs(after.find("c_weight")->encoding.scale[0] - 1.16F / 1.4F) < 1e-6F);
}

void TestGainCorrection::biasesFollow()
{
    const auto graph = single({ 1, 0.4F, 0, 2.2F, -0.8F, 0 });
    auto plan = unitSteps(2);
    quant::TensorQuantizer bias;
    bias.role = quant::Role::Bias;
    bias.encoding.scale = { 0.25F, 0.25F };
    bias.encoding.zeroPoint = { 0, 0 };
    bias.encoding.axis = 0;
    plan.set("c_bias", bias);
    const auto after = corrected(graph, plan).plan;
    const auto& weights = after.find("c_weight")->encoding.scale;
    const auto& biases = after.find("c_bias")->encoding.scale;
    for (std::size_t c = 0; c < 2; ++c)
        QVERIFY(std::abs(biases[c] / weights[c] - 0.25F) < 1e-6F);
    QVERIFY(!after.constants().contains("c_bias"));
}

void TestGainCorrection::powerOfTwoStays()
{
    auto powers = wish(3, true, "power-of-two");
    const auto graph = test::smallConvNet(3, 8, 5);
    const auto plan = planFor(graph, powers);
    const auto after = corrected(graph, plan);
    QVERIFY(after.plan == plan);
    QVERIFY(mentions(after.notes, "powers of two"));
}

void TestGainCorrection::onlySomeLayers()
{
    const auto graph = test::smallConvNet(3, 8, 5);
    const auto after = corrected(graph, planFor(graph, wish(3, true)), { "conv2_node" }).plan;
    QCOMPARE(after.constants().size(), std::size_t { 1 });
    QVERIFY(after.constants().contains("conv2_weight"));
}

void TestGainCorrection::unknownLayer()
{
    const auto graph = test::smallConvNet(3, 8, 5);
    const auto result = planning::correctGain({ .graph = graph, .samples = noImagesNeeded(), .layers = { "c9" } }, {});
    QVERIFY(!result.has_value());
    QCOMPARE(static_cast<int>(result.error().code), static_cast<int>(ErrorCode::NotFound));
}

void TestGainCorrection::cancelled()
{
    const auto graph = test::smallConvNet(3, 8, 5);
    std::stop_source stop;
    stop.request_stop();
    const auto result = planning::correctGain(
        { .graph = graph, .samples = noImagesNeeded() }, planFor(graph, wish(3, true)), { nullptr, stop.get_token() });
    QVERIFY(!result.has_value());
    QCOMPARE(static_cast<int>(result.error().code), static_cast<int>(ErrorCode::Cancelled));
}

QTEST_APPLESS_MAIN(TestGainCorrection)
#include "tst_gain_correction.moc"
