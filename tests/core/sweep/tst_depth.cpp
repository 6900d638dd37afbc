// SPDX-License-Identifier: GPL-3.0-or-later
// labels: unit numeric
#include <cmath>

#include <QTest>

#include <nlohmann/json.hpp>

#include "core/sweep/depth.h"

using namespace quantoscope;
using namespace quantoscope::sweep;

namespace {

/// A model whose float network is right on all of `images`, and whose W4 A4 is wrong on the first `lost` of them.
StudiedModel model(const std::string& name, int layers, int images, int lost, int bits = 4)
{
    SweepResult result;
    result.scope = "scope";
    result.data = "data";
    auto reference = std::make_shared<evaluation::EvaluationResult>();
    for (int i = 0; i < images; ++i) {
        evaluation::ImageOutcome outcome;
        outcome.label = outcome.prediction = i % 10;
        reference->outcomes.push_back(outcome);
    }
    result.floatResult = reference;
    SweepPoint point;
    point.weightBits = point.activationBits = bits;
    for (int i = 0; i < images; ++i)
        point.predictions.push_back(i < lost ? (i + 1) % 10 : i % 10);
    point.top1 = 100.0 * (images - lost) / images;
    point.againstFloat.delta = -100.0 * lost / images;
    result.points.push_back(point);
    return { name, layers, std::make_shared<const SweepResult>(result) };
}

} // namespace

class TestDepth : public QObject {
    Q_OBJECT

private slots:
    void comparesDeepestWithShallowest()
    {
        // The deep one loses 30 of 100, the shallow one 10 of those: 20 points more, of variance p (1 - p).
        const auto found = compareDepths({ model("b", 56, 100, 30), model("m", 32, 100, 99), model("a", 20, 100, 10) });
        QVERIFY(found.has_value());
        QCOMPARE(found->shallow, std::string("a"));
        QCOMPARE(found->deep, std::string("b"));
        QCOMPARE(found->points.size(), std::size_t { 1 });
        const auto& point = found->points[0];
        QCOMPARE(point.more, 20.0);
        const double error = 100 * std::sqrt(0.2 * 0.8 / 99);
        QVERIFY(std::abs(point.interval.low - (20 - 1.959963984540054 * error)) < 1e-9);
        QVERIFY(std::abs(point.interval.high - (20 + 1.959963984540054 * error)) < 1e-9);
        QVERIFY(std::abs(point.pValue - std::erfc(20 / error / std::sqrt(2.0))) < 1e-12);
        QCOMPARE(found->deeperLosesMore, 1);
        QCOMPARE(found->deeperLosesLess, 0);
        QVERIFY2(found->sentence.find("differ significantly at 1 of 1") != std::string::npos, found->sentence.c_str());
    }

    void theOtherWayRound()
    {
        const auto found = compareDepths({ model("a", 20, 100, 30), model("b", 56, 100, 10) });
        QCOMPARE(found->points[0].more, -20.0);
        QCOMPARE(found->deeperLosesLess, 1);
        QVERIFY2(found->sentence.find("20.0 points less lost [12.") != std::string::npos, found->sentence.c_str());
    }

    void equalLossesSayNothing()
    {
        const auto found = compareDepths({ model("a", 20, 50, 5), model("b", 56, 50, 5) });
        QCOMPARE(found->points[0].more, 0.0);
        QCOMPARE(found->points[0].pValue, 1.0);
        QVERIFY2(found->sentence.starts_with("Nothing says"), found->sentence.c_str());
    }

    void comparesWhatCanBeCompared_data()
    {
        QTest::addColumn<int>("layers");
        QTest::addColumn<int>("images");
        QTest::addColumn<int>("bits");
        QTest::newRow("as deep") << 20 << 50 << 4;
        QTest::newRow("other images") << 56 << 49 << 4;
        QTest::newRow("no word-length in common") << 56 << 50 << 5;
    }

    void comparesWhatCanBeCompared()
    {
        QFETCH(int, layers);
        QFETCH(int, images);
        QFETCH(int, bits);
        QVERIFY(!compareDepths({ model("a", 20, 50, 5), model("b", layers, images, 5, bits) }));
        QVERIFY(!compareDepths({ model("a", 20, 50, 5) }));
        QVERIFY(!compareDepths({}));
    }

    void tables()
    {
        const std::vector models { model("a", 20, 50, 5), model("b \"2\"", 56, 50, 6) };
        const auto csv = QString::fromStdString(toCsv(models)).split('\n');
        QCOMPARE(csv.size(), 5); // comment, header, two points, nothing
        QVERIFY(csv[1].startsWith("model,layers,weight_bits,"));
        QVERIFY(csv[2].startsWith("\"a\",20,4,4,"));
        QVERIFY(csv[3].startsWith("\"b '2'\",56,4,4,"));
        const auto json = toJson(*compareDepths(models));
        QCOMPARE(json["points"][0]["more_lost"].get<double>(), 2.0);
        QCOMPARE(json["deep_layers"].get<int>(), 56);
    }
};

QTEST_APPLESS_MAIN(TestDepth)
#include "tst_depth.moc"
