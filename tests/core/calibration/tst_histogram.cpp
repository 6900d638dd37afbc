// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <QtTest>

#include "core/calibration/histogram.h"
#include "tests/support/drawn_values.h"

using namespace quantoscope;
using calibration::Histogram;
using test::draw;

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float notANumber = std::numeric_limits<float>::quiet_NaN();

Histogram histogramOf(std::span<const float> values)
{
    Histogram histogram;
    histogram.add(values);
    return histogram;
}

} // namespace

class TestHistogram : public QObject {
    Q_OBJECT

private slots:
    void kinds_data();
    void holdsEveryValue_data() { kinds_data(); }
    void holdsEveryValue();
    void doesNotDependOnOrder_data() { kinds_data(); }
    void doesNotDependOnOrder();
    void emptyAndZero();
    void resolutionsAgree();
    void badCountsAreRefused_data();
    void badCountsAreRefused();
};

void TestHistogram::kinds_data()
{
    QTest::addColumn<QString>("kind");
    for (const char* kind : test::drawnKinds)
        QTest::newRow(kind) << kind;
}

void TestHistogram::holdsEveryValue()
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

void TestHistogram::doesNotDependOnOrder()
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

void TestHistogram::emptyAndZero()
{
    Histogram histogram;
    QCOMPARE(histogram.total(), std::uint64_t { 0 });
    QCOMPARE(histogram.binWidth(), 0.0);
    histogram.add(std::vector<float> {});
    histogram.add(std::vector<float> { notANumber, infinity, -infinity });
    QVERIFY(histogram == Histogram {});
    histogram.merge(Histogram {});
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

/// A coarse histogram of values is what a fine one of them merges into.
void TestHistogram::resolutionsAgree()
{
    for (const char* kind : { "normal", "relu", "heavy tails", "wild exponents" })
        for (const int bins : { 2, 32, 256 }) {
            const auto values = draw(3000, 11, kind);
            Histogram direct(bins);
            direct.add(values);
            Histogram merged(bins);
            for (std::size_t i = 0; i < values.size(); i += 500)
                merged.merge(histogramOf(std::span(values).subspan(i, 500)));
            QVERIFY(merged == direct);
            QVERIFY(std::ssize(direct.counts()) <= bins);
            QVERIFY(direct.binWidth() >= histogramOf(values).binWidth());
        }
}

void TestHistogram::badCountsAreRefused_data()
{
    QTest::addColumn<int>("bins");
    QTest::addColumn<int>("exponent");
    QTest::addColumn<int>("first");
    QTest::addColumn<int>("size");
    QTest::addColumn<int>("zeros");
    QTest::addColumn<bool>("good");
    QTest::newRow("good") << 32 << -3 << -2 << 6 << 1 << true;
    QTest::newRow("empty") << 32 << -120 << 0 << 0 << 0 << true;
    QTest::newRow("no power of two") << 33 << -3 << -2 << 6 << 1 << false;
    QTest::newRow("no bins") << 0 << -3 << -2 << 6 << 1 << false;
    QTest::newRow("too many counts") << 4 << -3 << -2 << 6 << 1 << false;
    QTest::newRow("without zero's bin") << 32 << -3 << 1 << 6 << 0 << false;
    QTest::newRow("ends below zero") << 32 << -3 << -8 << 6 << 0 << false;
    QTest::newRow("more zeros than counts") << 32 << -3 << -2 << 6 << 100 << false;
    QTest::newRow("exponent") << 32 << 500 << -2 << 6 << 1 << false;
}

void TestHistogram::badCountsAreRefused()
{
    QFETCH(int, bins);
    QFETCH(int, exponent);
    QFETCH(int, first);
    QFETCH(int, size);
    QFETCH(int, zeros);
    QFETCH(bool, good);
    std::vector<std::uint64_t> counts(static_cast<std::size_t>(size), 2);
    const auto made
        = Histogram::fromCounts(bins, exponent, first, std::move(counts), static_cast<std::uint64_t>(zeros));
    QCOMPARE(made.has_value(), good);
    if (made)
        QCOMPARE(made->total(), static_cast<std::uint64_t>(2 * size));
}

QTEST_APPLESS_MAIN(TestHistogram)
#include "tst_histogram.moc"
