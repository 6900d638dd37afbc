// SPDX-License-Identifier: GPL-3.0-or-later
// The reference kernels against closed forms and identities, so that what the fast ones are compared with stands on its
// own.
#include <QtTest>

#include <cmath>
#include <numeric>

#include "tests/support/kernel_harness.h"

using namespace quantoscope;
using namespace quantoscope::test;

namespace {

Tensor doubles(const Shape& shape, const std::vector<double>& values) { return Tensor::from(shape, values); }

Tensor ones(const Shape& shape)
{
    return doubles(shape, std::vector<double>(static_cast<std::size_t>(shape.size()), 1));
}

Tensor reference(const KernelCall& call)
{
    std::string error;
    Tensor result = runForTensor(call, KernelSet::Reference, &error);
    if (!error.empty())
        qWarning() << QString::fromStdString(error);
    return result;
}

double dot(const Tensor& a, const Tensor& b)
{
    return std::inner_product(a.as<double>().begin(), a.as<double>().end(), b.as<double>().begin(), 0.0);
}

OutputType out(const Shape& shape) { return { DType::Float64, shape }; }

} // namespace

class ReferenceKernelsTest : public QObject {
    Q_OBJECT

private slots:
    void convolutionSums();
    void transposedIsAdjoint_data();
    void transposedIsAdjoint();
    void convolutionErrors();
    void matrixProducts();
    void gemmForms();
    void integersWrap();
    void maxPoolIndices();
    void averagePoolDivisors();
    void lpPools();
    void batchNormalization();
    void layerNormalization();
    void localResponse();
    void softmax();
    void sayReference();
};

void ReferenceKernelsTest::convolutionSums()
{
    // A kernel of ones counts what lies under the window: 4 in the corners of a padded map, 6 along its edges, 9
    // inside.
    const Tensor y = reference({ "Conv", { dynamic(ones({ 1, 1, 3, 3 })), dynamic(ones({ 1, 1, 3, 3 })) },
        { out({ 1, 1, 3, 3 }) }, { { "pads", Ints { 1, 1, 1, 1 } } } });
    QCOMPARE(difference(y, doubles({ 1, 1, 3, 3 }, { 4, 6, 4, 6, 9, 6, 4, 6, 4 })), std::string());
    // Dilated by 2 with stride 2 on a line, with a bias
    const Tensor x = doubles({ 1, 1, 7 }, { 0, 1, 2, 3, 4, 5, 6 });
    const Tensor dilated = reference(
        { "Conv", { dynamic(x), dynamic(doubles({ 1, 1, 2 }, { 1, 10 })), dynamic(doubles({ 1 }, { 0.5 })) },
            { out({ 1, 1, 3 }) }, { { "dilations", Ints { 2 } }, { "strides", Ints { 2 } } } });
    QCOMPARE(difference(dilated, doubles({ 1, 1, 3 }, { 20.5, 42.5, 64.5 })), std::string());
    // Depthwise: every channel with its own weight
    const Tensor depthwise
        = reference({ "Conv", { dynamic(ones({ 1, 3, 1, 1 })), dynamic(doubles({ 3, 1, 1, 1 }, { 1, 2, 3 })) },
            { out({ 1, 3, 1, 1 }) }, { { "group", std::int64_t { 3 } } } });
    QCOMPARE(difference(depthwise, doubles({ 1, 3, 1, 1 }, { 1, 2, 3 })), std::string());
}

void ReferenceKernelsTest::transposedIsAdjoint_data()
{
    QTest::addColumn<QList<int>>("x");
    QTest::addColumn<QList<int>>("w");
    QTest::addColumn<QList<int>>("y");
    QTest::addColumn<QList<int>>("window"); // stride, pad, dilation, groups
    QTest::newRow("line") << QList<int> { 2, 3, 9 } << QList<int> { 4, 3, 3 } << QList<int> { 2, 4, 7 }
                          << QList<int> { 1, 0, 1, 1 };
    QTest::newRow("strided map") << QList<int> { 1, 2, 7, 5 } << QList<int> { 3, 2, 3, 3 } << QList<int> { 1, 3, 4, 3 }
                                 << QList<int> { 2, 1, 1, 1 };
    QTest::newRow("dilated groups") << QList<int> { 1, 4, 8, 8 } << QList<int> { 6, 2, 3, 2 }
                                    << QList<int> { 1, 6, 6, 8 } << QList<int> { 1, 1, 2, 2 };
    QTest::newRow("volume") << QList<int> { 1, 2, 4, 5, 4 } << QList<int> { 2, 2, 2, 2, 2 }
                            << QList<int> { 1, 2, 3, 4, 3 } << QList<int> { 1, 0, 1, 1 };
}

/// <conv(x, w), y> = <x, convTranspose(y, w)> for every x and y.
void ReferenceKernelsTest::transposedIsAdjoint()
{
    const auto shape = [](const QList<int>& extents) { return Shape(Ints(extents.begin(), extents.end())); };
    QFETCH(QList<int>, x);
    QFETCH(QList<int>, w);
    QFETCH(QList<int>, y);
    QFETCH(QList<int>, window);
    const Tensor input = randomTensor(shape(x), 1, -1, 1, DType::Float64);
    const Tensor weight = randomTensor(shape(w), 2, -1, 1, DType::Float64);
    const Tensor weights = randomTensor(shape(y), 3, -1, 1, DType::Float64);
    const auto axes = static_cast<std::size_t>(x.size() - 2);
    const Attributes attributes { { "strides", Ints(axes, window[0]) }, { "pads", Ints(2 * axes, window[1]) },
        { "dilations", Ints(axes, window[2]) }, { "group", std::int64_t { window[3] } } };
    const Tensor forward = reference({ "Conv", { dynamic(input), dynamic(weight) }, { out(shape(y)) }, attributes });
    const Tensor back
        = reference({ "ConvTranspose", { dynamic(weights), dynamic(weight) }, { out(shape(x)) }, attributes });
    QVERIFY(std::abs(dot(forward, weights) - dot(input, back)) < 1e-10);
    QVERIFY(std::abs(dot(forward, weights)) > 1e-3);
}

void ReferenceKernelsTest::convolutionErrors()
{
    const auto message = [](const KernelCall& call) {
        const auto run = runKernel(call, KernelSet::Reference);
        return run ? QString() : QString::fromStdString(run.error().message());
    };
    const auto x = dynamic(ones({ 1, 2, 4, 4 }));
    QVERIFY(message({ "Conv", { x, dynamic(ones({ 3, 3, 1, 1 })) }, { out({ 1, 3, 4, 4 }) } })
                .contains("weights [3, 3, 1, 1]"));
    QVERIFY(message({ "Conv", { x, dynamic(ones({ 3, 2, 1, 1 })), dynamic(ones({ 2 })) }, { out({ 1, 3, 4, 4 }) } })
                .contains("bias"));
    QVERIFY(message(
        { "Conv", { x, dynamic(ones({ 3, 2, 1, 1 })) }, { out({ 1, 3, 4, 4 }) }, { { "group", std::int64_t { 0 } } } })
                .contains("weights"));
}

void ReferenceKernelsTest::matrixProducts()
{
    const Tensor a = doubles({ 2, 3 }, { 1, 2, 3, 4, 5, 6 });
    const Tensor b = doubles({ 3, 2 }, { 1, 0, 0, 1, 1, 1 });
    QCOMPARE(difference(reference({ "MatMul", { dynamic(a), dynamic(b) }, { out({ 2, 2 }) } }),
                 doubles({ 2, 2 }, { 4, 5, 10, 11 })),
        std::string());
    const Tensor v = doubles({ 3 }, { 1, 1, 1 });
    QCOMPARE(difference(reference({ "MatMul", { dynamic(a), dynamic(v) }, { out({ 2 }) } }), doubles({ 2 }, { 6, 15 })),
        std::string());
    QCOMPARE(difference(reference({ "MatMul", { dynamic(v), dynamic(b) }, { out({ 2 }) } }), doubles({ 2 }, { 2, 2 })),
        std::string());
    QCOMPARE(difference(reference({ "MatMul", { dynamic(v), dynamic(v) }, { out({}) } }), doubles({}, { 3 })),
        std::string());
    // Batches broadcast both ways: [2, 1, 1, 2] x [3, 2, 1]
    const Tensor left = doubles({ 2, 1, 1, 2 }, { 1, 2, 3, 4 });
    const Tensor right = doubles({ 3, 2, 1 }, { 1, 0, 0, 1, 1, 1 });
    QCOMPARE(difference(reference({ "MatMul", { dynamic(left), dynamic(right) }, { out({ 2, 3, 1, 1 }) } }),
                 doubles({ 2, 3, 1, 1 }, { 1, 2, 3, 3, 4, 7 })),
        std::string());
    QVERIFY(!runKernel({ "MatMul", { dynamic(a), dynamic(a) }, { out({ 2, 3 }) } }, KernelSet::Reference));
}

void ReferenceKernelsTest::gemmForms()
{
    const Tensor a = randomTensor({ 3, 4 }, 1, -1, 1, DType::Float64);
    const Tensor b = randomTensor({ 4, 2 }, 2, -1, 1, DType::Float64);
    const auto transposed = [](const Tensor& t) {
        return reference({ "Transpose", { dynamic(t) }, { out({ t.shape()[1], t.shape()[0] }) } });
    };
    const Tensor plain = reference({ "Gemm", { dynamic(a), dynamic(b) }, { out({ 3, 2 }) } });
    QCOMPARE(difference(plain, reference({ "MatMul", { dynamic(a), dynamic(b) }, { out({ 3, 2 }) } }), 1e-15, 1e-15),
        std::string());
    const Tensor both = reference({ "Gemm", { dynamic(transposed(a)), dynamic(transposed(b)) }, { out({ 3, 2 }) },
        { { "transA", std::int64_t { 1 } }, { "transB", std::int64_t { 1 } } } });
    QCOMPARE(difference(both, plain), std::string());
    const Tensor c = doubles({ 3, 1 }, { 10, 20, 30 });
    const Tensor scaled = reference(
        { "Gemm", { dynamic(a), dynamic(b), dynamic(c) }, { out({ 3, 2 }) }, { { "alpha", 2.0F }, { "beta", 0.5F } } });
    for (std::size_t i = 0; i < 6; ++i)
        QVERIFY(std::abs(scaled.as<double>()[i] - (2 * plain.as<double>()[i] + 0.5 * c.as<double>()[i / 2])) < 1e-14);
}

void ReferenceKernelsTest::integersWrap()
{
    const Tensor a = Tensor::from(Shape { 1, 2 }, std::vector<std::int32_t> { 2147483647, 1 });
    const Tensor b = Tensor::from(Shape { 2, 1 }, std::vector<std::int32_t> { 1, 1 });
    const Tensor y = reference({ "MatMul", { dynamic(a), dynamic(b) }, { { DType::Int32, { 1, 1 } } } });
    QCOMPARE(y.as<std::int32_t>()[0], std::numeric_limits<std::int32_t>::lowest());
}

void ReferenceKernelsTest::maxPoolIndices()
{
    const Tensor x = doubles({ 1, 2, 2, 3 }, { 1, 5, 5, 2, 3, 4, -1, -2, -3, -4, -5, -6 });
    const auto run = [&](std::int64_t order) {
        return *runKernel({ "MaxPool", { dynamic(x) }, { out({ 1, 2, 1, 2 }), { DType::Int64, { 1, 2, 1, 2 } } },
                              { { "kernel_shape", Ints { 2, 2 } }, { "storage_order", order } } },
            KernelSet::Reference);
    };
    QCOMPARE(difference(run(0).outputs[0], doubles({ 1, 2, 1, 2 }, { 5, 5, -1, -2 })), std::string());
    QCOMPARE(tensor::toInt64s(run(0).outputs[1].view()), (Ints { 1, 1, 6, 7 })); // the first of equals
    QCOMPARE(tensor::toInt64s(run(1).outputs[1].view()), (Ints { 2, 2, 6, 8 })); // column by column
}

void ReferenceKernelsTest::averagePoolDivisors()
{
    const auto run = [](std::int64_t countPadding, std::int64_t ceil, const Shape& shape) {
        return reference({ "AveragePool", { dynamic(ones({ 1, 1, 4 })) }, { out(shape) },
            { { "kernel_shape", Ints { 3 } }, { "strides", Ints { 2 } }, { "pads", Ints { 1, 1 } },
                { "count_include_pad", countPadding }, { "ceil_mode", ceil } } });
    };
    QCOMPARE(difference(run(0, 0, { 1, 1, 2 }), doubles({ 1, 1, 2 }, { 1, 1 })), std::string());
    QCOMPARE(difference(run(1, 0, { 1, 1, 2 }), doubles({ 1, 1, 2 }, { 2.0 / 3, 1 }), 1e-15), std::string());
    // Rounded up, the third window covers one element and one of padding; what lies beyond the padding does not count.
    QCOMPARE(difference(run(1, 1, { 1, 1, 3 }), doubles({ 1, 1, 3 }, { 2.0 / 3, 1, 0.5 }), 1e-15), std::string());
}

void ReferenceKernelsTest::lpPools()
{
    const Tensor x = doubles({ 1, 1, 4 }, { 3, -4, 0, 1 });
    const auto pool = [&](std::int64_t p) {
        return reference({ "LpPool", { dynamic(x) }, { out({ 1, 1, 2 }) },
            { { "kernel_shape", Ints { 2 } }, { "strides", Ints { 2 } }, { "p", p } } });
    };
    QCOMPARE(difference(pool(2), doubles({ 1, 1, 2 }, { 5, 1 }), 1e-15), std::string());
    QCOMPARE(difference(pool(1), doubles({ 1, 1, 2 }, { 7, 1 }), 1e-15), std::string());
    QCOMPARE(difference(reference({ "GlobalLpPool", { dynamic(x) }, { out({ 1, 1, 1 }) } }),
                 doubles({ 1, 1, 1 }, { std::sqrt(26.0) }), 1e-15),
        std::string());
    QCOMPARE(difference(
                 reference({ "GlobalAveragePool", { dynamic(x) }, { out({ 1, 1, 1 }) } }), doubles({ 1, 1, 1 }, { 0 })),
        std::string());
    QCOMPARE(
        difference(reference({ "GlobalMaxPool", { dynamic(x) }, { out({ 1, 1, 1 }) } }), doubles({ 1, 1, 1 }, { 3 })),
        std::string());
}

void ReferenceKernelsTest::batchNormalization()
{
    const auto channel = [](double a, double b) { return dynamic(doubles({ 2 }, { a, b })); };
    const Tensor y = reference({ "BatchNormalization",
        { dynamic(doubles({ 1, 2, 2 }, { 1, 3, 10, 20 })), channel(2, 1), channel(0, 5), channel(1, 10),
            channel(4, 25) },
        { out({ 1, 2, 2 }) }, { { "epsilon", 0.0F } } });
    QCOMPARE(difference(y, doubles({ 1, 2, 2 }, { 0, 2, 5, 7 }), 1e-15), std::string());
    const auto training
        = runKernel({ "BatchNormalization",
                        { dynamic(ones({ 1, 2, 2 })), channel(1, 1), channel(1, 1), channel(1, 1), channel(1, 1) },
                        { out({ 1, 2, 2 }) }, { { "training_mode", std::int64_t { 1 } } } },
            KernelSet::Reference);
    QVERIFY(!training);
    QCOMPARE(training.error().code, ErrorCode::Unsupported);
}

void ReferenceKernelsTest::layerNormalization()
{
    const Tensor x = doubles({ 2, 2 }, { 1, 3, 5, 5 });
    const auto run = runKernel(
        { "LayerNormalization", { dynamic(x), dynamic(doubles({ 2 }, { 1, 2 })), dynamic(doubles({ 2 }, { 0, 1 })) },
            { out({ 2, 2 }), out({ 2, 1 }), out({ 2, 1 }) }, { { "epsilon", 1.0F } } },
        KernelSet::Reference);
    QVERIFY(run);
    const double s = 1 / std::sqrt(2.0); // variance 1, epsilon 1
    QCOMPARE(difference(run->outputs[0], doubles({ 2, 2 }, { -s, 2 * s + 1, 0, 1 }), 1e-14, 1e-15), std::string());
    QCOMPARE(difference(run->outputs[1], doubles({ 2, 1 }, { 2, 5 })), std::string());
    QCOMPARE(difference(run->outputs[2], doubles({ 2, 1 }, { s, 1 }), 1e-14), std::string());
}

void ReferenceKernelsTest::localResponse()
{
    const Tensor x = doubles({ 1, 4, 1 }, { 1, 2, 3, 4 });
    const Tensor y = reference({ "LRN", { dynamic(x) }, { out({ 1, 4, 1 }) },
        { { "size", std::int64_t { 3 } }, { "alpha", 3.0F }, { "beta", 1.0F }, { "bias", 1.0F } } });
    QCOMPARE(difference(y, doubles({ 1, 4, 1 }, { 1.0 / 6, 2.0 / 15, 3.0 / 30, 4.0 / 26 }), 1e-14), std::string());
}

void ReferenceKernelsTest::softmax()
{
    const Tensor x = doubles({ 1, 2, 2 }, { 1000, 1000, 0, std::log(3.0) });
    const Tensor y = reference({ "Softmax", { dynamic(x) }, { out({ 1, 2, 2 }) } });
    QCOMPARE(difference(y, doubles({ 1, 2, 2 }, { 0.5, 0.5, 0.25, 0.75 }), 1e-14), std::string());
    const Tensor logs = reference({ "LogSoftmax", { dynamic(x) }, { out({ 1, 2, 2 }) } });
    QCOMPARE(difference(
                 logs, doubles({ 1, 2, 2 }, { -std::log(2.0), -std::log(2.0), -std::log(4.0), std::log(0.75) }), 1e-12),
        std::string());
    // Up to opset 12 everything from axis 1 on is one line.
    const Tensor flat
        = reference({ "Softmax", { dynamic(doubles({ 1, 2, 2 }, { 0, 0, 0, 0 })) }, { out({ 1, 2, 2 }) }, {}, 12 });
    QCOMPARE(difference(flat, doubles({ 1, 2, 2 }, { 0.25, 0.25, 0.25, 0.25 })), std::string());
}

void ReferenceKernelsTest::sayReference()
{
    const auto run = runKernel(
        { "MatMul", { dynamic(ones({ 1, 1 })), dynamic(ones({ 1, 1 })) }, { out({ 1, 1 }) } }, KernelSet::Reference);
    QCOMPARE(run->implementation, std::string("reference"));
}

QTEST_APPLESS_MAIN(ReferenceKernelsTest)
#include "tst_reference_kernels.moc"
