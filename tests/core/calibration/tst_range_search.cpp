// SPDX-License-Identifier: GPL-3.0-or-later
// labels: numeric
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <QtTest>

#include "core/base/random.h"
#include "core/calibration/range_estimator.h"
#include "core/calibration/range_search.h"
#include "core/calibration/weight_search.h"
#include "tests/core/calibration/range_testing.h"

using namespace quantoscope;
using calibration::TensorStats;
using calibration::detail::Range;
using quant::Encoding;
using quant::QuantizerConfig;
using quant::RangeSpec;
using namespace quantoscope::test;

/// Searches over histograms and over weights against plain loops, and percentiles.
class TestRangeSearch : public QObject {
    Q_OBJECT

private slots:
    void gridErrorIsTheIntegral_data();
    void gridErrorIsTheIntegral();
    void weightGridIsThePlainLoop_data();
    void weightGridIsThePlainLoop();
    void coarserGridIsNotLost();
    void exponentsAreSearched_data();
    void exponentsAreSearched();
    void bothEndsOfWeights();
    void tailsAreExact();
    void tailsOnTheirOwn();
};

void TestRangeSearch::gridErrorIsTheIntegral_data()
{
    QTest::addColumn<int>("bits");
    QTest::addColumn<double>("share");
    for (const int bits : { 2, 3, 4, 8, 10, 12, 16 })
        for (const double share : { 0.1, 0.5, 0.9, 1.0, 1.7 })
            QTest::addRow("%d bits, %g of the range", bits, share) << bits << share;
}

/// One look-up a level gives what integrating bin by bin and level by level does.
void TestRangeSearch::gridErrorIsTheIntegral()
{
    QFETCH(int, bits);
    QFETCH(double, share);
    using Detail = calibration::detail::DensityModel::Detail;
    for (const auto& values :
        { drawGauss(5'000, 1, 0.3), rectified(drawLaplace(5'000)), Values { 3, -2, -2, 0, 0.1F }, Values { 0, 0 } }) {
        const auto histogram = statsOf(values).histogram();
        const Range seen = calibration::detail::seenRange(values);
        const calibration::detail::DensityModel model(histogram);
        for (const bool symmetric : { true, false }) {
            const auto encoding
                = quant::encodingForRange(configFor(bits, symmetric), share * seen.low, share * seen.high);
            const double expected = calibration::expectedError(histogram, encoding).noisePower;
            const double power = calibration::expectedError(histogram, encoding).signalPower;
            QVERIFY2(std::abs(model.squaredError(encoding) - expected) <= 1e-9 * expected + 1e-13 * power,
                qPrintable(QString("%1, integral %2").arg(model.squaredError(encoding)).arg(expected)));
            if (values.size() > 1'000) {
                const double quick = model.squaredError(encoding, Detail::Quick);
                QVERIFY(std::abs(quick - expected) <= 0.1 * expected + 1e-13 * power);
            }
        }
    }
}

namespace {

/// The definition: the largest of the best fractions.
float plainScale(const Values& values, const QuantizerConfig& config, bool isSigned)
{
    const Range full = calibration::detail::seenRange(values);
    double least = std::numeric_limits<double>::infinity();
    float scale = 0;
    for (int k = 100; k >= 10; --k) {
        Encoding encoding;
        quant::setChannel(encoding, 0, config, isSigned, full.low * k / 100, full.high * k / 100);
        Values approximations(values.size());
        quant::fakeQuantize(encoding, { std::ssize(values) }, values, approximations);
        double sum = 0;
        for (std::size_t i = 0; i < values.size(); ++i)
            sum += std::pow(static_cast<double>(values[i]) - static_cast<double>(approximations[i]), 2);
        if (sum < least) {
            least = sum;
            scale = encoding.scale[0];
        }
    }
    return scale;
}

} // namespace

void TestRangeSearch::weightGridIsThePlainLoop_data()
{
    QTest::addColumn<int>("count");
    for (const int count : { 1, 2, 3, 9, 27, 64, 300, 1'200, 5'000 })
        QTest::addRow("%d values", count) << count;
}

void TestRangeSearch::weightGridIsThePlainLoop()
{
    QFETCH(int, count);
    base::Random random(99);
    const int channels = std::max(3, 4'000 / count);
    for (const int bits : { 2, 3, 4, 5, 6, 8 }) {
        auto config = configFor(bits, true);
        for (const bool isSigned : { true, false }) {
            config.signedness = isSigned ? quant::Signedness::Signed : quant::Signedness::Unsigned;
            int different = 0;
            for (int channel = 0; channel < channels; ++channel) {
                Values values(static_cast<std::size_t>(count));
                for (float& value : values) {
                    const double sample = random.normal() * (random.uniform() < 0.02 ? 5 : 1);
                    value = static_cast<float>(isSigned ? sample : std::abs(sample));
                }
                const Range chosen = calibration::detail::leastSquaresRange(values, config, isSigned);
                Encoding encoding;
                quant::setChannel(encoding, 0, config, isSigned, chosen.low, chosen.high);
                const Encoding found = encoding;
                encoding.scale[0] = plainScale(values, config, isSigned);
                if (found == encoding)
                    continue;
                ++different;
                QVERIFY(noise(values, found) < noise(values, encoding)); // a refined coarser grid
            }
            // Few values may happen to lie nearer to a coarser grid.
            const int allowed = count < 9 ? channels : count < 64 ? channels / 20 : 0;
            QVERIFY2(different <= allowed, qPrintable(QString("%1 of %2").arg(different).arg(channels)));
        }
    }
}

void TestRangeSearch::coarserGridIsNotLost()
{
    // Values on a 3-bit grid: exact at 3 bits, and so at every word-length above.
    for (const bool symmetric : { true, false }) {
        Values values;
        for (int i = 0; i < 400; ++i)
            values.push_back(static_cast<float>(i % (symmetric ? 7 : 8) - 3) * 0.1F);
        const Tensor weight = tensorOf(values);
        for (int bits = 3; bits <= quant::maxBits; ++bits) {
            const auto encoding = calibration::estimateWeightEncoding(
                weight.view(), configFor(bits, symmetric), *RangeSpec::parse("mse"));
            QVERIFY2(noise(values, *encoding) < 1e-10, qPrintable(QString("%1 bits").arg(bits)));
        }
    }
}

void TestRangeSearch::exponentsAreSearched_data()
{
    QTest::addColumn<int>("bits");
    QTest::addColumn<bool>("weight");
    for (const int bits : { 2, 3, 4, 6, 8 })
        for (const bool weight : { true, false })
            QTest::addRow("%s, %d bits", weight ? "weight" : "activation", bits) << bits << weight;
}

void TestRangeSearch::exponentsAreSearched()
{
    QFETCH(int, bits);
    QFETCH(bool, weight);
    for (const double scale : { 0.013, 1.0, 7.7 }) {
        auto values = drawGauss(10'000, scale);
        values[3] = static_cast<float>(30 * scale);
        auto config = configFor(bits, true);
        config.scale = quant::ScaleRestriction::PowerOfTwo;
        const auto range = *RangeSpec::parse("mse");
        const Tensor tensor = tensorOf(values);
        const auto chosen = weight ? calibration::estimateWeightEncoding(tensor.view(), config, range)
                                   : calibration::estimateEncoding(statsOf(values), config, range);
        Encoding candidate = *chosen;
        double least = std::numeric_limits<double>::infinity();
        for (int exponent = -20; exponent <= 20; ++exponent) {
            candidate.scale[0] = std::ldexp(1.0F, exponent);
            least = std::min(least, noise(values, candidate));
        }
        QVERIFY(noise(values, *chosen) <= 1.0001 * least);
    }
}

void TestRangeSearch::bothEndsOfWeights()
{
    // A long thin tail above only: clipping both ends alike would cut the dense end below.
    Values values;
    base::Random random(8);
    for (int i = 0; i < 2'000; ++i)
        values.push_back(static_cast<float>(-random.uniform()));
    for (int i = 0; i < 8; ++i)
        values.push_back(static_cast<float>(3 * random.uniform()));
    const auto encoding
        = calibration::estimateWeightEncoding(tensorOf(values).view(), configFor(3, false), *RangeSpec::parse("mse"));
    double together = std::numeric_limits<double>::infinity();
    for (int k = 100; k >= 10; --k)
        together = std::min(
            together, noise(values, quant::encodingForRange(configFor(3, false), -1.0 * k / 100, 2.9 * k / 100)));
    QVERIFY(noise(values, *encoding) < 0.9 * together);
    QVERIFY(encoding->low() < -0.7F);
}

void TestRangeSearch::tailsAreExact()
{
    // 100,000 values: 10 lie above the 99.99th percentile, far finer than a bin of a histogram up to 1000.
    auto values = drawGauss(100'000);
    values[0] = 1000;
    const auto config = configFor(16, false);
    const auto encoding = estimate(values, config, "percentile:99.99");
    std::ranges::sort(values);
    const double expected = static_cast<double>(values[99'989]);
    QVERIFY2(std::abs(static_cast<double>(encoding.high()) - expected) < 1e-3,
        qPrintable(QString("%1, order statistic %2").arg(double(encoding.high())).arg(expected)));
}

void TestRangeSearch::tailsOnTheirOwn()
{
    Values values;
    for (int i = -1000; i <= 3000; ++i)
        values.push_back(static_cast<float>(i));
    const auto config = configFor(16, false);
    for (const bool weight : { true, false }) {
        const auto range = *RangeSpec::parse("percentile:10,75");
        const Tensor tensor = tensorOf(values);
        const auto encoding = weight ? calibration::estimateWeightEncoding(tensor.view(), config, range)
                                     : calibration::estimateEncoding(statsOf(values), config, range);
        QVERIFY(std::abs(encoding->low() + 600) < 2);
        QVERIFY(std::abs(encoding->high() - 2000) < 2);
    }
}

QTEST_APPLESS_MAIN(TestRangeSearch)
#include "tst_range_search.moc"
