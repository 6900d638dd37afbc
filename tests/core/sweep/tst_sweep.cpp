// SPDX-License-Identifier: GPL-3.0-or-later
// labels: unit numeric
#include <algorithm>
#include <sstream>

#include <QTest>

#include "core/sweep/sweep.h"
#include "tests/support/memory_dataset.h"
#include "tests/support/small_networks.h"

using namespace quantoscope;
using namespace quantoscope::sweep;

namespace {

struct Setting {
    graph::Graph graph = test::smallConvNet(1, 8, 10);
    dataset::SampleSetPtr samples;
    std::unique_ptr<flow::Quantizer> quantizer;
    GridOptions options;

    explicit Setting(std::int64_t images = 40)
    {
        dataset::SampleSet::Options load;
        load.preprocessing.channels = dataset::Channels::Gray;
        samples = *dataset::SampleSet::load(test::randomDataset(images, 8, 8, 1, 10), load);
        quantizer = std::make_unique<flow::Quantizer>(std::make_shared<const graph::Graph>(graph), samples);
        options.weightBits = { 3, 8, std::nullopt };
        options.activationBits = { 4, std::nullopt };
    }

    Result<SweepResult> run(const base::Job& job = {}) const { return runGrid(*quantizer, *samples, options, job); }
};

} // namespace

class TestSweep : public QObject {
    Q_OBJECT

private slots:
    void parsesBits_data()
    {
        QTest::addColumn<QString>("text");
        QTest::addColumn<QString>("shown");
        QTest::newRow("one") << "4"
                             << "{4}";
        QTest::newRow("range") << "2..8"
                               << "{2..8}";
        QTest::newRow("range and float") << "2..8,float"
                                         << "{2..8, float}";
        QTest::newRow("list") << "4, 8 ,16"
                              << "{4, 8, 16}";
        QTest::newRow("two neighbours") << "7,8"
                                        << "{7, 8}";
        QTest::newRow("float alone") << "float"
                                     << "{float}";
        QTest::newRow("order is kept, doubles are not") << "8,2..4,3,8"
                                                        << "{8, 2..4}";
        QTest::newRow("ends") << "2..16"
                              << "{2..16}";
    }
    void parsesBits()
    {
        QFETCH(QString, text);
        QFETCH(QString, shown);
        const auto bits = parseBits(text.toStdString());
        QVERIFY(bits.has_value());
        QCOMPARE(QString::fromStdString(toString(*bits)), shown);
    }

    void refusesBits_data()
    {
        QTest::addColumn<QString>("text");
        for (const char* text :
            { "", "1", "17", "1..8", "2..17", "8..2", "2..", "..8", "four", "4,", ",4", "4;5", "-4", "2...8", "4.5" })
            QTest::newRow(*text ? text : "empty") << text;
    }
    void refusesBits()
    {
        QFETCH(QString, text);
        const auto bits = parseBits(text.toStdString());
        QVERIFY(!bits.has_value());
        QVERIFY(bits.error().code == ErrorCode::InvalidInput);
        QVERIFY(QString::fromStdString(bits.error().message()).contains("2..8,float"));
    }

    void runsTheGrid()
    {
        const Setting setting;
        std::vector<std::string> delivered;
        GridOptions options = setting.options;
        options.onPoint = [&](const SweepPoint& p) {
            delivered.push_back(toString(p.weightBits) + "/" + toString(p.activationBits));
        };
        const auto result = runGrid(*setting.quantizer, *setting.samples, options);
        QVERIFY2(result.has_value(), result ? "" : result.error().message().c_str());
        QVERIFY(result->complete);
        QVERIFY(
            delivered == (std::vector<std::string> { "3/4", "3/float", "8/4", "8/float", "float/4", "float/float" }));
        QCOMPARE(result->points.size(), delivered.size());
        QVERIFY(QString::fromStdString(result->scope).startsWith("W{3, 8, float} A{4, float} compute"));
        QVERIFY(QString::fromStdString(result->data).contains("memory"));
        for (const auto& point : result->points) {
            QCOMPARE(point.images, 40);
            QCOMPARE(point.predictions.size(), std::size_t { 40 });
            QVERIFY(point.cost.layers.empty() && point.cost.macs > 0);
        }
        const auto& plain = result->points.back();
        QCOMPARE(plain.againstFloat.agreement, 100.0);
        QCOMPARE(plain.top1, result->floatResult->top1());
        QVERIFY(plain.plan->empty());
        QVERIFY(result->points.front().cost.sizeBytes < plain.cost.sizeBytes);
        QVERIFY(result->points.front().loss != plain.loss); // the point was evaluated under its own plan
    }

    void pointEqualsEvaluatingItAlone()
    {
        const Setting setting;
        const auto result = setting.run();
        QVERIFY(result.has_value());
        planning::PlanRequest request;
        request.weights.bits = 3;
        request.activations.bits = 4;
        const auto stats = calibration::calibrate(setting.graph, *setting.samples);
        const auto built = planning::buildPlan(setting.graph, stats->get(), request);
        QVERIFY(built.has_value());
        const auto alone = evaluation::evaluate(setting.graph, built->plan, *setting.samples);
        QVERIFY(alone.has_value());
        QCOMPARE((*alone)->top1(), result->points.front().top1);
        QCOMPARE((*alone)->loss(), result->points.front().loss);
        QVERIFY(*result->points.front().plan == built->plan);
    }

    void sameForAnyThreads()
    {
        Setting setting(37);
        setting.options.evaluation.threads = 1;
        const auto one = setting.run();
        setting.options.evaluation.threads = 3;
        const auto three = setting.run();
        QVERIFY(one && three);
        QCOMPARE(toCsv(*one), toCsv(*three));
    }

    void takesFloatResultOver()
    {
        const Setting setting;
        const auto known = *evaluation::evaluate(setting.graph, {}, *setting.samples);
        std::int64_t total = 0;
        base::Progress progress([&](const base::ProgressState& state) { total = std::max(total, state.total); });
        const auto result = runGrid(*setting.quantizer, *setting.samples, setting.options, { &progress, {} }, known);
        QVERIFY(result.has_value());
        QVERIFY(result->floatResult == known);
        QCOMPARE(total, 6 * 40);
    }

    void countsImagesOverAllPoints()
    {
        const Setting setting;
        std::vector<base::ProgressState> states;
        base::Progress progress([&](const base::ProgressState& state) { states.push_back(state); });
        QVERIFY(setting.run({ &progress, {} }).has_value());
        for (const auto& state : states)
            QCOMPARE(state.stage, std::string("Sweep {3, 8, float} x {4, float}")); // one stage from end to end
        QCOMPARE(states.back().done, 7 * 40);
        QCOMPARE(states.back().total, 7 * 40);
    }

    void cancellationKeepsFinishedPoints()
    {
        Setting setting;
        std::stop_source stop;
        int points = 0;
        setting.options.onPoint = [&](const SweepPoint&) {
            if (++points == 2)
                stop.request_stop();
        };
        const auto result = setting.run({ nullptr, stop.get_token() });
        QVERIFY(result.has_value());
        QVERIFY(!result->complete);
        QCOMPARE(result->points.size(), std::size_t { 2 });
        QVERIFY(result->floatResult != nullptr);
        QVERIFY(toCsv(*result).find("incomplete") != std::string::npos);
    }

    void cancelledBeforeFloatIsAnError()
    {
        std::stop_source stop;
        stop.request_stop();
        const auto result = Setting().run({ nullptr, stop.get_token() });
        QVERIFY(!result.has_value());
        QVERIFY(result.error().code == ErrorCode::Cancelled);
    }

    void refusesBadGrids()
    {
        Setting setting;
        setting.options.weightBits.clear();
        QVERIFY(setting.run().error().code == ErrorCode::InvalidInput);
        setting.options.weightBits = { 99 };
        QVERIFY(setting.run().error().code == ErrorCode::InvalidInput);
        setting.options.weightBits = { 8 };
        const flow::Quantizer imageless(setting.quantizer->graph(), nullptr);
        const auto uncalibrated = runGrid(imageless, *setting.samples, setting.options);
        QVERIFY(!uncalibrated.has_value());
    }

    void writesCsv()
    {
        const auto result = Setting().run();
        QVERIFY(result.has_value());
        std::istringstream csv(toCsv(*result));
        std::string line;
        std::getline(csv, line);
        QVERIFY(line.starts_with("# W{3, 8, float} A{4, float} compute"));
        std::getline(csv, line);
        const auto columns = std::count(line.begin(), line.end(), ',');
        QCOMPARE(columns, 13);
        std::vector<std::string> rows;
        while (std::getline(csv, line)) {
            QCOMPARE(std::count(line.begin(), line.end(), ','), columns);
            rows.push_back(line);
        }
        QCOMPARE(rows.size(), std::size_t { 6 });
        QVERIFY(rows.back().starts_with("float,float,40,"));
    }
};

QTEST_APPLESS_MAIN(TestSweep)
#include "tst_sweep.moc"
