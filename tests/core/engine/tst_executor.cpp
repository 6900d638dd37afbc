// SPDX-License-Identifier: GPL-3.0-or-later
#include <QtTest>

#include "core/base/parallel.h"
#include "core/engine/program_family.h"
#include "tests/core/engine/graph_maker.h"
#include "tests/support/count_allocations.h"

using namespace quantoscope;
using namespace quantoscope::test;

namespace {

quant::TensorQuantizer eightBits(float scale)
{
    quant::TensorQuantizer result;
    result.encoding.scale = { scale };
    return result;
}

/// A small network with everything that moves memory about: reorders, a residual, pooling, an alias, quantizers.
struct Network {
    GraphMaker maker;
    quant::QuantizationPlan plan;

    Network()
    {
        const ValueId x = maker.input("x", { 2, 3, 12, 12 });
        const ValueId w1 = maker.constant("w1", randomTensor({ 16, 3, 3, 3 }, 1));
        const ValueId w2 = maker.constant("w2", randomTensor({ 16, 16, 3, 3 }, 2, -0.2, 0.2));
        const ValueId w3 = maker.constant("w3", randomTensor({ 10, 16 }, 3));
        const ValueId b3 = maker.constant("b3", randomTensor({ 10 }, 4));
        const Attributes same { { "pads", Ints { 1, 1, 1, 1 } } };
        const ValueId a = maker.node("Relu", { maker.node("Conv", { x, w1 }, "c1", same) }, "a");
        const ValueId c2 = maker.node("Conv", { a, w2 }, "c2", same);
        const ValueId sum = maker.node("Relu", { maker.node("Add", { c2, a }, "sum") }, "r");
        const ValueId pooled = maker.node("GlobalAveragePool", { sum }, "pooled");
        const ValueId flat = maker.node("Flatten", { pooled }, "flat");
        maker.output(maker.node("Gemm", { flat, w3, b3 }, "logits", { { "transB", std::int64_t { 1 } } }));
        maker.output(sum);
        for (const char* name : { "x", "a", "flat" })
            plan.set(name, eightBits(0.02F));
    }
};

TensorView viewOf(const Tensor& tensor) { return tensor.view(); }

} // namespace

class TestExecutor : public QObject {
    Q_OBJECT

private slots:
    void inputsAreChecked_data()
    {
        QTest::addColumn<int>("inputs");
        QTest::addColumn<std::vector<qint64>>("shape");
        QTest::addColumn<bool>("isDouble");
        QTest::addColumn<QString>("expected");
        QTest::newRow("none") << 0 << std::vector<qint64> { 2, 3, 12, 12 } << false << "got 0 inputs, expected 1";
        QTest::newRow("too many") << 2 << std::vector<qint64> { 2, 3, 12, 12 } << false << "got 2 inputs, expected 1";
        QTest::newRow("other shape") << 1 << std::vector<qint64> { 1, 3, 12, 12 } << false
                                     << "got float32[1, 3, 12, 12], expected float32[2, 3, 12, 12]: input 'x'";
        QTest::newRow("other type") << 1 << std::vector<qint64> { 2, 3, 12, 12 } << true
                                    << "got float64[2, 3, 12, 12], expected float32[2, 3, 12, 12]: input 'x'";
    }

    void inputsAreChecked()
    {
        QFETCH(int, inputs);
        QFETCH(std::vector<qint64>, shape);
        QFETCH(bool, isDouble);
        QFETCH(QString, expected);
        Network network;
        const auto compiled = engine::compile(network.maker.graph(), {}, {});
        QVERIFY2(compiled, compiled ? "" : compiled.error().message().c_str());
        engine::Executor executor(*compiled);
        const Tensor tensor(isDouble ? DType::Float64 : DType::Float32, Shape(Ints(shape.begin(), shape.end())));
        const std::vector<TensorView> views(static_cast<std::size_t>(inputs), tensor.view());
        const auto result = executor.run(views);
        QVERIFY(!result);
        QCOMPARE(result.error().code, ErrorCode::InvalidInput);
        const QString message = QString::fromStdString(result.error().message());
        QVERIFY2(message.contains(expected), qPrintable(message));
    }

    void fastAgreesWithReference()
    {
        Network network;
        const std::vector<Tensor> inputs { randomTensor({ 2, 3, 12, 12 }, 9) };
        const auto fast = runGraph(network.maker.graph(), inputs);
        CompileOptions options;
        options.kernels = engine::KernelSet::Reference;
        const auto reference = runGraph(network.maker.graph(), inputs, options);
        QVERIFY2(fast, fast ? "" : fast.error().message().c_str());
        QVERIFY2(reference, reference ? "" : reference.error().message().c_str());
        QVERIFY(largestDifference((*fast)[0], (*reference)[0]) < 1e-4);
        QVERIFY(largestDifference((*fast)[1], (*reference)[1]) < 1e-4);
    }

    void sameBitsOnAnyNumberOfWorkers()
    {
        Network network;
        const auto compiled = engine::compile(network.maker.graph(), network.plan, {});
        QVERIFY2(compiled, compiled ? "" : compiled.error().message().c_str());
        constexpr int batches = 12;
        auto outputsWith = [&](int workers) {
            std::vector<engine::Executor> executors;
            for (int i = 0; i < workers; ++i)
                executors.emplace_back(*compiled);
            std::vector<Tensor> outputs(batches);
            const auto done
                = base::parallelFor(workers, batches, {}, [&](int worker, std::int64_t item) -> Result<void> {
                      const Tensor input = randomTensor({ 2, 3, 12, 12 }, 100 + static_cast<std::uint64_t>(item));
                      engine::Executor& executor = executors[static_cast<std::size_t>(worker)];
                      QS_CHECK(executor.run(std::array { viewOf(input) }));
                      outputs[static_cast<std::size_t>(item)] = tensor::convert(executor.output(0), DType::Float32);
                      return {};
                  });
            return done ? outputs : std::vector<Tensor> {};
        };
        const auto one = outputsWith(1);
        const auto three = outputsWith(3);
        QCOMPARE(one.size(), std::size_t { batches });
        QCOMPARE(three.size(), std::size_t { batches });
        for (std::size_t i = 0; i < one.size(); ++i)
            QVERIFY(sameBits(one[i], three[i]));
        QVERIFY(!sameBits(one[0], one[1]));
    }

    void runsDoNotAllocate()
    {
        Network network;
        const auto compiled = engine::compile(network.maker.graph(), network.plan, {});
        QVERIFY(compiled);
        engine::Executor executor(*compiled);
        const Tensor input = randomTensor({ 2, 3, 12, 12 }, 1);
        const std::array inputs { input.view() };
        QVERIFY(executor.run(inputs));
        const AllocationCount during;
        const bool done = executor.run(inputs).has_value() && executor.run(inputs).has_value();
        QCOMPARE(during.stop(), 0);
        QVERIFY(done);
        const AllocationCount again;
        ::operator delete(::operator new(1));
        QCOMPARE(again.stop(), 1); // the counter does count
    }

    void sharedRunsDoNotAllocate()
    {
        Network network;
        std::vector<engine::CompiledGraphPtr> members;
        for (const char* without : { "", "a", "flat" }) {
            quant::QuantizationPlan plan;
            for (const auto& [name, quantizer] : network.plan.tensors())
                if (name != without)
                    plan.set(name, quantizer);
            members.push_back(*engine::compile(network.maker.graph(), plan, {}));
        }
        const auto family = std::make_shared<const engine::ProgramFamily>(members, std::size_t { 1 } << 24U);
        QVERIFY(family->storedBytes() > 0);
        engine::FamilyExecutor executor(family);
        const Tensor input = randomTensor({ 2, 3, 12, 12 }, 1);
        const std::array inputs { input.view() };
        const auto runAll = [&] {
            bool done = true;
            for (std::size_t i = 0; i < family->size(); ++i)
                done = executor.run(i, inputs).has_value() && done;
            return done;
        };
        QVERIFY(runAll());
        allocations = 0;
        counting = true;
        const bool done = runAll() && runAll();
        counting = false;
        QVERIFY(done);
        QCOMPARE(allocations.load(), 0);
    }

    void runsDoNotInfluenceEachOther()
    {
        Network network;
        const auto compiled = engine::compile(network.maker.graph(), {}, {});
        QVERIFY(compiled);
        engine::Executor executor(*compiled);
        const Tensor first = randomTensor({ 2, 3, 12, 12 }, 1);
        const Tensor second = randomTensor({ 2, 3, 12, 12 }, 2);
        QVERIFY(executor.run(std::array { first.view() }));
        const Tensor before = tensor::convert(executor.output(0), DType::Float32);
        QVERIFY(executor.run(std::array { second.view() }));
        QVERIFY(executor.run(std::array { first.view() }));
        QVERIFY(sameBits(before, tensor::convert(executor.output(0), DType::Float32)));
    }

    void outputsSurviveTheInputs()
    {
        GraphMaker maker;
        const ValueId x = maker.input("x", { 2, 3 });
        const ValueId shape = maker.constant("s", Tensor::from<std::int64_t>({ 1 }, std::vector<std::int64_t> { 6 }));
        maker.output(maker.node("Reshape", { x, shape }, "y"));
        const auto compiled = engine::compile(maker.graph(), {}, {});
        QVERIFY2(compiled, compiled ? "" : compiled.error().message().c_str());
        engine::Executor executor(*compiled);
        Tensor input = randomTensor({ 2, 3 }, 1);
        const Tensor before = input;
        QVERIFY(executor.run(std::array { input.view() }));
        for (float& value : input.as<float>())
            value = 0;
        QVERIFY(sameBits(tensor::convert(executor.output(0), DType::Float32), before.reshaped({ 6 })));
    }

    void inputsAndConstantsCanBeOutputs()
    {
        GraphMaker maker;
        const ValueId x = maker.input("x", { 2, 3, 4, 5 });
        const Tensor known = randomTensor({ 3 }, 2);
        maker.output(x);
        maker.output(maker.constant("known", known));
        maker.output(maker.node("Relu", { x }, "y"));
        const auto compiled = engine::compile(maker.graph(), {}, {});
        QVERIFY2(compiled, compiled ? "" : compiled.error().message().c_str());
        engine::Executor executor(*compiled);
        Tensor input = randomTensor({ 2, 3, 4, 5 }, 1);
        const Tensor before = input;
        QVERIFY(executor.run(std::array { input.view() }));
        std::ranges::fill(input.as<float>(), 0.0F);
        QVERIFY(sameBits(tensor::convert(executor.output(0), DType::Float32), before));
        QVERIFY(sameBits(tensor::convert(executor.output(1), DType::Float32), known));
    }

    void tapsShowPlainValuesBeforeTheirQuantizer()
    {
        Network network;
        network.plan.scope = quant::Scope::Integer;
        CompileOptions options;
        options.taps = { "x", "c1", "a", "w3", "a" };
        const auto compiled = engine::compile(network.maker.graph(), network.plan, options);
        QVERIFY2(compiled, compiled ? "" : compiled.error().message().c_str());
        QCOMPARE((*compiled)->taps().size(), std::size_t { 5 });
        QCOMPARE((*compiled)->taps()[1].name, std::string("c1"));
        engine::Executor executor(*compiled);
        const Tensor input = randomTensor({ 2, 3, 12, 12 }, 5);
        std::vector<Tensor> seen(5);
        std::vector<int> calls(5, 0);
        QVERIFY(executor.run(std::array { input.view() }, [&](std::size_t tap, const TensorView& value) {
            seen[tap] = tensor::convert(value, DType::Float32);
            ++calls[tap];
        }));
        QCOMPARE(calls, std::vector<int>(5, 1));
        QVERIFY(sameBits(seen[0], input));
        QVERIFY(sameBits(seen[2], seen[4]));
        // c1 is what the convolution gives for the quantized input, a is its positive part, neither on a's grid.
        const quant::Encoding& encoding = network.plan.find("x")->encoding;
        GraphMaker alone;
        const ValueId x = alone.input("x", { 2, 3, 12, 12 });
        const ValueId w = alone.constant("w", randomTensor({ 16, 3, 3, 3 }, 1));
        alone.output(alone.node("Conv", { x, w }, "c1", { { "pads", Ints { 1, 1, 1, 1 } } }));
        const auto expected = runGraph(alone.graph(), { quant::fakeQuantize(encoding, input.view()) });
        QVERIFY(expected);
        QVERIFY(sameBits(seen[1], (*expected)[0]));
        Tensor positive = (*expected)[0];
        for (float& value : positive.as<float>())
            value = std::max(value, 0.0F);
        QVERIFY(sameBits(seen[2], positive));
        QVERIFY(!sameBits(seen[2], quant::fakeQuantize(network.plan.find("a")->encoding, positive.view())));
    }

    void tapsDoNotChangeTheResult()
    {
        Network network;
        const std::vector<Tensor> inputs { randomTensor({ 2, 3, 12, 12 }, 6) };
        CompileOptions options;
        options.taps = { "x", "c1", "a", "c2", "sum", "r", "pooled", "flat" };
        const auto tapped = runGraph(network.maker.graph(), inputs, options, network.plan);
        const auto bare = runGraph(network.maker.graph(), inputs, {}, network.plan);
        QVERIFY2(tapped, tapped ? "" : tapped.error().message().c_str());
        QVERIFY(bare);
        QVERIFY(sameBits((*tapped)[0], (*bare)[0]));
    }

    /// Random networks of cheap operators, compared with doing each one on a tensor of its own: shared buffers,
    /// in-place computation and reorders must not show.
    void randomNetworksKeepTheirValues_data()
    {
        QTest::addColumn<int>("seed");
        for (int seed = 0; seed < 60; ++seed)
            QTest::addRow("seed %d", seed) << seed;
    }

    void randomNetworksKeepTheirValues()
    {
        QFETCH(int, seed);
        base::Random random(static_cast<std::uint64_t>(seed));
        const Shape shape { 2, 5, 3, 4 };
        GraphMaker maker;
        quant::QuantizationPlan plan;
        plan.scope = quant::Scope::Integer;
        std::vector<ValueId> values { maker.input("v0", shape) };
        std::vector<Tensor> truth { randomTensor(shape, 77) };
        std::vector<Tensor> expected;
        for (int i = 1; i < 25; ++i) {
            const std::string name = "v" + std::to_string(i);
            const std::size_t a = random.below(values.size());
            const std::size_t b = random.below(values.size());
            Tensor result = truth[a];
            ValueId value;
            switch (random.below(4)) {
            case 0:
                value = maker.node("Relu", { values[a] }, name);
                for (float& x : result.as<float>())
                    x = std::max(x, 0.0F);
                break;
            case 1:
                value = maker.node("Sub", { values[a], values[b] }, name);
                for (std::size_t k = 0; k < result.as<float>().size(); ++k)
                    result.as<float>()[k] -= truth[b].as<float>()[k];
                break;
            case 2: // wants channels last
                value = maker.node("MaxPool", { values[a] }, name, { { "kernel_shape", Ints { 1, 1 } } });
                break;
            default:
                value = maker.node("Neg", { values[a] }, name);
                for (float& x : result.as<float>())
                    x = -x;
                break;
            }
            if (random.below(3) == 0) {
                plan.set(name, eightBits(0.03F));
                result = quant::fakeQuantize(plan.find(name)->encoding, result.view());
            }
            values.push_back(value);
            truth.push_back(result);
            if (random.below(6) == 0 || i == 24) {
                maker.output(value);
                expected.push_back(result);
            }
        }
        const auto outputs = runGraph(maker.graph(), { truth[0] }, {}, plan);
        QVERIFY2(outputs, outputs ? "" : outputs.error().message().c_str());
        QCOMPARE(outputs->size(), expected.size());
        for (std::size_t i = 0; i < expected.size(); ++i)
            QVERIFY2(largestDifference((*outputs)[i], expected[i]) == 0, qPrintable(QString("output %1").arg(i)));
    }
};

QTEST_APPLESS_MAIN(TestExecutor)
#include "tst_executor.moc"
