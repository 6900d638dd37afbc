// SPDX-License-Identifier: GPL-3.0-or-later
#include <QtTest>

#include <cstring>

#include "core/engine/compile_cache.h"
#include "core/engine/program_family.h"
#include "tests/core/engine/graph_maker.h"

using namespace quantoscope;
using namespace quantoscope::test;

namespace {

constexpr std::size_t plenty = std::size_t { 64 } << 20U;

/// Residual blocks, an alias, a layer that reads two outputs of one step, layouts that change.
graph::Graph network()
{
    GraphMaker maker;
    const ValueId x = maker.input("x", { 2, 3, 12, 12 });
    const Attributes same { { "pads", Ints { 1, 1, 1, 1 } } };
    const auto conv = [&](ValueId input, const std::string& name, std::int64_t from, std::int64_t to, int seed) {
        const ValueId weight = maker.constant(
            name + "_w", randomTensor({ to, from, 3, 3 }, static_cast<std::uint64_t>(seed), -0.3, 0.3));
        return maker.node("Conv", { input, weight }, name, same);
    };
    ValueId at = maker.node("Relu", { conv(x, "c0", 3, 16, 1) }, "r0");
    for (int block = 1; block <= 3; ++block) {
        const std::string n = std::to_string(block);
        const ValueId inner = maker.node("Relu", { conv(at, "a" + n, 16, 16, 10 + block) }, "ra" + n);
        const ValueId sum = maker.node("Add", { conv(inner, "b" + n, 16, 16, 20 + block), at }, "sum" + n);
        at = maker.node("Relu", { sum }, "r" + n);
    }
    const ValueId flat = maker.node("Flatten", { maker.node("GlobalAveragePool", { at }, "pooled") }, "flat");
    maker.output(maker.node("Gemm", { flat, maker.constant("w", randomTensor({ 10, 16 }, 3)) }, "logits",
        { { "transB", std::int64_t { 1 } } }));
    maker.output(at);
    return maker.graph();
}

const std::vector<std::string> layers { "c0", "a1", "b1", "a2", "b2", "a3", "b3" };

quant::TensorQuantizer quantizer(int bits, bool weight)
{
    quant::TensorQuantizer result;
    result.config.bits = bits;
    result.encoding.qmin = weight ? -(1 << (bits - 1)) : 0;
    result.encoding.qmax = weight ? (1 << (bits - 1)) - 1 : (1 << bits) - 1;
    result.encoding.scale = { (weight ? 0.3F : 6.0F) / static_cast<float>(result.encoding.qmax) };
    return result;
}

/// Weight and input of every layer, `changed` (if any) with other word-lengths.
quant::QuantizationPlan planFor(int bits, const std::string& changed = {}, int changedBits = 4)
{
    quant::QuantizationPlan plan;
    plan.scope = quant::Scope::Integer;
    for (const std::string& layer : layers)
        plan.set(layer + "_w", quantizer(layer == changed ? changedBits : bits, true));
    for (const char* tensor : { "r0", "ra1", "b1", "r1", "ra2", "b2", "r2", "ra3", "b3", "r3" })
        plan.set(tensor, quantizer(bits, false));
    return plan;
}

quant::QuantizationPlan onlyWeightOf(const std::string& layer, int bits)
{
    quant::QuantizationPlan plan;
    plan.set(layer + "_w", quantizer(bits, true));
    return plan;
}

/// Of each kind of number that a quantizer has, one that differs: everything must tell such networks apart.
quant::QuantizationPlan planWithChange(int change)
{
    quant::QuantizationPlan plan = planFor(8);
    quant::TensorQuantizer changed = quantizer(8, false);
    changed.encoding.rounding = change == 1 ? quant::Rounding::Floor
        : change == 2 || change == 3        ? quant::Rounding::Stochastic
                                            : quant::Rounding::HalfEven;
    changed.encoding.zeroPoint = { change == 4 ? 200 : 0 };
    changed.encoding.scale = { changed.encoding.scale[0] * (change == 5 ? 1.01F : 1.0F) };
    plan.seed = change == 3 ? 99 : 1;
    plan.set("ra1", changed); // not a sum: those lie on the grid already, however they are rounded
    if (change == 6)
        plan.setConstant("a2_w", std::make_shared<const Tensor>(randomTensor({ 16, 16, 3, 3 }, 50, -0.3, 0.3)));
    return plan;
}

std::vector<quant::QuantizationPlan> plansOf(const QString& kind)
{
    std::vector<quant::QuantizationPlan> plans;
    if (kind == "each layer alone")
        for (auto layer = layers.rbegin(); layer != layers.rend(); ++layer)
            for (const int bits : { 3, 8 })
                plans.push_back(onlyWeightOf(*layer, bits));
    if (kind == "one layer changed") {
        plans.push_back(planFor(8));
        for (const std::string& layer : layers)
            plans.push_back(planFor(8, layer));
    }
    if (kind == "nothing in common")
        for (const int bits : { 3, 5, 8 })
            plans.push_back(planFor(bits));
    if (kind == "one number changed")
        for (int change = 0; change < 7; ++change)
            plans.push_back(planWithChange(change));
    if (kind == "all the same")
        plans.assign(3, planFor(6));
    return plans;
}

struct Compiled {
    std::vector<engine::CompiledGraphPtr> graphs;

    Compiled(const std::vector<quant::QuantizationPlan>& plans, engine::Arithmetic arithmetic,
        const std::shared_ptr<engine::CompileCache>& cache = {})
    {
        const graph::Graph graph = network();
        for (const auto& plan : plans) {
            CompileOptions options;
            options.arithmetic = arithmetic;
            options.cache = cache;
            graphs.push_back(*engine::compile(graph, plan, options));
        }
    }
    std::size_t steps() const
    {
        std::size_t sum = 0;
        for (const auto& graph : graphs)
            sum += graph->steps().size();
        return sum;
    }
};

std::size_t stepsOf(const engine::ProgramFamily& family)
{
    std::size_t sum = 0;
    for (std::size_t i = 0; i < family.size(); ++i)
        sum += family.stepsOf(i);
    return sum;
}

std::vector<Tensor> outputsOf(const engine::CompiledGraphPtr& compiled, const Tensor& input)
{
    engine::Executor executor(compiled);
    std::vector<Tensor> outputs;
    if (executor.run(std::array { input.view() }))
        for (std::size_t i = 0; i < compiled->outputs().size(); ++i)
            outputs.push_back(tensor::convert(executor.output(i), DType::Float32));
    return outputs;
}

} // namespace

class TestProgramFamily : public QObject {
    Q_OBJECT

private slots:
    void givesTheBitsOfSeparateRuns_data()
    {
        QTest::addColumn<QString>("kind");
        QTest::addColumn<bool>("integers");
        QTest::addColumn<qulonglong>("budget");
        QTest::addColumn<double>("mostSteps"); ///< that run, of those of separate runs
        for (const bool integers : { false, true })
            for (const auto& [kind, part] : { std::pair("each layer alone", 0.72), { "one layer changed", 0.75 },
                     { "one number changed", 0.85 }, { "nothing in common", 1.0 }, { "all the same", 0.34 } }) {
                const char* arithmetic = integers ? "integers" : "float";
                QTest::addRow("%s, %s", kind, arithmetic) << kind << integers << qulonglong { plenty } << part;
                QTest::addRow("%s, %s, little memory", kind, arithmetic)
                    << kind << integers << qulonglong { 20000 } << 1.0;
                QTest::addRow("%s, %s, no memory", kind, arithmetic) << kind << integers << qulonglong { 0 } << 1.0;
            }
    }

    void givesTheBitsOfSeparateRuns()
    {
        QFETCH(QString, kind);
        QFETCH(bool, integers);
        QFETCH(qulonglong, budget);
        QFETCH(double, mostSteps);
        const auto cache = std::make_shared<engine::CompileCache>(plenty);
        const auto arithmetic = integers ? engine::Arithmetic::Auto : engine::Arithmetic::Float;
        const Compiled compiled(plansOf(kind), arithmetic, cache);
        const Compiled separate(plansOf(kind), arithmetic);
        const auto family = std::make_shared<const engine::ProgramFamily>(compiled.graphs, budget);
        QCOMPARE(family->size(), compiled.graphs.size());
        QVERIFY(family->storedBytes() <= budget);
        QVERIFY2(static_cast<double>(stepsOf(*family)) <= mostSteps * static_cast<double>(separate.steps()),
            qPrintable(QString("%1 of %2 steps").arg(stepsOf(*family)).arg(separate.steps())));
        if (budget == 0)
            QCOMPARE(stepsOf(*family), separate.steps());
        if (kind == "one number changed")
            for (std::size_t i = 0; i < separate.graphs.size(); ++i)
                for (std::size_t j = 0; j < i; ++j)
                    QVERIFY2(!sameBits(outputsOf(separate.graphs[i], randomTensor({ 2, 3, 12, 12 }, 1))[1],
                                 outputsOf(separate.graphs[j], randomTensor({ 2, 3, 12, 12 }, 1))[1]),
                        qPrintable(QString("changes %1 and %2").arg(i).arg(j)));
        engine::FamilyExecutor executor(family);
        for (const std::uint64_t seed : { 1, 2, 1 }) {
            const Tensor input = randomTensor({ 2, 3, 12, 12 }, seed);
            for (std::size_t i = 0; i < family->size(); ++i) {
                QVERIFY(executor.run(i, std::array { input.view() }));
                const auto expected = outputsOf(separate.graphs[i], input);
                QCOMPARE(expected.size(), std::size_t { 2 });
                for (std::size_t o = 0; o < expected.size(); ++o)
                    QVERIFY2(sameBits(tensor::convert(executor.output(o), DType::Float32), expected[o]),
                        qPrintable(QString("member %1, output %2").arg(i).arg(o)));
            }
        }
    }

    void kernelsAreSharedWhereLayersAreAlike()
    {
        const auto cache = std::make_shared<engine::CompileCache>(plenty);
        const Compiled first({ planFor(8) }, engine::Arithmetic::Auto, cache);
        const std::size_t before = cache->size();
        QVERIFY(before > 0);
        const Compiled again({ planFor(8) }, engine::Arithmetic::Auto, cache);
        QCOMPARE(cache->size(), before);
        const Compiled changed({ planFor(8, "b3") }, engine::Arithmetic::Auto, cache);
        QCOMPARE(cache->size(), before + 1); // the one convolution
        QVERIFY(cache->bytes() <= cache->budget());
    }

    void aSmallCacheChangesNothing()
    {
        const auto cache = std::make_shared<engine::CompileCache>(10000);
        const Tensor input = randomTensor({ 2, 3, 12, 12 }, 1);
        for (const auto& plan : plansOf("one layer changed")) {
            const Compiled with({ plan }, engine::Arithmetic::Auto, cache);
            const Compiled without({ plan }, engine::Arithmetic::Auto);
            QVERIFY(sameBits(outputsOf(with.graphs[0], input)[0], outputsOf(without.graphs[0], input)[0]));
            QVERIFY(cache->bytes() <= cache->budget());
        }
    }

    void continuesBehindEveryBoundary_data()
    {
        QTest::addColumn<bool>("integers");
        QTest::newRow("float") << false;
        QTest::newRow("integers") << true;
    }
    void continuesBehindEveryBoundary()
    {
        QFETCH(bool, integers);
        const Compiled compiled({ planFor(8) }, integers ? engine::Arithmetic::Auto : engine::Arithmetic::Float);
        const auto& graph = compiled.graphs[0];
        const Tensor input = randomTensor({ 2, 3, 12, 12 }, 4);
        const auto expected = outputsOf(graph, input);
        const auto places = engine::boundaries(*graph);
        QVERIFY(places.size() > layers.size());
        std::size_t stepsBefore = graph->steps().size() + 1;
        for (const auto& boundary : places) {
            const auto isThere = [&](const engine::ValueKey& key) {
                return std::ranges::any_of(boundary.values, [&](const auto& value) { return value.key == key; });
            };
            engine::PartialExecutor executor(graph->arenaBytes());
            const auto head = executor.add(std::make_shared<const engine::PartialRun>(graph, nullptr, isThere));
            const auto tail = std::make_shared<const engine::PartialRun>(graph, isThere);
            QVERIFY(!tail->readsInputs());
            QVERIFY(tail->steps() < stepsBefore);
            stepsBefore = tail->steps() + 1; // never more than behind an earlier boundary
            const auto rest = executor.add(tail);
            QCOMPARE(tail->loads().size(), boundary.values.size());
            std::vector<std::vector<std::byte>> kept;
            std::vector<std::byte*> targets;
            std::vector<const std::byte*> sources;
            for (const auto& value : boundary.values)
                kept.emplace_back(value.bytes);
            const engine::PartialRun whole(graph, nullptr, isThere);
            QCOMPARE(whole.saves().size(), kept.size());
            for (std::size_t i = 0; i < kept.size(); ++i) {
                kept[i].resize(whole.saves()[i].bytes);
                targets.push_back(kept[i].data());
            }
            for (const auto& load : tail->loads())
                for (std::size_t i = 0; i < kept.size(); ++i)
                    if (whole.saves()[i].key == load.key)
                        sources.push_back(kept[i].data());
            QVERIFY(executor.run(head, std::array { input.view() }, {}, targets));
            const Tensor other = randomTensor({ 2, 3, 12, 12 }, 5);
            std::vector<std::vector<std::byte>> unwanted = kept;
            std::vector<std::byte*> away;
            for (auto& bytes : unwanted)
                away.push_back(bytes.data());
            QVERIFY(executor.run(head, std::array { other.view() }, {}, away)); // leaves other values in the arena
            QVERIFY(executor.run(rest, {}, sources, {}));
            for (std::size_t o = 0; o < expected.size(); ++o)
                QVERIFY(sameBits(tensor::convert(executor.output(o), DType::Float32), expected[o]));
        }
    }
};

QTEST_APPLESS_MAIN(TestProgramFamily)
#include "tst_program_family.moc"
