// SPDX-License-Identifier: GPL-3.0-or-later
// labels: unit numeric
#include <sstream>

#include <QTest>
#include <nlohmann/json.hpp>

#include "core/sweep/options_study.h"
#include "tests/support/memory_dataset.h"
#include "tests/support/small_networks.h"

using namespace quantoscope;
using namespace quantoscope::sweep;

namespace {

struct Setting {
    dataset::SampleSetPtr samples;
    std::unique_ptr<flow::Quantizer> quantizer;
    OptionsStudySettings settings;

    explicit Setting(std::int64_t images = 40)
    {
        dataset::SampleSet::Options load;
        load.preprocessing.channels = dataset::Channels::Gray;
        samples = *dataset::SampleSet::load(test::randomDataset(images, 8, 8, 1, 10), load);
        const auto graph = std::make_shared<const graph::Graph>(test::smallConvNet(1, 8, 10));
        quantizer = std::make_unique<flow::Quantizer>(graph, samples);
        settings.weightBits = { 3 };
        settings.activationBits = { std::nullopt, 4 };
        settings.weightRanges = { *quant::RangeSpec::parse("min-max"), *quant::RangeSpec::parse("mse") };
        settings.weightPerChannel = { false, true };
        settings.activationRanges = { *quant::RangeSpec::parse("min-max"), *quant::RangeSpec::parse("mse") };
    }
    Result<OptionsStudy> run(const base::Job& job = {}) const
    {
        return runOptionsStudy(*quantizer, *samples, settings, job);
    }
};

/// A row that is right on the images of `correct`.
StudyRow rowWith(const std::vector<bool>& correct, Bits weightBits = 4)
{
    StudyRow row;
    row.request.weights.bits = weightBits;
    for (const bool right : correct)
        row.predictions.push_back({ .prediction = right ? 1 : 2, .label = 1 });
    row.images = static_cast<std::int64_t>(correct.size());
    row.top1 = 100.0 * static_cast<double>(std::ranges::count(correct, true)) / static_cast<double>(correct.size());
    return row;
}

std::vector<bool> firstRight(std::size_t count, std::size_t images = 200)
{
    std::vector<bool> correct(images);
    std::fill_n(correct.begin(), count, true);
    return correct;
}

} // namespace

class TestRankedOptions : public QObject {
    Q_OBJECT

private slots:
    void holmStepsDown_data()
    {
        QTest::addColumn<QList<double>>("given");
        QTest::addColumn<QList<double>>("expected");
        QTest::newRow("none") << QList<double> {} << QList<double> {};
        QTest::newRow("one stays") << QList<double> { 0.03 } << QList<double> { 0.03 };
        // Example with m = 4: 0.005 * 4, 0.01 * 3, 0.03 * 2, 0.04 * 1, never smaller than one before.
        QTest::newRow("four") << QList<double> { 0.01, 0.04, 0.03, 0.005 } << QList<double> { 0.03, 0.06, 0.06, 0.02 };
        QTest::newRow("capped at one") << QList<double> { 0.6, 0.9 } << QList<double> { 1.0, 1.0 };
    }
    void holmStepsDown()
    {
        QFETCH(QList<double>, given);
        QFETCH(QList<double>, expected);
        const auto corrected = holm({ given.begin(), given.end() });
        QCOMPARE(corrected.size(), static_cast<std::size_t>(expected.size()));
        for (qsizetype i = 0; i < expected.size(); ++i)
            QVERIFY(std::abs(corrected[static_cast<std::size_t>(i)] - expected[i]) < 1e-12);
    }

    void ranksAndGroups()
    {
        // 150 against 148 cannot be told apart; 100 is worse than both.
        std::vector<StudyRow> rows { rowWith(firstRight(100)), rowWith(firstRight(148)), rowWith(firstRight(150)),
            rowWith(firstRight(98)) };
        rankRows(rows);
        QCOMPARE(rows[0].top1, 75.0);
        QCOMPARE(rows[3].top1, 49.0);
        for (std::size_t i = 0; i < rows.size(); ++i)
            QCOMPARE(rows[i].rank, static_cast<int>(i) + 1);
        QCOMPARE(rows[0].tier, 1);
        QCOMPARE(rows[1].tier, 1);
        QCOMPARE(rows[2].tier, 2);
        QCOMPARE(rows[3].tier, 2);
        QCOMPARE(rows[0].beats, 2);
        QCOMPARE(rows[0].beatenBy, 0);
        QCOMPARE(rows[3].beatenBy, 2);
        QCOMPARE(rows[0].pAgainstBest, 1.0);
        QVERIFY(rows[1].pAgainstBest > 0.05);
        QVERIFY(rows[2].pAgainstBest < 0.05);
    }

    void manyComparisonsAskForMore()
    {
        // 7 against 0 discordant images: p = 2^-6 = 0.0156 alone, but not among 15 comparisons.
        std::vector<StudyRow> two { rowWith(firstRight(107)), rowWith(firstRight(100)) };
        rankRows(two);
        QCOMPARE(two[1].tier, 2);
        std::vector<StudyRow> six { two[0], two[1], two[1], two[1], two[1], two[1] };
        rankRows(six);
        QCOMPARE(six[5].tier, 1);
    }

    void wordLengthsAreRankedApart()
    {
        std::vector<StudyRow> rows { rowWith(firstRight(100), 4), rowWith(firstRight(190), 8),
            rowWith(firstRight(120), 4) };
        rankRows(rows);
        QVERIFY(rows[0].weightBits() == 4 && rows[1].weightBits() == 4 && rows[2].weightBits() == 8);
        QCOMPARE(rows[0].top1, 60.0);
        QCOMPARE(rows[2].rank, 1);
        QCOMPARE(rows[2].tier, 1);
    }

    void crossesOptions()
    {
        const Setting setting;
        QCOMPARE(setting.settings.combinations(), 16);
        const auto study = setting.run();
        QVERIFY2(study.has_value(), study ? "" : study.error().message().c_str());
        QVERIFY(study->complete);
        // With float activations their ranges do not matter: 4 rows; otherwise 8.
        QCOMPARE(study->rows.size(), std::size_t { 12 });
        QCOMPARE(study->notes.size(), std::size_t { 1 });
        QVERIFY(study->leftOut.empty());
        for (const auto& row : study->rows) {
            const auto network = *setting.quantizer->quantize(row.request);
            const auto alone = *evaluation::evaluate(*network.graph, *network.plan, *setting.samples);
            QCOMPARE(alone->top1(), row.top1);
            QCOMPARE(alone->loss(), row.loss);
            QCOMPARE(row.images, 40);
        }
    }

    void leavesOutWhatCannotBe()
    {
        Setting setting;
        setting.settings.weightBits = { 3, 99 };
        setting.settings.activationBits = { std::nullopt };
        const auto study = setting.run();
        QVERIFY(study.has_value());
        QCOMPARE(study->rows.size(), std::size_t { 4 });
        QVERIFY(!study->leftOut.empty());
        QVERIFY(QString::fromStdString(study->leftOut.front().what).startsWith("W99"));
        QVERIFY(!study->leftOut.front().why.empty());
        setting.settings.weightBits = { 99 };
        QVERIFY(setting.run().error().code == ErrorCode::InvalidInput);
    }

    void correctionsAreReported()
    {
        Setting setting;
        setting.settings.activationBits = { 4 };
        setting.settings.activationRanges.clear();
        setting.settings.weightPerChannel.clear();
        planning::Corrections bias;
        bias.bias = true;
        setting.settings.corrections = { {}, bias };
        const auto study = setting.run();
        QVERIFY(study.has_value());
        QCOMPARE(study->rows.size(), std::size_t { 4 });
        for (const auto& row : study->rows) {
            QCOMPARE(row.outcomes.size(), std::size_t { row.request.corrections.bias ? 1U : 0U });
            QCOMPARE(row.corrections, std::string(row.request.corrections.bias ? "bias-corrected" : "none"));
        }
    }

    void countsImagesAndKeepsWhatIsFinished()
    {
        Setting setting;
        std::stop_source source;
        std::int64_t total = 0;
        int finished = 0;
        base::Progress progress([&](const base::ProgressState& state) { total = std::max(total, state.total); });
        setting.settings.onRow = [&](const StudyRow&) {
            if (++finished == 3)
                source.request_stop();
        };
        const auto study = setting.run({ &progress, source.get_token() });
        QVERIFY(study.has_value());
        QCOMPARE(total, 13 * 40);
        QVERIFY(!study->complete);
        QCOMPARE(study->rows.size(), std::size_t { 3 });
        QVERIFY(study->rows[0].rank == 1);
        QVERIFY(toCsv(*study).find("cancelled, incomplete") != std::string::npos);
        source = {};
        source.request_stop();
        QVERIFY(setting.run({ nullptr, source.get_token() }).error().code == ErrorCode::Cancelled);
    }

    void writesTables()
    {
        const auto study = *Setting().run();
        std::istringstream csv(toCsv(study));
        std::string line;
        std::getline(csv, line);
        QVERIFY(line.starts_with("# compute; "));
        std::getline(csv, line);
        const auto columns = std::ranges::count(line, ',');
        int rows = 0;
        while (std::getline(csv, line)) {
            QCOMPARE(std::ranges::count(line, ','), columns);
            ++rows;
        }
        QCOMPARE(rows, 12);
        const Json json = toJson(study);
        QCOMPARE(json["rows"].size(), std::size_t { 12 });
        for (const char* key : { "range", "granularity", "scheme", "corrections", "weight_bits", "activation_bits",
                 "top1", "top1_ci95", "tier", "p_against_best" })
            QVERIFY2(json["rows"][0].contains(key), key);
        QVERIFY(json["rows"][0]["activation_bits"] == "float");
        const auto text = QString::fromStdString(toMarkdown(study));
        QCOMPARE(text.count("\n## W"), 2);
        QCOMPARE(text.count("symmetric per channel, mse"), 3);
    }
};

QTEST_APPLESS_MAIN(TestRankedOptions)
#include "tst_ranked_options.moc"
