// SPDX-License-Identifier: GPL-3.0-or-later
#include <QtTest>

#include "core/evaluation/flips.h"

using namespace quantoscope;
using namespace quantoscope::evaluation;

namespace {

ImageOutcome outcome(std::int32_t prediction, std::int32_t label, float margin)
{
    return { .prediction = prediction, .label = label, .margin = margin };
}

TensorError errorOf(quant::Role role, double sqnrDb)
{
    TensorError error;
    error.role = role;
    error.sqnrDb = sqnrDb;
    return error;
}

} // namespace

class TestFlips : public QObject {
    Q_OBJECT

private slots:
    void ordersBySurprise()
    {
        const std::vector before { outcome(1, 1, 2), outcome(1, 1, 5), outcome(0, 2, -1), outcome(0, 3, -1),
            outcome(4, 4, 1), outcome(0, -1, 1) };
        const std::vector after { outcome(2, 1, -1), outcome(2, 1, -1), outcome(2, 2, 1), outcome(1, 3, -2),
            outcome(4, 4, 0.5F), outcome(1, -1, 3) };
        const auto flips = findFlips(before, after);
        std::vector<std::int64_t> images;
        QStringList kinds;
        for (const auto& flip : flips) {
            images.push_back(flip.image);
            kinds << toString(flip.kind);
            QVERIFY(flip.before.prediction != flip.after.prediction);
        }
        QCOMPARE(images, (std::vector<std::int64_t> { 1, 0, 2, 5, 3 }));
        QCOMPARE(kinds, (QStringList { "lost", "lost", "gained", "moved", "moved" }));
        QCOMPARE(flips.front().marginLoss(), 6.0);
    }

    void countsAgreeWithTheComparison()
    {
        std::vector<ImageOutcome> before;
        std::vector<ImageOutcome> after;
        for (int i = 0; i < 500; ++i) {
            before.push_back(outcome(i % 7, i % 5, 0));
            after.push_back(outcome(i % 3, i % 5, 0));
        }
        const auto paired = compare(before, after);
        const auto flips = findFlips(before, after);
        const auto ofKind = [&](FlipKind kind) { return std::ranges::count(flips, kind, &Flip::kind); };
        QCOMPARE(ofKind(FlipKind::Lost), paired.onlyFirst);
        QCOMPARE(ofKind(FlipKind::Gained), paired.onlySecond);
        QCOMPARE(500 - static_cast<double>(flips.size()), 5 * paired.agreement);
    }

    void nothingChanged()
    {
        const std::vector same { outcome(1, 1, 2), outcome(0, 1, -1) };
        QVERIFY(findFlips(same, same).empty());
        QVERIFY(confusionChanges(same, same).empty());
        QVERIFY(findFlips({}, {}).empty());
    }

    void confusion()
    {
        const std::vector before { outcome(1, 1, 0), outcome(1, 1, 0), outcome(0, 0, 0), outcome(0, -1, 0) };
        const std::vector after { outcome(2, 1, 0), outcome(2, 1, 0), outcome(1, 0, 0), outcome(1, -1, 0) };
        const std::vector<ConfusionChange> expected { { 1, 1, 2, 0 }, { 1, 2, 0, 2 }, { 0, 0, 1, 0 }, { 0, 1, 0, 1 } };
        const auto changes = confusionChanges(before, after);
        QVERIFY(changes == expected);
        std::int64_t sum = 0;
        for (const auto& change : changes)
            sum += change.change();
        QCOMPARE(sum, 0);
    }

    void firstDivergence_data()
    {
        QTest::addColumn<std::vector<double>>("image");
        QTest::addColumn<int>("expected"); // index, -1: none
        QTest::newRow("as usual") << std::vector<double> { 30, 20, 20, 10 } << -1;
        QTest::newRow("better") << std::vector<double> { 35, 25, 25, 15 } << -1;
        QTest::newRow("a little worse") << std::vector<double> { 30, 20, 18, 8 } << -1;
        QTest::newRow("from the third on") << std::vector<double> { 30, 20, 16, 2 } << 2;
        QTest::newRow("at the border") << std::vector<double> { 30, 20, 17, 2 } << 2;
        QTest::newRow("last only") << std::vector<double> { 30, 20, 20, 2 } << 3;
        QTest::newRow("weights do not count") << std::vector<double> { 30, 0, 20, 10 } << -1;
    }

    void firstDivergence()
    {
        QFETCH(std::vector<double>, image);
        QFETCH(int, expected);
        const std::vector roles { quant::Role::Activation, quant::Role::Weight, quant::Role::Activation,
            quant::Role::Activation };
        const std::vector<double> usualDb { 30, 20, 20, 10 };
        std::vector<TensorError> usual;
        std::vector<TensorError> own;
        for (std::size_t i = 0; i < roles.size(); ++i) {
            usual.push_back(errorOf(roles[i], usualDb[i]));
            own.push_back(errorOf(roles[i], image[i]));
        }
        const auto found = evaluation::firstDivergence(usual, own);
        QCOMPARE(found ? static_cast<int>(found->tensor) : -1, expected);
        if (found) {
            QCOMPARE(found->usualDb, usualDb[found->tensor]);
            QCOMPARE(found->sqnrDb, image[found->tensor]);
        }
    }
};

QTEST_APPLESS_MAIN(TestFlips)
#include "tst_flips.moc"
