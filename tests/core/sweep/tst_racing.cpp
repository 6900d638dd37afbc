// SPDX-License-Identifier: GPL-3.0-or-later
// labels: unit numeric
#include <algorithm>
#include <set>

#include <QTest>

#include "core/base/random.h"
#include "core/evaluation/racing.h"
#include "core/planning/plan_builder.h"
#include "core/sweep/sweep.h"
#include "tests/support/memory_dataset.h"
#include "tests/support/small_networks.h"

using namespace quantoscope;
using namespace quantoscope::evaluation;

namespace {

/// Images labelled with what the float network says of them, so that it is right and bad networks are not.
struct Setting {
    graph::Graph graph = test::smallConvNet(1, 8, 10);
    dataset::SampleSetPtr samples;
    EvaluationResultPtr floatResult;
    EvaluationOptions options;

    explicit Setting(std::int64_t images = 1000)
    {
        dataset::SampleSet::Options load;
        load.preprocessing.channels = dataset::Channels::Gray;
        const auto unlabelled = test::randomDataset(images, 8, 8, 1, 10);
        const auto first = *dataset::SampleSet::load(unlabelled, load);
        options.batch = 16;
        options.partOfStage = true;
        std::vector<dataset::Image> pictures;
        std::vector<int> labels;
        const auto said = *evaluation::evaluate(graph, {}, *first, options);
        for (std::int64_t i = 0; i < images; ++i) {
            pictures.push_back(*unlabelled->image(i));
            labels.push_back(said->outcomes[static_cast<std::size_t>(i)].prediction);
        }
        samples = *dataset::SampleSet::load(
            std::make_shared<test::MemoryDataset>(std::move(pictures), std::move(labels)), load);
        floatResult = *evaluation::evaluate(graph, {}, *samples, options);
    }
    quant::QuantizationPlan plan(int bits) const
    {
        planning::PlanRequest request;
        request.weights.bits = bits;
        request.activations.bits = bits;
        const auto stats = *calibration::calibrate(graph, *samples);
        return planning::buildPlan(graph, stats.get(), request)->plan;
    }
};

} // namespace

class TestRacing : public QObject {
    Q_OBJECT

private slots:
    void givesUpWhatIsCertainlyWorse_data()
    {
        QTest::addColumn<int>("images");
        QTest::addColumn<int>("onlyFloat");
        QTest::addColumn<int>("onlyNetwork");
        QTest::addColumn<double>("drop");
        QTest::addColumn<bool>("hopeless");
        QTest::newRow("half of all lost") << 128 << 64 << 0 << 1.0 << true;
        QTest::newRow("as many won as lost") << 1000 << 100 << 100 << 1.0 << false;
        QTest::newRow("the drop, no more") << 10000 << 100 << 0 << 1.0 << false;
        QTest::newRow("twice the drop on few") << 500 << 10 << 0 << 1.0 << false;
        QTest::newRow("twice the drop on many") << 10000 << 200 << 0 << 1.0 << true;
        QTest::newRow("too few differ") << 20 << 9 << 0 << 1.0 << false;
        QTest::newRow("better than float") << 1000 << 10 << 300 << 0.0 << false;
        QTest::newRow("much may be lost") << 128 << 64 << 0 << 60.0 << false;
        QTest::newRow("no images") << 0 << 0 << 0 << 1.0 << false;
    }
    void givesUpWhatIsCertainlyWorse()
    {
        QFETCH(int, images);
        QFETCH(int, onlyFloat);
        QFETCH(int, onlyNetwork);
        QFETCH(double, drop);
        QFETCH(bool, hopeless);
        QCOMPARE(isHopeless(images, onlyFloat, onlyNetwork, { drop }), hopeless);
    }

    void seldomGivesUpWhatKeepsToTheDrop()
    {
        // 2,000 networks that lose exactly what they may, looked at as often as ten thousand images allow.
        base::Random random(1);
        int given = 0;
        for (int network = 0; network < 2000; ++network) {
            std::int64_t lost = 0;
            std::int64_t won = 0;
            std::int64_t images = 0;
            bool hopeless = false;
            for (const std::int64_t look : looksOf(10000)) {
                for (; images < look; ++images) {
                    const double u = random.uniform();
                    lost += u < 0.03;
                    won += u >= 0.03 && u < 0.05;
                }
                hopeless = hopeless || isHopeless(images, lost, won, { 1.0 });
            }
            given += hopeless;
        }
        QVERIFY2(given <= 8, qPrintable(QString::number(given))); // 0.2 % expected at most
    }

    void looksDouble()
    {
        QCOMPARE(looksOf(1000), (std::vector<std::int64_t> { 128, 256, 512 }));
        QVERIFY(looksOf(128).empty());
    }

    void whatIsNotStoppedIsTheEvaluation()
    {
        const Setting setting;
        const auto plan = setting.plan(8);
        const auto raced = race(setting.graph, plan, *setting.samples, *setting.floatResult, { 50 }, setting.options);
        QVERIFY2(raced.has_value(), raced ? "" : raced.error().message().c_str());
        QVERIFY(!raced->stopped);
        const auto whole = *evaluation::evaluate(setting.graph, plan, *setting.samples, setting.options);
        QCOMPARE(raced->result->images(), 1000);
        QVERIFY(std::ranges::equal(raced->result->outcomes, whole->outcomes,
            [](const auto& a, const auto& b) { return a.prediction == b.prediction && a.loss == b.loss; }));
    }

    void whatIsStoppedStandsOnItsImages_data()
    {
        QTest::addColumn<int>("threads");
        QTest::newRow("one thread") << 1;
        QTest::newRow("three threads") << 3;
    }
    void whatIsStoppedStandsOnItsImages()
    {
        QFETCH(int, threads);
        Setting setting;
        setting.options.threads = threads;
        const auto plan = setting.plan(2);
        const auto raced = race(setting.graph, plan, *setting.samples, *setting.floatResult, { 1 }, setting.options);
        QVERIFY2(raced.has_value(), raced ? "" : raced.error().message().c_str());
        QVERIFY(raced->stopped);
        QCOMPARE(raced->result->images(), 128);
        QVERIFY(std::ranges::is_sorted(raced->positions));
        const std::set<std::int64_t> different(raced->positions.begin(), raced->positions.end());
        QCOMPARE(different.size(), std::size_t { 128 });
        QVERIFY(*different.rbegin() > 500); // from all over the samples
        const auto whole = *evaluation::evaluate(setting.graph, plan, *setting.samples, setting.options);
        for (std::size_t i = 0; i < raced->positions.size(); ++i)
            QCOMPARE(raced->result->outcomes[i].prediction,
                whole->outcomes[static_cast<std::size_t>(raced->positions[i])].prediction);
    }

    void aGridSaysOnHowManyImagesItsPointsStand()
    {
        const Setting setting;
        const flow::Quantizer quantizer(std::make_shared<const graph::Graph>(setting.graph), setting.samples);
        sweep::GridOptions options;
        options.weightBits = { 2, 8, std::nullopt };
        options.activationBits = { 8, std::nullopt };
        const auto whole = sweep::runGrid(quantizer, *setting.samples, options);
        options.racing = Racing { 2 };
        const auto raced = sweep::runGrid(quantizer, *setting.samples, options);
        QVERIFY(whole && raced);
        QCOMPARE(raced->points.size(), std::size_t { 6 });
        int stopped = 0;
        for (std::size_t p = 0; p < raced->points.size(); ++p) {
            const auto& point = raced->points[p];
            const auto& all = whole->points[p];
            QVERIFY(!all.stoppedEarly);
            stopped += point.stoppedEarly;
            QCOMPARE(point.againstFloat.images, point.images);
            QCOMPARE(point.predictions.size(), std::size_t { 1000 });
            QCOMPARE(std::ranges::count(point.predictions, -1), 1000 - point.images);
            for (std::size_t i = 0; i < 1000; ++i)
                QVERIFY(point.predictions[i] == -1 || point.predictions[i] == all.predictions[i]);
            if (point.stoppedEarly)
                QVERIFY(all.againstFloat.delta < -2); // nothing was given up that keeps to the drop
            else
                QCOMPARE(point.top1, all.top1);
        }
        QVERIFY(stopped > 0 && stopped < 6);
    }
};

QTEST_APPLESS_MAIN(TestRacing)
#include "tst_racing.moc"
