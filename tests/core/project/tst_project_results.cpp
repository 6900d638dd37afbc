// SPDX-License-Identifier: GPL-3.0-or-later
// labels: unit numeric
#include <functional>
#include <set>

#include <QTest>
#include <SQLiteCpp/Database.h>

#include "core/flow/best_flow.h"
#include "core/flow/kept_fidelities.h"
#include "core/planning/request_json.h"
#include "core/project/codec.h"
#include "tests/core/project/project_testing.h"

using namespace quantoscope;
using namespace quantoscope::project;
using test::ProjectFolder;
using test::ProjectWork;

namespace {

planning::PlanRequest corrected()
{
    planning::PlanRequest request;
    request.weights.bits = 3;
    request.activations.bits = 4;
    request.corrections.equalize = request.corrections.compensate = request.corrections.bias = true;
    return request;
}

bool sameOutcomes(const evaluation::EvaluationResult& a, const evaluation::EvaluationResult& b)
{
    return std::ranges::equal(a.outcomes, b.outcomes, [](const auto& x, const auto& y) {
        return x.prediction == y.prediction && x.label == y.label && x.top5 == y.top5 && x.loss == y.loss
            && x.margin == y.margin;
    });
}

/// Keys of one evaluation whose one ingredient is another.
struct Ingredients {
    graph::Graph graph = test::smallConvNet(1, 8, 10);
    quant::QuantizationPlan plan;
    dataset::SampleSetPtr samples = test::graySamples();
    std::int64_t batch = 8;
    engine::Arithmetic arithmetic = engine::Arithmetic::Auto;

    std::string key() const { return evaluation::ResultOrigin { graph, plan, *samples, batch, arithmetic }.key(); }
};
using Change = std::function<void(Ingredients&)>;

quant::TensorQuantizer weightQuantizer(int bits)
{
    quant::TensorQuantizer quantizer { quant::Role::Weight, {}, {}, {}, false };
    quantizer.config.bits = bits;
    return quantizer;
}

quant::QuantizationPlan planWithConstant(float value, float bias)
{
    quant::QuantizationPlan plan;
    const std::vector<float> values { value, 2 };
    const std::vector<float> biases { bias };
    plan.setConstant("w", std::make_shared<const Tensor>(Tensor::from<float>(Shape({ 2 }), values)));
    plan.setAddedBias("conv", std::make_shared<const Tensor>(Tensor::from<float>(Shape({ 1 }), biases)));
    return plan;
}

} // namespace

Q_DECLARE_METATYPE(Change)

/// What is computed once and found ever after, and never mistaken for something else.
class TestProjectResults : public QObject {
    Q_OBJECT

private slots:
    void findsResults()
    {
        const ProjectFolder folder;
        evaluation::EvaluationResultPtr computed;
        std::string title;
        {
            const ProjectWork work(folder.file());
            const auto network = *work.quantizer->quantize(corrected());
            title = network.plan->title;
            computed = *evaluation::evaluate(*network.graph, *network.plan, *work.samples, work.evaluation);
            QCOMPARE(work.project->use().computed, 1);
        }
        const ProjectWork work(folder.file());
        const auto network = *work.quantizer->quantize(corrected());
        const auto found = *evaluation::evaluate(*network.graph, *network.plan, *work.samples, work.evaluation);
        QCOMPARE(work.project->use().found, 1);
        QCOMPARE(work.project->use().computed, 0);
        QVERIFY(sameOutcomes(*found, *computed));
        QCOMPARE(found->scope, computed->scope);
        QCOMPARE(found->classes, 10);
        QCOMPARE(found->output, computed->output);
        QCOMPARE(found->seconds, computed->seconds);
        QVERIFY(found->arithmetic == computed->arithmetic);
        QVERIFY(found->arithmetic.integerLayers + found->arithmetic.floatLayers > 0);

        const auto records = *work.project->results();
        QCOMPARE(records.size(), std::size_t { 1 });
        QCOMPARE(records[0].scope, title);
        QCOMPARE(records[0].images, 40);
        QCOMPARE(records[0].top1, computed->top1());
        QVERIFY(records[0].data.find("gray") != std::string::npos);
        QCOMPARE(records[0].samples, work.samples->fingerprint());
        QVERIFY(**work.project->plan(records[0].plan) == *network.plan);
        QVERIFY(!*work.project->plan("none"));
    }

    void reportsFoundResultsLikeComputedOnes()
    {
        const ProjectFolder folder;
        ProjectWork work(folder.file());
        for (int time = 0; time < 2; ++time) {
            std::vector<std::int64_t> partial;
            work.evaluation.onPartial = [&](std::int64_t images, std::int64_t) { partial.push_back(images); };
            base::Progress progress;
            QVERIFY(evaluation::evaluate(*work.graph, {}, *work.samples, work.evaluation, { &progress, {} }));
            QCOMPARE(progress.state().done, 40);
            QCOMPARE(partial.back(), 40);
        }
        QCOMPARE(work.project->use().found, 1);
    }

    /// Planned and corrected once: what the second time gives came out of the file.
    void findsNetworks_data()
    {
        QTest::addColumn<bool>("best");
        QTest::newRow("of a request") << false;
        QTest::newRow("of the best flow") << true;
    }

    void findsNetworks()
    {
        QFETCH(bool, best);
        const ProjectFolder folder;
        const auto make = [&](const ProjectWork& work) {
            if (!best)
                return flow::BestFlow { corrected(), *work.quantizer->quantize(corrected()), {}, {}, {} };
            flow::BestFlowOptions options;
            options.request.weights.bits = options.request.activations.bits = 4;
            return *flow::findBestFlow(*work.quantizer, options);
        };
        const auto first = make(ProjectWork(folder.file()));
        const auto second = make(ProjectWork(folder.file()));
        QVERIFY(*second.network.plan == *first.network.plan);
        QVERIFY(second.network.plan != first.network.plan);
        QVERIFY(second.network.graph != nullptr);
        QVERIFY(second.request == first.request);
        QVERIFY(detail::toJson(second) == detail::toJson(first));
        QVERIFY(!first.network.corrections.empty());
        QCOMPARE(second.steps.size(), first.steps.size());
        QVERIFY(!best || !first.steps.empty());
    }

    void collectsStatisticsOnce()
    {
        const ProjectFolder folder;
        const auto use = [&] {
            const auto project = *Project::open(folder.file());
            calibration::StatsCache cache({ .store = project });
            const auto answer = *cache.statsFor(test::smallConvNet(1, 8, 10), *test::graySamples(), { .threads = 1 });
            return answer.source;
        };
        QVERIFY(use() == calibration::StatsCache::Source::Computed);
        QVERIFY(use() == calibration::StatsCache::Source::Store);
    }

    void keepsWhatHasNoCorrectionsAndNoLabels()
    {
        const ProjectFolder folder;
        const ProjectWork work(folder.file());
        evaluation::EvaluationResult empty;
        empty.scope = "none";
        const auto back = *detail::resultFromJson(*detail::unpack(detail::pack(detail::toJson(empty))));
        QCOMPARE(back->images(), 0);
        flow::QuantizedNetwork network;
        network.corrections.push_back({ .correction = "compensate", .before = { true, 4, 2, INFINITY, { INFINITY } } });
        network.biasRemedies.push_back({ "conv", "w", 16, quant::BiasRoom::ShiftBias, 8, 2, 1.0 / 3, -0.1 });
        const auto read = *detail::networkFromJson(*detail::unpack(detail::pack(detail::toJson(network))));
        QCOMPARE(read.corrections[0].before.divergence, INFINITY);
        QCOMPARE(read.corrections[0].before.divergences, std::vector<double> { INFINITY });
        QCOMPARE(read.corrections[0].before.agreeing, 2);
        QVERIFY(read.biasRemedies == network.biasRemedies);
    }

    /// One damaged value is computed again, not believed, and the rest stays.
    /// What was kept is taken as it is, so that a changed one shows that nothing was computed.
    void computesFidelitiesOnce()
    {
        const ProjectFolder folder;
        const auto fidelitiesOf = [&](const std::vector<int>& bits) {
            const ProjectWork work(folder.file());
            std::vector<flow::QuantizedNetwork> made;
            for (const int b : bits) {
                planning::PlanRequest request;
                request.weights.bits = b;
                made.push_back(*work.quantizer->quantize(request));
            }
            std::vector<calibration::Network> networks;
            for (const auto& network : made)
                networks.push_back({ network.graph.get(), network.plan.get() });
            const auto kept = *flow::keptFidelities(*work.quantizer, networks, nullptr);
            return std::pair(kept, *work.quantizer->fidelitiesOnAll(networks, nullptr));
        };
        const auto execute = [&](const char* sql) {
            SQLite::Database database(folder.file(), SQLite::OPEN_READWRITE);
            database.exec(sql);
            return database.execAndGet("SELECT count(*) FROM fidelities").getInt();
        };
        const auto first = fidelitiesOf({ 3 }).first.front();
        QVERIFY(first.divergence > 0);
        const auto [kept, computed] = fidelitiesOf({ 8, 3, 4 }); // one of them is known
        for (std::size_t i = 0; i < 3; ++i) {
            QCOMPARE(kept[i].divergences, computed[i].divergences);
            QCOMPARE(kept[i].logitError, computed[i].logitError);
        }
        QCOMPARE(kept[1].divergences, first.divergences);
        QVERIFY(kept[0].divergence != first.divergence);
        QCOMPARE(execute("UPDATE fidelities SET content = (SELECT content FROM fidelities ORDER BY rowid LIMIT 1)"), 3);
        QCOMPARE(fidelitiesOf({ 8 }).first.front().divergence, first.divergence);
        execute("UPDATE fidelities SET content = randomblob(99)");
        QCOMPARE(fidelitiesOf({ 8 }).first.front().divergence, kept[0].divergence);
    }

    void computesDamagedResultsAgain_data()
    {
        QTest::addColumn<QString>("sql");
        QTest::newRow("noise") << "UPDATE results SET content = randomblob(200)";
        QTest::newRow("nothing") << "UPDATE results SET content = x''";
        QTest::newRow("cut off") << "UPDATE results SET content = substr(content, 1, length(content) / 2)";
        QTest::newRow("a changed byte")
            << "UPDATE results SET content = substr(content, 1, 60) || x'55' || substr(content, 62)";
        QTest::newRow("a size that no memory has")
            << "UPDATE results SET content = x'FFFFFFFFFFFFFF0F' || substr(content, 9)";
        QTest::newRow("another kind of value") << "UPDATE results SET content = (SELECT content FROM plans)";
    }

    void computesDamagedResultsAgain()
    {
        QFETCH(QString, sql);
        const ProjectFolder folder;
        const auto evaluate = [&](const ProjectWork& work) {
            return *evaluation::evaluate(*work.graph, {}, *work.samples, work.evaluation);
        };
        const auto first = evaluate(ProjectWork(folder.file()));
        {
            SQLite::Database database(folder.file(), SQLite::OPEN_READWRITE);
            QCOMPARE(database.exec(sql.toStdString()), 1);
        }
        for (const int found : { 0, 1 }) {
            const ProjectWork work(folder.file());
            QVERIFY(sameOutcomes(*evaluate(work), *first));
            QCOMPARE(work.project->use().found, found);
            QCOMPARE(work.project->results()->size(), std::size_t { 1 });
        }
    }

    void doesNotReturnWhatWasNotKept()
    {
        const ProjectFolder folder;
        QVERIFY(Project::open(folder.file()));
        const ProjectWork work(*Project::open(folder.file(), Mode::ReadOnly));
        const auto result = evaluation::evaluate(*work.graph, {}, *work.samples, work.evaluation);
        QVERIFY(!result && result.error().code == ErrorCode::Io);
        const auto network = work.quantizer->quantize(corrected());
        QVERIFY(!network && network.error().code == ErrorCode::Io);
    }

    void keysDependOnEverything_data()
    {
        QTest::addColumn<Change>("change");
        const auto row = [](const char* name, Change change) { QTest::newRow(name) << change; };
        row("a label", [](Ingredients& i) { i.samples = test::graySamples(40, 2); });
        row("the number of images", [](Ingredients& i) { i.samples = test::graySamples(39); });
        row("the order of images", [](Ingredients& i) {
            const std::vector<std::int64_t> turned { 1, 0 };
            const std::vector<std::int64_t> straight { 0, 1 };
            QVERIFY(i.samples->subset(turned)->fingerprint() != i.samples->subset(straight)->fingerprint());
            i.samples = i.samples->subset(turned);
        });
        row("the pre-processing", [](Ingredients& i) {
            dataset::SampleSet::Options load;
            load.preprocessing.channels = dataset::Channels::Gray;
            load.preprocessing.mean = { 0.5F, 0, 0 };
            i.samples = *dataset::SampleSet::load(i.samples->dataset(), load);
        });
        row("a weight", [](Ingredients& i) { i.graph = test::smallConvNet(1, 8, 9); });
        row("a quantizer", [](Ingredients& i) { i.plan.set("conv1_weight", weightQuantizer(4)); });
        row("a word-length", [](Ingredients& i) { i.plan.set("conv1_weight", weightQuantizer(5)); });
        row("the seed", [](Ingredients& i) { i.plan.seed = 1; });
        row("the scope", [](Ingredients& i) { i.plan.scope = quant::Scope::Integer; });
        row("equalization", [](Ingredients& i) { i.plan.equalized = true; });
        row("corrections", [](Ingredients& i) { i.plan = planWithConstant(1, 1); });
        row("a corrected weight", [](Ingredients& i) { i.plan = planWithConstant(1.5, 1); });
        row("an added bias", [](Ingredients& i) { i.plan = planWithConstant(1, 1.5); });
        row("the batch", [](Ingredients& i) { i.batch = 9; });
        row("another quantizer", [](Ingredients& i) { i.plan.set("conv2_weight", weightQuantizer(4)); });
        row("its arithmetic", [](Ingredients& i) {
            i.plan.set("conv2_weight", weightQuantizer(4));
            i.arithmetic = engine::Arithmetic::Float;
        });
    }

    void keysDependOnEverything()
    {
        QFETCH(Change, change);
        static std::set<std::string> seen { Ingredients().key() };
        Ingredients changed;
        change(changed);
        QCOMPARE(changed.key(), changed.key());
        QVERIFY(seen.insert(changed.key()).second);
    }

    /// A label alone, with the same pixels.
    void labelsAreContent()
    {
        const auto image = dataset::Image { 1, 1, 1, { 7 } };
        const auto set = [&](int label) {
            return *dataset::SampleSet::load(
                std::make_shared<test::MemoryDataset>(std::vector { image }, std::vector { label }), {});
        };
        QCOMPARE(set(1)->fingerprint(), set(1)->fingerprint());
        QVERIFY(set(1)->fingerprint() != set(2)->fingerprint());
    }

    void merges()
    {
        const ProjectFolder folder;
        const Json settings { { "model", "m" }, { "data", "d" }, { "seed", 1 } };
        const auto make = [&](const char* name, int bits) {
            const ProjectWork work(folder.file(name));
            planning::PlanRequest request;
            request.weights.bits = bits;
            const auto network = *work.quantizer->quantize(request);
            QVERIFY(evaluation::evaluate(*network.graph, *network.plan, *work.samples, work.evaluation));
            QVERIFY(evaluation::evaluate(*work.graph, {}, *work.samples, work.evaluation));
            QVERIFY(work.project->keepStudy({ "sweep", settings, Json::object(), false }));
        };
        make("1.qscope", 3);
        make("2.qscope", 4);
        const ProjectWork work(folder.file());
        for (const char* part : { "1.qscope", "2.qscope", "1.qscope" })
            QVERIFY(work.project->merge(**Project::open(folder.file(part), Mode::ReadOnly)));
        QCOMPARE(work.project->results()->size(), std::size_t { 3 }); // float is in both
        QCOMPARE(work.project->studies()->size(), std::size_t { 1 });
        for (const int bits : { 3, 4 }) {
            planning::PlanRequest request;
            request.weights.bits = bits;
            const auto network = *work.quantizer->quantize(request);
            QVERIFY(evaluation::evaluate(*network.graph, *network.plan, *work.samples, work.evaluation));
        }
        QCOMPARE(work.project->use().found, 2);
        QCOMPARE(work.project->use().computed, 0);
    }

    void refusesToMerge_data()
    {
        QTest::addColumn<QString>("command");
        QTest::addColumn<QString>("settings");
        QTest::addColumn<QString>("says");
        QTest::newRow("another model") << "sweep"
                                       << R"({"model":"x","data":"d","seed":1})"
                                       << "differs in model";
        QTest::newRow("other data and seed") << "sweep"
                                             << R"({"model":"m","data":"x","seed":2})"
                                             << "differs in data, seed";
        QTest::newRow("one setting more") << "sweep"
                                          << R"({"model":"m","data":"d","seed":1,"bits":4})"
                                          << "differs in bits";
        QTest::newRow("one setting less") << "sweep"
                                          << R"({"model":"m","data":"d"})"
                                          << "differs in seed";
        QTest::newRow("another command") << "options"
                                         << R"({"model":"m","data":"d","seed":1})"
                                         << "another kind: options";
        QTest::newRow("no study") << ""
                                  << ""
                                  << "no study";
    }

    void refusesToMerge()
    {
        QFETCH(QString, command);
        QFETCH(QString, settings);
        QFETCH(QString, says);
        const ProjectFolder folder;
        const auto mine = *Project::open(folder.file());
        QVERIFY(mine->keepStudy({ "sweep", Json::parse(R"({"model":"m","data":"d","seed":1})"), Json::object() }));
        const auto other = *Project::open(folder.file("other.qscope"));
        QVERIFY(other->setView("window", "other"));
        if (!command.isEmpty())
            QVERIFY(other->keepStudy({ command.toStdString(), Json::parse(settings.toStdString()), Json::object() }));
        const auto merged = mine->merge(*other);
        QVERIFY(!merged && merged.error().code == ErrorCode::InvalidInput);
        QVERIFY2(QString::fromStdString(merged.error().what).contains(says), merged.error().message().c_str());
        QVERIFY(merged.error().where.ends_with("other.qscope"));
        QVERIFY(!mine->view("window")->has_value());
    }
};

QTEST_APPLESS_MAIN(TestProjectResults)
#include "tst_project_results.moc"
