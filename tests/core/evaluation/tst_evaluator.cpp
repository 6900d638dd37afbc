// SPDX-License-Identifier: GPL-3.0-or-later
// labels: unit numeric
#include <cmath>

#include <QTest>

#include "core/calibration/feed.h"
#include "core/evaluation/classifier.h"
#include "core/evaluation/evaluator.h"
#include "tests/support/memory_dataset.h"
#include "tests/support/small_networks.h"

using namespace quantoscope;
using namespace quantoscope::evaluation;
using graph::Dim;
using test::Chain;

namespace {

dataset::SampleSetPtr samplesOf(const dataset::DatasetPtr& data, dataset::Channels channels = dataset::Channels::Gray)
{
    dataset::SampleSet::Options options;
    options.preprocessing.channels = channels;
    return *dataset::SampleSet::load(data, options);
}

bool operator==(const ImageOutcome& a, const ImageOutcome& b)
{
    return a.prediction == b.prediction && a.label == b.label && a.top5 == b.top5 && a.loss == b.loss
        && a.margin == b.margin;
}

bool sameOutcomes(const EvaluationResult& a, const EvaluationResult& b)
{
    return std::equal(a.outcomes.begin(), a.outcomes.end(), b.outcomes.begin(), b.outcomes.end(),
        [](const auto& x, const auto& y) { return x == y; });
}

quant::QuantizationPlan activationPlan(const std::string& tensor, int bits, double low, double high)
{
    quant::QuantizationPlan plan;
    plan.title = "test";
    quant::TensorQuantizer quantizer;
    quantizer.config.bits = bits;
    quantizer.config.symmetric = false;
    quantizer.encoding = quant::encodingForRange(quantizer.config, low, high);
    plan.set(tensor, quantizer);
    return plan;
}

/// Flattened pixels x/255 times a weight, straight to the output. 2 x 2 gray images.
Chain linear(const std::vector<float>& weights, std::int64_t classes)
{
    Chain chain({ Dim::named("batch"), 1, 2, 2 });
    chain.node("Flatten", "flat", {}, { { "axis", std::int64_t { 1 } } })
        .node("Gemm", "logits",
            { Tensor::from<float>({ classes, 4 }, weights), test::floats(std::vector<float>(classes)) },
            { { "transB", std::int64_t { 1 } } });
    return chain;
}

dataset::DatasetPtr onePixelImages(const std::vector<int>& labels)
{
    std::vector<dataset::Image> images;
    for (std::size_t i = 0; i < labels.size(); ++i)
        images.push_back({ 2, 2, 1, { 255, 0, 51, 0 } });
    return std::make_shared<test::MemoryDataset>(std::move(images), labels);
}

std::string errorOf(const graph::Graph& graph, const dataset::SampleSet& samples)
{
    const auto result = evaluate(graph, {}, samples);
    return result ? "no error" : result.error().message();
}

} // namespace

class TestEvaluator : public QObject {
    Q_OBJECT

private slots:
    void judgesLogits();
    void breaksTiesTowardsTheLowerClass();
    void evaluatesClosedForm();
    void softmaxOutputGivesTheSameLoss();
    void lastBatchIsPartial();
    void sameForAnyThreads();
    void choosesBatchForTheCache();
    void picksTheWidestOutput();
    void shiftsLabelsOfBackgroundClass();
    void unlabelledImagesCountAsWrong();
    void rejects_data();
    void rejects();
    void reportsProgressAndPartials();
    void cancels();
    void runsSamples();
    void comparesLayers();
    void comparesLayersOverThreads();
    void splitsOwnError();
    void measuresCorrectedConstantsAgainstFloat();
};

void TestEvaluator::judgesLogits()
{
    const std::vector<double> logits { 1, 3, 2, -1, 0, 2.5, 700 };
    const ImageOutcome right = judgeLogits(logits, 6);
    QVERIFY(right.correct() && right.top5);
    QCOMPARE(right.margin, 697.0F);
    QVERIFY(std::isfinite(right.loss) && right.loss < 1e-6F);
    const ImageOutcome fifth = judgeLogits(logits, 0); // behind 700, 3, 2.5 and 2
    QVERIFY(fifth.top5 && !fifth.correct());
    QVERIFY(std::abs(fifth.loss - 699) < 1e-3);
    const ImageOutcome sixth = judgeLogits(logits, 4);
    QVERIFY(!sixth.top5);
    QCOMPARE(sixth.margin, -700.0F);
    const ImageOutcome unlabelled = judgeLogits(logits, -1);
    QCOMPARE(unlabelled.margin, 697.0F);
    QVERIFY(!unlabelled.correct() && !unlabelled.top5);
    QCOMPARE(unlabelled.loss, 0.0F);
}

void TestEvaluator::breaksTiesTowardsTheLowerClass()
{
    const std::vector<double> logits(7, 1.0);
    QCOMPARE(judgeLogits(logits, 3).prediction, 0);
    QVERIFY(judgeLogits(logits, 4).top5);
    QVERIFY(!judgeLogits(logits, 5).top5);
    QCOMPARE(judgeLogits(logits, 3).margin, 0.0F);
    QVERIFY(std::abs(judgeLogits(logits, 3).loss - std::log(7.0F)) < 1e-6F);
}

void TestEvaluator::evaluatesClosedForm()
{
    // Pixels 1, 0, 0.2, 0: logits 1, 0.4, -1.
    const auto graph = linear({ 1, 0, 0, 0, 0, 0, 2, 0, -1, 5, 0, 5 }, 3).finish();
    const auto samples = samplesOf(onePixelImages({ 0, 1, 2, 0 }));
    const auto result = evaluate(graph, {}, *samples);
    QVERIFY2(result.has_value(), result ? "" : result.error().message().c_str());
    QCOMPARE((*result)->top1(), 50.0);
    QCOMPARE((*result)->top5(), 100.0);
    QCOMPARE((*result)->scope, std::string("float"));
    QCOMPARE((*result)->output, std::string("logits"));
    QCOMPARE((*result)->classes, 3);
    const double sum = std::log(std::exp(1.0) + std::exp(0.4) + std::exp(-1.0));
    QVERIFY(std::abs((*result)->loss() - (sum - (1 + 0.4 - 1 + 1) / 4)) < 1e-6);
    QVERIFY(std::abs((*result)->outcomes[1].margin + 0.6F) < 1e-6F);
    QCOMPARE((*result)->top1Interval(), (Interval { 100 * wilson(2, 4).low, 100 * wilson(2, 4).high }));
}

void TestEvaluator::softmaxOutputGivesTheSameLoss()
{
    const std::vector<float> weights { 1, 0, 0, 0, 0, 0, 2, 0, -90, 5, 0, 5 };
    const auto samples = samplesOf(onePixelImages({ 0, 1, 2 }));
    const auto plain = evaluate(linear(weights, 3).finish(), {}, *samples);
    const auto probabilities = evaluate(
        linear(weights, 3).node("Softmax", "p", {}, { { "axis", std::int64_t { 1 } } }).finish(), {}, *samples);
    QVERIFY(plain && probabilities);
    for (std::size_t i = 0; i < 2; ++i)
        QVERIFY(std::abs((*plain)->outcomes[i].loss - (*probabilities)->outcomes[i].loss) < 1e-6F);
    // exp(-91) is no normal float any more; the loss stays finite and large.
    QVERIFY((*probabilities)->outcomes[2].loss > 85 && (*probabilities)->outcomes[2].loss < 92);
}

void TestEvaluator::lastBatchIsPartial()
{
    const auto graph = test::smallConvNet(1, 8, 10);
    const auto samples = samplesOf(test::randomDataset(13, 8, 8, 1, 10));
    EvaluationOptions one;
    one.batch = 1;
    const auto reference = evaluate(graph, {}, *samples, one);
    QVERIFY(reference.has_value());
    for (const std::int64_t batch : { 2, 4, 5, 13, 32 }) {
        EvaluationOptions options;
        options.batch = batch;
        const auto result = evaluate(graph, {}, *samples, options);
        QVERIFY(result.has_value());
        QCOMPARE((*result)->images(), 13);
        for (std::size_t i = 0; i < 13; ++i) {
            QCOMPARE((*result)->outcomes[i].prediction, (*reference)->outcomes[i].prediction);
            QVERIFY(std::abs((*result)->outcomes[i].loss - (*reference)->outcomes[i].loss) < 1e-4F);
        }
    }
}

void TestEvaluator::sameForAnyThreads()
{
    const auto graph = test::smallConvNet(1, 8, 10);
    const auto samples = samplesOf(test::randomDataset(101, 8, 8, 1, 10));
    const auto plan = activationPlan("relu1", 4, 0, 3);
    EvaluationResultPtr first;
    for (const int threads : { 1, 2, 3 }) {
        EvaluationOptions options;
        options.threads = threads;
        options.batch = 4;
        const auto result = evaluate(graph, plan, *samples, options);
        QVERIFY(result.has_value());
        QCOMPARE((*result)->scope, std::string("test"));
        if (!first)
            first = *result;
        QVERIFY(sameOutcomes(*first, **result));
    }
    const auto plain = evaluate(graph, {}, *samples);
    QVERIFY(plain.has_value());
    QVERIFY(!sameOutcomes(*first, **plain)); // the plan does something
}

void TestEvaluator::choosesBatchForTheCache()
{
    const auto large = samplesOf(test::randomDataset(64, 8, 8, 1, 10));
    QCOMPARE(*calibration::chooseBatch(test::smallConvNet(1, 8, 10), *large), 32);
    QCOMPARE(
        *calibration::chooseBatch(test::smallConvNet(1, 8, 10), *samplesOf(test::randomDataset(5, 8, 8, 1, 10))), 4);
    const auto wide = samplesOf(test::randomDataset(8, 224, 224, 1, 10));
    QCOMPARE(*calibration::chooseBatch(test::smallConvNet(1, 224, 10), *wide), 1);
}

void TestEvaluator::picksTheWidestOutput()
{
    auto chain = linear(std::vector<float>(12, 1), 3);
    chain.output();
    chain.node("Gemm", "wide",
        { Tensor::from<float>({ 3, 6 }, std::vector<float>(18, 1)), test::floats(std::vector<float>(6)) });
    const auto result = evaluate(chain.finish(), {}, *samplesOf(onePixelImages({ 5 })));
    QVERIFY(result.has_value());
    QCOMPARE((*result)->output, std::string("wide"));
    QCOMPARE((*result)->classes, 6);
}

void TestEvaluator::shiftsLabelsOfBackgroundClass()
{
    std::vector<float> weights(1001 * 4);
    weights[8 * 4] = 1; // class 8 wins
    const auto graph = linear(weights, 1001).finish();
    const auto shifted = evaluate(graph, {}, *samplesOf(onePixelImages({ 7, 8 })));
    QVERIFY(shifted.has_value());
    QVERIFY((*shifted)->outcomes[0].correct() && !(*shifted)->outcomes[1].correct());
    const auto counted = evaluate(graph, {}, *samplesOf(onePixelImages({ 7, 8, 1000 })));
    QVERIFY(counted.has_value());
    QVERIFY(!(*counted)->outcomes[0].correct() && (*counted)->outcomes[1].correct());
}

void TestEvaluator::unlabelledImagesCountAsWrong()
{
    const auto result
        = evaluate(linear({ 1, 0, 0, 0, 0, 0, 0, 0 }, 2).finish(), {}, *samplesOf(onePixelImages({ 0, -1 })));
    QVERIFY(result.has_value());
    QCOMPARE((*result)->top1(), 50.0);
    QCOMPARE((*result)->outcomes[1].label, -1);
}

void TestEvaluator::rejects_data()
{
    QTest::addColumn<int>("which");
    QTest::addColumn<QStringList>("words");
    QTest::newRow("label out of range") << 0 << QStringList { "label 9", "'#1'", "0..2", "belong together" };
    QTest::newRow("wrong size") << 1 << QStringList { "[batch, 1, 2, 2]", "[1, 8, 8]", "--resize 2" };
    QTest::newRow("wrong channels") << 2 << QStringList { "[batch, 1, 2, 2]", "[3, 2, 2]", "--channels gray" };
    QTest::newRow("not a classifier") << 3 << QStringList { "[N, classes]", "'map'", "[1, 1, 2, 2]" };
    QTest::newRow("not finite") << 4 << QStringList { "'logits'", "not finite", "'#0'" };
}

void TestEvaluator::rejects()
{
    QFETCH(int, which);
    QFETCH(QStringList, words);
    const auto graph = linear(std::vector<float>(12, which == 4 ? 3e38F : 1.0F), 3).finish();
    Chain map({ Dim::named("batch"), 1, 2, 2 });
    std::string message;
    switch (which) {
    case 0:
        message = errorOf(graph, *samplesOf(onePixelImages({ 0, 9 })));
        break;
    case 1:
        message = errorOf(graph, *samplesOf(test::randomDataset(2, 8, 8, 1, 3)));
        break;
    case 2:
        message = errorOf(graph, *samplesOf(test::randomDataset(2, 2, 2, 3, 3), dataset::Channels::Rgb));
        break;
    case 3:
        message = errorOf(map.node("Relu", "map").finish(), *samplesOf(onePixelImages({ 0 })));
        break;
    default:
        message = errorOf(graph, *samplesOf(onePixelImages({ 0 })));
    }
    for (const auto& word : words)
        QVERIFY2(QString::fromStdString(message).contains(word), message.c_str());
}

void TestEvaluator::reportsProgressAndPartials()
{
    const auto graph = test::smallConvNet(1, 8, 10);
    const auto samples = samplesOf(test::randomDataset(50, 8, 8, 1, 10));
    std::vector<base::ProgressState> states;
    base::Progress progress([&](const base::ProgressState& state) { states.push_back(state); });
    EvaluationOptions options;
    options.batch = 4;
    std::int64_t seen = 0;
    std::int64_t correct = -1;
    bool grows = true;
    options.onPartial = [&](std::int64_t images, std::int64_t right) {
        grows = grows && images > seen;
        seen = images;
        correct = right;
    };
    const auto result = evaluate(graph, {}, *samples, options, { &progress, {} });
    QVERIFY(result.has_value());
    QVERIFY(grows);
    QCOMPARE(seen, 50);
    QCOMPARE(100.0 * static_cast<double>(correct) / 50, (*result)->top1());
    QCOMPARE(states.front().done, 0);
    QCOMPARE(states.back().done, 50);
    QCOMPARE(states.back().total, 50);
    QCOMPARE(states.back().unit, std::string("images"));
}

void TestEvaluator::cancels()
{
    const auto graph = test::smallConvNet(1, 8, 10);
    const auto samples = samplesOf(test::randomDataset(200, 8, 8, 1, 10));
    std::stop_source stop;
    EvaluationOptions options;
    options.batch = 1;
    options.threads = 1;
    options.onPartial = [&](std::int64_t, std::int64_t) { stop.request_stop(); };
    const auto result = evaluate(graph, {}, *samples, options, { nullptr, stop.get_token() });
    QVERIFY(!result.has_value());
    QVERIFY(result.error().code == ErrorCode::Cancelled);
}

void TestEvaluator::runsSamples()
{
    const auto graph = linear({ 1, 0, 0, 0, 0, 0, 2, 0, -1, 5, 0, 5 }, 3).finish();
    const auto samples = samplesOf(test::randomDataset(9, 2, 2, 1, 3));
    const auto outputs = runSamples(graph, {}, *samples, 2, 5);
    QVERIFY(outputs.has_value());
    QCOMPARE(outputs->size(), std::size_t { 1 });
    QCOMPARE(outputs->front().shape(), (Shape { 5, 3 }));
    std::vector<float> pixels(4);
    for (std::int64_t i = 0; i < 5; ++i) {
        samples->fill(2 + i, 1, pixels);
        const auto row = outputs->front().as<float>().subspan(static_cast<std::size_t>(3 * i), 3);
        QVERIFY(std::abs(row[0] - pixels[0]) < 1e-6F);
        QVERIFY(std::abs(row[1] - 2 * pixels[2]) < 1e-6F);
        QVERIFY(std::abs(row[2] - (5 * (pixels[1] + pixels[3]) - pixels[0])) < 1e-5F);
    }
}

void TestEvaluator::comparesLayers()
{
    // One quantized activation behind another: image (2 bits) -> Gemm -> logits stay float; the weight has 3 bits.
    const auto graph = linear({ 1, 0, 0, 0, 0, 0, 2, 0, -1, 5, 0, 5 }, 3).finish();
    const auto samples = samplesOf(test::randomDataset(30, 2, 2, 1, 3));
    auto plan = activationPlan("flat", 2, 0, 0.8);
    quant::TensorQuantizer weight;
    weight.role = quant::Role::Weight;
    weight.config.bits = 3;
    weight.encoding = quant::encodingForRange(weight.config, -5, 5);
    plan.set("logits_weight", weight);
    const auto errors = compareLayers(graph, plan, *samples);
    QVERIFY2(errors.has_value(), errors ? "" : errors.error().message().c_str());
    QCOMPARE(errors->size(), std::size_t { 2 });
    const auto& activation = errors->at(0);
    QCOMPARE(activation.name, std::string("flat"));
    QCOMPARE(errors->at(1).name, std::string("logits_weight"));

    std::vector<float> pixels(30 * 4);
    samples->fill(0, 30, pixels);
    const Tensor values = Tensor::from<float>({ 30, 4 }, pixels);
    const auto expected = quant::measureError(plan.find("flat")->encoding, values.view());
    QVERIFY(std::abs(activation.mse / expected.mse() - 1) < 1e-9);
    QVERIFY(std::abs(activation.sqnrDb - expected.sqnrDb()) < 1e-9);
    QVERIFY(std::abs(activation.cosine - expected.cosine()) < 1e-9);
    QCOMPARE(activation.ownError, activation.mse);
    QCOMPARE(activation.inheritedError, 0.0);
    QCOMPARE(activation.clippedPercent, expected.clippedPercent());
    QVERIFY(expected.clippedPercent() > 0);
    const auto ofWeight
        = quant::measureError(weight.encoding, graph.value(*graph.find("logits_weight")).constant->view());
    QCOMPARE(errors->at(1).sqnrDb, ofWeight.sqnrDb());
    QCOMPARE(errors->at(1).bits, 3);
}

void TestEvaluator::comparesLayersOverThreads()
{
    const auto graph = test::smallConvNet(1, 8, 10);
    const auto samples = samplesOf(test::randomDataset(41, 8, 8, 1, 10));
    auto plan = activationPlan("image", 3, 0, 1);
    plan.set("relu1", *activationPlan("relu1", 4, 0, 2).find("relu1"));
    std::vector<TensorError> first;
    for (const int threads : { 1, 2, 3 }) {
        EvaluationOptions options;
        options.threads = threads;
        options.batch = 2;
        const auto errors = compareLayers(graph, plan, *samples, options);
        QVERIFY(errors.has_value());
        if (first.empty())
            first = *errors;
        for (std::size_t i = 0; i < first.size(); ++i) {
            QCOMPARE(errors->at(i).name, first[i].name);
            QCOMPARE(errors->at(i).mse, first[i].mse);
            QCOMPARE(errors->at(i).ownError, first[i].ownError);
            QCOMPARE(errors->at(i).inheritedError, first[i].inheritedError);
        }
    }
    QCOMPARE(first[0].name, std::string("image"));
    QCOMPARE(first[0].inheritedError, 0.0);
    QVERIFY(first[1].inheritedError > 0); // the image's error arrives at relu1
    QVERIFY(first[1].mse > first[1].ownError);
}

void TestEvaluator::splitsOwnError()
{
    const auto graph = linear({ 1, 0, 0, 0, 0, 0, 2, 0, -1, 5, 0, 5 }, 3).finish();
    const auto samples = samplesOf(test::randomDataset(30, 2, 2, 1, 3));
    auto plan = activationPlan("flat", 2, 0, 0.4);
    quant::TensorQuantizer weight;
    weight.role = quant::Role::Weight;
    weight.config.bits = 3;
    weight.encoding = quant::encodingForRange(weight.config, -1.3, 1.3);
    plan.set("logits_weight", weight);
    const auto errors = compareLayers(graph, plan, *samples);
    QVERIFY(errors.has_value());
    for (const auto& error : *errors) {
        QVERIFY2(error.clippingError > 0 && error.roundingError > 0, error.name.c_str());
        QVERIFY(std::abs(error.roundingError + error.clippingError - error.ownError) < 1e-12);
    }
    const auto& constant = *graph.value(*graph.find("logits_weight")).constant;
    const auto expected = quant::measureError(weight.encoding, constant.view());
    QVERIFY(std::abs(errors->at(1).clippingError - expected.clippingPower / 12) < 1e-12);
}

void TestEvaluator::measuresCorrectedConstantsAgainstFloat()
{
    const std::vector<float> values { 1, 0, 0, 0, 0, 0, 2, 0, -1, 5, 0, 5 };
    const auto graph = linear(values, 3).finish();
    const auto samples = samplesOf(test::randomDataset(10, 2, 2, 1, 3));
    quant::QuantizationPlan plan;
    quant::TensorQuantizer weight;
    weight.role = quant::Role::Weight;
    weight.config.bits = 3;
    weight.encoding = quant::encodingForRange(weight.config, -3, 3); // steps of 1: every value but the fives fits
    plan.set("logits_weight", weight);
    auto corrected = values;
    corrected[0] = 2;
    corrected[9] = 2;
    corrected[11] = 3;
    const auto& shape = graph.value(*graph.find("logits_weight")).constant->shape();
    plan.setConstant("logits_weight", std::make_shared<const Tensor>(Tensor::from<float>(shape, corrected)));
    const auto errors = compareLayers(graph, plan, *samples);
    QVERIFY2(errors.has_value(), errors ? "" : errors.error().message().c_str());
    const auto& error = errors->at(0);
    QCOMPARE(error.mse, (1.0 + 9.0 + 4.0) / 12); // against float, not against what was corrected
    QCOMPARE(error.ownError, error.mse);
    QCOMPARE(error.clippingError, (9.0 + 4.0) / 12);
    QCOMPARE(error.roundingError, 1.0 / 12);
    QCOMPARE(error.clippedPercent, 100.0 * 2 / 12);
}

QTEST_APPLESS_MAIN(TestEvaluator)
#include "tst_evaluator.moc"
