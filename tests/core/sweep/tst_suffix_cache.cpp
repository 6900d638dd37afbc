// SPDX-License-Identifier: GPL-3.0-or-later
// labels: unit numeric
#include <algorithm>

#include <QTest>

#include "core/evaluation/cuts.h"
#include "core/evaluation/evaluator.h"
#include "core/evaluation/reuse.h"
#include "core/planning/plan_builder.h"
#include "tests/support/memory_dataset.h"
#include "tests/support/small_networks.h"

using namespace quantoscope;
using namespace quantoscope::evaluation;

namespace {

struct Setting {
    graph::Graph graph = test::smallConvNet(1, 8, 10);
    dataset::SampleSetPtr samples;
    calibration::CalibrationStatsPtr stats;

    Setting()
    {
        dataset::SampleSet::Options load;
        load.preprocessing.channels = dataset::Channels::Gray;
        samples = *dataset::SampleSet::load(test::randomDataset(150, 8, 8, 1, 10), load);
        stats = *calibration::calibrate(graph, *samples);
    }
    /// Bits of every layer, in order; weights and activations alike.
    quant::QuantizationPlan plan(const std::vector<int>& bits, quant::Scope scope = quant::Scope::Integer) const
    {
        planning::PlanRequest request;
        request.scope = scope;
        const char* const names[] = { "conv1_node", "conv2_node", "logits_node" };
        for (std::size_t i = 0; i < bits.size(); ++i) {
            planning::LayerOverride change { names[i] };
            change.weights.bits = bits[i];
            request.overrides.push_back(change);
        }
        return planning::buildPlan(graph, stats.get(), request)->plan;
    }
    EvaluationResultPtr evaluate(const quant::QuantizationPlan& plan, std::shared_ptr<Reuse> reuse = {}) const
    {
        EvaluationOptions options;
        options.reuse = std::move(reuse);
        options.batch = 16;
        const auto result = evaluation::evaluate(graph, plan, *samples, options);
        return result ? *result : nullptr;
    }
};

bool same(const EvaluationResultPtr& a, const EvaluationResultPtr& b)
{
    return a && b && std::ranges::equal(a->outcomes, b->outcomes, [](const ImageOutcome& x, const ImageOutcome& y) {
        return x.prediction == y.prediction && x.label == y.label && x.loss == y.loss && x.margin == y.margin
            && x.top5 == y.top5;
    });
}

} // namespace

class TestSuffixCache : public QObject {
    Q_OBJECT

private slots:
    void editsGiveTheBitsOfWholeEvaluations_data()
    {
        QTest::addColumn<bool>("integer");
        QTest::addColumn<qulonglong>("budget");
        for (const bool integer : { true, false }) {
            QTest::addRow("%s, plenty", integer ? "integer" : "compute") << integer << qulonglong { 1U << 28U };
            QTest::addRow("%s, little", integer ? "integer" : "compute") << integer << qulonglong { 300'000 };
            QTest::addRow("%s, none", integer ? "integer" : "compute") << integer << qulonglong { 0 };
        }
    }
    void editsGiveTheBitsOfWholeEvaluations()
    {
        QFETCH(bool, integer);
        QFETCH(qulonglong, budget);
        const Setting setting;
        const auto reuse = std::make_shared<Reuse>(budget, Reuse::Between::Edits);
        const auto scope = integer ? quant::Scope::Integer : quant::Scope::Compute;
        for (const std::vector<int>& bits : { std::vector<int> { 8, 8, 8 }, { 8, 8, 3 }, { 8, 4, 3 }, { 8, 4, 8 },
                 { 2, 4, 8 }, { 8, 8, 8 }, { 8, 8, 8 } }) {
            const auto plan = setting.plan(bits, scope);
            QVERIFY(same(setting.evaluate(plan, reuse), setting.evaluate(plan)));
            QVERIFY(reuse->suffixes()->bytes() <= reuse->suffixes()->budget());
        }
        if (budget > 1'000'000)
            QVERIFY(reuse->suffixes()->bytes() > 0);
    }

    void onlyWhatFollowsAnEditRuns()
    {
        const Setting setting;
        SuffixCache cache(std::size_t { 1 } << 28U);
        const auto stepsFor = [&](const std::vector<int>& bits) {
            const auto plan = setting.plan(bits);
            const auto feed = calibration::Feed::create(setting.graph, plan, *setting.samples, { .batch = 16 });
            const auto session = cache.open(*feed);
            SuffixWorker worker(*session);
            for (std::int64_t item = 0; item < feed->batches(); ++item)
                if (!worker.run(item))
                    return std::pair<std::size_t, std::size_t> {};
            return std::pair(
                worker.stepsRun(), feed->compiled().steps().size() * static_cast<std::size_t>(feed->batches()));
        };
        const auto [first, all] = stepsFor({ 8, 8, 8 });
        QCOMPARE(first, all);
        const auto [afterEdit, same] = stepsFor({ 8, 4, 8 }); // the second of three layers
        QCOMPARE(same, all);
        QVERIFY2(afterEdit <= same * 8 / 10, qPrintable(QString("%1 of %2").arg(afterEdit).arg(same)));
        const auto [last, every] = stepsFor({ 8, 4, 3 });
        QVERIFY2(last < afterEdit, qPrintable(QString("%1 of %2").arg(last).arg(every)));
        const auto [undone, back] = stepsFor({ 8, 4, 8 });
        QVERIFY2(undone < afterEdit, qPrintable(QString("%1 of %2").arg(undone).arg(back)));
    }

    void whatACancelledEvaluationLeavesIsUsed()
    {
        const Setting setting;
        const auto reuse = std::make_shared<Reuse>(std::size_t { 1 } << 28U, Reuse::Between::Edits);
        const auto plan = setting.plan({ 8, 8, 8 });
        std::stop_source stop;
        EvaluationOptions options;
        options.reuse = reuse;
        options.batch = 16;
        options.threads = 1;
        options.onPartial = [&](std::int64_t, std::int64_t) { stop.request_stop(); };
        const base::Job job { nullptr, stop.get_token() };
        QVERIFY(!evaluation::evaluate(setting.graph, plan, *setting.samples, options, job).has_value());
        const auto edited = setting.plan({ 8, 8, 2 });
        QVERIFY(same(setting.evaluate(edited, reuse), setting.evaluate(edited)));
    }

    void otherImagesBeginAnew()
    {
        const Setting setting;
        const auto reuse = std::make_shared<Reuse>(std::size_t { 1 } << 28U, Reuse::Between::Edits);
        const auto plan = setting.plan({ 8, 8, 8 });
        QVERIFY(setting.evaluate(plan, reuse));
        Setting other;
        std::vector<std::int64_t> reversed(150);
        for (std::size_t i = 0; i < reversed.size(); ++i)
            reversed[i] = 149 - static_cast<std::int64_t>(i);
        other.samples = setting.samples->subset(reversed);
        QVERIFY(same(other.evaluate(plan, reuse), other.evaluate(plan)));
    }

    void oneEvaluationAtATimeUsesIt()
    {
        const Setting setting;
        SuffixCache cache(std::size_t { 1 } << 28U);
        const auto plan = setting.plan({ 8, 8, 8 });
        const auto feed = calibration::Feed::create(setting.graph, plan, *setting.samples, { .batch = 16 });
        auto session = cache.open(*feed);
        QVERIFY(session);
        session.reset();
        QVERIFY(cache.open(*feed));
    }

    void cutsAreWhereTheySaveMost_data()
    {
        QTest::addColumn<QVector<double>>("seconds");
        QTest::addColumn<QVector<qulonglong>>("bytes"); ///< of a cut behind each step
        QTest::addColumn<qulonglong>("budget");
        QTest::addColumn<int>("most");
        QTest::addColumn<QVector<int>>("expected");
        const QVector<double> even(9, 1.0);
        QTest::newRow("the middle first") << even << QVector<qulonglong>(9, 10) << 100ULL << 1 << QVector<int> { 3 };
        QTest::newRow("spread") << even << QVector<qulonglong>(9, 10) << 100ULL << 3 << QVector<int> { 1, 3, 5 };
        QTest::newRow("what fits") << even << QVector<qulonglong> { 99, 99, 99, 99, 99, 20, 20, 10, 1 } << 30ULL << 3
                                   << QVector<int> { 5, 7 };
        QTest::newRow("nothing fits") << even << QVector<qulonglong>(9, 10) << 5ULL << 3 << QVector<int> {};
        QTest::newRow("one slow step") << QVector<double> { 0, 0, 10, 0, 0.1, 0.1 } << QVector<qulonglong>(6, 1)
                                       << 100ULL << 1 << QVector<int> { 2 };
        QTest::newRow("no steps") << QVector<double> {} << QVector<qulonglong> {} << 100ULL << 3 << QVector<int> {};
    }
    void cutsAreWhereTheySaveMost()
    {
        QFETCH(QVector<double>, seconds);
        QFETCH(QVector<qulonglong>, bytes);
        QFETCH(qulonglong, budget);
        QFETCH(int, most);
        QFETCH(QVector<int>, expected);
        std::vector<CutCandidate> candidates;
        for (int i = 0; i < bytes.size(); ++i)
            candidates.push_back({ static_cast<std::size_t>(i), bytes[i] });
        const std::vector<double> times(seconds.begin(), seconds.end());
        QVector<int> chosen;
        for (const std::size_t cut : chooseCuts(times, candidates, budget, static_cast<std::size_t>(most)))
            chosen.push_back(static_cast<int>(cut));
        QCOMPARE(chosen, expected);
    }
};

QTEST_APPLESS_MAIN(TestSuffixCache)
#include "tst_suffix_cache.moc"
