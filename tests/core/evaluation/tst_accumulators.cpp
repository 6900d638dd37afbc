// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>

#include <QtTest>

#include "core/evaluation/accumulators.h"
#include "tests/support/memory_dataset.h"
#include "tests/support/small_networks.h"

using namespace quantoscope;
using graph::Dim;
using quant::Role;
using quant::Scope;

namespace {

constexpr int size = 4;
constexpr int kernel = 3;
constexpr int channels = 2;
constexpr std::int64_t images = 9; ///< not a multiple of any batch

quant::TensorQuantizer quantizer(Role role, std::int32_t qmin, std::int32_t qmax, std::vector<float> scale)
{
    quant::TensorQuantizer result;
    result.role = role;
    result.encoding.qmin = qmin;
    result.encoding.qmax = qmax;
    result.encoding.zeroPoint.assign(scale.size(), 0);
    result.encoding.axis = scale.size() > 1 ? 0 : -1;
    result.encoding.scale = std::move(scale);
    return result;
}

/// Weight levels, made so that the sums of both channels go both ways.
int level(int channel, int tap) { return (channel * 31 + tap * 17) % 41 - (channel == 0 ? 25 : 14); }

/// Images whose pixels are the levels, and how they are read.
struct Fixture {
    dataset::DatasetPtr data = test::randomDataset(images, size, size, 1, 2);
    dataset::SampleSetPtr samples;
    std::vector<float> scales { 0.01F, 0.25F };
    std::vector<int> bias { 1234, -4321 };

    Fixture()
    {
        dataset::SampleSet::Options options;
        options.preprocessing.channels = dataset::Channels::Gray;
        samples = *dataset::SampleSet::load(data, options);
    }

    /// image -> Conv 3x3 -> Relu -> global mean -> logits
    graph::Graph network() const
    {
        std::vector<float> weights;
        for (int c = 0; c < channels; ++c)
            for (int tap = 0; tap < kernel * kernel; ++tap)
                weights.push_back(scales[static_cast<std::size_t>(c)] * static_cast<float>(level(c, tap)));
        std::vector<float> biases;
        for (std::size_t c = 0; c < scales.size(); ++c)
            biases.push_back(static_cast<float>(bias[c]) * scales[c] / 255);
        test::Chain chain({ Dim::named("batch"), 1, size, size });
        return chain
            .node("Conv", "c", { Tensor::from<float>({ channels, 1, kernel, kernel }, weights), test::floats(biases) })
            .node("Relu", "r")
            .node("GlobalAveragePool", "g")
            .node("Flatten", "logits")
            .finish();
    }

    quant::QuantizationPlan plan(Scope scope) const
    {
        quant::QuantizationPlan plan;
        plan.scope = scope;
        plan.set("image", quantizer(Role::Activation, 0, 255, { 1.0F / 255 }));
        plan.set("c_weight", quantizer(Role::Weight, -128, 127, scales));
        if (scope == Scope::Integer)
            plan.set(
                "c_bias", quantizer(Role::Bias, -1'000'000, 1'000'000, { scales[0] / 255.0F, scales[1] / 255.0F }));
        return plan;
    }

    /// Bits that the sums need, by integer arithmetic over the first `count` images.
    int bitsByHand(std::int64_t count, bool withBias) const
    {
        int low = 0;
        int high = 0;
        for (std::int64_t i = 0; i < count; ++i) {
            const auto pixels = data->image(i)->pixels;
            for (int c = 0; c < channels; ++c)
                for (int at = 0; at < 4; ++at) {
                    int sum = withBias ? bias[static_cast<std::size_t>(c)] : 0;
                    for (int tap = 0; tap < kernel * kernel; ++tap)
                        sum += level(c, tap)
                            * pixels[static_cast<std::size_t>((at / 2 + tap / kernel) * size + at % 2 + tap % kernel)];
                    low = std::min(low, sum);
                    high = std::max(high, sum);
                }
        }
        return cost::signedBits(low, high);
    }
};

} // namespace

class TestAccumulators : public QObject {
    Q_OBJECT

private slots:
    void observedSums_data();
    void observedSums();
    void perChannelActivationsHaveNoSum();
    void nothingQuantized();
    void cancelled();
};

void TestAccumulators::observedSums_data()
{
    QTest::addColumn<Scope>("scope");
    QTest::addColumn<int>("threads");
    QTest::addColumn<std::int64_t>("wanted");
    // In the compute scope the bias is float and no part of the sum.
    QTest::newRow("bias in the sum") << Scope::Integer << 1 << std::int64_t { 0 };
    QTest::newRow("bias beside the sum") << Scope::Compute << 1 << std::int64_t { 0 };
    QTest::newRow("three threads") << Scope::Integer << 3 << std::int64_t { 0 };
    QTest::newRow("one image") << Scope::Compute << 1 << std::int64_t { 1 };
    QTest::newRow("more than there are") << Scope::Compute << 2 << std::int64_t { 100 };
}

void TestAccumulators::observedSums()
{
    QFETCH(Scope, scope);
    QFETCH(int, threads);
    QFETCH(std::int64_t, wanted);
    const Fixture fixture;
    evaluation::EvaluationOptions options;
    options.threads = threads;
    options.batch = 4;
    const auto found
        = evaluation::observeAccumulators(fixture.network(), fixture.plan(scope), *fixture.samples, wanted, options);
    QVERIFY2(found, found ? "" : found.error().message().c_str());
    QCOMPARE(found->size(), std::size_t { 1 });
    const auto& accumulator = found->front();
    QCOMPARE(accumulator.depth, kernel * kernel);
    QCOMPARE(accumulator.observedBits.value_or(0),
        fixture.bitsByHand(wanted == 0 ? images : std::min(wanted, images), scope == Scope::Integer));
    QVERIFY(*accumulator.observedBits <= accumulator.worstCaseBits);
}

void TestAccumulators::perChannelActivationsHaveNoSum()
{
    const Fixture fixture;
    auto plan = fixture.plan(Scope::Compute);
    auto image = *plan.find("image");
    image.encoding.axis = 1;
    plan.set("image", image);
    const auto found = evaluation::observeAccumulators(fixture.network(), plan, *fixture.samples);
    QVERIFY2(found, found ? "" : found.error().message().c_str());
    QVERIFY(!found->front().observedBits);
}

void TestAccumulators::nothingQuantized()
{
    const Fixture fixture;
    const auto found = evaluation::observeAccumulators(fixture.network(), {}, *fixture.samples);
    QVERIFY(found && found->empty());
}

void TestAccumulators::cancelled()
{
    const Fixture fixture;
    std::stop_source stop;
    stop.request_stop();
    const auto found = evaluation::observeAccumulators(
        fixture.network(), fixture.plan(Scope::Compute), *fixture.samples, 0, {}, { nullptr, stop.get_token() });
    QVERIFY(!found);
    QCOMPARE(found.error().code, ErrorCode::Cancelled);
}

QTEST_APPLESS_MAIN(TestAccumulators)
#include "tst_accumulators.moc"
