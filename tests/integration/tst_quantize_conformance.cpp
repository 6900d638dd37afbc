// SPDX-License-Identifier: GPL-3.0-or-later
// labels: integration numeric
#include <algorithm>
#include <filesystem>

#include <QtTest>

#include "core/onnx_io/reader.h"
#include "core/quant/encoding.h"

using namespace quantoscope;
namespace fs = std::filesystem;

namespace {

const fs::path cases = "/usr/share/libonnx-testdata/data/node";

Tensor read(const fs::path& folder, const std::string& file)
{
    auto tensor = onnx_io::readTensor(folder / "test_data_set_0" / (file + ".pb"));
    return tensor ? *std::move(tensor) : Tensor {};
}

/// The encoding that a case's scale, zero point and axis stand for. The default axis of ONNX is 1.
quant::Encoding encodingOf(const Tensor& scale, const Tensor& zeroPoint)
{
    quant::Encoding encoding;
    const auto scales = scale.as<float>();
    encoding.scale.assign(scales.begin(), scales.end());
    encoding.zeroPoint.clear();
    for (const auto zero : tensor::toInt64s(zeroPoint.view()))
        encoding.zeroPoint.push_back(static_cast<std::int32_t>(zero));
    encoding.qmin = zeroPoint.dtype() == DType::UInt8 ? 0 : -128;
    encoding.qmax = zeroPoint.dtype() == DType::UInt8 ? 255 : 127;
    encoding.axis = scale.shape().rank() == 0 ? -1 : 1;
    return encoding;
}

} // namespace

/// Our formulas against the ONNX project's own cases for QuantizeLinear and DequantizeLinear.
class TestQuantizeConformance : public QObject {
    Q_OBJECT

private slots:
    void initTestCase();
    void quantize_data();
    void quantize();
    void dequantize_data();
    void dequantize();
};

void TestQuantizeConformance::initTestCase()
{
    if (!fs::exists(cases))
        QSKIP("SKIPPED EVERYTHING: libonnx-testdata is not installed");
}

void TestQuantizeConformance::quantize_data()
{
    QTest::addColumn<QString>("name");
    QTest::newRow("per tensor") << "test_quantizelinear";
    QTest::newRow("per channel") << "test_quantizelinear_axis";
}

void TestQuantizeConformance::quantize()
{
    QFETCH(QString, name);
    const fs::path folder = cases / name.toStdString();
    const auto input = read(folder, "input_0");
    const auto encoding = encodingOf(read(folder, "input_1"), read(folder, "input_2"));
    const auto expected = tensor::toInt64s(read(folder, "output_0").view());
    QVERIFY(input.size() > 0 && input.size() == std::ssize(expected));
    std::vector<std::int32_t> levels(expected.size());
    quant::quantize(encoding, input.shape(), input.as<float>(), levels);
    QVERIFY(std::ranges::equal(levels, expected));
}

void TestQuantizeConformance::dequantize_data()
{
    QTest::addColumn<QString>("name");
    QTest::newRow("per tensor") << "test_dequantizelinear";
    QTest::newRow("per channel") << "test_dequantizelinear_axis";
}

void TestQuantizeConformance::dequantize()
{
    QFETCH(QString, name);
    const fs::path folder = cases / name.toStdString();
    const auto input = read(folder, "input_0");
    const auto encoding = encodingOf(read(folder, "input_1"), read(folder, "input_2"));
    const auto expected = read(folder, "output_0");
    QVERIFY(input.size() > 0 && input.size() == expected.size());
    std::vector<std::int32_t> levels;
    for (const auto level : tensor::toInt64s(input.view()))
        levels.push_back(static_cast<std::int32_t>(level));
    std::vector<float> values(levels.size());
    quant::dequantize(encoding, input.shape(), levels, values);
    QVERIFY(std::ranges::equal(values, expected.as<float>()));
}

QTEST_APPLESS_MAIN(TestQuantizeConformance)
#include "tst_quantize_conformance.moc"
