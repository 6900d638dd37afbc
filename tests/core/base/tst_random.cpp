// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>

#include <QtTest>

#include "core/base/random.h"

using namespace quantoscope;
using base::Random;

class TestRandom : public QObject {
    Q_OBJECT

private slots:
    void splitMix64GivesThePublishedSequence()
    {
        Random random(1234567);
        for (const std::uint64_t expected : { 6457827717110365317ULL, 3203168211198807973ULL, 9817491932198370423ULL })
            QCOMPARE(random(), expected);
    }

    void belowIsUniform_data()
    {
        QTest::addColumn<qulonglong>("bound");
        QTest::newRow("6") << 6ULL;
        QTest::newRow("10") << 10ULL;
        // A plain remainder would give the lower half twice the share of the upper one.
        QTest::newRow("3/4 of all") << (3ULL << 62);
    }

    void belowIsUniform()
    {
        QFETCH(qulonglong, bound);
        constexpr int draws = 60000;
        const std::uint64_t bins = std::min<std::uint64_t>(bound, 12);
        std::vector<int> counts(bins);
        Random random(42);
        for (int i = 0; i < draws; ++i) {
            const std::uint64_t draw = random.below(bound);
            QVERIFY(draw < bound);
            ++counts[bound <= 12 ? draw : draw / (bound / 12)];
        }
        const double expected = static_cast<double>(draws) / static_cast<double>(bins);
        for (const int count : counts)
            QVERIFY2(std::abs(count - expected) < 5 * std::sqrt(expected), qPrintable(QString::number(count)));
    }

    void belowOneIsZero()
    {
        Random random(1);
        for (int i = 0; i < 100; ++i)
            QCOMPARE(random.below(1), 0u);
    }

    void uniformHasTheMomentsOfAUniform()
    {
        Random random(3);
        constexpr int draws = 100000;
        double sum = 0;
        double squares = 0;
        for (int i = 0; i < draws; ++i) {
            const double u = random.uniform();
            QVERIFY(u >= 0 && u < 1);
            sum += u;
            squares += u * u;
        }
        QVERIFY(std::abs(sum / draws - 0.5) < 5 * std::sqrt(1.0 / 12 / draws));
        QVERIFY(std::abs(squares / draws - 1.0 / 3) < 0.005);
    }

    void normalHasTheMomentsOfANormal()
    {
        Random random(4);
        constexpr int draws = 100000;
        std::array<double, 4> moments {};
        int within = 0;
        for (int i = 0; i < draws; ++i) {
            const double x = random.normal();
            QVERIFY(std::isfinite(x));
            within += std::abs(x) < 1;
            for (std::size_t k = 0; k < 4; ++k)
                moments[k] += std::pow(x, static_cast<double>(k + 1)) / draws;
        }
        QVERIFY(std::abs(moments[0]) < 0.016);
        QVERIFY(std::abs(moments[1] - 1) < 0.025);
        QVERIFY(std::abs(moments[2]) < 0.06);
        QVERIFY(std::abs(moments[3] - 3) < 0.16);
        QVERIFY(std::abs(static_cast<double>(within) / draws - 0.6827) < 0.008);
    }

    void aPermutationHasEveryNumberOnce_data()
    {
        QTest::addColumn<int>("count");
        for (const int count : { 0, 1, 2, 17, 1000 })
            QTest::addRow("%d", count) << count;
    }

    void aPermutationHasEveryNumberOnce()
    {
        QFETCH(int, count);
        const auto order = base::permutation(count, 9);
        const std::set<std::int64_t> distinct(order.begin(), order.end());
        QCOMPARE(order.size(), static_cast<std::size_t>(count));
        QCOMPARE(distinct.size(), order.size());
        QVERIFY(count == 0 || (*distinct.begin() == 0 && *distinct.rbegin() == count - 1));
        QVERIFY(order == base::permutation(count, 9));
        QVERIFY(count < 17 || order != base::permutation(count, 10));
        QVERIFY(count < 17 || !std::ranges::is_sorted(order));
    }

    void everyOrderIsAsLikely()
    {
        std::map<std::vector<std::int64_t>, int> seen;
        constexpr int draws = 24000;
        for (int seed = 0; seed < draws; ++seed)
            ++seen[base::permutation(4, static_cast<std::uint64_t>(seed))];
        QCOMPARE(seen.size(), 24u);
        for (const auto& [order, count] : seen)
            QVERIFY(std::abs(count - 1000) < 5 * std::sqrt(1000.0));
    }
};

QTEST_APPLESS_MAIN(TestRandom)
#include "tst_random.moc"
