// SPDX-License-Identifier: GPL-3.0-or-later
// labels: unit numeric
#include <QtTest>

#include "tests/core/engine/graph_maker.h"

using namespace quantoscope;
using namespace quantoscope::test;

namespace {

using Extents = std::vector<qint64>;

Shape toShape(const Extents& extents) { return Shape(Ints(extents.begin(), extents.end())); }

/// Splits a shape into what is before, on and after the axes [first, last].
struct Blocks {
    std::size_t outer = 1;
    std::size_t axis = 1;
    std::size_t inner = 1;

    Blocks(const Shape& shape, int first, int last)
    {
        for (int i = 0; i < shape.rank(); ++i)
            (i < first ? outer : i <= last ? axis : inner) *= static_cast<std::size_t>(shape[i]);
    }
};

Tensor plainSoftmax(const Tensor& x, const Blocks& blocks, bool logarithm)
{
    Tensor y(DType::Float32, x.shape());
    for (std::size_t o = 0; o < blocks.outer; ++o) {
        for (std::size_t i = 0; i < blocks.inner; ++i) {
            auto at = [&](std::size_t k) { return (o * blocks.axis + k) * blocks.inner + i; };
            double largest = -INFINITY;
            for (std::size_t k = 0; k < blocks.axis; ++k)
                largest = std::max(largest, static_cast<double>(x.as<float>()[at(k)]));
            double sum = 0;
            for (std::size_t k = 0; k < blocks.axis; ++k)
                sum += std::exp(static_cast<double>(x.as<float>()[at(k)]) - largest);
            for (std::size_t k = 0; k < blocks.axis; ++k) {
                const double shifted = static_cast<double>(x.as<float>()[at(k)]) - largest;
                y.as<float>()[at(k)]
                    = static_cast<float>(logarithm ? shifted - std::log(sum) : std::exp(shifted) / sum);
            }
        }
    }
    return y;
}

Result<std::vector<Tensor>> runOne(const std::string& op, int opset, const std::vector<Tensor>& operands,
    const Attributes& attributes, engine::KernelSet set)
{
    GraphMaker maker(opset);
    std::vector<ValueId> ids { maker.input("x", operands[0].shape()) };
    for (std::size_t i = 1; i < operands.size(); ++i)
        ids.push_back(maker.constant("c" + std::to_string(i), operands[i]));
    maker.output(maker.node(op, ids, "y", attributes));
    CompileOptions options;
    options.kernels = set;
    return runGraph(maker.graph(), { operands[0] }, options);
}

void verifyClose(const Result<std::vector<Tensor>>& outputs, const Tensor& expected, double tolerance)
{
    QVERIFY2(outputs, outputs ? "" : outputs.error().message().c_str());
    const double difference = largestDifference((*outputs)[0], expected);
    QVERIFY2(difference < tolerance, qPrintable(QString("off by %1").arg(difference)));
}

constexpr auto bothSets = { engine::KernelSet::Fast, engine::KernelSet::Reference };

} // namespace

class TestNormalization : public QObject {
    Q_OBJECT

private slots:
    void softmax_data()
    {
        QTest::addColumn<Extents>("extents");
        QTest::addColumn<int>("axis");
        QTest::addColumn<int>("opset");
        QTest::newRow("last axis") << Extents { 3, 10 } << -1 << 13;
        QTest::newRow("first axis") << Extents { 3, 10 } << 0 << 13;
        QTest::newRow("channels of a map") << Extents { 2, 5, 4, 3 } << 1 << 13;
        QTest::newRow("columns of a map") << Extents { 2, 5, 4, 3 } << 3 << 13;
        QTest::newRow("old meaning flattens") << Extents { 2, 5, 4, 3 } << 1 << 11;
        QTest::newRow("old meaning, inner axis") << Extents { 2, 5, 4, 3 } << 2 << 9;
        QTest::newRow("vector") << Extents { 7 } << 0 << 13;
        QTest::newRow("many classes") << Extents { 2, 1000 } << 1 << 11;
    }

    void softmax()
    {
        QFETCH(Extents, extents);
        QFETCH(int, axis);
        QFETCH(int, opset);
        const Tensor x = randomTensor(toShape(extents), 3, -20, 20);
        const int first = axis < 0 ? axis + x.shape().rank() : axis;
        const Blocks blocks(x.shape(), first, opset < 13 ? x.shape().rank() - 1 : first);
        const Attributes attributes { { "axis", std::int64_t { axis } } };
        for (auto set : bothSets) {
            verifyClose(runOne("Softmax", opset, { x }, attributes, set), plainSoftmax(x, blocks, false), 1e-6);
            verifyClose(runOne("LogSoftmax", opset, { x }, attributes, set), plainSoftmax(x, blocks, true), 1e-5);
        }
    }

    void defaultAxisDependsOnTheOpset()
    {
        const Tensor x = randomTensor({ 2, 3, 4 }, 3);
        verifyClose(runOne("Softmax", 13, { x }, {}, engine::KernelSet::Fast),
            plainSoftmax(x, Blocks(x.shape(), 2, 2), false), 1e-6);
        verifyClose(runOne("Softmax", 12, { x }, {}, engine::KernelSet::Fast),
            plainSoftmax(x, Blocks(x.shape(), 1, 2), false), 1e-6);
    }

    void batchNormalization_data()
    {
        QTest::addColumn<Extents>("extents");
        QTest::newRow("matrix") << Extents { 4, 6 };
        QTest::newRow("one dimension") << Extents { 2, 6, 9 };
        QTest::newRow("two dimensions") << Extents { 2, 17, 5, 3 };
        QTest::newRow("three dimensions") << Extents { 1, 6, 2, 3, 4 };
    }

    void batchNormalization()
    {
        QFETCH(Extents, extents);
        const Tensor x = randomTensor(toShape(extents), 1, -3, 3);
        const Shape channels { x.shape()[1] };
        const Tensor scale = randomTensor(channels, 2, 0.5, 2);
        const Tensor shift = randomTensor(channels, 3);
        const Tensor mean = randomTensor(channels, 4);
        const Tensor variance = randomTensor(channels, 5, 0.1, 3);
        Tensor expected(DType::Float32, x.shape());
        const Blocks blocks(x.shape(), 1, 1);
        for (std::size_t i = 0; i < expected.as<float>().size(); ++i) {
            const std::size_t c = i / blocks.inner % blocks.axis;
            auto at = [c](const Tensor& tensor) { return static_cast<double>(tensor.as<float>()[c]); };
            expected.as<float>()[i] = static_cast<float>(
                (static_cast<double>(x.as<float>()[i]) - at(mean)) / std::sqrt(at(variance) + 0.01) * at(scale)
                + at(shift));
        }
        for (auto set : bothSets)
            verifyClose(
                runOne("BatchNormalization", 13, { x, scale, shift, mean, variance }, { { "epsilon", 0.01F } }, set),
                expected, 1e-5);
    }

    void localResponse_data()
    {
        QTest::addColumn<int>("size");
        QTest::newRow("three") << 3;
        QTest::newRow("five") << 5;
        QTest::newRow("even") << 4;
    }

    void localResponse()
    {
        QFETCH(int, size);
        const Tensor x = randomTensor({ 2, 19, 4, 5 }, 1, -3, 3);
        Tensor expected(DType::Float32, x.shape());
        const Blocks blocks(x.shape(), 1, 1);
        for (std::size_t o = 0; o < blocks.outer; ++o) {
            for (std::size_t c = 0; c < blocks.axis; ++c) {
                for (std::size_t i = 0; i < blocks.inner; ++i) {
                    const int low = std::max(0, static_cast<int>(c) - (size - 1) / 2);
                    const int high = std::min(static_cast<int>(blocks.axis) - 1, static_cast<int>(c) + size / 2);
                    auto at = [&](std::size_t channel) { return (o * blocks.axis + channel) * blocks.inner + i; };
                    double sum = 0;
                    for (int k = low; k <= high; ++k)
                        sum += std::pow(static_cast<double>(x.as<float>()[at(static_cast<std::size_t>(k))]), 2);
                    expected.as<float>()[at(c)] = static_cast<float>(
                        static_cast<double>(x.as<float>()[at(c)]) / std::pow(2 + 0.3 / size * sum, 0.6));
                }
            }
        }
        const Attributes attributes { { "size", std::int64_t { size } }, { "alpha", 0.3F }, { "beta", 0.6F },
            { "bias", 2.0F } };
        for (auto set : bothSets)
            verifyClose(runOne("LRN", 13, { x }, attributes, set), expected, 1e-5);
    }

    void instanceNormalization()
    {
        const Tensor x = randomTensor({ 2, 3, 5, 4 }, 1, -1, 4);
        const Tensor scale = randomTensor({ 3 }, 2);
        const Tensor shift = randomTensor({ 3 }, 3);
        Tensor expected(DType::Float32, x.shape());
        for (std::size_t plane = 0; plane < 6; ++plane) {
            const auto values = x.as<float>().subspan(plane * 20, 20);
            double mean = 0;
            double square = 0;
            for (float v : values)
                mean += static_cast<double>(v) / 20;
            for (float v : values)
                square += std::pow(static_cast<double>(v) - mean, 2) / 20;
            for (std::size_t i = 0; i < 20; ++i) {
                const double normal = (static_cast<double>(values[i]) - mean) / std::sqrt(square + 1e-5);
                expected.as<float>()[plane * 20 + i]
                    = static_cast<float>(normal * static_cast<double>(scale.as<float>()[plane % 3])
                        + static_cast<double>(shift.as<float>()[plane % 3]));
            }
        }
        for (auto set : bothSets)
            verifyClose(runOne("InstanceNormalization", 13, { x, scale, shift }, {}, set), expected, 1e-5);
    }

    void wrongParametersAreNamed()
    {
        const Tensor x = randomTensor({ 1, 4, 3, 3 }, 1);
        const Tensor good = randomTensor({ 4 }, 2);
        const Tensor bad = randomTensor({ 3 }, 2);
        const auto result = runOne("BatchNormalization", 13, { x, good, bad, good, good }, {}, engine::KernelSet::Fast);
        QVERIFY(!result);
        QCOMPARE(result.error().code, ErrorCode::InvalidInput);
        QVERIFY(QString::fromStdString(result.error().message()).contains("y_node"));
    }
};

QTEST_APPLESS_MAIN(TestNormalization)
#include "tst_normalization.moc"
