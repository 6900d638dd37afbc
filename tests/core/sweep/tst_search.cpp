// SPDX-License-Identifier: GPL-3.0-or-later
// labels: unit numeric
#include <cmath>
#include <limits>
#include <set>

#include <QTest>

#include <nlohmann/json.hpp>

#include "core/base/random.h"
#include "core/sweep/pareto.h"
#include "core/sweep/search.h"
#include "core/sweep/search_space.h"
#include "tests/support/memory_dataset.h"
#include "tests/support/small_networks.h"

using namespace quantoscope;
using namespace quantoscope::sweep;

namespace {

using Role = quant::Role;

struct Setting {
    flow::GraphPtr graph = std::make_shared<const graph::Graph>(test::smallConvNet(1, 8, 10));
    dataset::SampleSetPtr samples;
    std::unique_ptr<flow::Quantizer> quantizer;
    SearchOptions options;

    explicit Setting(const std::string& budget, int threads = 0)
    {
        dataset::SampleSet::Options load;
        load.preprocessing.channels = dataset::Channels::Gray;
        samples = *dataset::SampleSet::load(test::randomDataset(60, 8, 8, 1, 10), load);
        quantizer = std::make_unique<flow::Quantizer>(graph, samples, flow::QuantizerOptions { .threads = threads });
        options.weightBits = { 2, 4, 8 };
        options.activationBits = { 4, 8 };
        options.budget = *Budget::parse(budget);
        options.evaluation.threads = threads;
    }

    Result<SearchResult> run(const base::Job& job = {}) const { return runSearch(*quantizer, *samples, options, job); }
};

/// Layers in a row; in twos the layers of a pair read the same activation.
std::vector<QuantizedUnit> unitsOf(int layers, bool inTwos)
{
    std::vector<QuantizedUnit> units;
    for (int i = 0; i < layers; ++i) {
        const std::string name = "l" + std::to_string(i);
        if (inTwos && i % 2 == 1)
            units[units.size() - 2].layers.push_back(name);
        else
            units.push_back({ name, Role::Activation, { "x" + name }, { name } });
        units.push_back({ name, Role::Weight, { "w" + name }, { name } });
    }
    return units;
}

/// sum over layers of macs * w * a + elements * w, as real prices are.
PriceFunction priceOf(const std::vector<QuantizedUnit>& units)
{
    return [units](const Assignment& bits) {
        double sum = 0;
        for (std::size_t w = 0; w < units.size(); ++w) {
            if (units[w].role != Role::Weight)
                continue;
            for (std::size_t a = 0; a < units.size(); ++a)
                if (units[a].role == Role::Activation
                    && std::ranges::find(units[a].layers, units[w].name) != units[a].layers.end())
                    sum += static_cast<double>(3 + w) * bits[w] * bits[a] + static_cast<double>(17 - w) * bits[w];
        }
        return sum;
    };
}

/// Least damage of all assignments within the budget.
double bruteForce(const DamageTable& damage, const PriceFunction& price, double budget)
{
    double best = std::numeric_limits<double>::infinity();
    Assignment bits(damage.size());
    const auto visit = [&](const auto& self, std::size_t unit, double sum) -> void {
        if (unit == damage.size()) {
            if (price(bits) <= budget)
                best = std::min(best, sum);
            return;
        }
        for (const auto& [b, harm] : damage[unit]) {
            bits[unit] = b;
            self(self, unit + 1, sum + harm);
        }
    };
    visit(visit, 0, 0);
    return best;
}

} // namespace

class TestSearch : public QObject {
    Q_OBJECT

private slots:
    void parsesBudgets_data()
    {
        QTest::addColumn<QString>("text");
        QTest::addColumn<bool>("valid");
        for (const char* text : { "size=40%", "bops=25%", "energy=30%", "drop=1", "drop=0.5", "size=W4A8", "bops=W16A2",
                 "energy=100%", "drop=0" })
            QTest::newRow(text) << text << true;
        for (const char* text :
            { "", "size", "size=", "size=40", "size=0%", "size=101%", "size=-1%", "speed=40%", "drop=-1", "drop=1%",
                "drop=", "size=W1A8", "size=W4", "size=W4A17", "size=WA", "size=4A8", "size=nan%", "drop=nan" })
            QTest::newRow(*text ? text : "empty") << text << false;
    }
    void parsesBudgets()
    {
        QFETCH(QString, text);
        QFETCH(bool, valid);
        const auto budget = Budget::parse(text.toStdString());
        QCOMPARE(budget.has_value(), valid);
        if (valid)
            QVERIFY(Budget::parse(budget->toString()).value() == *budget);
        else
            QVERIFY(QString::fromStdString(budget.error().message()).contains("size=40%"));
    }

    void choosesTheBestAssignment_data()
    {
        QTest::addColumn<bool>("inTwos");
        QTest::newRow("a chain") << false;
        QTest::newRow("layers that share activations") << true;
    }
    void choosesTheBestAssignment()
    {
        QFETCH(bool, inTwos);
        base::Random random(7);
        const auto units = unitsOf(4, inTwos);
        const auto price = priceOf(units);
        const AssignmentProblem problem(units, { units.size(), { 2, 4, 8 } }, price);
        const double most = price(Assignment(units.size(), 8));
        int feasible = 0;
        for (int round = 0; round < 40; ++round) {
            DamageTable damage(units.size());
            for (auto& harms : damage)
                for (const int bits : { 2, 4, 8 })
                    if (bits == 4 || random.below(4) > 0) // some are not allowed
                        harms[bits] = random.uniform() * std::pow(2.0, -bits) + (round % 2 == 0 ? 0 : -0.01);
            const double budget = most * random.uniform();
            const double wanted = bruteForce(damage, price, budget);
            const auto found = problem.solve(damage, budget);
            QCOMPARE(found.has_value(), std::isfinite(wanted));
            if (!found)
                continue;
            ++feasible;
            QVERIFY(found->exact);
            double sum = 0;
            for (std::size_t unit = 0; unit < units.size(); ++unit)
                sum += damage[unit].at(found->assignment[unit]);
            QVERIFY(std::abs(sum - wanted) < 1e-12);
            QVERIFY(std::abs(found->damage - wanted) < 1e-12);
            QVERIFY(std::abs(found->price - price(found->assignment)) < 1e-6);
            QVERIFY(found->price <= budget + 1e-6);
        }
        QVERIFY(feasible > 10);
    }

    void crowdsOfActivationsGetOneWordLength()
    {
        // One product of ten activations each with its neighbour: 3^10 combinations.
        std::vector<QuantizedUnit> units;
        for (int i = 0; i < 10; ++i) {
            const auto name = [](int k) { return "p" + std::to_string(k); };
            units.push_back({ name(i), Role::Activation, { "x" + std::to_string(i) }, { name(i), name(i + 1) } });
        }
        const auto price = [](const Assignment& bits) {
            double sum = 0;
            for (std::size_t i = 1; i < bits.size(); ++i)
                sum += bits[i - 1] * bits[i];
            return sum;
        };
        const AssignmentProblem problem(units, { units.size(), { 2, 4, 8 } }, price);
        QVERIFY(!problem.activationsAreFree());
        const DamageTable damage(units.size(), { { 2, 1.0 }, { 4, 0.1 }, { 8, 0.0 } });
        const auto found = problem.solve(damage, 200);
        QVERIFY(found.has_value());
        QCOMPARE(found->assignment, Assignment(10, 4));
    }

    void keepsToItsBudget_data()
    {
        QTest::addColumn<QString>("budget");
        for (const char* budget : { "size=15%", "size=W4A8", "bops=3%", "bops=W4A4", "energy=20%" })
            QTest::newRow(budget) << budget;
    }
    void keepsToItsBudget()
    {
        QFETCH(QString, budget);
        const Setting setting(budget.toStdString());
        const auto result = setting.run();
        QVERIFY2(result.has_value(), result ? "" : result.error().message().c_str());
        QVERIFY(result->complete && result->chosen.has_value());
        const auto& chosen = result->points[*result->chosen];
        QVERIFY(chosen.price <= result->allowed * (1 + 1e-9));
        // A price is that of the plan that is delivered, an accuracy what running it gives.
        const auto cost = cost::computeCost(*chosen.graph, *chosen.plan);
        QCOMPARE(sweep::priceOf(cost, result->price), chosen.price);
        const auto measured = evaluation::evaluate(*chosen.graph, *chosen.plan, *setting.samples);
        QVERIFY(measured.has_value());
        QCOMPARE(chosen.top1, (*measured)->top1());
        for (std::size_t unit = 0; unit < result->units.size(); ++unit)
            QCOMPARE(bitsOf(*chosen.plan, result->units[unit]), Bits(chosen.bits[unit]));
        for (const auto& point : result->points) {
            // No uniform network within a price has a smaller sum of harms than the one found for it.
            for (const auto& other : result->points)
                if (point.provenBest && other.price <= point.allowed)
                    QVERIFY(point.estimatedDamage <= other.estimatedDamage + 1e-12);
            // Nothing that fits is closer to float than what was chosen.
            if (point.price <= result->allowed)
                QVERIFY(chosen.divergence <= point.divergence);
        }
    }

    void refiningBringsItCloser()
    {
        int closer = 0;
        for (const char* budget : { "bops=2%", "bops=3%", "size=13%" }) {
            Setting setting(budget);
            setting.options.weightBits = { 2, 3, 4, 5, 6 };
            setting.options.activationBits = { 3, 4, 5, 6, 7 };
            setting.options.uniform = false;
            setting.options.refinements = 0;
            const auto plain = setting.run();
            setting.options.refinements = 4;
            const auto refined = setting.run();
            QVERIFY(plain.has_value() && refined.has_value());
            QVERIFY(plain->chosen && refined->chosen);
            for (const auto& point : plain->points)
                QVERIFY(point.origin != SearchPoint::Origin::Refined);
            const auto& chosen = refined->points[*refined->chosen];
            const double before = plain->points[*plain->chosen].divergence;
            QVERIFY(chosen.divergence <= before);
            QVERIFY(chosen.price <= refined->allowed * (1 + 1e-9));
            closer += chosen.origin == SearchPoint::Origin::Refined && chosen.divergence < before;
        }
        QVERIFY(closer > 0); // the sum of harms alone is not all there is
    }

    /// Sums of a poor estimate mislead; the answer is then looked for around the uniform networks.
    void uniformWordLengthsAreStartingPoints()
    {
        Setting setting("bops=W5A6");
        setting.options.weightBits = { 2, 3, 4, 5, 6 };
        setting.options.activationBits = { 3, 4, 5, 6, 7 };
        setting.options.estimate = Estimate::Noise;
        const auto uniformOnTheFront = [&](int refinements) {
            setting.options.refinements = refinements;
            const auto result = setting.run();
            if (!result)
                return -1;
            std::vector<Tradeoff> networks;
            for (const auto& point : result->points)
                networks.push_back({ point.price, point.divergence });
            int count = 0;
            for (const std::size_t i : paretoFront(networks))
                count += result->points[i].origin == SearchPoint::Origin::Uniform;
            return count;
        };
        const int without = uniformOnTheFront(0);
        const int with = uniformOnTheFront(3);
        qInfo() << "uniform networks closest to float at their price:" << without << "without refinement," << with;
        QVERIFY(without > 0); // or there is nothing to see here
        // The refinement at the budget alone takes one of them away.
        QVERIFY(with >= 0 && with + 2 <= without);
    }

    /// Uniform networks that labels favour are gone on from as well, though others at their price are closer to float.
    void goesOnFromUniformOnesOnTheMeasuredFront()
    {
        Setting setting("size=W4A8");
        setting.options.weightBits = { 2, 3, 4, 5, 6 };
        setting.options.activationBits = { 3, 4, 5, 6, 7 };
        const auto result = setting.run();
        QVERIFY(result.has_value());
        int followed = 0;
        for (const std::size_t i : result->front) {
            const auto& uniform = result->points[i];
            const auto closerAtItsPrice
                = [&](const SearchPoint& p) { return p.price <= uniform.price && p.divergence < uniform.divergence; };
            if (!uniform.uniform || !std::ranges::any_of(result->points, closerAtItsPrice))
                continue; // mixed, or gone on from for being the closest to float
            ++followed;
            QVERIFY(std::ranges::any_of(result->points, [&](const SearchPoint& p) {
                return p.origin == SearchPoint::Origin::Refined && p.allowed == uniform.price && closerAtItsPrice(p);
            }));
        }
        QVERIFY(followed > 0); // or there is nothing to see here
    }

    void noUniformNetworkIsAboveTheFront_data()
    {
        QTest::addColumn<QString>("budget");
        for (const char* budget : { "size=W4A8", "bops=3%", "drop=5" })
            QTest::newRow(budget) << budget;
    }
    void noUniformNetworkIsAboveTheFront()
    {
        QFETCH(QString, budget);
        const auto result = Setting(budget.toStdString()).run();
        QVERIFY2(result.has_value(), result ? "" : result.error().message().c_str());
        std::set<Assignment> uniform;
        for (const auto& point : result->points) {
            if (point.origin == SearchPoint::Origin::Uniform)
                uniform.insert(point.bits);
            else
                QVERIFY(!uniform.contains(point.bits)); // what is uniform is not called mixed
            QVERIFY(std::ranges::any_of(result->front, [&](std::size_t i) {
                return result->points[i].price <= point.price && result->points[i].top1 >= point.top1;
            }));
        }
        QCOMPARE(uniform.size(), std::size_t { 6 });
    }

    void looksAroundAnAssignment()
    {
        const Setting setting("bops=4%");
        const auto space = SearchSpace::create(*setting.quantizer, setting.options, Price::Bops, {});
        QVERIFY(space.has_value());
        const Assignment at = space->uniform(4, 8);
        std::vector<Assignment> asked;
        const auto ask = [&](const std::vector<Assignment>& all) -> Result<std::vector<double>> {
            asked = all;
            std::vector<double> harms;
            for (const auto& bits : all)
                harms.push_back(10.0 + bits[0]);
            return harms;
        };
        const auto table = harmAround(*space, at, 10.0, ask);
        QVERIFY(table.has_value());
        for (std::size_t unit = 0; unit < at.size(); ++unit) {
            const bool weight = space->units()[unit].role == Role::Weight;
            QCOMPARE(table->at(unit).size(), weight ? std::size_t { 3 } : std::size_t { 2 }); // 8 is the most
            QCOMPARE(table->at(unit).at(at[unit]), 0.0);
        }
        for (const auto& bits : asked) {
            int changed = 0;
            for (std::size_t unit = 0; unit < at.size(); ++unit)
                changed += bits[unit] != at[unit];
            QCOMPARE(changed, 1);
        }
    }

    void uniformIsTheNextWordLengthThereIs()
    {
        const Setting setting("bops=4%");
        const auto space = SearchSpace::create(*setting.quantizer, setting.options, Price::Size, {});
        QVERIFY(space.has_value());
        for (std::size_t unit = 0; unit < space->units().size(); ++unit) {
            const bool weight = space->units()[unit].role == Role::Weight;
            QCOMPARE(space->uniform(3, 2)[unit], 4);
            QCOMPARE(space->uniform(16, 5)[unit], 8);
            QCOMPARE(space->uniform(2, 4)[unit], weight ? 2 : 4);
        }
        const auto uniform = setting.quantizer->quantize([] {
            planning::PlanRequest request;
            request.weights.bits = 4;
            return request;
        }());
        QVERIFY(uniform.has_value());
        QCOMPARE(space->priceOf(space->uniform(4, 8)), cost::computeCost(*uniform->graph, *uniform->plan).sizeBytes);
    }

    void meetsADrop()
    {
        Setting setting("drop=5");
        const auto result = setting.run();
        QVERIFY2(result.has_value(), result ? "" : result.error().message().c_str());
        QVERIFY(result->price == Price::Bops);
        QVERIFY(result->chosen.has_value());
        const auto& chosen = result->points[*result->chosen];
        QVERIFY(chosen.againstFloat.delta >= -5);
        QCOMPARE(result->allowed, chosen.price);
        for (const auto& point : result->points)
            if (point.againstFloat.delta >= -5)
                QVERIFY(chosen.price <= point.price);
        setting.options.uniform = false;
        setting.options.minimize = Price::Size;
        const auto ladder = setting.run();
        QVERIFY(ladder.has_value() && ladder->chosen.has_value());
        for (const auto& point : ladder->points)
            QVERIFY(point.origin != SearchPoint::Origin::Uniform);
    }

    void whatIsFixedStaysFixed()
    {
        Setting setting("size=60%");
        setting.options.request.firstLastBits = 8;
        setting.options.request.overrides = { *planning::LayerOverride::parse("conv2_node:a=6") };
        const auto result = setting.run();
        QVERIFY2(result.has_value(), result ? "" : result.error().message().c_str());
        for (const auto& point : result->points) {
            if (point.origin == SearchPoint::Origin::Uniform)
                continue;
            for (std::size_t unit = 0; unit < result->units.size(); ++unit) {
                const auto& [name, role, tensors, layers] = result->units[unit];
                if (name != "conv2_node")
                    QCOMPARE(bitsOf(*point.plan, result->units[unit]), Bits(8));
                else if (role == Role::Activation)
                    QCOMPARE(bitsOf(*point.plan, result->units[unit]), Bits(6));
            }
        }
    }

    void sameForAnyNumberOfThreads()
    {
        const auto one = Setting("bops=4%", 1).run();
        const auto three = Setting("bops=4%", 3).run();
        QVERIFY(one.has_value() && three.has_value());
        QCOMPARE(toJson(*one).dump(), toJson(*three).dump());
    }

    void countsBiasesThatCorrectionsAdd()
    {
        // A MatMul has no bias; bias correction gives it one, which takes room that the budget must pay for.
        using graph::Dim;
        test::Chain chain({ Dim::named("batch"), 1, 8, 8 });
        chain.node("Flatten", "flat")
            .node("MatMul", "hidden", { test::normalTensor({ 64, 24 }, 1, 0.2) })
            .node("Relu", "relu")
            .node("MatMul", "logits", { test::normalTensor({ 24, 10 }, 2, 0.3) });
        Setting setting("size=W4A8");
        setting.graph = std::make_shared<const graph::Graph>(chain.finish());
        setting.quantizer = std::make_unique<flow::Quantizer>(
            setting.graph, setting.samples, flow::QuantizerOptions { .guard = false });
        setting.options.request.corrections.bias = true;
        const auto result = setting.run();
        QVERIFY2(result.has_value(), result ? "" : result.error().message().c_str());
        QVERIFY(result->chosen.has_value());
        const auto& chosen = result->points[*result->chosen];
        QCOMPARE(chosen.plan->addedBiases().size(), std::size_t { 2 });
        QCOMPARE(result->allowed, (64 * 24 + 24 * 10) * 4 / 8.0 + 4.0 * (24 + 10));
        QVERIFY(chosen.price <= result->allowed * (1 + 1e-9));
    }

    void refuses()
    {
        const auto poor = Setting("size=1%").run();
        QVERIFY(!poor.has_value());
        QVERIFY(poor.error().code == ErrorCode::InvalidInput);
        QVERIFY(QString::fromStdString(poor.error().message()).contains("even the fewest bits"));
        Setting none("size=50%");
        none.options.weightBits.clear();
        QVERIFY(!none.run().has_value());
    }

    void keepsWhatIsFinished()
    {
        Setting setting("bops=4%");
        std::stop_source stop;
        int delivered = 0;
        setting.options.onPoint = [&](const SearchPoint&) {
            if (++delivered == 3)
                stop.request_stop();
        };
        const auto result = setting.run({ nullptr, stop.get_token() });
        QVERIFY(result.has_value());
        QVERIFY(!result->complete);
        QCOMPARE(result->points.size(), std::size_t { 3 });
        stop = {};
        stop.request_stop();
        const auto nothing = setting.run({ nullptr, stop.get_token() });
        QVERIFY(!nothing.has_value() && nothing.error().code == ErrorCode::Cancelled);
    }
};

QTEST_APPLESS_MAIN(TestSearch)
#include "tst_search.moc"
