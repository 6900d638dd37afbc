// SPDX-License-Identifier: GPL-3.0-or-later
#include <QtTest>

#include <cmath>

#include "tests/support/kernel_harness.h"

using namespace quantoscope;
using namespace quantoscope::test;

namespace {

Tensor floats(const Shape& shape, const std::vector<float>& values) { return Tensor::from(shape, values); }

Tensor levels(DType dtype, const Shape& shape, const Ints& values)
{
    return tensor::convert(Tensor::from(shape, values).view(), dtype);
}

/// [low, high] of a quantized type.
std::pair<std::int64_t, std::int64_t> range(DType dtype)
{
    const int bits = tensor::bitWidth(dtype);
    if (tensor::isSigned(dtype))
        return { -(std::int64_t { 1 } << (bits - 1)), (std::int64_t { 1 } << (bits - 1)) - 1 };
    return { 0, (std::int64_t { 1 } << bits) - 1 };
}

/// The parameter that element `i` of `shape` uses: of its axis where block is 0, else of its block.
std::int64_t parameterIndex(const Shape& shape, std::int64_t i, int axis, std::int64_t block)
{
    std::int64_t inner = 1;
    for (int d = axis + 1; d < shape.rank(); ++d)
        inner *= shape[d];
    const std::int64_t at = i / inner % shape[axis];
    if (block == 0)
        return at;
    const std::int64_t blocks = (shape[axis] + block - 1) / block;
    return (i / inner / shape[axis] * blocks + at / block) * inner + i % inner;
}

} // namespace

class QuantizeOpsTest : public QObject {
    Q_OBJECT

private slots:
    void everyType_data();
    void everyType();
    void roundsHalfToEven();
    void saturates();
    void wholeAccumulators();
    void absentZeroPoint();
    void halfScales();
    void errors_data();
    void errors();
};

void QuantizeOpsTest::everyType_data()
{
    QTest::addColumn<int>("dtype");
    QTest::addColumn<int>("axis");
    QTest::addColumn<int>("block");
    QTest::addColumn<bool>("constantParameters");
    for (const DType dtype : { DType::Int8, DType::UInt8, DType::Int16, DType::UInt16, DType::Int4, DType::UInt4,
             DType::Int2, DType::UInt2 }) {
        const std::string name(tensor::name(dtype));
        for (const bool known : { true, false }) {
            const std::string kind = known ? " constant" : " computed";
            QTest::newRow((name + " per tensor" + kind).c_str()) << int(dtype) << -1 << 0 << known;
            QTest::newRow((name + " per channel" + kind).c_str()) << int(dtype) << 1 << 0 << known;
            QTest::newRow((name + " last axis" + kind).c_str()) << int(dtype) << 3 << 0 << known;
            QTest::newRow((name + " blocks" + kind).c_str()) << int(dtype) << 1 << 2 << known;
            QTest::newRow((name + " last blocks" + kind).c_str()) << int(dtype) << 3 << 3 << known;
        }
    }
}

/// Both operators against the formulas of the ONNX definition, element by element, in both layouts.
void QuantizeOpsTest::everyType()
{
    QFETCH(int, dtype);
    QFETCH(int, axis);
    QFETCH(int, block);
    QFETCH(bool, constantParameters);
    const auto type = static_cast<DType>(dtype);
    const auto [low, high] = range(type);
    const Shape shape { 2, 5, 3, 4 };
    Shape parameters = axis < 0 ? Shape {} : Shape { shape[axis] };
    if (block) {
        parameters = shape;
        parameters[axis] = (shape[axis] + block - 1) / block;
    }
    const Tensor x = randomTensor(shape, 1, -3, 3);
    const Tensor scale = randomTensor(parameters, 2, 0.5 / static_cast<double>(high), 4.0 / static_cast<double>(high));
    const Tensor zero = tensor::convert(
        randomTensor(parameters, 3, static_cast<double>(low), static_cast<double>(high)).view(), type);
    const auto zeros = tensor::toInt64s(zero.view());
    Ints expected;
    std::vector<float> back;
    for (std::int64_t i = 0; i < x.size(); ++i) {
        const auto p = static_cast<std::size_t>(axis < 0 ? 0 : parameterIndex(shape, i, axis, block));
        const float s = scale.as<float>()[p];
        const float ratio = x.as<float>()[static_cast<std::size_t>(i)] / s;
        expected.push_back(std::clamp(static_cast<std::int64_t>(std::nearbyint(ratio)) + zeros[p], low, high));
        back.push_back(static_cast<float>(expected.back() - zeros[p]) * s);
    }
    const Attributes attributes { { "axis", std::int64_t { axis < 0 ? 1 : axis } },
        { "block_size", std::int64_t { block } } };
    const auto known = [&](const Tensor& t) { return constantParameters ? constant(t) : dynamic(t); };
    for (const Layout layout : { Layout::Plain, Layout::ChannelsLast }) {
        const Tensor q = runForTensor({ "QuantizeLinear", { dynamic(x, layout), known(scale), known(zero) },
            { { type, shape } }, attributes, 21 });
        QCOMPARE(difference(q, levels(type, shape, expected)), std::string());
        const Layout given = tensor::isPacked(type) ? Layout::Plain : layout;
        const Tensor y = runForTensor({ "DequantizeLinear", { dynamic(q, given), known(scale), known(zero) },
            { { DType::Float32, shape } }, attributes, 21 });
        QCOMPARE(difference(y, floats(shape, back)), std::string());
    }
}

void QuantizeOpsTest::roundsHalfToEven()
{
    const Tensor x = floats({ 6 }, { 0.5F, 1.5F, 2.5F, -0.5F, -1.5F, -2.5F });
    const Tensor q = runForTensor(
        { "QuantizeLinear", { dynamic(x), constant(Tensor::scalar(1.0F)), constant(Tensor::scalar(std::int8_t { 1 })) },
            { { DType::Int8, { 6 } } } });
    QCOMPARE(tensor::toInt64s(q.view()), (Ints { 1, 3, 3, 1, -1, -1 })); // rounded before the zero point is added
}

void QuantizeOpsTest::saturates()
{
    const float infinity = std::numeric_limits<float>::infinity();
    const Tensor x = floats({ 5 }, { 1e30F, -1e30F, infinity, -infinity, std::nanf("") });
    const Tensor q = runForTensor({ "QuantizeLinear",
        { dynamic(x), constant(Tensor::scalar(0.1F)), constant(Tensor::scalar(std::uint8_t { 7 })) },
        { { DType::UInt8, { 5 } } } });
    QCOMPARE(tensor::toInt64s(q.view()), (Ints { 255, 0, 255, 0, 0 }));
}

void QuantizeOpsTest::wholeAccumulators()
{
    const Tensor x = Tensor::from(Shape { 2 }, std::vector<std::int32_t> { 2147483647, -2147483647 - 1 });
    const Tensor y = runForTensor(
        { "DequantizeLinear", { dynamic(x), constant(Tensor::scalar(0.5F)) }, { { DType::Float32, { 2 } } } });
    QCOMPARE(difference(y, floats({ 2 }, { 0x1p30F, -0x1p30F })), std::string());
}

void QuantizeOpsTest::absentZeroPoint()
{
    const Tensor q = runForTensor({ "QuantizeLinear",
        { dynamic(floats({ 2 }, { 3, -3 })), dynamic(Tensor::scalar(1.0F)) }, { { DType::UInt8, { 2 } } } });
    QCOMPARE(tensor::toInt64s(q.view()), (Ints { 3, 0 }));
}

void QuantizeOpsTest::halfScales()
{
    const Tensor x = tensor::convert(floats({ 3 }, { 0.5F, -1, 2 }).view(), DType::Float16);
    const Tensor scale = tensor::convert(Tensor::scalar(0.25F).view(), DType::Float16);
    const Tensor q
        = runForTensor({ "QuantizeLinear", { dynamic(x), constant(scale), constant(Tensor::scalar(std::int8_t { 0 })) },
            { { DType::Int8, { 3 } } }, {}, 19 });
    QCOMPARE(tensor::toInt64s(q.view()), (Ints { 2, -4, 8 }));
    const Tensor y = runForTensor(
        { "DequantizeLinear", { dynamic(q), constant(scale), constant(Tensor::scalar(std::int8_t { 0 })) },
            { { DType::Float16, { 3 } } }, {}, 19 });
    QCOMPARE(difference(y, x), std::string());
}

void QuantizeOpsTest::errors_data()
{
    QTest::addColumn<QList<int>>("scale");
    QTest::addColumn<int>("zeroType");
    QTest::addColumn<int>("block");
    QTest::addColumn<QString>("words");
    QTest::newRow("scale of another axis") << QList<int> { 4 } << int(DType::Int8) << 0 << "scale of shape [4]";
    QTest::newRow("zero point of another type") << QList<int> { 3 } << int(DType::UInt8) << 0 << "zero point";
    QTest::newRow("blocks") << QList<int> { 2, 2 } << int(DType::Int8) << 1 << "expected [2, 3]";
    QTest::newRow("negative block") << QList<int> { 3 } << int(DType::Int8) << -1 << "block_size -1";
}

void QuantizeOpsTest::errors()
{
    QFETCH(QList<int>, scale);
    QFETCH(int, zeroType);
    QFETCH(int, block);
    QFETCH(QString, words);
    const Shape parameters(Ints(scale.begin(), scale.end()));
    const auto run = runKernel({ "QuantizeLinear",
        { dynamic(Tensor(DType::Float32, { 2, 3 })), constant(randomTensor(parameters, 1, 1, 2)),
            constant(Tensor(static_cast<DType>(zeroType), parameters)) },
        { { DType::Int8, { 2, 3 } } }, { { "block_size", std::int64_t { block } } }, 21 });
    QVERIFY(!run);
    const QString message = QString::fromStdString(run.error().message());
    QVERIFY2(message.contains(words), qPrintable(message));
}

QTEST_APPLESS_MAIN(QuantizeOpsTest)
#include "tst_quantize_ops.moc"
