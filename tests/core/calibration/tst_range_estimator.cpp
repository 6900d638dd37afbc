// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <QtTest>

#include "core/base/random.h"
#include "core/calibration/range_estimator.h"

using namespace quantoscope;
using calibration::TensorStats;
using quant::Encoding;
using quant::QuantizerConfig;
using quant::RangeSpec;

namespace {

std::vector<float> draw(const QString& kind, std::size_t count = 40'000)
{
    base::Random random(31);
    std::vector<float> values(count);
    for (float& value : values) {
        const double normal = random.normal();
        if (kind == "relu")
            value = static_cast<float>(std::max(0.0, normal + 0.2));
        else if (kind == "laplace")
            value = static_cast<float>(std::copysign(-std::log(1 - random.uniform()), normal));
        else if (kind == "skewed")
            value = static_cast<float>(normal < 0 ? 0.2 * normal : normal * normal);
        else if (kind == "uniform")
            value = static_cast<float>(2 * random.uniform() - 1);
        else
            value = static_cast<float>(normal);
    }
    return values;
}

TensorStats statsOf(const std::vector<float>& values)
{
    TensorStats stats;
    stats.observe(Tensor::from<float>({ std::ssize(values) }, values).view());
    return stats;
}

QuantizerConfig configFor(int bits, bool symmetric)
{
    QuantizerConfig config;
    config.bits = bits;
    config.symmetric = symmetric;
    return config;
}

RangeSpec range(const char* text) { return *RangeSpec::parse(text); }

double mseOn(const std::vector<float>& values, const Encoding& encoding)
{
    return quant::measureError(encoding, Tensor::from<float>({ std::ssize(values) }, values).view()).mse();
}

/// The least mean squared error on the samples themselves over a fine grid of both ends.
double bruteForce(const std::vector<float>& values, const QuantizerConfig& config)
{
    const auto [low, high] = std::ranges::minmax(values);
    const double bottom = std::min(0.0, static_cast<double>(low));
    const double top = std::max(0.0, static_cast<double>(high));
    double least = std::numeric_limits<double>::infinity();
    constexpr int steps = 40;
    for (int i = bottom < 0 ? 1 : steps; i <= steps; ++i)
        for (int j = 1; j <= steps; ++j) {
            if (config.symmetric && i != j && bottom < 0)
                continue;
            Encoding encoding;
            quant::setChannel(
                encoding, 0, config, quant::usesSignedGrid(config, bottom, top), bottom * i / steps, top * j / steps);
            least = std::min(least, mseOn(values, encoding));
        }
    return least;
}

} // namespace

class TestRangeEstimator : public QObject {
    Q_OBJECT

private slots:
    void minMaxIsExact();
    void mseNearBruteForce_data();
    void mseNearBruteForce();
    void mseNeverWorseThanMinMax();
    void moreBitsNeverRaiseTheError();
    void percentile();
    void sigma();
    void manual();
    void clippedRangeKeepsTheGrid();
    void perChannel();
    void errors_data();
    void errors();
    void expectedErrorAgreesWithSamples_data();
    void expectedErrorAgreesWithSamples();
    void expectedErrorClosedForm();
    void weightMinMax();
    void weightMseIsTheDocumentedGrid();
    void weightChannelsOnTheirOwn();
    void weightOtherMethods();
    void weightErrors();
};

void TestRangeEstimator::minMaxIsExact()
{
    const auto values = draw("normal");
    const auto [low, high] = std::ranges::minmax(values);
    for (const bool symmetric : { true, false }) {
        const auto config = configFor(8, symmetric);
        const auto encoding = calibration::estimateEncoding(statsOf(values), config, {});
        QVERIFY(encoding);
        QVERIFY(*encoding == quant::encodingForRange(config, static_cast<double>(low), static_cast<double>(high)));
    }
}

void TestRangeEstimator::mseNearBruteForce_data()
{
    QTest::addColumn<QString>("kind");
    QTest::addColumn<int>("bits");
    QTest::addColumn<bool>("symmetric");
    for (const char* kind : { "normal", "relu", "laplace", "skewed", "uniform" })
        for (const int bits : { 2, 3, 4, 6 })
            for (const bool symmetric : { true, false })
                QTest::newRow(qPrintable(QString("%1 %2 bits %3").arg(kind).arg(bits).arg(symmetric ? "sym" : "asym")))
                    << kind << bits << symmetric;
}

void TestRangeEstimator::mseNearBruteForce()
{
    QFETCH(QString, kind);
    QFETCH(int, bits);
    QFETCH(bool, symmetric);
    const auto values = draw(kind, 3'000);
    const auto config = configFor(bits, symmetric);
    const auto encoding = calibration::estimateEncoding(statsOf(values), config, range("mse"));
    QVERIFY(encoding);
    const double found = mseOn(values, *encoding);
    const double least = bruteForce(values, config);
    QVERIFY2(found <= 1.03 * least, qPrintable(QString("%1 against %2").arg(found).arg(least)));
}

void TestRangeEstimator::mseNeverWorseThanMinMax()
{
    for (const char* kind : { "normal", "relu", "laplace", "skewed", "uniform" })
        for (const int bits : { 2, 4, 8, 12, 16 })
            for (const bool symmetric : { true, false }) {
                const auto stats = statsOf(draw(kind));
                const auto config = configFor(bits, symmetric);
                const auto wide = calibration::estimateEncoding(stats, config, {});
                const auto best = calibration::estimateEncoding(stats, config, range("mse"));
                QVERIFY(wide && best);
                const double allowed = calibration::expectedError(stats.histogram(), *wide).noisePower * (1 + 1e-3);
                QVERIFY(calibration::expectedError(stats.histogram(), *best).noisePower <= allowed);
            }
}

void TestRangeEstimator::moreBitsNeverRaiseTheError()
{
    for (const char* kind : { "normal", "relu", "laplace", "skewed" })
        for (const bool symmetric : { true, false }) {
            const auto stats = statsOf(draw(kind));
            double previous = std::numeric_limits<double>::infinity();
            for (int bits = quant::minBits; bits <= quant::maxBits; ++bits) {
                const auto encoding = calibration::estimateEncoding(stats, configFor(bits, symmetric), range("mse"));
                QVERIFY(encoding);
                const double error = calibration::expectedError(stats.histogram(), *encoding).mse();
                QVERIFY2(error <= previous, qPrintable(QString("%1 at %2 bits").arg(kind).arg(bits)));
                previous = error;
            }
        }
}

void TestRangeEstimator::percentile()
{
    std::vector<float> values; // -1000 .. 3000 evenly: quantiles are known
    for (int i = -1000; i <= 3000; ++i)
        values.push_back(static_cast<float>(i));
    const auto config = configFor(16, false);
    const auto encoding = calibration::estimateEncoding(statsOf(values), config, range("percentile:90"));
    QVERIFY(encoding);
    QVERIFY(std::abs(encoding->low() + 600) < 2); // a tenth of 4001 values off each end
    QVERIFY(std::abs(encoding->high() - 2600) < 2);
    const auto all = calibration::estimateEncoding(statsOf(values), config, range("percentile:100"));
    QVERIFY(std::abs(all->high() - 3000) < 1 && std::abs(all->low() + 1000) < 1);
    // Half the values are zero: the lower tail ends there, whatever the percentage.
    auto rectified = draw("relu");
    const auto positive = calibration::estimateEncoding(statsOf(rectified), config, range("percentile:99"));
    std::ranges::sort(rectified);
    QCOMPARE(positive->low(), 0.0F);
    QVERIFY(std::abs(positive->high() - rectified[rectified.size() * 99 / 100]) < 0.01F);
}

void TestRangeEstimator::sigma()
{
    const auto values = draw("normal");
    const auto stats = statsOf(values);
    const auto config = configFor(16, false);
    const auto encoding = calibration::estimateEncoding(stats, config, range("sigma:2"));
    QVERIFY(encoding);
    QVERIFY(std::abs(static_cast<double>(encoding->high()) - (stats.mean() + 2 * std::sqrt(stats.variance()))) < 1e-3);
    QVERIFY(std::abs(static_cast<double>(encoding->low()) - (stats.mean() - 2 * std::sqrt(stats.variance()))) < 1e-3);
    const auto wide = calibration::estimateEncoding(stats, config, range("sigma:100"));
    QVERIFY(*wide == *calibration::estimateEncoding(stats, config, {})); // never beyond what was seen
}

void TestRangeEstimator::manual()
{
    const auto config = configFor(8, false);
    const auto encoding = calibration::estimateEncoding(statsOf(draw("normal")), config, range("manual:-0.5,2"));
    QVERIFY(*encoding == quant::encodingForRange(config, -0.5, 2));
}

void TestRangeEstimator::clippedRangeKeepsTheGrid()
{
    // One value in 40,000 is negative; a percentile that drops it must not make the tensor unsigned.
    auto values = draw("relu");
    values.front() = -5;
    const auto encoding = calibration::estimateEncoding(statsOf(values), configFor(8, true), range("percentile:99"));
    QVERIFY(encoding->isSigned());
}

void TestRangeEstimator::perChannel()
{
    TensorStats stats(2);
    stats.observe(Tensor::from<float>({ 1, 2, 2 }, std::vector<float> { -1, 2, 0, 5.1F }).view());
    auto config = configFor(8, false);
    config.granularity = quant::Granularity::perChannel(1);
    const auto encoding = calibration::estimateEncoding(stats, config, {});
    QVERIFY(encoding);
    QCOMPARE(encoding->axis, 1);
    QCOMPARE(encoding->scale, (std::vector<float> { static_cast<float>(3.0 / 255), 5.1F / 255 }));
    QCOMPARE(encoding->zeroPoint, (std::vector<std::int32_t> { 85, 0 }));
}

void TestRangeEstimator::errors_data()
{
    QTest::addColumn<TensorStats>("stats");
    QTest::addColumn<QuantizerConfig>("config");
    QTest::addColumn<RangeSpec>("range");
    QTest::addColumn<ErrorCode>("code");
    const auto stats = statsOf({ 1, 2 });
    auto perChannel = configFor(8, true);
    perChannel.granularity = quant::Granularity::perChannel(1);
    auto perBlock = perChannel;
    perBlock.granularity.kind = quant::Granularity::Kind::PerBlock;
    perBlock.granularity.blockSize = 4;
    QTest::newRow("nothing seen") << TensorStats {} << configFor(8, true) << RangeSpec {} << ErrorCode::InvalidInput;
    QTest::newRow("1 bit") << stats << configFor(1, true) << RangeSpec {} << ErrorCode::InvalidInput;
    QTest::newRow("no channels seen") << stats << perChannel << RangeSpec {} << ErrorCode::Unsupported;
    QTest::newRow("per channel mse") << stats << perChannel << range("mse") << ErrorCode::Unsupported;
    QTest::newRow("per block") << stats << perBlock << RangeSpec {} << ErrorCode::Unsupported;
}

void TestRangeEstimator::errors()
{
    QFETCH(TensorStats, stats);
    QFETCH(QuantizerConfig, config);
    QFETCH(RangeSpec, range);
    const auto encoding = calibration::estimateEncoding(stats, config, range);
    QVERIFY(!encoding);
    QTEST(encoding.error().code, "code");
    QVERIFY(!encoding.error().hint.empty());
}

void TestRangeEstimator::expectedErrorAgreesWithSamples_data()
{
    QTest::addColumn<QString>("kind");
    QTest::addColumn<int>("bits");
    for (const char* kind : { "normal", "relu", "laplace", "skewed" })
        for (const int bits : { 2, 4, 8, 10 })
            QTest::newRow(qPrintable(QString("%1 %2 bits").arg(kind).arg(bits))) << kind << bits;
}

void TestRangeEstimator::expectedErrorAgreesWithSamples()
{
    QFETCH(QString, kind);
    QFETCH(int, bits);
    const auto values = draw(kind);
    const auto stats = statsOf(values);
    const auto encoding = quant::encodingForRange(
        configFor(bits, false), 0.6 * static_cast<double>(stats.min()), 0.6 * static_cast<double>(stats.max()));
    const auto expected = calibration::expectedError(stats.histogram(), encoding);
    const auto measured = quant::measureError(encoding, Tensor::from<float>({ std::ssize(values) }, values).view());
    const auto near = [](double a, double b, double tolerance) { return std::abs(a - b) <= tolerance * std::abs(b); };
    QCOMPARE(expected.count, measured.count);
    QVERIFY(near(expected.noisePower, measured.noisePower, 0.02));
    QVERIFY(near(expected.signalPower, measured.signalPower, 0.001));
    QVERIFY(near(expected.dot, measured.dot, 0.001));
    QVERIFY(near(expected.quantizedPower, measured.quantizedPower, 0.001));
    QVERIFY(near(expected.clippingPower, measured.clippingPower, 0.02));
    QVERIFY(std::abs(expected.clipped - measured.clipped) <= 5);
}

void TestRangeEstimator::expectedErrorClosedForm()
{
    // 4096 values, one in each bin of [0, 1): exactly the uniform density, whose noise is s^2 / 12 a value.
    std::vector<float> values;
    for (int i = 0; i < 4096; ++i)
        values.push_back((static_cast<float>(i) + 0.5F) / 4096);
    const auto histogram = statsOf(values).histogram();
    QCOMPARE(histogram.binWidth(), 1.0 / 4096);
    Encoding encoding;
    encoding.qmin = 0;
    encoding.qmax = 16;
    encoding.scale = { 1.0F / 16 };
    const auto error = calibration::expectedError(histogram, encoding);
    QVERIFY(std::abs(error.mse() - 1.0 / 256 / 12) < 1e-12);
    QVERIFY(std::abs(error.signalPower - 4096.0 / 3) < 1e-9);
    QCOMPARE(error.clipped, 0);
    encoding.qmax = 8; // [0, 0.5] is left, half a step of grace: clipped from 17/32
    const auto clipped = calibration::expectedError(histogram, encoding);
    QCOMPARE(clipped.clipped, 4096 * 15 / 32);
    const double power = 4096.0 / 3 * (1.0 / 8 - std::pow(1.0 / 32, 3)); // of (x - 1/2)^2 from 17/32 to 1
    QVERIFY(std::abs(clipped.clippingPower - power) < 1e-9);
    // Exact zeros are exact, however many there are.
    auto withZeros = values;
    withZeros.resize(10 * values.size(), 0);
    const auto sparse = calibration::expectedError(statsOf(withZeros).histogram(), encoding);
    QVERIFY(std::abs(sparse.noisePower - clipped.noisePower) < 1e-9);
    QCOMPARE(sparse.count, 40960);
    QCOMPARE(calibration::expectedError(calibration::Histogram {}, encoding).count, 0);
}

void TestRangeEstimator::weightMinMax()
{
    const auto weight = Tensor::from<float>({ 2, 3 }, std::vector<float> { 0.1F, -0.7F, 0.2F, 1.27F, 0, 0.3F });
    auto config = configFor(8, true);
    config.signedness = quant::Signedness::Signed;
    const auto whole = calibration::estimateWeightEncoding(weight.view(), config, {});
    QCOMPARE(whole->scale, (std::vector<float> { static_cast<float>(static_cast<double>(1.27F) / 127) }));
    QCOMPARE(whole->qmin, -128);
    config.granularity = quant::Granularity::perChannel(0);
    const auto rows = calibration::estimateWeightEncoding(weight.view(), config, {});
    QCOMPARE(rows->axis, 0);
    QCOMPARE(
        rows->scale, (std::vector<float> { static_cast<float>(static_cast<double>(0.7F) / 127), whole->scale[0] }));
    config.granularity = quant::Granularity::perChannel(1);
    const auto columns = calibration::estimateWeightEncoding(weight.view(), config, {});
    QCOMPARE(columns->scale.size(), std::size_t { 3 });
    QCOMPARE(columns->scale[1], rows->scale[0]);
}

void TestRangeEstimator::weightMseIsTheDocumentedGrid()
{
    const auto values = draw("laplace", 2'000);
    const Tensor weight = Tensor::from<float>({ 2'000 }, values);
    auto config = configFor(4, true);
    config.signedness = quant::Signedness::Signed;
    const auto encoding = calibration::estimateWeightEncoding(weight.view(), config, range("mse"));
    QVERIFY(encoding);
    double largest = 0;
    for (const float value : values)
        largest = std::max(largest, std::abs(static_cast<double>(value)));
    double least = std::numeric_limits<double>::infinity();
    float best = 0;
    for (int k = 100; k >= 10; --k) {
        Encoding candidate = *encoding;
        candidate.scale = { static_cast<float>(largest * k / 100 / 7) };
        if (const double error = mseOn(values, candidate); error < least) {
            least = error;
            best = candidate.scale[0];
        }
    }
    QCOMPARE(encoding->scale.at(0), best);
    // Ties go to the larger: a lone value is met exactly by several candidates only if they agree, all zeros by all.
    const Tensor zeros(DType::Float32, { 5 });
    QCOMPARE(calibration::estimateWeightEncoding(zeros.view(), config, range("mse"))->scale.at(0), 1.0F);
}

void TestRangeEstimator::weightChannelsOnTheirOwn()
{
    // Channels of very different size: one scale for each can only help.
    auto values = draw("normal", 8 * 200);
    for (std::size_t i = 0; i < values.size(); ++i)
        values[i] *= static_cast<float>(i / 200 + 1);
    const Tensor weight = Tensor::from<float>({ 8, 200 }, values);
    for (const int bits : { 2, 3, 4, 8 }) {
        auto config = configFor(bits, true);
        config.signedness = quant::Signedness::Signed;
        const auto whole = calibration::estimateWeightEncoding(weight.view(), config, range("mse"));
        config.granularity = quant::Granularity::perChannel(0);
        const auto channels = calibration::estimateWeightEncoding(weight.view(), config, range("mse"));
        QVERIFY(
            quant::measureError(*channels, weight.view()).mse() <= quant::measureError(*whole, weight.view()).mse());
    }
}

void TestRangeEstimator::weightOtherMethods()
{
    std::vector<float> values;
    for (int i = -100; i <= 100; ++i)
        values.push_back(static_cast<float>(i));
    const Tensor weight = Tensor::from<float>({ 201 }, values);
    const auto config = configFor(16, true);
    const auto reach = [&](const char* text) {
        const auto encoding = calibration::estimateWeightEncoding(weight.view(), config, range(text));
        return encoding ? static_cast<double>(encoding->high()) : -1;
    };
    QVERIFY(std::abs(reach("percentile:90") - 80) < 0.01);
    QVERIFY(std::abs(reach("sigma:1") - std::sqrt((201.0 * 201 - 1) / 12)) < 0.01);
    QVERIFY(std::abs(reach("sigma:9") - 100) < 0.01);
    QVERIFY(std::abs(reach("manual:-3,5") - 5) < 0.001);
    const auto asymmetric = calibration::estimateWeightEncoding(
        Tensor::from<float>({ 2 }, std::vector<float> { -1, 3 }).view(), configFor(2, false), {});
    QCOMPARE(asymmetric->scale.at(0), static_cast<float>(4.0 / 3));
    QCOMPARE(asymmetric->zeroPoint.at(0), 1);
}

void TestRangeEstimator::weightErrors()
{
    const auto config = configFor(8, true);
    const auto empty = calibration::estimateWeightEncoding(Tensor(DType::Float32, { 0 }).view(), config, {});
    QCOMPARE(empty.error().code, ErrorCode::InvalidInput);
    const auto broken = Tensor::from<float>({ 2 }, std::vector<float> { 1, std::numeric_limits<float>::quiet_NaN() });
    const auto notFinite = calibration::estimateWeightEncoding(broken.view(), config, {});
    QCOMPARE(notFinite.error().code, ErrorCode::InvalidInput);
    QVERIFY(notFinite.error().what.find("element 1") != std::string::npos);
    const Tensor weight(DType::Float32, { 4 });
    auto wrongAxis = config;
    wrongAxis.granularity = quant::Granularity::perChannel(1);
    QCOMPARE(calibration::estimateWeightEncoding(weight.view(), wrongAxis, {}).error().code, ErrorCode::InvalidInput);
    wrongAxis.granularity = { quant::Granularity::Kind::PerBlock, 0, 2 };
    QCOMPARE(calibration::estimateWeightEncoding(weight.view(), wrongAxis, {}).error().code, ErrorCode::Unsupported);
}

QTEST_APPLESS_MAIN(TestRangeEstimator)
#include "tst_range_estimator.moc"
