// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include <QtTest>

#include "core/base/random.h"
#include "core/calibration/stats.h"

using namespace quantoscope;
using calibration::Histogram;
using calibration::TensorStats;

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float notANumber = std::numeric_limits<float>::quiet_NaN();

std::vector<float> draw(std::size_t count, std::uint64_t seed, const QString& kind)
{
    base::Random random(seed);
    std::vector<float> values(count);
    for (float& value : values) {
        const double normal = random.normal();
        if (kind == "relu")
            value = static_cast<float>(std::max(0.0, normal));
        else if (kind == "negative")
            value = static_cast<float>(-std::abs(normal) - 0.001);
        else if (kind == "heavy tails")
            value = static_cast<float>(std::pow(normal, 9.0));
        else if (kind == "wild exponents")
            value = static_cast<float>(std::ldexp(normal, static_cast<int>(random.below(240)) - 120));
        else if (kind == "constant")
            value = 3.7F;
        else if (kind == "zeros")
            value = random.below(2) == 0 ? 0.0F : -0.0F;
        else
            value = static_cast<float>(normal);
    }
    return values;
}

Histogram histogramOf(std::span<const float> values)
{
    Histogram histogram;
    histogram.add(values);
    return histogram;
}

Tensor batchOf(Shape shape, std::span<const float> values) { return Tensor::from<float>(std::move(shape), values); }

bool close(double a, double b) { return std::abs(a - b) <= 1e-12 * std::max({ std::abs(a), std::abs(b), 1e-300 }); }

} // namespace

class TestTensorStats : public QObject {
    Q_OBJECT

private slots:
    void kinds_data();
    void histogramHoldsEveryValue_data() { kinds_data(); }
    void histogramHoldsEveryValue();
    void histogramDoesNotDependOnOrder_data() { kinds_data(); }
    void histogramDoesNotDependOnOrder();
    void emptyAndZeroHistograms();
    void closedForm();
    void mergeEqualsAll_data() { kinds_data(); }
    void mergeEqualsAll();
    void channelRanges();
    void nonFiniteValues();
    void otherTypesAndShapes();
};

void TestTensorStats::kinds_data()
{
    QTest::addColumn<QString>("kind");
    for (const char* kind : { "normal", "relu", "negative", "heavy tails", "wild exponents", "constant", "zeros" })
        QTest::newRow(kind) << kind;
}

void TestTensorStats::histogramHoldsEveryValue()
{
    QFETCH(QString, kind);
    const auto values = draw(20'000, 3, kind);
    const auto histogram = histogramOf(values);
    QCOMPARE(histogram.total(), values.size());
    QCOMPARE(histogram.zeros(), static_cast<std::uint64_t>(std::ranges::count(values, 0.0F)));
    const auto& counts = histogram.counts();
    QCOMPARE(std::accumulate(counts.begin(), counts.end(), std::uint64_t { 0 }), histogram.total());
    if (kind == "zeros") {
        QCOMPARE(histogram.binWidth(), 0.0);
        return;
    }
    const double width = histogram.binWidth();
    int exponent = 0;
    QCOMPARE(std::frexp(width, &exponent), 0.5); // a power of two
    std::vector<std::uint64_t> expected(counts.size());
    for (const float value : values)
        ++expected.at(static_cast<std::size_t>(
            static_cast<std::int64_t>(std::floor(static_cast<double>(value) / width)) - histogram.firstBin()));
    QVERIFY(counts == expected);
    const auto [low, high] = std::ranges::minmax(values);
    QVERIFY(histogram.low() <= static_cast<double>(low) && static_cast<double>(low) < histogram.low() + width);
    QVERIFY(histogram.high() - width <= static_cast<double>(high) && static_cast<double>(high) < histogram.high());
    const double used = (std::max(0.0, histogram.high()) - std::min(0.0, histogram.low())) / width;
    QVERIFY(used <= Histogram::targetBins && used > Histogram::targetBins / 2 - 2);
}

void TestTensorStats::histogramDoesNotDependOnOrder()
{
    QFETCH(QString, kind);
    auto values = draw(4'000, 5, kind);
    const auto whole = histogramOf(values);
    // Small values first makes it grow many times, large values first makes it start wide.
    for (const bool ascending : { true, false }) {
        std::ranges::sort(values, [ascending](float a, float b) {
            return ascending ? std::abs(a) < std::abs(b) : std::abs(a) > std::abs(b);
        });
        Histogram added;
        Histogram merged;
        for (std::size_t i = 0; i < values.size(); i += 100) {
            const auto part = std::span(values).subspan(i, 100);
            added.add(part);
            merged.merge(histogramOf(part));
        }
        QVERIFY(added == whole);
        QVERIFY(merged == whole);
    }
}

void TestTensorStats::emptyAndZeroHistograms()
{
    Histogram histogram;
    QCOMPARE(histogram.total(), std::uint64_t { 0 });
    QCOMPARE(histogram.binWidth(), 0.0);
    histogram.add(std::vector<float> {});
    histogram.add(std::vector<float> { notANumber, infinity, -infinity });
    QVERIFY(histogram == Histogram {});
    histogram.merge({});
    QVERIFY(histogram == Histogram {});
    histogram.add(std::vector<float> { 0, -0.0F });
    QCOMPARE(histogram.total(), std::uint64_t { 2 });
    QCOMPARE(histogram.low(), 0.0);
    QCOMPARE(histogram.high(), 0.0);
    histogram.add(std::vector<float> { 1 });
    QCOMPARE(histogram.total(), std::uint64_t { 3 });
    QCOMPARE(histogram.zeros(), std::uint64_t { 2 });
    QCOMPARE(histogram.counts().front(), std::uint64_t { 2 });
    QCOMPARE(histogram.low(), 0.0);
}

void TestTensorStats::closedForm()
{
    std::vector<float> values;
    for (int i = -50; i <= 100; ++i) // one sample of every kind of remainder of the vector width
        values.push_back(static_cast<float>(i) / 4);
    TensorStats stats;
    stats.observe(batchOf({ 151 }, values).view());
    QCOMPARE(stats.count(), std::uint64_t { 151 });
    QCOMPARE(stats.min(), -12.5F);
    QCOMPARE(stats.max(), 25.0F);
    QCOMPARE(stats.mean(), 25.0 / 4);
    QCOMPARE(stats.variance(), (151.0 * 151 - 1) / 12 / 16);
    QCOMPARE(stats.meanAbsolute(), (50.0 * 51 / 2 + 100.0 * 101 / 2) / 4 / 151);

    TensorStats one;
    one.observe(batchOf({ 1 }, std::vector<float> { -2 }).view());
    QCOMPARE(one.min(), -2.0F);
    QCOMPARE(one.max(), -2.0F);
    QCOMPARE(one.variance(), 0.0);
    QCOMPARE(TensorStats {}.mean(), 0.0);
    QCOMPARE(TensorStats {}.variance(), 0.0);
    QCOMPARE(TensorStats {}.meanAbsolute(), 0.0);
}

void TestTensorStats::mergeEqualsAll()
{
    QFETCH(QString, kind);
    const auto values = draw(6 * 4 * 50, 9, kind);
    TensorStats all(4);
    all.observe(batchOf({ 6, 4, 50 }, values).view());
    TensorStats merged(4);
    for (std::size_t image = 0; image < 6; ++image) {
        TensorStats part(4);
        part.observe(batchOf({ 1, 4, 50 }, std::span(values).subspan(image * 200, 200)).view());
        merged.merge(part);
    }
    merged.merge(TensorStats(4)); // nothing seen changes nothing
    QCOMPARE(merged.count(), all.count());
    QCOMPARE(merged.min(), all.min());
    QCOMPARE(merged.max(), all.max());
    QVERIFY(merged.histogram() == all.histogram());
    QVERIFY(close(merged.mean(), all.mean()) || std::abs(all.mean()) < 1e-6 * all.meanAbsolute());
    QVERIFY(close(merged.meanAbsolute(), all.meanAbsolute()));
    for (std::size_t c = 0; c < 4; ++c) {
        QCOMPARE(merged.channels()[c].min, all.channels()[c].min);
        QCOMPARE(merged.channels()[c].max, all.channels()[c].max);
    }
}

void TestTensorStats::channelRanges()
{
    TensorStats stats(2);
    stats.observe(batchOf({ 2, 2, 2 }, std::vector<float> { 1, 2, 30, 40, 5, -6, 7, 80 }).view());
    QCOMPARE(stats.channels()[0].min, -6.0F);
    QCOMPARE(stats.channels()[0].max, 5.0F);
    QCOMPARE(stats.channels()[1].min, 7.0F); // not 0: nothing smaller was seen
    QCOMPARE(stats.channels()[1].max, 80.0F);
    const auto without = stats.withoutChannels();
    QVERIFY(without.channels().empty());
    QCOMPARE(without.count(), stats.count());
    QVERIFY(without.histogram() == stats.histogram());
}

void TestTensorStats::nonFiniteValues()
{
    TensorStats stats(2);
    stats.observe(
        batchOf({ 1, 2, 3 }, std::vector<float> { 1, notANumber, 2, infinity, -infinity, notANumber }).view());
    QCOMPARE(stats.nonFinite(), std::uint64_t { 4 });
    QCOMPARE(stats.count(), std::uint64_t { 2 });
    QCOMPARE(stats.min(), 1.0F);
    QCOMPARE(stats.max(), 2.0F);
    QCOMPARE(stats.mean(), 1.5);
    QCOMPARE(stats.histogram().total(), std::uint64_t { 2 });
    QCOMPARE(stats.channels()[1].max, 0.0F); // never saw a number
    TensorStats merged(2);
    merged.merge(stats);
    QCOMPARE(merged.nonFinite(), std::uint64_t { 4 });
    QCOMPARE(merged.channels()[0].min, 1.0F);
}

void TestTensorStats::otherTypesAndShapes()
{
    TensorStats stats;
    const auto half = tensor::convert(batchOf({ 2 }, std::vector<float> { 0.5F, -3 }).view(), DType::Float16);
    stats.observe(half.view());
    stats.observe(batchOf({}, std::vector<float> { 4 }).view()); // a scalar
    stats.observe(Tensor(DType::Float32, { 0, 3 }).view());
    QCOMPARE(stats.count(), std::uint64_t { 3 });
    QCOMPARE(stats.min(), -3.0F);
    QCOMPARE(stats.max(), 4.0F);
}

QTEST_APPLESS_MAIN(TestTensorStats)
#include "tst_tensor_stats.moc"
