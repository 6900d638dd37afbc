// SPDX-License-Identifier: GPL-3.0-or-later
// labels: unit numeric
#include <cmath>
#include <limits>

#include <QTest>

#include "core/base/random.h"
#include "core/sweep/knapsack.h"

using namespace quantoscope;
using namespace quantoscope::sweep;

namespace {

constexpr double infinite = std::numeric_limits<double>::infinity();

/// Groups of 1..5 choices; whole numbers, so that ties and budgets that are met exactly occur, or any numbers.
ChoiceGroups randomGroups(base::Random& random, std::size_t count, bool whole)
{
    ChoiceGroups groups(count);
    for (auto& group : groups) {
        group.resize(1 + random.below(5));
        for (auto& choice : group)
            choice = whole ? Tradeoff { static_cast<double>(random.below(9)), static_cast<double>(random.below(9)) }
                           : Tradeoff { random.uniform(), random.uniform() * random.uniform() };
    }
    return groups;
}

/// Least damage within the budget by trying everything; infinite if nothing fits.
double bruteForce(const ChoiceGroups& groups, double budget, std::size_t from = 0)
{
    if (from == groups.size())
        return budget >= -1e-9 ? 0 : infinite;
    double best = infinite;
    for (const auto& choice : groups[from])
        best = std::min(best, choice.damage + bruteForce(groups, budget - choice.cost, from + 1));
    return best;
}

Tradeoff sumOf(const ChoiceGroups& groups, const std::vector<std::size_t>& chosen)
{
    Tradeoff sum;
    for (std::size_t g = 0; g < groups.size(); ++g) {
        sum.cost += groups[g].at(chosen[g]).cost;
        sum.damage += groups[g].at(chosen[g]).damage;
    }
    return sum;
}

bool near(double a, double b) { return std::abs(a - b) <= 1e-9; }

} // namespace

class TestKnapsack : public QObject {
    Q_OBJECT

private slots:
    void frontHoldsWhatNothingDominates()
    {
        base::Random random(1);
        for (int round = 0; round < 200; ++round) {
            std::vector<Tradeoff> all(random.below(30));
            for (auto& t : all)
                t = { static_cast<double>(random.below(8)), static_cast<double>(random.below(8)) };
            const auto front = paretoFront(all);
            for (std::size_t i = 0; i < all.size(); ++i) {
                const bool dominated
                    = std::any_of(all.begin(), all.end(), [&](const auto& other) { return dominates(other, all[i]); });
                const auto twin = std::count_if(front.begin(), front.end(),
                    [&](std::size_t f) { return all[f].cost == all[i].cost && all[f].damage == all[i].damage; });
                QCOMPARE(twin, dominated ? 0 : 1);
            }
            for (std::size_t k = 1; k < front.size(); ++k) {
                QVERIFY(all[front[k - 1]].cost < all[front[k]].cost);
                QVERIFY(all[front[k - 1]].damage > all[front[k]].damage);
            }
        }
    }

    void agreesWithBruteForce_data()
    {
        QTest::addColumn<bool>("whole");
        QTest::newRow("whole numbers") << true;
        QTest::newRow("any numbers") << false;
    }
    void agreesWithBruteForce()
    {
        QFETCH(bool, whole);
        base::Random random(2);
        int infeasible = 0;
        for (int round = 0; round < 1500; ++round) {
            const auto groups = randomGroups(random, 1 + random.below(6), whole);
            const double budget = whole ? static_cast<double>(random.below(30)) : 4 * random.uniform();
            const double wanted = bruteForce(groups, budget);
            const auto found = solveKnapsack(groups, budget);
            QCOMPARE(found.has_value(), std::isfinite(wanted));
            infeasible += !found;
            if (!found)
                continue;
            const auto sum = sumOf(groups, found->chosen);
            QVERIFY(near(sum.cost, found->cost) && near(sum.damage, found->damage));
            QVERIFY(found->cost <= budget + 1e-9);
            QVERIFY2(near(found->damage, wanted),
                qPrintable(QStringLiteral("round %1: %2 instead of %3").arg(round).arg(found->damage).arg(wanted)));
            QVERIFY(found->exact);
            QCOMPARE(found->bound, found->damage);
            QVERIFY(relaxedDamage(groups, budget) <= wanted + 1e-9);
        }
        QVERIFY(infeasible > 0);
    }

    void moreMoneyNeverHurts()
    {
        base::Random random(3);
        for (int round = 0; round < 50; ++round) {
            const auto groups = randomGroups(random, 8, false);
            double last = infinite;
            for (double budget = 0; budget < 8; budget += 0.1) {
                const auto found = solveKnapsack(groups, budget);
                if (!found)
                    continue;
                QVERIFY(found->damage <= last + 1e-12);
                last = found->damage;
            }
            QVERIFY(std::isfinite(last));
        }
    }

    void boundHoldsWhereStatesAreGivenUp()
    {
        base::Random random(4);
        int inexact = 0;
        for (int round = 0; round < 300; ++round) {
            const auto groups = randomGroups(random, 6, false);
            const double wanted = bruteForce(groups, 1.5);
            const auto found = solveKnapsack(groups, 1.5, 2);
            QCOMPARE(found.has_value(), std::isfinite(wanted));
            if (!found)
                continue;
            QVERIFY(found->cost <= 1.5 + 1e-9);
            QVERIFY(found->bound <= wanted + 1e-9);
            QVERIFY(found->damage >= wanted - 1e-9);
            QVERIFY(!found->exact || near(found->damage, wanted));
            inexact += !found->exact;
        }
        QVERIFY(inexact > 0);
    }

    void solvesNetworksOfRealSize()
    {
        // 110 layers with costs as unlike as those of a network, where listing everything is out of the question.
        base::Random random(5);
        ChoiceGroups groups(110);
        double all = 0;
        for (auto& group : groups) {
            const double elements = std::exp(12 * random.uniform());
            const double harm = std::exp(4 * random.normal());
            for (int bits = 2; bits <= 8; ++bits)
                group.push_back({ elements * bits, harm * std::pow(4.0, -bits) * (0.5 + random.uniform()) });
            all += elements * 8;
        }
        for (const double share : { 0.3, 0.5, 0.7 }) {
            const auto found = solveKnapsack(groups, share * all);
            QVERIFY(found.has_value());
            QVERIFY(found->cost <= share * all);
            QVERIFY(found->bound >= relaxedDamage(groups, share * all) * (1 - 1e-9));
            QVERIFY(found->damage <= 1.01 * found->bound);
        }
    }
};

QTEST_APPLESS_MAIN(TestKnapsack)
#include "tst_knapsack.moc"
