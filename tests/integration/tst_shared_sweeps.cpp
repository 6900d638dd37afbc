// SPDX-License-Identifier: GPL-3.0-or-later
// labels: integration numeric
#include <algorithm>
#include <set>

#include <QTest>

#include "core/calibration/feed.h"
#include "core/engine/engine.h"
#include "core/evaluation/reuse.h"
#include "core/evaluation/shared_evaluation.h"
#include "core/onnx_io/reader.h"
#include "core/sweep/sensitivity.h"
#include "core/sweep/sweep.h"
#include "tests/support/memory_dataset.h"

using namespace quantoscope;
using evaluation::EvaluationResult;
using evaluation::ImageOutcome;

// Sweeps run many networks together and compute what they have in common once. Whatever they share, every image must
// come out as if each network had been evaluated by itself.

namespace {

/// The bundled ResNet-20 on random images: what it says of them is as good to compare as anything.
struct Setting {
    flow::GraphPtr graph;
    dataset::SampleSetPtr samples;
    dataset::SampleSetPtr calibration;
    std::unique_ptr<flow::Quantizer> quantizer;
    evaluation::EvaluationOptions alone;

    explicit Setting(std::int64_t images)
    {
        const auto model = onnx_io::readModel(QS_SOURCE_DIR "/resources/samples/fashion_resnet20.onnx");
        graph = *engine::prepareGraph(*model);
        dataset::SampleSet::Options load;
        load.preprocessing.channels = dataset::Channels::Gray;
        samples = *dataset::SampleSet::load(test::randomDataset(images, 28, 28, 1, 10, 1), load);
        calibration = *dataset::SampleSet::load(test::randomDataset(16, 28, 28, 1, 10, 2), load);
        quantizer = std::make_unique<flow::Quantizer>(graph, calibration);
        alone.batch = *calibration::chooseBatch(*graph, *samples);
        alone.arithmetic = engine::Arithmetic::Auto;
    }
    /// By itself, sharing nothing.
    evaluation::EvaluationResultPtr evaluate(const flow::QuantizedNetwork& network) const
    {
        return *evaluation::evaluate(*network.graph, *network.plan, *samples, alone);
    }
    evaluation::EvaluationResultPtr evaluateFloat() const { return *evaluation::evaluate(*graph, {}, *samples, alone); }
};

bool same(const ImageOutcome& a, const ImageOutcome& b)
{
    return a.prediction == b.prediction && a.label == b.label && a.top5 == b.top5 && a.loss == b.loss
        && a.margin == b.margin;
}

bool same(const EvaluationResult& a, const EvaluationResult& b)
{
    return a.scope == b.scope && a.arithmetic == b.arithmetic && a.classes == b.classes && a.output == b.output
        && std::ranges::equal(a.outcomes, b.outcomes, [](const auto& x, const auto& y) { return same(x, y); });
}

std::vector<std::int32_t> predictions(const EvaluationResult& result)
{
    std::vector<std::int32_t> list;
    for (const auto& outcome : result.outcomes)
        list.push_back(outcome.prediction);
    return list;
}

} // namespace

class TestSharedSweeps : public QObject {
    Q_OBJECT

private slots:
    /// Activations take about 150 KiB an image; scratch memory of kernels, as much again, does not grow with the batch.
    void scratchMemoryDoesNotShrinkTheBatch() { QVERIFY(Setting(36).alone.batch >= 4); }

    /// Networks before one that fails are finished and told of, and the error is that network's.
    void aNetworkThatFails()
    {
        const Setting setting(9);
        std::vector<flow::QuantizedNetwork> networks;
        for (const int bits : { 8, 7, 6 }) {
            planning::PlanRequest request;
            request.activations.bits = bits;
            networks.push_back(*setting.quantizer->quantize(request));
        }
        auto broken = *networks[1].plan;
        broken.set("no such tensor", *broken.find(broken.tensors().begin()->first));
        networks[1].plan = std::make_shared<const quant::QuantizationPlan>(std::move(broken));
        std::vector<evaluation::Network> bare;
        for (const auto& network : networks)
            bare.push_back({ network.graph.get(), network.plan.get() });
        std::vector<std::size_t> told;
        auto options = setting.alone;
        options.partOfStage = true;
        const auto results = evaluation::evaluateAll(bare, *setting.samples, options, {},
            [&](std::size_t network, const evaluation::EvaluationResultPtr& result) {
                told.push_back(network);
                QVERIFY(same(*result, *setting.evaluate(networks[network])));
            });
        QVERIFY(!results);
        QCOMPARE(results.error().code, ErrorCode::NotFound);
        QCOMPARE(told, std::vector<std::size_t> { 0 });
    }

    void theGridIsThatOfSeparateEvaluations_data()
    {
        QTest::addColumn<QString>("scope");
        QTest::addColumn<QString>("engine");
        QTest::addColumn<int>("firstLast"); ///< 0: like the others
        QTest::newRow("integer, integers") << "integer"
                                           << "auto" << 0;
        QTest::newRow("integer, first and last alike") << "integer"
                                                       << "auto" << 8;
        QTest::newRow("compute, float") << "compute"
                                        << "float" << 8;
    }

    void theGridIsThatOfSeparateEvaluations()
    {
        QFETCH(QString, scope);
        QFETCH(QString, engine);
        QFETCH(int, firstLast);
        Setting setting(36); // not a multiple of the batch
        setting.alone.arithmetic = *engine::parseArithmetic(engine.toStdString());
        sweep::GridOptions options;
        options.weightBits = *sweep::parseBits("2..8");
        options.activationBits = *sweep::parseBits("2..8");
        options.request.scope = scope == "integer" ? quant::Scope::Integer : quant::Scope::Compute;
        if (firstLast > 0)
            options.request.firstLastBits = firstLast;
        options.evaluation.arithmetic = setting.alone.arithmetic;
        const auto grid = sweep::runGrid(*setting.quantizer, *setting.samples, options);
        QVERIFY2(grid.has_value(), grid ? "" : grid.error().message().c_str());
        QCOMPARE(grid->points.size(), std::size_t { 49 });
        std::set<std::vector<std::int32_t>> different;
        for (const auto& point : grid->points) {
            auto request = options.request;
            request.weights.bits = point.weightBits;
            request.activations.bits = point.activationBits;
            const auto alone = setting.evaluate(*setting.quantizer->quantize(request));
            const auto where = sweep::toString(point.weightBits) + "/" + sweep::toString(point.activationBits);
            QVERIFY2(point.predictions == predictions(*alone), where.c_str());
            QCOMPARE(point.loss, alone->loss());
            QCOMPARE(point.top5, alone->top5());
            different.insert(point.predictions);
        }
        QVERIFY(different.size() > 5); // the comparison means something
    }

    void sensitivityIsThatOfSeparateEvaluations_data()
    {
        QTest::addColumn<QString>("scope");
        QTest::newRow("compute") << "compute";
        QTest::newRow("integer") << "integer";
    }

    void sensitivityIsThatOfSeparateEvaluations()
    {
        QFETCH(QString, scope);
        const Setting setting(20);
        sweep::SensitivityOptions options;
        options.weightBits = { 2, 4 };
        options.activationBits = { 2, 6 };
        options.request.scope = scope == "integer" ? quant::Scope::Integer : quant::Scope::Compute;
        const auto result = sweep::runSensitivity(*setting.quantizer, setting.samples.get(), options);
        QVERIFY2(result.has_value(), result ? "" : result.error().message().c_str());
        QVERIFY(result->points.size() > 80);
        const auto reference = setting.evaluateFloat();
        for (std::size_t i = 0; i < result->points.size(); ++i) {
            const auto& point = result->points[i];
            const auto& unit = result->units[point.unit];
            QVERIFY(i == 0 || result->points[i - 1].unit <= point.unit); // in the order of the network all the same
            planning::PlanRequest request = options.request;
            const bool isWeight = unit.role == quant::Role::Weight;
            (isWeight ? request.weights : request.activations).bits = point.bits;
            (isWeight ? request.activations : request.weights).bits.reset();
            auto network = *setting.quantizer->quantize(request);
            network.plan = std::make_shared<const quant::QuantizationPlan>(sweep::onlyUnit(*network.plan, unit));
            const auto alone = setting.evaluate(network);
            const auto paired = evaluation::compare(reference->outcomes, alone->outcomes);
            QVERIFY2(point.measured->loss == alone->loss(), unit.name.c_str());
            QCOMPARE(point.measured->top1, alone->top1());
            QCOMPARE(point.measured->againstFloat.agreement, paired.agreement);
            const auto fidelity = *setting.quantizer->fidelityOnAll(network);
            QCOMPARE(point.estimate(sweep::Estimate::Divergence), fidelity.divergence);
            QCOMPARE(point.estimate(sweep::Estimate::LogitError), fidelity.logitError);
        }
    }

    void resultsDoNotDependOnMemoryOrThreads_data()
    {
        QTest::addColumn<qulonglong>("budget");
        QTest::addColumn<int>("threads");
        QTest::newRow("no memory") << qulonglong { 0 } << 2;
        QTest::newRow("little memory") << qulonglong { 300'000 } << 1;
        QTest::newRow("plenty, three threads") << qulonglong { 1U << 30U } << 3;
    }

    void resultsDoNotDependOnMemoryOrThreads()
    {
        QFETCH(qulonglong, budget);
        QFETCH(int, threads);
        const Setting setting(20);
        std::vector<flow::QuantizedNetwork> networks;
        std::vector<evaluation::Network> bare;
        const auto units = sweep::findUnits(*setting.graph, quant::Scope::Integer);
        planning::PlanRequest request;
        request.scope = quant::Scope::Integer;
        const auto all = *setting.quantizer->quantize(request);
        networks.push_back(all);
        for (std::size_t unit = 0; unit < units.size(); unit += 7) {
            auto network = all;
            network.plan = std::make_shared<const quant::QuantizationPlan>(sweep::onlyUnit(*all.plan, units[unit]));
            networks.push_back(std::move(network));
        }
        for (const auto& network : networks)
            bare.push_back({ network.graph.get(), network.plan.get() });
        auto options = setting.alone;
        options.partOfStage = true;
        options.threads = threads;
        options.reuse = std::make_shared<evaluation::Reuse>(budget);
        const auto results = evaluation::evaluateAll(bare, *setting.samples, options);
        QVERIFY2(results.has_value(), results ? "" : results.error().message().c_str());
        for (std::size_t i = 0; i < networks.size(); ++i)
            QVERIFY2(same(*(*results)[i], *setting.evaluate(networks[i])), networks[i].plan->title.c_str());
        QVERIFY(options.reuse->kernels()->bytes() <= budget);
    }

    void aCancelledSweepKeepsWhatIsFinished()
    {
        const Setting setting(60);
        std::stop_source stop;
        sweep::GridOptions options;
        options.weightBits = *sweep::parseBits("2..8");
        options.activationBits = *sweep::parseBits("2..8");
        std::size_t told = 0;
        options.onPoint = [&](const auto&) {
            if (++told == 3)
                stop.request_stop();
        };
        const auto grid = sweep::runGrid(*setting.quantizer, *setting.samples, options, { nullptr, stop.get_token() });
        QVERIFY2(grid.has_value(), grid ? "" : grid.error().message().c_str());
        QVERIFY(!grid->complete);
        QCOMPARE(grid->points.size(), told);
        QVERIFY(told >= 3 && told < 49);
    }

    void cancellingStopsBetweenNetworks()
    {
        // All networks of a batch may take long together: a stop must not wait for the last of them.
        const Setting setting(32);
        const auto network = *setting.quantizer->quantize({});
        const std::vector<evaluation::Network> many(40, { network.graph.get(), network.plan.get() });
        std::stop_source stop;
        std::int64_t done = 0;
        base::Progress progress([&](const base::ProgressState& state) {
            done = state.done;
            if (state.done > 0)
                stop.request_stop();
        });
        progress.begin("many", 40 * 32, "images");
        auto options = setting.alone;
        options.partOfStage = true;
        options.threads = 1;
        const auto results = evaluation::evaluateAll(many, *setting.samples, options, { &progress, stop.get_token() });
        QVERIFY(!results.has_value());
        QCOMPARE(results.error().code, ErrorCode::Cancelled);
        QVERIFY(progress.state().done < 40 * 32);
    }
};

QTEST_GUILESS_MAIN(TestSharedSweeps)
#include "tst_shared_sweeps.moc"
