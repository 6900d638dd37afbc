// SPDX-License-Identifier: GPL-3.0-or-later
// labels: numeric
#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include <QtTest>

#include "core/calibration/analytic_range.h"
#include "core/calibration/entropy_range.h"
#include "core/calibration/range_estimator.h"
#include "core/calibration/range_search.h"
#include "tests/core/calibration/range_testing.h"

using namespace quantoscope;
using calibration::Histogram;
using calibration::detail::Range;
using quant::Encoding;
using quant::QuantizerConfig;
using quant::RangeSpec;
using Density = RangeSpec::Density;
using test::configFor;
using test::drawGauss;
using test::drawLaplace;
using test::estimate;
using test::noise;
using test::rectified;
using test::tensorOf;
using test::Values;

namespace {

double probability(Density density, double x)
{
    return density == Density::Gauss ? std::exp(-x * x / 2) / std::sqrt(2 * std::numbers::pi) : std::exp(-x) / 2;
}

/// 2 int_a^inf (x - a)^2 p(x) dx by Simpson's rule, and the rounding noise.
double expectedNoise(Density density, double a, double relativeStep)
{
    constexpr int steps = 4'000;
    const double width = 50.0 / steps;
    double sum = 0;
    for (int i = 0; i <= steps; ++i) {
        const double weight = i == 0 || i == steps ? 1 : i % 2 == 1 ? 4 : 2;
        const double beyond = i * width;
        sum += weight * beyond * beyond * probability(density, a + beyond);
    }
    return 2 * sum * width / 3 + std::pow(a * relativeStep, 2) / 12;
}

} // namespace

/// Each method against its definition.
class TestRangeMethods : public QObject {
    Q_OBJECT

private slots:
    void publishedClipping_data();
    void publishedClipping();
    void clippingIsTheMinimum_data();
    void clippingIsTheMinimum();
    void densityThatFits();
    void aciqNearTheOptimum_data();
    void aciqNearTheOptimum();
    void entropyIsTheMinimum_data();
    void entropyIsTheMinimum();
    void entropyKeepsWhatLevelsCanHold();
    void entropyClipsOutliers();
    void entropyIgnoresZeros();
};

void TestRangeMethods::publishedClipping_data()
{
    QTest::addColumn<Density>("density");
    QTest::addColumn<int>("bits");
    QTest::addColumn<double>("expected");
    // Banner, Nahshan, Soudry 2019: alpha = 2.83 b, 3.89 b, 5.03 b and 1.71 sigma, 2.15 sigma, 2.55 sigma for M = 2,
    // 3, 4.
    QTest::newRow("Laplace 2") << Density::Laplace << 2 << 2.83;
    QTest::newRow("Laplace 3") << Density::Laplace << 3 << 3.89;
    QTest::newRow("Laplace 4") << Density::Laplace << 4 << 5.03;
    QTest::newRow("Gauss 2") << Density::Gauss << 2 << 1.71;
    QTest::newRow("Gauss 3") << Density::Gauss << 3 << 2.15;
    QTest::newRow("Gauss 4") << Density::Gauss << 4 << 2.55;
}

void TestRangeMethods::publishedClipping()
{
    QFETCH(Density, density);
    QFETCH(int, bits);
    QFETCH(double, expected);
    const double clipping = calibration::detail::optimalClipping(density, std::ldexp(2.0, -bits));
    QVERIFY2(std::abs(clipping - expected) < 0.02, qPrintable(QString::number(clipping)));
}

void TestRangeMethods::clippingIsTheMinimum_data()
{
    QTest::addColumn<Density>("density");
    QTest::addColumn<double>("step");
    for (const auto& [name, density] : { std::pair { "Gauss", Density::Gauss }, { "Laplace", Density::Laplace } })
        for (int bits = quant::minBits; bits <= quant::maxBits; ++bits)
            QTest::newRow(qPrintable(QString("%1 at %2 bits").arg(name).arg(bits)))
                << density << 1.0 / ((1 << (bits - 1)) - 1);
}

void TestRangeMethods::clippingIsTheMinimum()
{
    QFETCH(Density, density);
    QFETCH(double, step);
    double low = 0;
    double high = 30;
    for (int i = 0; i < 60; ++i) { // golden section
        const double a = high - (high - low) * 0.618;
        const double b = low + (high - low) * 0.618;
        (expectedNoise(density, a, step) < expectedNoise(density, b, step) ? high : low)
            = expectedNoise(density, a, step) < expectedNoise(density, b, step) ? b : a;
    }
    const double clipping = calibration::detail::optimalClipping(density, step);
    QVERIFY2(std::abs(clipping - low) < 2e-4 * low, qPrintable(QString("%1, minimum %2").arg(clipping).arg(low)));
}

void TestRangeMethods::densityThatFits()
{
    const auto fit = [](const Values& values) {
        const auto summary = calibration::detail::summarise(values);
        return calibration::detail::betterFit(summary.meanAbsolute, summary.meanSquare);
    };
    for (const double scale : { 1e-6, 1.0, 1e6 }) {
        QCOMPARE(fit(drawGauss(20'000, scale)), Density::Gauss);
        QCOMPARE(fit(drawLaplace(20'000, scale)), Density::Laplace);
    }
    // One side, without its zeros, and around a mean that is not zero.
    for (const bool gauss : { true, false }) {
        const auto rest = gauss ? drawGauss(20'000) : drawLaplace(20'000);
        const auto moved = gauss ? drawGauss(20'000, 1, 0.7) : drawLaplace(20'000, 1, 0.7);
        const char* name = gauss ? "aciq:gauss" : "aciq:laplace";
        const char* other = gauss ? "aciq:laplace" : "aciq:gauss";
        for (const auto& values : { rectified(rest), moved }) {
            const auto config = configFor(4, false);
            QVERIFY(estimate(values, config, "aciq") == estimate(values, config, name));
            QVERIFY(!(estimate(values, config, "aciq") == estimate(values, config, other)));
        }
    }
}

void TestRangeMethods::aciqNearTheOptimum_data()
{
    QTest::addColumn<Values>("values");
    QTest::addColumn<bool>("symmetric");
    constexpr std::size_t count = 60'000;
    for (const bool symmetric : { true, false }) {
        const char* scheme = symmetric ? "symmetric" : "asymmetric";
        QTest::addRow("gauss, %s", scheme) << drawGauss(count, 0.3) << symmetric;
        QTest::addRow("laplace, %s", scheme) << drawLaplace(count, 20) << symmetric;
        QTest::addRow("gauss through ReLU, %s", scheme) << rectified(drawGauss(count)) << symmetric;
        QTest::addRow("laplace through ReLU, %s", scheme) << rectified(drawLaplace(count)) << symmetric;
    }
    QTest::addRow("gauss beside zero") << drawGauss(count, 1, 0.9) << false;
    QTest::addRow("laplace beside zero") << drawLaplace(count, 1, 0.9) << false;
}

void TestRangeMethods::aciqNearTheOptimum()
{
    QFETCH(Values, values);
    QFETCH(bool, symmetric);
    for (const int bits : { 3, 4, 5, 6, 8 }) {
        const auto config = configFor(bits, symmetric);
        const double analytic = noise(values, estimate(values, config, "aciq"));
        const double least = noise(values, estimate(values, config, "mse"));
        // At 3 bits a cell is no longer narrow against the density, which the formula assumes.
        const double allowed = bits == 3 ? 1.15 : 1.06;
        QVERIFY2(analytic <= allowed * least,
            qPrintable(QString("%1 bits: %2, optimum %3").arg(bits).arg(analytic).arg(least)));
    }
    const Tensor weight = tensorOf(values);
    const auto exact
        = calibration::estimateWeightEncoding(weight.view(), configFor(4, symmetric), *RangeSpec::parse("aciq"));
    const auto streamed = estimate(values, configFor(4, symmetric), "aciq");
    QVERIFY(std::abs(exact->scale[0] - streamed.scale[0]) <= 1e-3F * exact->scale[0]);
}

namespace {

/// The divergence as its definition says it, bin by bin.
double plainDivergence(const Histogram& histogram, const Encoding& encoding)
{
    const double step = static_cast<double>(encoding.scale[0]);
    const auto lowest = std::int64_t { encoding.qmin } - encoding.zeroPoint[0];
    const auto highest = std::int64_t { encoding.qmax } - encoding.zeroPoint[0];
    std::vector<double> p;
    std::vector<double> q;
    std::vector<std::int64_t> cells;
    double below = 0;
    double above = 0;
    for (std::size_t i = 0; i < histogram.counts().size(); ++i) {
        const auto bin = histogram.firstBin() + static_cast<std::int64_t>(i);
        const auto count = static_cast<double>(histogram.counts()[i] - (bin == 0 ? histogram.zeros() : 0));
        const auto centre = (static_cast<double>(bin) + 0.5) * histogram.binWidth();
        const auto cell = static_cast<std::int64_t>(std::ceil(centre / step - 0.5));
        if (cell < lowest)
            below += count;
        else if (cell > highest)
            above += count;
        else {
            p.push_back(count);
            cells.push_back(cell);
        }
    }
    if (p.empty())
        return std::numeric_limits<double>::infinity();
    const auto inside = p;
    p.front() += below;
    p.back() += above;
    q.resize(p.size());
    double sumOfP = 0;
    double sumOfQ = 0;
    for (std::size_t i = 0; i < p.size(); ++i) {
        double mass = 0;
        double used = 0;
        for (std::size_t j = 0; j < p.size(); ++j)
            if (cells[j] == cells[i]) {
                mass += inside[j];
                used += p[j] > 0 ? 1 : 0;
            }
        q[i] = p[i] > 0 ? std::max(mass, 0.5) / used : 0;
        sumOfP += p[i];
        sumOfQ += q[i];
    }
    double divergence = 0;
    for (std::size_t i = 0; i < p.size(); ++i)
        if (p[i] > 0)
            divergence += p[i] / sumOfP * std::log(p[i] / sumOfP / (q[i] / sumOfQ));
    return divergence;
}

/// Few bins, so that the plain sums are quick.
Histogram smallHistogram(const Values& values)
{
    Histogram histogram(128);
    histogram.add(values);
    return histogram;
}

} // namespace

void TestRangeMethods::entropyIsTheMinimum_data()
{
    QTest::addColumn<Values>("values");
    QTest::addColumn<bool>("symmetric");
    QTest::addColumn<int>("bits");
    for (const int bits : { 2, 3, 4 })
        for (const bool symmetric : { true, false }) {
            const auto name = [&](const char* shape) {
                return QByteArray(shape) + (symmetric ? ", symmetric, " : ", asymmetric, ") + QByteArray::number(bits);
            };
            QTest::newRow(name("gauss").constData()) << drawGauss(3'000) << symmetric << bits;
            QTest::newRow(name("laplace").constData()) << drawLaplace(3'000) << symmetric << bits;
            QTest::newRow(name("relu").constData()) << rectified(drawLaplace(3'000)) << symmetric << bits;
        }
}

void TestRangeMethods::entropyIsTheMinimum()
{
    QFETCH(Values, values);
    QFETCH(bool, symmetric);
    QFETCH(int, bits);
    const auto histogram = smallHistogram(values);
    const auto config = configFor(bits, symmetric);
    const Range seen = calibration::detail::seenRange(values);
    const bool isSigned = quant::usesSignedGrid(config, seen.low, seen.high);
    Encoding encoding;
    const auto divergenceOf = [&](double low, double high) {
        quant::setChannel(encoding, 0, config, isSigned, low, high);
        return plainDivergence(histogram, encoding);
    };
    const Range chosen = calibration::detail::entropyRange(histogram, config, isSigned, seen);
    const double found = divergenceOf(chosen.low, chosen.high);
    quant::setChannel(encoding, 0, config, isSigned, seen.low, seen.high);
    const double smallest = histogram.binWidth() / static_cast<double>(encoding.scale[0]);
    double least = std::numeric_limits<double>::infinity();
    for (double fraction = 1; fraction >= smallest; fraction -= 1.0 / 100)
        least = std::min(least, divergenceOf(seen.low * fraction, seen.high * fraction));
    // Over 128 bins the divergence jumps at every bin's edge, where a scan may hit a better place than the search.
    QVERIFY2(found <= 1.05 * least, qPrintable(QString("%1, scan %2").arg(found).arg(least)));
    QVERIFY(found >= 0);
}

void TestRangeMethods::entropyKeepsWhatLevelsCanHold()
{
    for (const auto& values : { drawGauss(20'000), drawLaplace(20'000), rectified(drawGauss(20'000)) })
        for (const bool symmetric : { true, false })
            for (const int bits : { 13, 16 })
                QVERIFY(estimate(values, configFor(bits, symmetric), "entropy")
                    == estimate(values, configFor(bits, symmetric), "min-max"));
    // A tensor that lies on the grid already loses nothing.
    Values levels;
    for (int i = 0; i < 10'000; ++i)
        levels.push_back(static_cast<float>(i % 16));
    QVERIFY(estimate(levels, configFor(4, false), "entropy") == estimate(levels, configFor(4, false), "min-max"));
}

void TestRangeMethods::entropyClipsOutliers()
{
    auto values = drawGauss(50'000);
    values[17] = 40;
    for (const bool symmetric : { true, false }) {
        const auto encoding = estimate(values, configFor(8, symmetric), "entropy");
        QVERIFY2(encoding.high() < 12 && encoding.high() > 2.5F, qPrintable(QString::number(double(encoding.high()))));
    }
    // Both ends on their own: the outlier on one side leaves the other as it is.
    QVERIFY(estimate(values, configFor(8, false), "entropy").low() < -2.5F);
}

void TestRangeMethods::entropyIgnoresZeros()
{
    const auto positive = rectified(drawGauss(20'000));
    auto sparse = positive;
    sparse.resize(10 * positive.size(), 0);
    QVERIFY(estimate(positive, configFor(4, false), "entropy") == estimate(sparse, configFor(4, false), "entropy"));
    QVERIFY(estimate(positive, configFor(4, false), "aciq").scale[0]
            - estimate(sparse, configFor(4, false), "aciq").scale[0]
        < 1e-6F);
}

QTEST_APPLESS_MAIN(TestRangeMethods)
#include "tst_range_methods.moc"
