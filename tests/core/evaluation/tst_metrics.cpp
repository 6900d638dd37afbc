// SPDX-License-Identifier: GPL-3.0-or-later
// labels: unit numeric
#include <cmath>
#include <thread>

#include <QTest>

#include "core/evaluation/evaluator.h"
#include "core/evaluation/metrics.h"

using namespace quantoscope;
using namespace quantoscope::evaluation;

namespace {

void addOutcomes(
    std::vector<ImageOutcome>& first, std::vector<ImageOutcome>& second, int count, bool firstRight, bool secondRight)
{
    for (int i = 0; i < count; ++i) {
        ImageOutcome outcome;
        outcome.label = 0;
        outcome.prediction = firstRight ? 0 : 1;
        first.push_back(outcome);
        outcome.prediction = secondRight ? 0 : 1;
        second.push_back(outcome);
    }
}

PairedComparison comparePaired(int both, int onlyFirst, int onlySecond, int neither)
{
    std::vector<ImageOutcome> first;
    std::vector<ImageOutcome> second;
    addOutcomes(first, second, both, true, true);
    addOutcomes(first, second, onlyFirst, true, false);
    addOutcomes(first, second, onlySecond, false, true);
    addOutcomes(first, second, neither, false, false);
    return compare(first, second);
}

/// The binomial sum as it stands in the books, in long double; fit for small counts only.
double naiveMcNemar(int k, int m)
{
    if (k == m)
        return 1;
    const int n = k + m;
    long double sum = 0;
    long double choose = 1;
    for (int i = 0; i <= std::min(k, m); ++i) {
        sum += choose;
        choose = choose * (n - i) / (i + 1);
    }
    return static_cast<double>(std::min(1.0L, 2 * sum / std::pow(2.0L, n)));
}

} // namespace

class TestMetrics : public QObject {
    Q_OBJECT

private slots:
    void wilsonMatchesPublished_data()
    {
        QTest::addColumn<int>("successes");
        QTest::addColumn<int>("trials");
        QTest::addColumn<double>("low");
        QTest::addColumn<double>("high");
        // Newcombe, Statistics in Medicine 17 (1998) 857-872, table I, method 3.
        QTest::newRow("81 of 263") << 81 << 263 << 0.2553 << 0.3662;
        QTest::newRow("15 of 148") << 15 << 148 << 0.0624 << 0.1605;
        QTest::newRow("0 of 20") << 0 << 20 << 0.0 << 0.1611;
        QTest::newRow("1 of 29") << 1 << 29 << 0.0061 << 0.1718;
    }
    void wilsonMatchesPublished()
    {
        QFETCH(int, successes);
        QFETCH(int, trials);
        QFETCH(double, low);
        QFETCH(double, high);
        const Interval interval = wilson(successes, trials);
        QVERIFY(std::abs(interval.low - low) < 5e-5);
        QVERIFY(std::abs(interval.high - high) < 5e-5);
        const Interval mirrored = wilson(trials - successes, trials);
        QVERIFY(std::abs(mirrored.low - (1 - interval.high)) < 1e-15);
        QVERIFY(std::abs(mirrored.high - (1 - interval.low)) < 1e-15);
    }

    void wilsonEnds()
    {
        QCOMPARE(wilson(0, 0), (Interval { 0, 1 }));
        QCOMPARE(wilson(0, 1'000'000).low, 0.0);
        QCOMPARE(wilson(1'000'000, 1'000'000).high, 1.0);
        // The ends solve (p - x)^2 = z^2 x (1 - x) / n.
        const Interval interval = wilson(915, 1000);
        for (const double x : { interval.low, interval.high }) {
            const double z2 = std::pow(0.915 - x, 2) * 1000 / (x * (1 - x));
            QVERIFY(std::abs(z2 - 3.841458820694124) < 1e-9);
        }
    }

    void newcombeMatchesPublished()
    {
        // Fagerland, Lydersen, Laake, Statistics in Medicine 33 (2014) 2850-2875: airway hyper-responsiveness before
        // and after transplantation, 1, 1, 7 and 12 of 21 children; before minus after -0.286, Newcombe -0.507 to
        // -0.026, exact p 0.0703.
        const PairedComparison paired = comparePaired(1, 1, 7, 12);
        QCOMPARE(paired.images, 21);
        QCOMPARE(paired.onlyFirst, 1);
        QCOMPARE(paired.onlySecond, 7);
        QVERIFY(std::abs(paired.delta - 100 * 6.0 / 21) < 1e-12);
        QVERIFY(std::abs(paired.deltaInterval.low - 2.6) < 0.05);
        QVERIFY(std::abs(paired.deltaInterval.high - 50.7) < 0.05);
        QVERIFY(std::abs(paired.pValue - 0.0703125) < 1e-15);
    }

    void newcombeProperties()
    {
        const PairedComparison forth = comparePaired(36, 12, 2, 0);
        const PairedComparison back = comparePaired(36, 2, 12, 0);
        QVERIFY(std::abs(forth.delta + back.delta) < 1e-12);
        QVERIFY(std::abs(forth.deltaInterval.low + back.deltaInterval.high) < 1e-12);
        QVERIFY(std::abs(forth.deltaInterval.low + 34.04276029749407) < 1e-9);
        QVERIFY(std::abs(forth.deltaInterval.high + 5.692958400323869) < 1e-9);
        // No discordant pair: the interval still has an extent, symmetric about zero, and nothing is significant.
        const PairedComparison same = comparePaired(900, 0, 0, 100);
        QCOMPARE(same.delta, 0.0);
        QCOMPARE(same.pValue, 1.0);
        QCOMPARE(same.agreement, 100.0);
        QVERIFY(same.deltaInterval.high > 0 && same.deltaInterval.high < 1);
        QVERIFY(std::abs(same.deltaInterval.low + same.deltaInterval.high) < 1e-12);
        const PairedComparison nothing = comparePaired(0, 0, 0, 0);
        QCOMPARE(nothing.deltaInterval, (Interval { -100, 100 }));
        QCOMPARE(nothing.pValue, 1.0);
    }

    void mcNemarMatchesSum_data()
    {
        QTest::addColumn<int>("first");
        QTest::addColumn<int>("second");
        for (const auto& [a, b] :
            { std::pair(0, 1), { 0, 5 }, { 1, 7 }, { 5, 5 }, { 5, 6 }, { 40, 23 }, { 60, 3 }, { 0, 40 } })
            QTest::addRow("%d against %d", a, b) << a << b;
    }
    void mcNemarMatchesSum()
    {
        QFETCH(int, first);
        QFETCH(int, second);
        const double p = comparePaired(10, first, second, 10).pValue;
        QVERIFY(std::abs(p / naiveMcNemar(first, second) - 1) < 1e-12);
        QCOMPARE(comparePaired(10, second, first, 10).pValue, p);
    }

    /// For the thread sanitizer: workers and the window compare at the same time.
    void threadsCompareAtTheSameTime()
    {
        double elsewhere = 0;
        double here = 0;
        {
            const std::jthread other([&elsewhere] { elsewhere = comparePaired(10, 7, 2, 1).pValue; });
            here = comparePaired(10, 7, 2, 1).pValue;
        }
        QCOMPARE(elsewhere, here);
    }

    void mcNemarStaysExactForManyPairs()
    {
        // Sums of exact fractions (Python's fractions module).
        QVERIFY(std::abs(comparePaired(0, 2000, 2200, 0).pValue / 0.0021323556719912346 - 1) < 1e-9);
        QVERIFY(std::abs(comparePaired(0, 4900, 5100, 0).pValue / 0.04658552770494739 - 1) < 1e-9);
        QVERIFY(std::abs(comparePaired(0, 3000, 1000, 0).pValue / 2.4915145386299067e-229 - 1) < 1e-9);
    }

    void agreementCountsPredictionsNotHits()
    {
        std::vector<ImageOutcome> first(4);
        std::vector<ImageOutcome> second(4);
        for (std::size_t i = 0; i < 4; ++i) {
            first[i].label = second[i].label = 0;
            first[i].prediction = 1;
            second[i].prediction = i < 3 ? 1 : 2; // wrong either way, but one differs
        }
        const PairedComparison paired = compare(first, second);
        QCOMPARE(paired.agreement, 75.0);
        QCOMPARE(paired.delta, 0.0);
        QCOMPARE(paired.onlyFirst + paired.onlySecond, 0);
    }
};

QTEST_APPLESS_MAIN(TestMetrics)
#include "tst_metrics.moc"
