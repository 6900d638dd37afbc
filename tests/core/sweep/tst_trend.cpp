// SPDX-License-Identifier: GPL-3.0-or-later
// labels: unit
#include <QTest>

#include <nlohmann/json.hpp>

#include "core/sweep/trend.h"

using namespace quantoscope;
using namespace quantoscope::sweep;

namespace {

constexpr int images = 400;

/// A grid whose points get so many of the images right, of which float gets 380; errors are the last images.
class Grid {
public:
    Grid()
    {
        auto reference = std::make_shared<evaluation::EvaluationResult>();
        for (int i = 0; i < images; ++i)
            reference->outcomes.push_back(outcome(i < 380));
        m_result.floatResult = reference;
    }

    Grid& add(Bits weights, Bits activations, int right)
    {
        SweepPoint point;
        point.weightBits = weights;
        point.activationBits = activations;
        std::vector<evaluation::ImageOutcome> outcomes;
        for (int i = 0; i < images; ++i) {
            outcomes.push_back(outcome(i < right));
            point.predictions.push_back(outcomes.back().prediction);
        }
        point.images = images;
        point.top1 = 100.0 * right / images;
        point.againstFloat = evaluation::compare(m_result.floatResult->outcomes, outcomes);
        m_result.points.push_back(std::move(point));
        return *this;
    }

    Trend read(double drop) const { return readTrend(m_result, drop); }
    QString sentences(double drop) const
    {
        QString text;
        for (const auto& sentence : read(drop).sentences)
            text += QString::fromStdString(sentence) + '\n';
        return text;
    }

private:
    static evaluation::ImageOutcome outcome(bool right)
    {
        return { .prediction = right ? 1 : 0, .label = 1, .top5 = true, .loss = 0, .margin = 0 };
    }

    SweepResult m_result;
};

/// Weights matter little, activations much.
Grid activationsMatter()
{
    Grid grid;
    grid.add(2, 2, 100).add(2, 3, 250).add(2, 4, 300);
    grid.add(3, 2, 110).add(3, 3, 270).add(3, 4, 378);
    grid.add(4, 2, 120).add(4, 3, 280).add(4, 4, 380);
    return grid;
}

std::string smallest(const Trend& trend)
{
    std::string text;
    for (const auto& pair : trend.smallest)
        text += "W" + toString(pair.weightBits) + "A" + toString(pair.activationBits) + " ";
    return text;
}

} // namespace

class TestTrend : public QObject {
    Q_OBJECT

private slots:
    void findsTheSmallestPairs()
    {
        const auto trend = activationsMatter().read(1.0);
        QCOMPARE(smallest(trend), std::string("W3A4 "));
        QCOMPARE(trend.smallest[0].againstFloat.delta, -0.5);
        QVERIFY(trend.weightsAlone && *trend.weightsAlone == Bits(3));
        QVERIFY(trend.activationsAlone && *trend.activationsAlone == Bits(4));
        QCOMPARE(smallest(activationsMatter().read(30.0)), std::string("W2A4 W3A3 "));
    }

    void aLuckyPointSaysNothing()
    {
        Grid grid;
        grid.add(2, 8, 380).add(3, 8, 300).add(4, 8, 379);
        QCOMPARE(smallest(grid.read(1.0)), std::string("W4A8 "));
    }

    void certaintyNeedsTheWholeInterval()
    {
        Grid grid;
        grid.add(8, 8, 380).add(4, 8, 376);
        const auto trend = grid.read(1.0);
        QCOMPARE(smallest(trend), std::string("W4A8 "));
        QVERIFY(!trend.smallest[0].certain); // 4 images of 400: the interval goes on beyond a point
        QVERIFY(grid.read(5.0).smallest[0].certain);
        QVERIFY(grid.sentences(1.0).contains("not certain"));
    }

    void floatIsTheMostBits()
    {
        Grid grid;
        grid.add(4, std::nullopt, 380).add(4, 8, 200).add(std::nullopt, 8, 379).add(std::nullopt, std::nullopt, 380);
        const auto trend = grid.read(1.0);
        QCOMPARE(smallest(trend), std::string("W4Afloat WfloatA8 "));
        QVERIFY(!trend.mostWeightBits && !trend.mostActivationBits);
        QVERIFY(trend.weightsAlone && *trend.weightsAlone == Bits(4));
    }

    void saysWhereABitIsBetterSpent_data()
    {
        QTest::addColumn<bool>("transposed");
        QTest::addColumn<QString>("says");
        QTest::newRow("activations") << false << "A bit is better spent on activations: significantly so";
        QTest::newRow("weights") << true << "A bit is better spent on weights: significantly so";
    }
    void saysWhereABitIsBetterSpent()
    {
        QFETCH(bool, transposed);
        QFETCH(QString, says);
        Grid grid;
        for (const auto& [w, a, right] :
            std::vector<std::tuple<int, int, int>> { { 2, 2, 100 }, { 2, 3, 250 }, { 2, 4, 300 }, { 3, 2, 110 },
                { 3, 3, 270 }, { 3, 4, 378 }, { 4, 2, 120 }, { 4, 3, 280 }, { 4, 4, 380 } })
            grid.add(transposed ? a : w, transposed ? w : a, right);
        const auto trend = grid.read(1.0);
        QVERIFY(trend.better == (transposed ? Trend::Better::Weights : Trend::Better::Activations));
        QCOMPARE(trend.choices.size(), std::size_t { 4 });
        const auto& first = trend.choices[0]; // from W2 A2
        QCOMPARE(first.activationGain, transposed ? 2.5 : 37.5);
        QCOMPARE(first.weightGain, transposed ? 37.5 : 2.5);
        QCOMPARE(first.comparison.delta, transposed ? -35.0 : 35.0);
        QVERIFY(first.pValue < 0.001);
        QVERIFY2(grid.sentences(1.0).contains(says), qPrintable(grid.sentences(1.0)));
        QVERIFY2(grid.sentences(1.0).contains("gains 37.5 points ["), qPrintable(grid.sentences(1.0)));
    }

    void dependsOrCannotBeTold()
    {
        Grid depends;
        depends.add(2, 2, 100).add(2, 3, 250).add(2, 4, 300);
        depends.add(3, 2, 110).add(3, 3, 270).add(3, 4, 280);
        depends.add(4, 2, 120).add(4, 3, 370).add(4, 4, 380);
        QVERIFY(depends.read(1.0).better == Trend::Better::Depends);
        QVERIFY2(depends.sentences(1.0).contains("for activations from 3 of 4 points (W2 A2, W2 A3 and W3 A2)"),
            qPrintable(depends.sentences(1.0)));
        QVERIFY2(depends.sentences(1.0).contains("for weights from 1 of 4 points (W3 A3)"),
            qPrintable(depends.sentences(1.0)));
        Grid undecided;
        undecided.add(2, 2, 200).add(2, 3, 210).add(3, 2, 209).add(3, 3, 220);
        QVERIFY(undecided.read(1.0).better == Trend::Better::Undecided);
        QVERIFY(undecided.sentences(1.0).contains("cannot be told"));
    }

    void needsNoBitWhereNothingIsLost()
    {
        Grid grid;
        grid.add(2, 2, 380).add(2, 3, 380).add(3, 2, 380).add(3, 3, 380);
        QVERIFY(grid.read(1.0).choices.empty());
        QVERIFY(!grid.sentences(1.0).contains("better spent"));
    }

    void nothingKeepsToTheDrop()
    {
        Grid grid;
        grid.add(2, 2, 100);
        QVERIFY(grid.read(1.0).smallest.empty());
        QVERIFY(grid.sentences(1.0).contains("No word-lengths of the grid"));
        QVERIFY(readTrend({}, 1.0).sentences.empty());
    }

    void comparesModels()
    {
        const auto one = activationsMatter().read(1.0);
        Grid other;
        other.add(2, 2, 380);
        QVERIFY(compareTrends({ { "one", one } }).empty());
        const auto same = compareTrends({ { "one", one }, { "two", one } });
        QCOMPARE(same.size(), std::size_t { 2 });
        QVERIFY(QString::fromStdString(same[0]).contains("All 2 models have the same smallest word-lengths"));
        QVERIFY(QString::fromStdString(same[1]).contains("agree: activations"));
        const auto differ = compareTrends({ { "one", one }, { "two", other.read(1.0) } });
        QVERIFY(QString::fromStdString(differ[0]).contains("one: W3 A4; two: W2 A2"));
        QVERIFY(QString::fromStdString(differ[1]).contains("two: undecided"));
    }

    void goesIntoJson()
    {
        const Json json = toJson(activationsMatter().read(1.0));
        QCOMPARE(json["better_spent_on"].get<std::string>(), std::string("activations"));
        QCOMPARE(json["smallest"][0]["weight_bits"].get<int>(), 3);
        QCOMPARE(json["choices"].size(), std::size_t { 4 });
        QVERIFY(!json["sentences"].empty());
    }
};

QTEST_APPLESS_MAIN(TestTrend)
#include "tst_trend.moc"
