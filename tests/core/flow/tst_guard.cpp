// SPDX-License-Identifier: GPL-3.0-or-later
// labels: unit numeric
#include <QTest>

#include "core/flow/plan_patch.h"
#include "tests/core/flow/flow_testing.h"

using namespace quantoscope;
using namespace quantoscope::flow;
using evaluation::Fidelity;
using evaluation::FloatReference;

namespace {

/// A plan that quantizes the network coarsely, a guard, and what it judges by.
struct Setting {
    GraphPtr graph = test::smallGraph();
    dataset::SampleSetPtr samples = test::graySamples(40);
    FloatReference reference = *FloatReference::create(*graph, *samples);
    planning::CorrectionData data { *graph, *samples };
    Guard guard;
    JudgedPlan before;

    explicit Setting(int bits = 3, int trials = Guard::defaultTrials)
        : guard(reference, data, trials)
    {
        before = *guard.judge(planning::buildPlan(*graph, nullptr, test::request(bits, std::nullopt))->plan, {});
    }
};

Fidelity classified(std::int64_t agreeing, double divergence) { return { true, 50, agreeing, divergence }; }
Fidelity measured(double divergence) { return { false, 50, 0, divergence }; }

} // namespace

class TestGuard : public QObject {
    Q_OBJECT

private slots:
    void rule_data()
    {
        QTest::addColumn<bool>("classifies");
        QTest::addColumn<int>("agreeingBefore");
        QTest::addColumn<double>("divergenceBefore");
        QTest::addColumn<int>("agreeingAfter");
        QTest::addColumn<double>("divergenceAfter");
        QTest::addColumn<bool>("kept");
        const double infinite = std::numeric_limits<double>::infinity();
        QTest::newRow("the same") << true << 40 << 0.3 << 40 << 0.3 << true;
        QTest::newRow("more agree, divergence grows") << true << 40 << 0.3 << 41 << 0.4 << true;
        QTest::newRow("fewer agree, divergence falls") << true << 40 << 0.3 << 39 << 0.1 << false;
        QTest::newRow("as many agree, divergence falls") << true << 40 << 0.3 << 40 << 0.2 << true;
        QTest::newRow("as many agree, divergence grows") << true << 40 << 0.3 << 40 << 0.31 << false;
        QTest::newRow("no class scores, closer") << false << 0 << 0.3 << 0 << 0.2 << true;
        QTest::newRow("no class scores, farther") << false << 0 << 0.3 << 0 << 0.4 << false;
        QTest::newRow("not finite") << true << 40 << 0.3 << 40 << infinite << false;
        QTest::newRow("out of not finite") << true << 10 << infinite << 10 << 0.3 << true;
    }
    void rule()
    {
        QFETCH(bool, classifies);
        QFETCH(int, agreeingBefore);
        QFETCH(double, divergenceBefore);
        QFETCH(int, agreeingAfter);
        QFETCH(double, divergenceAfter);
        QFETCH(bool, kept);
        const auto make = [&](int agreeing, double divergence) {
            return classifies ? classified(agreeing, divergence) : measured(divergence);
        };
        QCOMPARE(
            evaluation::notWorse(make(agreeingAfter, divergenceAfter), make(agreeingBefore, divergenceBefore)), kept);
    }

    void clearlyCloserIsMoreThanChance_data()
    {
        QTest::addColumn<QList<double>>("before");
        QTest::addColumn<QList<double>>("after");
        QTest::addColumn<int>("agreeingMore");
        QTest::addColumn<bool>("closer");
        const QList<double> flat { 0.5, 0.5, 0.5, 0.5 };
        QTest::newRow("the same") << flat << flat << 0 << false;
        QTest::newRow("everywhere") << flat << QList<double> { 0.4, 0.3, 0.4, 0.3 } << 0 << true;
        QTest::newRow("one image alone") << flat << QList<double> { 0.6, 0.6, 0.6, 0.1 } << 0 << false;
        QTest::newRow("farther") << flat << QList<double> { 0.6, 0.7, 0.6, 0.7 } << 0 << false;
        QTest::newRow("everywhere, but fewer agree") << flat << QList<double> { 0.4, 0.3, 0.4, 0.3 } << -1 << false;
    }
    void clearlyCloserIsMoreThanChance()
    {
        QFETCH(QList<double>, before);
        QFETCH(QList<double>, after);
        QFETCH(int, agreeingMore);
        QFETCH(bool, closer);
        const auto make = [](const QList<double>& values, int agreeing) {
            Fidelity fidelity { true, values.size(), agreeing, 0, { values.begin(), values.end() } };
            for (const double v : values)
                fidelity.divergence += v / static_cast<double>(values.size());
            return fidelity;
        };
        QCOMPARE(evaluation::clearlyCloser(make(after, 2 + agreeingMore), make(before, 2)), closer);
    }

    void fidelityOfFloatIsPerfect()
    {
        const Setting setting;
        const auto same = *setting.reference.compare(*setting.graph, {});
        QVERIFY(same.classifies);
        QCOMPARE(same.images, 40);
        QCOMPARE(same.agreement(), 100.0);
        QCOMPARE(same.divergence, 0.0);
        QVERIFY(setting.before.fidelity.divergence > 0);
    }

    void divergenceIsKullbackLeibler()
    {
        const Setting setting;
        const auto reference = *evaluation::runSamples(*setting.graph, {}, *setting.samples, 0, 40);
        const auto actual = *evaluation::runSamples(*setting.graph, setting.before.plan, *setting.samples, 0, 40);
        double sum = 0;
        int agreeing = 0;
        for (std::size_t image = 0; image < 40; ++image) {
            const auto row = [&](const std::vector<Tensor>& outputs) {
                const auto scores = outputs[0].as<float>().subspan(image * 10, 10);
                std::vector<double> p(scores.begin(), scores.end());
                double total = 0;
                for (auto& v : p)
                    total += v = std::exp(v);
                for (auto& v : p)
                    v /= total;
                return p;
            };
            const auto p = row(reference);
            const auto q = row(actual);
            for (std::size_t c = 0; c < p.size(); ++c)
                sum += p[c] * std::log(p[c] / q[c]);
            agreeing += std::ranges::max_element(p) - p.begin() == std::ranges::max_element(q) - q.begin();
        }
        const auto& fidelity = setting.before.fidelity;
        QVERIFY2(std::abs(fidelity.divergence - sum / 40) < 1e-6 * (1 + sum), fidelity.describe().c_str());
        QCOMPARE(fidelity.agreeing, agreeing);
    }

    void networksThatDoNotClassify()
    {
        const auto graph = test::detectorGraph();
        const auto samples = test::graySamples(10);
        const auto reference = FloatReference::create(*graph, *samples);
        QVERIFY(reference.has_value());
        QVERIFY(!reference->classifies());
        const auto error = [&](int bits) {
            return reference
                ->compare(*graph, planning::buildPlan(*graph, nullptr, test::request(bits, std::nullopt))->plan)
                ->divergence;
        };
        QCOMPARE(reference->compare(*graph, {})->divergence, 0.0);
        QVERIFY(error(8) > 0);
        QVERIFY(error(3) > 10 * error(8));
        QVERIFY(error(3) < 1);
    }

    void keepsWhatHelps()
    {
        const Setting setting;
        Correction exact = test::weightCorrection("exact", [](const auto&, auto) {});
        exact.apply = [](const planning::CorrectionData&, const quant::QuantizationPlan&, const base::Job&) {
            return Result<planning::CorrectedPlan>({ {}, { "all float" } });
        };
        const auto result = setting.guard.apply(setting.before, exact, {});
        QVERIFY(result.has_value());
        QVERIFY(result->outcome.kept);
        QVERIFY(result->outcome.droppedLayers.empty());
        QCOMPARE(result->judged.fidelity.agreement(), 100.0);
        QCOMPARE(result->outcome.before.divergence, setting.before.fidelity.divergence);
        QCOMPARE(result->notes, std::vector<std::string> { "all float" });
    }

    void dropsWhatHurts()
    {
        const Setting setting(8);
        const auto harmful
            = test::weightCorrection("harmful", [](const auto&, std::span<float> weight) { test::negate(weight); });
        const auto result = setting.guard.apply(setting.before, harmful, {});
        QVERIFY(result.has_value());
        QVERIFY(!result->outcome.kept);
        QVERIFY(result->judged.plan == setting.before.plan);
        QVERIFY(result->notes.empty());
        QVERIFY(result->outcome.after.divergence > setting.before.fidelity.divergence);
        QVERIFY(QString::fromStdString(result->outcome.reason).contains("everywhere it leads to agreement"));
        QVERIFY(QString::fromStdString(result->outcome.describe()).contains("dropped"));
    }

    void undoesItWhereItHurts_data()
    {
        QTest::addColumn<QString>("victim");
        for (const char* layer : { "conv1_node", "conv2_node", "logits_node" })
            QTest::newRow(layer) << layer;
    }
    void undoesItWhereItHurts()
    {
        QFETCH(QString, victim);
        const Setting setting(8);
        const auto mixed = test::weightCorrection("mixed", [&](const graph::Layer& layer, std::span<float> weight) {
            if (layer.name == victim.toStdString())
                test::negate(weight);
        });
        const auto result = setting.guard.apply(setting.before, mixed, {});
        QVERIFY(result.has_value());
        // What is not turned round equals the float weight, and changes nothing: it stays.
        QVERIFY2(result->outcome.kept, result->outcome.reason.c_str());
        QCOMPARE(result->outcome.droppedLayers, std::vector<std::string> { victim.toStdString() });
        QCOMPARE(result->outcome.keptLayers, 2);
        QVERIFY(result->outcome.describe().find("kept in 2 of 3 layers") != std::string::npos);
        QCOMPARE(result->judged.fidelity.divergence, setting.before.fidelity.divergence);
        QCOMPARE(result->judged.plan.constants().size(), std::size_t { 2 });
        QVERIFY(evaluation::notWorse(result->outcome.after, result->outcome.before));
    }

    void trialsAreBounded()
    {
        const Setting setting(8, 0);
        const auto mixed = test::weightCorrection("mixed", [&](const graph::Layer& layer, std::span<float> weight) {
            if (layer.name == "conv1_node")
                test::negate(weight);
        });
        const auto result = setting.guard.apply(setting.before, mixed, {});
        QVERIFY(result.has_value());
        QVERIFY(!result->outcome.kept);
        QVERIFY(result->judged.plan == setting.before.plan);
    }

    void patchTakesBiasesAlong()
    {
        const Setting setting;
        auto after = setting.before.plan;
        after.setConstant("conv1_bias", std::make_shared<const Tensor>(test::normalTensor({ 8 }, 9)));
        auto quantizer = *after.find("conv2_weight");
        quantizer.encoding.scale[0] *= 2;
        after.set("conv2_weight", quantizer);
        const PlanPatch patch(*setting.graph, setting.before.plan, after);
        QCOMPARE(patch.size(), std::size_t { 2 });
        QCOMPARE(patch.layers(0), std::vector<std::string> { "conv1_node" });
        QVERIFY(patch.apply({ true, true }) == after);
        QVERIFY(patch.apply({ false, false }) == setting.before.plan);
        const auto first = patch.apply({ true, false });
        QCOMPARE(first.constants().size(), std::size_t { 1 });
        QVERIFY(*first.find("conv2_weight") == *setting.before.plan.find("conv2_weight"));
        QVERIFY(*patch.apply({ false, true }).find("conv2_weight") == quantizer);
    }

    void patchOfActivationsIsOne()
    {
        const Setting setting;
        auto after = setting.before.plan;
        after.set("image", *after.find("conv1_weight"));
        after.setConstant("conv1_bias", std::make_shared<const Tensor>(test::normalTensor({ 8 }, 9)));
        const PlanPatch patch(*setting.graph, setting.before.plan, after);
        QCOMPARE(patch.size(), std::size_t { 1 });
        QVERIFY(patch.apply({ false }) == setting.before.plan);
        QVERIFY(patch.apply({ true }) == after);
    }

    void stopsWhenAsked()
    {
        const Setting setting;
        std::stop_source source;
        source.request_stop();
        const auto none = test::weightCorrection("none", [](const auto&, auto) {});
        const auto result = setting.guard.apply(setting.before, none, { nullptr, source.get_token() });
        QVERIFY(!result.has_value());
        QVERIFY(result.error().code == ErrorCode::Cancelled);
    }
};

QTEST_APPLESS_MAIN(TestGuard)
#include "tst_guard.moc"
