// SPDX-License-Identifier: GPL-3.0-or-later
// labels: unit
// What a search tells of its points: the front, mixed against uniform word-lengths, and the tables; and other prices.
#include <QTest>

#include <nlohmann/json.hpp>

#include "core/sweep/repricing.h"
#include "tests/support/memory_dataset.h"
#include "tests/support/small_networks.h"

using namespace quantoscope;
using namespace quantoscope::sweep;

namespace {

struct Setting {
    flow::GraphPtr graph = std::make_shared<const graph::Graph>(test::smallConvNet(1, 8, 10));
    dataset::SampleSetPtr samples;
    std::unique_ptr<flow::Quantizer> quantizer;
    SearchOptions options;

    explicit Setting(const std::string& budget)
    {
        dataset::SampleSet::Options load;
        load.preprocessing.channels = dataset::Channels::Gray;
        samples = *dataset::SampleSet::load(test::randomDataset(60, 8, 8, 1, 10), load);
        quantizer = std::make_unique<flow::Quantizer>(graph, samples, flow::QuantizerOptions {});
        options.weightBits = { 2, 4, 8 };
        options.activationBits = { 4, 8 };
        options.budget = *Budget::parse(budget);
    }

    Result<SearchResult> run() const { return runSearch(*quantizer, *samples, options); }
};

} // namespace

class TestSearchTables : public QObject {
    Q_OBJECT

private slots:
    void comparesWithUniform()
    {
        const auto point = [](std::optional<std::pair<int, int>> uniform, double price, double divergence, int right) {
            SearchPoint p;
            p.origin = uniform ? SearchPoint::Origin::Uniform : SearchPoint::Origin::Sum;
            p.uniform = uniform;
            p.price = price;
            p.divergence = divergence;
            for (int i = 0; i < 100; ++i)
                p.outcomes.push_back(
                    { .prediction = i < right ? 1 : 0, .label = 1, .top5 = true, .loss = 0, .margin = 0 });
            p.top1 = right;
            return p;
        };
        SearchResult result;
        result.points = { point(std::pair(4, 8), 10, 0.5, 70), point(std::pair(2, 8), 5, 0.9, 40),
            point({}, 9, 0.3, 75), point({}, 10, 0.2, 72), point({}, 7, 0.4, 71), point({}, 11, 0.1, 80) };
        compareSearchPoints(result);
        QCOMPARE(result.front, (std::vector<std::size_t> { 1, 4, 2, 5 }));
        QCOMPARE(QString::fromStdString(describeFront(result)),
            QStringLiteral("For 1 of 2 uniform word-lengths a mixed network costs no more and is at least as accurate, "
                           "as measured; on the front with the mixed ones stand W2 A8. The mixed network chosen "
                           "without labels at their price is significantly more accurate than 0 of 1 uniform ones and "
                           "significantly less than none (exact McNemar on the same images, Holm, 5 %). For 1 no "
                           "mixed network that costs as little was looked at."));
        QCOMPARE(result.atEqualPrice.size(), std::size_t { 1 }); // nothing is as cheap as W2
        QCOMPARE(result.atEqualPrice[0].mixed, std::size_t { 3 }); // the closest to float, not the most accurate
        QCOMPARE(result.atEqualPrice[0].comparison.delta, 2.0);
        QCOMPARE(result.atEqualAccuracy.size(), std::size_t { 1 });
        QCOMPARE(result.atEqualAccuracy[0].mixed, std::size_t { 4 });
        result.points.erase(result.points.begin() + 1);
        compareSearchPoints(result);
        QVERIFY(describeFront(result).find("none is on the front.") != std::string::npos);
        const auto says = [&](const std::string& words) {
            compareSearchPoints(result);
            return describeFront(result).find(words) != std::string::npos;
        };
        result.points.push_back(point(std::pair(6, 6), 12, 0.3, 99)); // 19 images ahead of the one chosen
        result.points.push_back(point(std::pair(5, 6), 12, 0.3, 81)); // one is chance
        result.points.push_back(point(std::pair(3, 6), 12, 0.3, 50)); // 30 behind
        QVERIFY2(says("more accurate than 1 of 4 uniform ones and significantly less than W6 A6 (exact"),
            describeFront(result).c_str());
        // Six images ahead are significant alone, p = 0.031, but not among four: what is looked for often is found.
        result.points[result.points.size() - 3] = point(std::pair(6, 6), 12, 0.3, 86);
        QVERIFY2(says("significantly less than none"), describeFront(result).c_str());
        QVERIFY(result.atEqualPrice[1].comparison.pValue < 0.05 && result.atEqualPrice[1].pCorrected > 0.05);
        result.points.resize(result.points.size() - 3);
        result.points.erase(result.points.begin());
        compareSearchPoints(result);
        QVERIFY(describeFront(result).empty());
    }

    void writesTables()
    {
        const auto result = Setting("size=W4A8").run();
        QVERIFY(result.has_value());
        const auto lines = QString::fromStdString(toCsv(*result)).split('\n', Qt::SkipEmptyParts);
        QCOMPARE(static_cast<std::size_t>(lines.size()), result->points.size() + 2);
        for (const auto& line : lines.mid(2))
            QCOMPARE(line.count(','), lines[1].count(','));
        const Json json = toJson(*result);
        QVERIFY(json["chosen"].is_object());
        for (const char* member : { "plan", "top1", "top1_ci95", "cost", "delta_top1_ci95" })
            QVERIFY2(json["front"][0].contains(member), member);
        QCOMPARE(json["front"].size(), result->front.size());
        QCOMPARE(json["chosen"]["plan"].size(), std::size_t { 6 });
    }

    void otherPricesNeedNoRun_data()
    {
        QTest::addColumn<QString>("budget");
        QTest::addColumn<bool>("changes");
        QTest::newRow("size") << "size=W4A8" << true;
        QTest::newRow("operations") << "bops=30%" << true;
        QTest::newRow("energy: the answer stays") << "energy=60%" << false;
    }

    void otherPricesNeedNoRun()
    {
        QFETCH(const QString, budget);
        QFETCH(const bool, changes);
        Setting setting(budget.toStdString());
        setting.options.energy = *cost::findEnergyModel("horowitz-45nm");
        const auto before = setting.run();
        setting.options.energy = *cost::findEnergyModel("bops");
        const auto asked = setting.run();
        QVERIFY(before && asked);
        const auto after = repriced(*before, *setting.graph, setting.options.energy);
        QCOMPARE(after.points.size(), before->points.size());
        QVERIFY(after.points[0].cost.energyPj > 0);
        const auto& expected = changes ? *asked : *before;
        QCOMPARE(after.floatCost.energyPj, expected.floatCost.energyPj);
        for (std::size_t i = 0; i < after.points.size(); ++i) {
            QCOMPARE(after.points[i].cost.energyPj, expected.points[i].cost.energyPj);
            QCOMPARE(after.points[i].cost.sizeBytes, before->points[i].cost.sizeBytes);
            QCOMPARE(after.points[i].price, before->points[i].price);
            QCOMPARE(after.points[i].top1, before->points[i].top1);
        }
        QCOMPARE(after.points[0].cost.energyPj != before->points[0].cost.energyPj, changes);
        QCOMPARE(after.front, before->front);
        QCOMPARE(after.chosen, before->chosen);
    }
};

QTEST_APPLESS_MAIN(TestSearchTables)
#include "tst_search_tables.moc"
