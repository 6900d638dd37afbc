// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <cmath>
#include <vector>

#include <QtTest>

#include "core/base/random.h"
#include "core/calibration/range_confidence.h"
#include "core/calibration/range_estimator.h"
#include "tests/support/graph_builder.h"

using namespace quantoscope;
using calibration::RangeConfidence;
using calibration::TensorStats;

namespace {

/// `images` images of 200 values each; `spread`: how much images differ in scale.
TensorStats statsOf(int images, std::uint64_t seed, double spread = 0.2)
{
    base::Random random(seed);
    TensorStats stats;
    for (int image = 0; image < images; ++image) {
        const double scale = std::exp(spread * random.normal());
        Tensor values(DType::Float32, { 1, 200 });
        for (float& value : values.as<float>())
            value = static_cast<float>(scale * random.normal());
        stats.observe(values.view());
    }
    return stats;
}

quant::RangeSpec spec(const std::string& text) { return *quant::RangeSpec::parse(text); }

quant::QuantizerConfig asymmetric(int bits = 8)
{
    quant::QuantizerConfig config;
    config.bits = bits;
    config.symmetric = false;
    return config;
}

} // namespace

class TestRangeConfidence : public QObject {
    Q_OBJECT

private slots:
    void methods_data();
    void surroundsTheValue_data() { methods_data(); }
    void surroundsTheValue();
    void narrowsWithImages_data() { methods_data(); }
    void narrowsWithImages();
    void coversTheTruth();
    void constantNeedsNoMore();
    void fewImages_data();
    void fewImages();
    void hintFollowsTheRule_data();
    void hintFollowsTheRule();
    void ofAPlan();
    void errors();
    void fastEnough_data() { methods_data(); }
    void fastEnough();
};

void TestRangeConfidence::methods_data()
{
    QTest::addColumn<QString>("method");
    for (const char* method : { "min-max", "percentile:99.9", "mse", "sigma:4" })
        QTest::newRow(method) << QString(method);
}

void TestRangeConfidence::surroundsTheValue()
{
    QFETCH(QString, method);
    const auto stats = statsOf(100, 1);
    const auto range = spec(method.toStdString());
    for (const int bits : { 4, 8 }) {
        const auto confidence = calibration::rangeConfidence(stats, asymmetric(bits), range, 3);
        QVERIFY2(confidence, confidence ? "" : confidence.error().message().c_str());
        const auto encoding = *calibration::estimateEncoding(stats, asymmetric(bits), range);
        // The grid may be off by the rounding of its zero point.
        QVERIFY(std::abs(confidence->low.value - static_cast<double>(encoding.low())) <= 0.51 * confidence->step);
        QVERIFY(std::abs(confidence->high.value - static_cast<double>(encoding.high())) <= 0.51 * confidence->step);
        QCOMPARE(confidence->step, static_cast<double>(encoding.scale[0]));
        for (const auto& end : { confidence->low, confidence->high }) {
            QVERIFY(end.from <= end.value && end.value <= end.to);
            QVERIFY(end.to - end.from > 0);
            QVERIFY(end.uncertainty() < 0.5 * (confidence->high.value - confidence->low.value));
        }
        QCOMPARE(confidence->blocks, 25);
        QCOMPARE(confidence->imagesPerBlock, 4);
        // The same seed, the same draws; another one, others.
        const auto again = *calibration::rangeConfidence(stats, asymmetric(bits), range, 3);
        QCOMPARE(again.low.from, confidence->low.from);
        QCOMPARE(again.high.to, confidence->high.to);
    }
}

void TestRangeConfidence::narrowsWithImages()
{
    QFETCH(QString, method);
    const auto width = [&](int images) {
        double sum = 0; // over a few samples: one alone may be lucky
        for (std::uint64_t seed = 1; seed <= 3; ++seed) {
            const auto confidence
                = *calibration::rangeConfidence(statsOf(images, seed), asymmetric(), spec(method.toStdString()));
            sum += confidence.high.to - confidence.high.from;
        }
        return sum;
    };
    const double few = width(20);
    const double many = width(640);
    // 32 times the images: intervals of means shrink to 0.18; those of extremes hardly do.
    QVERIFY2(many < (method == "min-max" ? 1.2 : 0.6) * few, std::to_string(many / few).c_str());
}

/// In repeated samples the interval of a percentile holds the population's value nearly as often as it promises; the
/// bootstrap of few blocks is known to promise a little too much.
void TestRangeConfidence::coversTheTruth()
{
    const auto range = spec("percentile:99");
    const auto population = statsOf(8000, 999);
    const double truth = static_cast<double>(calibration::estimateEncoding(population, asymmetric(), range)->high());
    int covered = 0;
    constexpr int samples = 100;
    for (int sample = 0; sample < samples; ++sample) {
        const auto confidence = *calibration::rangeConfidence(
            statsOf(64, 1000 + static_cast<std::uint64_t>(sample)), asymmetric(), range);
        covered += confidence.high.from <= truth && truth <= confidence.high.to ? 1 : 0;
    }
    QVERIFY2(covered >= 82, std::to_string(covered).c_str());
}

void TestRangeConfidence::constantNeedsNoMore()
{
    TensorStats stats;
    for (int image = 0; image < 40; ++image)
        stats.observe(test::floats(std::vector<float>(50, 2.5F)).reshaped({ 1, 50 }).view());
    const auto confidence = *calibration::rangeConfidence(stats, asymmetric(), spec("min-max"));
    QCOMPARE(confidence.high.from, confidence.high.value);
    QCOMPARE(confidence.high.to, confidence.high.value);
    QCOMPARE(confidence.low.uncertainty(), 0.0);
    QVERIFY(!confidence.moreImagesHelp);
}

void TestRangeConfidence::fewImages_data()
{
    QTest::addColumn<int>("images");
    QTest::addColumn<bool>("more");
    QTest::newRow("one") << 1 << true;
    QTest::newRow("four") << 4 << true;
    QTest::newRow("five") << 5 << false;
}

void TestRangeConfidence::fewImages()
{
    QFETCH(int, images);
    QFETCH(bool, more);
    TensorStats stats;
    for (int image = 0; image < images; ++image)
        stats.observe(test::floats({ 1, 2, 3 }).reshaped({ 1, 3 }).view());
    const auto confidence = *calibration::rangeConfidence(stats, asymmetric(), spec("min-max"));
    QCOMPARE(confidence.blocks, images);
    QCOMPARE(confidence.moreImagesHelp, more);
}

void TestRangeConfidence::hintFollowsTheRule_data()
{
    QTest::addColumn<double>("spread");
    QTest::addColumn<int>("bits");
    QTest::addColumn<bool>("more");
    QTest::newRow("images alike") << 0.0 << 8 << false;
    QTest::newRow("images differ") << 1.0 << 8 << true;
    QTest::newRow("images differ, steps wider than that") << 0.2 << 2 << false;
}

void TestRangeConfidence::hintFollowsTheRule()
{
    QFETCH(double, spread);
    QFETCH(int, bits);
    QFETCH(bool, more);
    const auto confidence
        = *calibration::rangeConfidence(statsOf(64, 5, spread), asymmetric(bits), spec("percentile:99.9"));
    const double uncertainty = std::max(confidence.low.uncertainty(), confidence.high.uncertainty());
    QCOMPARE(confidence.moreImagesHelp,
        uncertainty > confidence.step && uncertainty > 0.05 * (confidence.high.value - confidence.low.value));
    QCOMPARE(confidence.moreImagesHelp, more);
}

/// Every activation whose range is its own, and none other.
void TestRangeConfidence::ofAPlan()
{
    calibration::CalibrationStats stats;
    for (const char* name : { "own", "given", "shared", "channels", "weight" })
        stats.tensors.emplace(name, statsOf(40, 1));
    quant::QuantizationPlan plan;
    quant::TensorQuantizer quantizer;
    quantizer.config = asymmetric();
    quantizer.encoding = *calibration::estimateEncoding(*stats.find("own"), quantizer.config, quantizer.range);
    plan.set("own", quantizer);
    plan.set("not seen", quantizer);
    auto other = quantizer;
    other.role = quant::Role::Weight;
    plan.set("weight", other);
    other = quantizer;
    other.range = spec("manual:-1,1");
    plan.set("given", other);
    other = quantizer;
    other.encoding.scale[0] *= 2; // as another tensor made it
    plan.set("shared", other);
    other = quantizer;
    other.config.granularity = quant::Granularity::perChannel(1);
    plan.set("channels", other);
    std::int64_t done = 0;
    base::Progress progress([&](const base::ProgressState& state) { done = state.done; });
    const auto confidences = calibration::rangeConfidences(stats, plan, 2, { &progress, {} });
    QVERIFY(confidences);
    QCOMPARE(confidences->size(), std::size_t { 1 });
    const auto alone = *calibration::rangeConfidence(*stats.find("own"), quantizer.config, quantizer.range);
    const auto& own = confidences->at("own");
    QCOMPARE(own.high.to, alone.high.to);
    QCOMPARE(own.uncertainty(), std::max(alone.low.uncertainty(), alone.high.uncertainty()));
    QCOMPARE(done, std::int64_t { 5 });
    std::stop_source source;
    source.request_stop();
    const auto stopped = calibration::rangeConfidences(stats, plan, 2, { nullptr, source.get_token() });
    QVERIFY(!stopped && stopped.error().code == ErrorCode::Cancelled);
}

void TestRangeConfidence::errors()
{
    const auto nothing = calibration::rangeConfidence(TensorStats(), asymmetric(), spec("min-max"));
    QVERIFY(!nothing);
    QCOMPARE(nothing.error().code, ErrorCode::InvalidInput);
    auto channels = asymmetric();
    channels.granularity = quant::Granularity::perChannel(1);
    const auto apart = calibration::rangeConfidence(statsOf(10, 1), channels, spec("min-max"));
    QVERIFY(!apart);
    QCOMPARE(apart.error().code, ErrorCode::Unsupported);
}

void TestRangeConfidence::fastEnough()
{
    QFETCH(QString, method);
    const auto stats = statsOf(300, 1);
    QBENCHMARK { QVERIFY(calibration::rangeConfidence(stats, asymmetric(), spec(method.toStdString()))); }
}

QTEST_APPLESS_MAIN(TestRangeConfidence)
#include "tst_range_confidence.moc"
