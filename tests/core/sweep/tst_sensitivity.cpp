// SPDX-License-Identifier: GPL-3.0-or-later
// labels: unit numeric
#include <cmath>
#include <limits>
#include <set>

#include <QTest>

#include <nlohmann/json.hpp>

#include "core/evaluation/reuse.h"
#include "core/planning/placement.h"
#include "core/sweep/sensitivity.h"
#include "core/sweep/study_document.h"
#include "core/sweep/sensitivity_curvature.h"
#include "tests/support/memory_dataset.h"
#include "tests/support/small_networks.h"

using namespace quantoscope;
using namespace quantoscope::sweep;

namespace {

constexpr double infinite = std::numeric_limits<double>::infinity();
constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

struct Setting {
    flow::GraphPtr graph = std::make_shared<const graph::Graph>(test::smallConvNet(1, 8, 10));
    dataset::SampleSetPtr samples;
    std::unique_ptr<flow::Quantizer> quantizer;
    SensitivityOptions options;

    explicit Setting(int threads = 0)
    {
        dataset::SampleSet::Options load;
        load.preprocessing.channels = dataset::Channels::Gray;
        samples = *dataset::SampleSet::load(test::randomDataset(60, 8, 8, 1, 10), load);
        quantizer = std::make_unique<flow::Quantizer>(graph, samples, flow::QuantizerOptions { .threads = threads });
        options.weightBits = { 2, 4, 8 };
        options.activationBits = { 2, 8 };
        options.evaluation.threads = threads;
    }

    Result<SensitivityResult> run(const base::Job& job = {}) const
    {
        return runSensitivity(*quantizer, samples.get(), options, job);
    }
};

const SensitivityPoint* find(const SensitivityResult& result, const std::string& name, quant::Role role, int bits)
{
    for (const auto& point : result.points)
        if (result.units[point.unit].name == name && result.units[point.unit].role == role && point.bits == bits)
            return &point;
    return nullptr;
}

} // namespace

class TestSensitivity : public QObject {
    Q_OBJECT

private slots:
    void findsWhatCanHaveAWordLength_data()
    {
        QTest::addColumn<bool>("integer");
        QTest::newRow("compute") << false;
        QTest::newRow("integer") << true;
    }
    void findsWhatCanHaveAWordLength()
    {
        QFETCH(bool, integer);
        const Setting setting;
        const auto units = findUnits(*setting.graph, integer ? quant::Scope::Integer : quant::Scope::Compute);
        // Three layers, each with a weight and an input; what follows the last layer is read by none.
        QCOMPARE(units.size(), std::size_t { 6 });
        std::set<std::pair<std::string, quant::Role>> names;
        for (const auto& unit : units) {
            QVERIFY(!unit.tensors.empty());
            QCOMPARE(unit.layers, std::vector<std::string> { unit.name });
            names.emplace(unit.name, unit.role);
        }
        QCOMPARE(names.size(), std::size_t { 6 });
    }

    void tensorsThatShareAreOneUnit()
    {
        // relu feeds two layers and, in the integer scope, a Flatten that shares its encoding.
        using graph::Dim;
        test::GraphBuilder builder;
        const auto image = builder.input("image", { Dim::named("batch"), 2, 4, 4 });
        const auto relu = builder.node("Relu", { image }, "relu");
        const auto left
            = builder.node("Conv", { relu, builder.constant("wl", test::normalTensor({ 3, 2, 1, 1 }, 1, 1)) }, "left");
        const auto flat = builder.node("Flatten", { relu }, "flat");
        const auto right
            = builder.node("Gemm", { flat, builder.constant("wr", test::normalTensor({ 32, 5 }, 2, 1)) }, "right");
        builder.output(left);
        builder.output(right);
        QVERIFY(graph::inferShapes(builder.graph()));
        const auto units = findUnits(builder.graph(), quant::Scope::Integer);
        const auto shared = std::ranges::find_if(units, [](const auto& unit) { return unit.tensors.size() > 1; });
        QVERIFY(shared != units.end());
        QCOMPARE(shared->tensors, (std::vector<std::string> { "relu", "flat" }));
        QCOMPARE(shared->layers.size(), std::size_t { 2 });
        QCOMPARE(overridesFor(*shared, 5).size(), std::size_t { 2 });
    }

    void overridesReachTheirUnitAlone()
    {
        const Setting setting;
        const auto units = findUnits(*setting.graph, quant::Scope::Compute);
        for (const auto& unit : units) {
            planning::PlanRequest request;
            request.overrides = overridesFor(unit, 5);
            const auto network = setting.quantizer->quantize(request);
            QVERIFY(network.has_value());
            for (const auto& other : units)
                QCOMPARE(bitsOf(*network->plan, other), Bits(other == unit ? 5 : 8));
            const auto alone = onlyUnit(*network->plan, unit);
            QCOMPARE(alone.tensors().size(), unit.tensors.size());
            QVERIFY(alone.find(unit.tensors.front()));
        }
    }

    void namesAreTakenLiterally()
    {
        const QuantizedUnit unit { "block[0]/conv*", quant::Role::Weight, { "w" }, { "block[0]/conv*" } };
        const auto overrides = overridesFor(unit, 4);
        QCOMPARE(overrides.size(), std::size_t { 1 });
        QCOMPARE(overrides[0].pattern, std::string("block\\[0\\]/conv\\*"));
    }

    void triesEveryUnitAlone()
    {
        const Setting setting;
        const auto result = setting.run();
        QVERIFY2(result.has_value(), result ? "" : result.error().message().c_str());
        QCOMPARE(result->points.size(), std::size_t { 3 * 3 + 3 * 2 });
        QVERIFY(result->complete);
        for (const auto& point : result->points) {
            QVERIFY(point.measured.has_value());
            for (const Estimate estimate : allEstimates)
                QVERIFY2(std::isfinite(point.estimate(estimate)), toString(estimate).c_str());
            QCOMPARE(point.measured->againstFloat.images, 60);
        }
        // Fewer bits, more noise, more harm.
        for (const auto role : { quant::Role::Weight, quant::Role::Activation }) {
            const auto* coarse = find(*result, "conv2_node", role, 2);
            const auto* fine = find(*result, "conv2_node", role, 8);
            QVERIFY(coarse && fine);
            QVERIFY(coarse->sqnrDb < fine->sqnrDb - 20);
            for (const Estimate estimate : allEstimates)
                QVERIFY(coarse->estimate(estimate) > 10 * fine->estimate(estimate));
        }
    }

    void pointEqualsEvaluatingThatPlan()
    {
        const Setting setting;
        const auto result = setting.run();
        QVERIFY(result.has_value());
        const auto* point = find(*result, "conv1_node", quant::Role::Weight, 2);
        QVERIFY(point);
        planning::PlanRequest request;
        request.weights.bits.reset();
        request.activations.bits.reset();
        request.overrides = { *planning::LayerOverride::parse("conv1_node:w=2") };
        const auto network = setting.quantizer->quantize(request);
        QVERIFY(network.has_value());
        QCOMPARE(network->plan->tensors().size(), std::size_t { 1 });
        const auto alone = evaluation::evaluate(*network->graph, *network->plan, *setting.samples);
        QVERIFY(alone.has_value());
        QCOMPARE(point->measured->top1, (*alone)->top1());
        QCOMPARE(point->measured->loss, (*alone)->loss());
        const auto fidelity = setting.quantizer->fidelityOnAll(*network);
        QVERIFY(fidelity.has_value());
        QCOMPARE(point->estimate(Estimate::Divergence), fidelity->divergence);
        const auto wanted = evaluation::runSamples(*setting.graph, {}, *setting.samples, 0, 60);
        const auto found = evaluation::runSamples(*network->graph, *network->plan, *setting.samples, 0, 60);
        QVERIFY(wanted.has_value() && found.has_value());
        double squares = 0;
        for (std::size_t i = 0; i < 600; ++i)
            squares += std::pow((*wanted)[0].as<float>()[i] - (*found)[0].as<float>()[i], 2);
        QVERIFY(std::abs(point->estimate(Estimate::LogitError) - squares / 600) < 1e-6 * squares);
        const auto& weight = setting.graph->value(*setting.graph->find("conv1_weight")).constant;
        const auto error = quant::measureError(network->plan->find("conv1_weight")->encoding, weight->view());
        QVERIFY(std::abs(point->sqnrDb - error.sqnrDb()) < 1e-6);
    }

    void curvatureIsTheOutputErrorOfTheLayer_data()
    {
        QTest::addColumn<QString>("layer");
        QTest::addColumn<bool>("weight");
        QTest::newRow("convolution, weight") << "conv1" << true;
        QTest::newRow("convolution, activation") << "conv1" << false;
        QTest::newRow("product, weight") << "logits" << true;
        QTest::newRow("product, activation") << "logits" << false;
    }
    /// With every position sampled, the estimate is what running the layer shows.
    void curvatureIsTheOutputErrorOfTheLayer()
    {
        QFETCH(QString, layer);
        QFETCH(bool, weight);
        const Setting setting;
        planning::PlanRequest request;
        (weight ? request.weights : request.activations).bits = 3;
        (weight ? request.activations : request.weights).bits.reset();
        const auto network = setting.quantizer->quantize(request);
        QVERIFY(network.has_value());
        const auto units = findUnits(*setting.graph, quant::Scope::Compute);
        const auto unit = std::ranges::find_if(units, [&](const auto& u) {
            return u.name == layer.toStdString() + "_node" && (u.role == quant::Role::Weight) == weight;
        });
        QVERIFY(unit != units.end());
        const auto errors = relativeOutputErrors(*setting.graph, *setting.samples, { { &*unit, network->plan.get() } },
            { .images = 60, .positions = 64, .threads = 2, .seed = 1 });
        QVERIFY2(errors.has_value(), errors ? "" : errors.error().message().c_str());

        // The layer's output less its bias, float and with the unit quantized.
        graph::Graph shown = *setting.graph;
        shown.setOutputs({ *shown.find(layer.toStdString()) });
        const auto alone = onlyUnit(*network->plan, *unit);
        const auto wanted = evaluation::runSamples(shown, {}, *setting.samples, 0, 60);
        const auto found = evaluation::runSamples(shown, alone, *setting.samples, 0, 60);
        QVERIFY(wanted.has_value() && found.has_value());
        const auto bias = shown.value(*shown.find(layer.toStdString() + "_bias")).constant->as<float>();
        const auto a = (*wanted)[0].as<float>();
        const auto b = (*found)[0].as<float>();
        const std::size_t inner = a.size() / 60 / bias.size();
        double power = 0;
        double noise = 0;
        for (std::size_t i = 0; i < a.size(); ++i) {
            const double value = a[i] - bias[i / inner % bias.size()];
            power += value * value;
            noise += (b[i] - a[i]) * (b[i] - a[i]);
        }
        QVERIFY2(std::abs(errors->front() - noise / power) < 1e-3 * noise / power,
            qPrintable(QStringLiteral("%1 instead of %2").arg(errors->front()).arg(noise / power)));
    }

    void sameForAnyNumberOfThreads()
    {
        const auto one = Setting(1).run();
        const auto three = Setting(3).run();
        QVERIFY(one.has_value() && three.has_value());
        QCOMPARE(toJson(*one).dump(), toJson(*three).dump());
        QCOMPARE(toCsv(*one), toCsv(*three));
    }

    void ownWordLengthsOfLayersDoNotMatter()
    {
        Setting setting;
        const auto plain = setting.run();
        setting.options.request.firstLastBits = 8;
        setting.options.request.overrides = { *planning::LayerOverride::parse("conv2_node:w=float,a=5"),
            *planning::LayerOverride::parse("logits_node:w=9") };
        const auto result = setting.run();
        QVERIFY(plain.has_value() && result.has_value());
        QCOMPARE(result->asked, std::int64_t { 15 });
        QCOMPARE(toCsv(*result), toCsv(*plain));
        QCOMPARE(result->scope, plain->scope);
        QVERIFY(plain->notes.empty());
        QVERIFY(!result->notes.empty() && result->notes.front().find("do not matter") != std::string::npos);
        Setting other;
        QCOMPARE(settingsOf(setting.options).dump(), settingsOf(other.options).dump());
        // Everything else that a layer has of its own counts.
        setting.options.request.overrides
            = { *planning::LayerOverride::parse("conv2_node:w=9,weight-range=manual:-0.01,0.01") };
        const auto clipped = setting.run();
        QVERIFY(clipped.has_value());
        for (const int bits : setting.options.weightBits) {
            QVERIFY(find(*clipped, "conv2_node", quant::Role::Weight, bits)->sqnrDb
                != find(*plain, "conv2_node", quant::Role::Weight, bits)->sqnrDb);
            QCOMPARE(find(*clipped, "conv1_node", quant::Role::Weight, bits)->sqnrDb,
                find(*plain, "conv1_node", quant::Role::Weight, bits)->sqnrDb);
        }
    }

    void whatIsFixedIsTriedOnce()
    {
        Setting setting;
        setting.options.keepOwnBits = true;
        setting.options.request.firstLastBits = 8;
        setting.options.request.overrides = { *planning::LayerOverride::parse("conv2_node:w=float") };
        const auto result = setting.run();
        QVERIFY(result.has_value());
        std::map<std::string, int> count;
        for (const auto& point : result->points)
            if (result->units[point.unit].role == quant::Role::Weight)
                ++count[result->units[point.unit].name];
        QCOMPARE(count, (std::map<std::string, int> { { "conv1_node", 1 }, { "logits_node", 1 } }));
        QVERIFY(find(*result, "conv1_node", quant::Role::Weight, 8));
    }

    void estimatesAlone()
    {
        Setting setting;
        setting.options.measure = false;
        setting.options.activationBits.clear();
        const auto result = runSensitivity(*setting.quantizer, nullptr, setting.options);
        QVERIFY(result.has_value());
        QCOMPARE(result->points.size(), std::size_t { 9 });
        QVERIFY(!result->floatResult && result->trust.empty() && result->data.empty());
        QVERIFY(!result->points.front().measured);
        QVERIFY(result->points.front().estimate(Estimate::Divergence) > 0);
        QVERIFY(!toJson(*result)["layers"][0].contains("top1"));
    }

    void keepsWhatIsFinished()
    {
        Setting setting;
        setting.options.evaluation.reuse = std::make_shared<evaluation::Reuse>(0); // one by one
        std::stop_source stop;
        int delivered = 0;
        setting.options.onPoint = [&](const SensitivityPoint&, const QuantizedUnit&) {
            if (++delivered == 4)
                stop.request_stop();
        };
        const auto result = setting.run({ nullptr, stop.get_token() });
        QVERIFY(result.has_value());
        QVERIFY(!result->complete);
        QCOMPARE(result->points.size(), std::size_t { 4 });
        QVERIFY(QString::fromStdString(toCsv(*result)).contains("incomplete"));
        stop = {};
        stop.request_stop();
        const auto nothing = setting.run({ nullptr, stop.get_token() });
        QVERIFY(!nothing.has_value() && nothing.error().code == ErrorCode::Cancelled);
    }

    void refuses()
    {
        Setting setting;
        setting.options.weightBits.clear();
        setting.options.activationBits.clear();
        const auto none = setting.run();
        QVERIFY(!none.has_value() && none.error().code == ErrorCode::InvalidInput);
        const flow::Quantizer blind(setting.graph, nullptr);
        const Setting other;
        const auto noImages = runSensitivity(blind, setting.samples.get(), other.options);
        QVERIFY(!noImages.has_value());
        QVERIFY(QString::fromStdString(noImages.error().message()).contains("calibration images"));
        QVERIFY(!parseEstimate("guess").has_value());
        for (const Estimate estimate : allEstimates)
            QVERIFY(parseEstimate(toString(estimate)).value() == estimate);
    }

    void ranks_data()
    {
        QTest::addColumn<std::vector<double>>("a");
        QTest::addColumn<std::vector<double>>("b");
        QTest::addColumn<double>("spearman");
        QTest::addColumn<double>("kendall");
        const std::vector<double> rising { 1, 2, 3, 4, 5 };
        QTest::newRow("same order") << rising << std::vector<double> { 1, 10, 100, 1000, 1e9 } << 1.0 << 1.0;
        QTest::newRow("opposite order") << rising << std::vector<double> { 5, 4, 3, 2, 1 } << -1.0 << -1.0;
        // 1 - 6 sum d^2 / (n (n^2 - 1)) = 1 - 6 * 2 / 120; one of ten pairs disagrees
        QTest::newRow("one swap") << rising << std::vector<double> { 1, 2, 3, 5, 4 } << 0.9 << 0.8;
        // ranks 1, 2.5, 2.5, 4, 5; tau-b = 9 / sqrt(10 * 9)
        QTest::newRow("a tie") << rising << std::vector<double> { 1, 2, 2, 4, 5 } << std::sqrt(9.5 / 10)
                               << std::sqrt(0.9);
        QTest::newRow("infinity is largest") << rising << std::vector<double> { 1, 2, 3, 4, infinite } << 1.0 << 1.0;
        QTest::newRow("what is not a number is left out")
            << std::vector<double> { 1, 9, 2, 3 } << std::vector<double> { 3, unknown, 2, 1 } << -1.0 << -1.0;
    }
    void ranks()
    {
        QFETCH(std::vector<double>, a);
        QFETCH(std::vector<double>, b);
        QFETCH(double, spearman);
        QFETCH(double, kendall);
        const auto found = rankCorrelation(a, b);
        QVERIFY(found.spearman && std::abs(*found.spearman - spearman) < 1e-12);
        QVERIFY(found.kendall && std::abs(*found.kendall - kendall) < 1e-12);
        QVERIFY(found.spearmanInterval.low <= spearman + 1e-6 && spearman <= found.spearmanInterval.high + 1e-6);
    }

    void correlationIntervals()
    {
        // n = 28, rho = 0.6 by construction is awkward; the formula at what came out is not.
        std::vector<double> a;
        std::vector<double> b;
        for (int i = 0; i < 28; ++i) {
            a.push_back(i);
            b.push_back(i * 7 % 28 + 0.5 * i);
        }
        const auto found = rankCorrelation(a, b);
        const double rho = *found.spearman;
        const double reach = 1.959964 * std::sqrt((1 + rho * rho / 2) / 25);
        QVERIFY(std::abs(found.spearmanInterval.low - std::tanh(std::atanh(rho) - reach)) < 1e-6);
        const double tau = *found.kendall;
        QVERIFY(std::abs(found.kendallInterval.high - std::tanh(std::atanh(tau) + 1.959964 * std::sqrt(0.437 / 24)))
            < 1e-6);
        const auto constant = rankCorrelation(a, std::vector<double>(28, 1.0));
        QVERIFY(!constant.spearman && !constant.kendall);
        QCOMPARE(constant.spearmanInterval.low, -1.0);
    }

    void trustComparesWithTheMeasuredDrop()
    {
        SensitivityResult result;
        for (int i = 0; i < 6; ++i) {
            result.units.push_back({ "l" + std::to_string(i), quant::Role::Weight, { "t" }, { "l" } });
            SensitivityPoint point { .unit = static_cast<std::size_t>(i), .bits = i % 2 == 0 ? 4 : 8 };
            point.estimates = { i * 1.0, -i * 1.0, 0, unknown };
            point.measured = { 0, 0, {}, {} };
            point.measured->againstFloat.delta = -i; // the larger i, the more is lost
            result.points.push_back(point);
        }
        const auto trust = rankEstimates(result);
        const auto at = [&](Estimate estimate, std::optional<int> bits) -> const EstimateTrust* {
            for (const auto& entry : trust)
                if (entry.estimate == estimate && !entry.role && entry.bits == bits)
                    return &entry;
            return nullptr;
        };
        QCOMPARE(*at(Estimate::Divergence, std::nullopt)->correlation.spearman, 1.0);
        QCOMPARE(*at(Estimate::LogitError, std::nullopt)->correlation.spearman, -1.0);
        QVERIFY(!at(Estimate::SecondOrder, std::nullopt)->correlation.spearman);
        QCOMPARE(at(Estimate::Divergence, 4)->correlation.pairs, 3);
        QVERIFY(!at(Estimate::Noise, std::nullopt));
        result.trust = trust;
        QVERIFY(QString::fromStdString(describeTrust(result)).contains("kl comes closest"));
    }

    void writesTables()
    {
        const Setting setting;
        const auto result = setting.run();
        QVERIFY(result.has_value());
        const auto lines = QString::fromStdString(toCsv(*result)).split('\n', Qt::SkipEmptyParts);
        QCOMPARE(static_cast<std::size_t>(lines.size()), result->points.size() + 2);
        QVERIFY(lines[0].startsWith("# "));
        for (const auto& line : lines.mid(2))
            QCOMPARE(line.count(','), lines[1].count(','));
        const Json json = toJson(*result);
        for (const char* member : { "name", "kind", "bits", "top1", "delta_top1", "sqnr_db", "estimates" })
            QVERIFY2(json["layers"][0].contains(member), member);
        QVERIFY(!json["trust"].empty());
    }
};

QTEST_APPLESS_MAIN(TestSensitivity)
#include "tst_sensitivity.moc"
