// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <QtTest>
#include <nlohmann/json.hpp>

#include "core/base/random.h"
#include "core/quant/encoding.h"

using namespace quantoscope;
using quant::Encoding;
using quant::QuantizerConfig;
using quant::Signedness;

namespace {

QuantizerConfig configFor(int bits, bool symmetric, Signedness signedness = Signedness::Auto)
{
    QuantizerConfig config;
    config.bits = bits;
    config.symmetric = symmetric;
    config.signedness = signedness;
    return config;
}

QuantizerConfig narrow(QuantizerConfig config)
{
    config.narrowRange = true;
    return config;
}

QuantizerConfig powerOfTwo(QuantizerConfig config)
{
    config.scale = quant::ScaleRestriction::PowerOfTwo;
    return config;
}

} // namespace

class TestEncoding : public QObject {
    Q_OBJECT

private slots:
    void bounds_data();
    void bounds();
    void fromRange_data();
    void fromRange();
    void everyRangeContainsZero_data();
    void everyRangeContainsZero();
    void everySchemeKeepsItsPromises_data();
    void everySchemeKeepsItsPromises();
    void qFormats_data();
    void qFormats();
    void channelsShareTheGrid();
    void extremeRanges();
    void bitsOfAnEncoding_data();
    void bitsOfAnEncoding();
    void invalid_data();
    void invalid();
    void jsonIsExact();
    void jsonErrors_data();
    void jsonErrors();
    void errorMeasure();
    void errorOfExactAndEmpty();
};

void TestEncoding::bounds_data()
{
    QTest::addColumn<QuantizerConfig>("config");
    QTest::addColumn<bool>("isSigned");
    QTest::addColumn<int>("qmin");
    QTest::addColumn<int>("qmax");
    QTest::newRow("8 signed") << configFor(8, true) << true << -128 << 127;
    QTest::newRow("8 signed narrow") << narrow(configFor(8, true)) << true << -127 << 127;
    QTest::newRow("8 unsigned") << configFor(8, true) << false << 0 << 255;
    QTest::newRow("8 unsigned narrow") << narrow(configFor(8, true)) << false << 0 << 255;
    QTest::newRow("2 signed") << configFor(2, true) << true << -2 << 1;
    QTest::newRow("2 unsigned") << configFor(2, true) << false << 0 << 3;
    QTest::newRow("16 signed") << configFor(16, true) << true << -32768 << 32767;
    QTest::newRow("16 unsigned") << configFor(16, true) << false << 0 << 65535;
}

void TestEncoding::bounds()
{
    QFETCH(QuantizerConfig, config);
    QFETCH(bool, isSigned);
    const auto [low, high] = quant::integerBounds(config, isSigned);
    QTEST(low, "qmin");
    QTEST(high, "qmax");
}

void TestEncoding::fromRange_data()
{
    QTest::addColumn<QuantizerConfig>("config");
    QTest::addColumn<double>("low");
    QTest::addColumn<double>("high");
    QTest::addColumn<float>("scale");
    QTest::addColumn<int>("zero");
    QTest::addColumn<int>("qmin");
    const auto row = [](const char* name, const QuantizerConfig& config, double low, double high, float scale, int zero,
                         int qmin) { QTest::newRow(name) << config << low << high << scale << zero << qmin; };
    row("symmetric", configFor(8, true), -1.27, 0.5, 0.01F, 0, -128);
    row("symmetric, high end larger", configFor(8, true), -0.5, 2.54, 0.02F, 0, -128);
    row("symmetric narrow", narrow(configFor(8, true)), -1.27, 0.5, 0.01F, 0, -127);
    row("symmetric non-negative goes unsigned", configFor(8, true), 0, 2.55, 0.01F, 0, 0);
    row("symmetric non-negative kept signed", configFor(8, true, Signedness::Signed), 0, 1.27, 0.01F, 0, -128);
    row("symmetric forced unsigned", configFor(8, true, Signedness::Unsigned), -1.27, 0.3, 0.01F, 128, 0);
    row("asymmetric", configFor(8, false), -0.55, 2.0, 0.01F, 55, 0);
    row("asymmetric signed", configFor(8, false, Signedness::Signed), -0.55, 2.0, 0.01F, -73, -128);
    row("asymmetric non-negative", configFor(8, false), 0.4, 2.55, 0.01F, 0, 0);
    row("asymmetric non-positive", configFor(8, false), -2.55, -1.0, 0.01F, 255, 0);
    row("asymmetric, zero point half to even", configFor(2, false), -0.5, 2.5, 1, 0, 0);
    row("asymmetric, zero point half to even, up", configFor(2, false), -1.5, 1.5, 1, 2, 0);
    row("2 bits", configFor(2, true), -3, 1, 3, 0, -2);
    row("power of two rounds up", powerOfTwo(configFor(8, true)), -1.27, 1, 0x1p-6F, 0, -128);
    row("power of two stays", powerOfTwo(configFor(8, true)), -127.0 / 64, 1, 0x1p-6F, 0, -128);
    row("power of two above one", powerOfTwo(configFor(4, true)), -21.5, 1, 4, 0, -8);
    row("no extent", configFor(8, true), 0, 0, 1, 0, 0);
    row("no extent asymmetric", configFor(8, false), 0, 0, 1, 0, 0);
    row("no extent signed", configFor(8, true, Signedness::Signed), 0, 0, 1, 0, -128);
}

void TestEncoding::fromRange()
{
    QFETCH(QuantizerConfig, config);
    QFETCH(double, low);
    QFETCH(double, high);
    const auto encoding = quant::encodingForRange(config, low, high);
    QTEST(encoding.scale.at(0), "scale");
    QTEST(encoding.zeroPoint.at(0), "zero");
    QTEST(encoding.qmin, "qmin");
    QVERIFY(encoding.validate());
    QCOMPARE(encoding.bits(), config.bits);
}

void TestEncoding::everyRangeContainsZero_data()
{
    QTest::addColumn<double>("low");
    QTest::addColumn<double>("high");
    QTest::newRow("around zero") << -0.7 << 1.9;
    QTest::newRow("above") << 3.0 << 4.0;
    QTest::newRow("below") << -4.0 << -3.0;
    QTest::newRow("a point") << 2.0 << 2.0;
    QTest::newRow("one-sided") << 0.0 << 1e-20;
}

void TestEncoding::everyRangeContainsZero()
{
    QFETCH(double, low);
    QFETCH(double, high);
    for (int bits = quant::minBits; bits <= quant::maxBits; ++bits)
        for (const bool symmetric : { true, false })
            for (const auto signedness : { Signedness::Auto, Signedness::Signed, Signedness::Unsigned })
                for (const bool restricted : { true, false }) {
                    auto config = configFor(bits, symmetric, signedness);
                    config.scale = restricted ? quant::ScaleRestriction::PowerOfTwo : quant::ScaleRestriction::None;
                    const auto encoding = quant::encodingForRange(config, low, high);
                    QVERIFY(encoding.validate());
                    QVERIFY(encoding.low() <= 0 && encoding.high() >= 0);
                    // What was asked for is representable up to half a step (the asymmetric zero point is rounded) and
                    // the last bits of the scale.
                    const double half = 0.51 * static_cast<double>(encoding.scale[0]);
                    QVERIFY(static_cast<double>(encoding.low()) <= low + half);
                    QVERIFY(static_cast<double>(encoding.high()) >= high - half);
                    int exponent = 0;
                    QVERIFY(!restricted || std::frexp(encoding.scale[0], &exponent) == 0.5F);
                }
}

void TestEncoding::everySchemeKeepsItsPromises_data()
{
    QTest::addColumn<QString>("scheme");
    QTest::addColumn<bool>("narrowed");
    QTest::addColumn<Signedness>("sign");
    for (const char* scheme : { "symmetric", "asymmetric", "power-of-two", "asymmetric-power-of-two" })
        for (const bool narrowed : { false, true })
            for (const auto sign : { Signedness::Auto, Signedness::Signed, Signedness::Unsigned })
                QTest::addRow("%s, %s%s", scheme, quant::toString(sign).c_str(), narrowed ? ", narrow" : "")
                    << scheme << narrowed << sign;
}

/// Over random ranges at every word-length: zero and the wish are representable, values inside are half a step off at
/// most, quantizing is monotone and idempotent, and the step is what the scheme says.
void TestEncoding::everySchemeKeepsItsPromises()
{
    QFETCH(QString, scheme);
    QFETCH(bool, narrowed);
    QFETCH(Signedness, sign);
    base::Random random(11);
    for (int round = 0; round < 300; ++round) {
        QuantizerConfig config;
        config.bits = quant::minBits + round % (quant::maxBits - quant::minBits + 1);
        QVERIFY(quant::applyScheme(config, scheme.toStdString()));
        config.narrowRange = narrowed;
        config.signedness = sign;
        const double size = std::exp2(20 * random.uniform() - 10);
        const double low = round % 3 == 0 ? 0 : -size * random.uniform();
        const double high = round % 7 == 0 ? 0 : size * random.uniform();
        const auto encoding = quant::encodingForRange(config, low, high);
        QVERIFY(encoding.validate());
        const auto step = static_cast<double>(encoding.scale[0]);
        QVERIFY(encoding.zeroPoint[0] >= encoding.qmin && encoding.zeroPoint[0] <= encoding.qmax);
        QVERIFY(static_cast<double>(encoding.low()) <= low + 0.5001 * step);
        QVERIFY(static_cast<double>(encoding.high()) >= high - 0.5001 * step);
        int exponent = 0;
        if (config.scale == quant::ScaleRestriction::PowerOfTwo)
            QVERIFY(std::frexp(encoding.scale[0], &exponent) == 0.5F);
        if (sign != Signedness::Auto)
            QCOMPARE(encoding.isSigned(), sign == Signedness::Signed);
        if (encoding.isSigned() && narrowed)
            QCOMPARE(encoding.qmin, -encoding.qmax);

        std::vector<float> values(64, 0);
        for (std::size_t i = 1; i < values.size(); ++i)
            values[i] = static_cast<float>(low + (high - low) * random.uniform());
        std::ranges::sort(values);
        std::vector<float> once(values.size());
        std::vector<float> twice(values.size());
        const Shape shape { static_cast<std::int64_t>(values.size()) };
        quant::fakeQuantize(encoding, shape, values, once);
        quant::fakeQuantize(encoding, shape, once, twice);
        QVERIFY(once == twice);
        QVERIFY(std::ranges::is_sorted(once));
        for (std::size_t i = 0; i < values.size(); ++i) {
            const double error = std::abs(static_cast<double>(values[i]) - static_cast<double>(once[i]));
            QVERIFY(error <= 0.5001 * step + 1e-6 * std::abs(static_cast<double>(values[i])));
            QVERIFY(values[i] != 0 || once[i] == 0);
        }
    }
}

void TestEncoding::qFormats_data()
{
    QTest::addColumn<int>("bits");
    QTest::addColumn<bool>("isSigned");
    QTest::addColumn<std::vector<float>>("scales");
    QTest::addColumn<QString>("format");
    const auto row = [](const char* name, int bits, bool isSigned, std::vector<float> scales, const char* format) {
        QTest::newRow(name) << bits << isSigned << std::move(scales) << format;
    };
    row("fractions only", 8, true, { 0x1p-7F }, "Q0.7");
    row("TI counts no sign", 8, true, { 0x1p-5F }, "Q2.5");
    row("16 bits", 16, true, { 0x1p-15F }, "Q0.15");
    row("unsigned", 8, false, { 0x1p-5F }, "UQ3.5");
    row("integers", 8, true, { 1 }, "Q7.0");
    row("steps above one", 4, true, { 8 }, "Q6.-3");
    row("all below half", 4, true, { 0x1p-9F }, "Q-6.9");
    row("channels", 8, true, { 0x1p-5F, 0x1p-7F, 0x1p-6F }, "Q0.7 to Q2.5");
    row("channels alike", 8, true, { 0x1p-6F, 0x1p-6F }, "Q1.6");
    row("not a power of two", 8, true, { 0.01F }, "");
    row("one channel is not", 8, true, { 0x1p-5F, 0.3F }, "");
}

void TestEncoding::qFormats()
{
    QFETCH(int, bits);
    QFETCH(bool, isSigned);
    QFETCH(std::vector<float>, scales);
    QFETCH(QString, format);
    const auto bounds = quant::integerBounds(configFor(bits, true), isSigned);
    Encoding encoding;
    encoding.qmin = bounds.qmin;
    encoding.qmax = bounds.qmax;
    encoding.scale = scales;
    encoding.zeroPoint.assign(scales.size(), 0);
    encoding.axis = scales.size() > 1 ? 0 : -1;
    QCOMPARE(QString::fromStdString(quant::qFormat(encoding).value_or("")), format);
    encoding.qmin += isSigned ? 1 : 0; // narrow range is no other format
    QCOMPARE(QString::fromStdString(quant::qFormat(encoding).value_or("")), format);
    encoding.zeroPoint[0] = 1;
    QVERIFY(!quant::qFormat(encoding));
}

void TestEncoding::channelsShareTheGrid()
{
    const std::vector<double> low { 0, -1, 0 };
    const std::vector<double> high { 1.27, 0.5, 0 };
    const auto encoding = quant::encodingForRanges(configFor(8, true), 1, low, high);
    QCOMPARE(encoding.axis, 1);
    QVERIFY(encoding.isSigned()); // one negative channel decides for all
    QCOMPARE(encoding.scale, (std::vector<float> { 0.01F, static_cast<float>(1.0 / 127), 1 }));
    QVERIFY(encoding.validate());
    QCOMPARE(encoding.low(0), -1.28F);
    QCOMPARE(encoding.high(0), 1.27F);
}

void TestEncoding::extremeRanges()
{
    constexpr double largest = std::numeric_limits<float>::max();
    for (const bool restricted : { true, false }) {
        auto config = configFor(2, true);
        config.scale = restricted ? quant::ScaleRestriction::PowerOfTwo : quant::ScaleRestriction::None;
        QVERIFY(quant::encodingForRange(config, -largest, largest).validate());
        config.symmetric = false;
        QVERIFY(quant::encodingForRange(config, -largest, largest).validate());
        // Steps below the normal numbers would lose their precision.
        const auto tiny = quant::encodingForRange(config, 0, 1e-44);
        QCOMPARE(tiny.scale.at(0), std::numeric_limits<float>::min());
    }
}

void TestEncoding::bitsOfAnEncoding_data()
{
    QTest::addColumn<int>("qmin");
    QTest::addColumn<int>("qmax");
    QTest::addColumn<int>("bits");
    QTest::newRow("int8") << -128 << 127 << 8;
    QTest::newRow("int8 narrow") << -127 << 127 << 8;
    QTest::newRow("one more") << -129 << 127 << 9;
    QTest::newRow("uint4") << 0 << 15 << 4;
    QTest::newRow("uint4 and one") << 0 << 16 << 5;
    QTest::newRow("uint16") << 0 << 65535 << 16;
    QTest::newRow("int2") << -2 << 1 << 2;
    QTest::newRow("int32") << std::numeric_limits<int>::min() << std::numeric_limits<int>::max() << 32;
}

void TestEncoding::bitsOfAnEncoding()
{
    QFETCH(int, qmin);
    QFETCH(int, qmax);
    Encoding encoding;
    encoding.qmin = qmin;
    encoding.qmax = qmax;
    QTEST(encoding.bits(), "bits");
}

void TestEncoding::invalid_data()
{
    QTest::addColumn<Encoding>("encoding");
    QTest::addColumn<QString>("what");
    Encoding encoding;
    encoding.scale = { 0 };
    QTest::newRow("zero scale") << encoding << "positive";
    encoding.scale = { -1 };
    QTest::newRow("negative scale") << encoding << "positive";
    encoding.scale = { std::numeric_limits<float>::infinity() };
    QTest::newRow("infinite scale") << encoding << "finite";
    encoding.scale = { std::numeric_limits<float>::quiet_NaN() };
    QTest::newRow("NaN scale") << encoding << "finite";
    encoding.scale = { 1, 1 };
    QTest::newRow("counts differ") << encoding << "2 scales and 1 zero points";
    encoding.zeroPoint = { 0, 0 };
    QTest::newRow("channels without axis") << encoding << "axis";
    encoding = {};
    encoding.zeroPoint = { 128 };
    QTest::newRow("zero point outside") << encoding << "zero point 128";
    encoding = {};
    encoding.qmax = -128;
    QTest::newRow("bounds not ascending") << encoding << "ascending";
    encoding = {};
    encoding.scale.clear();
    encoding.zeroPoint.clear();
    QTest::newRow("nothing") << encoding << "0 scales";
}

void TestEncoding::invalid()
{
    QFETCH(Encoding, encoding);
    QFETCH(QString, what);
    const auto valid = encoding.validate();
    QVERIFY(!valid);
    QCOMPARE(valid.error().code, ErrorCode::InvalidInput);
    QVERIFY2(valid.error().message().find(what.toStdString()) != std::string::npos, valid.error().message().c_str());
}

void TestEncoding::jsonIsExact()
{
    Encoding encoding;
    encoding.scale = { 0.1F, 1.0F / 3, 1e-30F, 16777216, std::nextafter(1.0F, 2.0F), 0x1.fffffep127F };
    encoding.zeroPoint = { -8, 7, 0, 1, 2, 3 };
    encoding.qmin = -8;
    encoding.qmax = 7;
    encoding.axis = 0;
    encoding.rounding = quant::Rounding::Floor;
    const std::string text = encoding.toJson().dump();
    QVERIFY2(text.find("0.1,0.33333334") != std::string::npos, text.c_str()); // the shortest that reads back
    const auto back = Encoding::fromJson(Json::parse(text));
    QVERIFY(back);
    QVERIFY(*back == encoding);
    const auto perTensor = Encoding::fromJson(Encoding {}.toJson());
    QVERIFY(perTensor);
    QVERIFY(*perTensor == Encoding {});
}

void TestEncoding::jsonErrors_data()
{
    QTest::addColumn<QString>("text");
    QTest::addColumn<QString>("what");
    const auto row = [](const char* name, const char* text, const char* what) { QTest::newRow(name) << text << what; };
    row("not an object", "[1]", "array");
    row("no scale", R"({"zero_point":[0]})", "'scale' is missing");
    row("scale not a list", R"({"scale":1})", "list of numbers");
    row("scale of text", R"({"scale":["a"]})", "numbers only");
    row("fractional zero point", R"({"scale":[1],"zero_point":[0.5]})", "integers");
    row("huge zero point", R"({"scale":[1],"zero_point":[99999999999]})", "32-bit");
    row("text qmin", R"({"scale":[1],"zero_point":[0],"qmin":"x"})", "qmin");
    row("rounding", R"({"scale":[1],"zero_point":[0],"qmin":0,"qmax":3,"rounding":"up"})", "half-even");
    row("invalid numbers", R"({"scale":[0],"zero_point":[0],"qmin":0,"qmax":3,"rounding":"floor"})", "positive");
}

void TestEncoding::jsonErrors()
{
    QFETCH(QString, text);
    QFETCH(QString, what);
    const auto encoding = Encoding::fromJson(Json::parse(text.toStdString()));
    QVERIFY(!encoding);
    QCOMPARE(encoding.error().code, ErrorCode::InvalidInput);
    QVERIFY2(
        encoding.error().message().find(what.toStdString()) != std::string::npos, encoding.error().message().c_str());
}

void TestEncoding::errorMeasure()
{
    Encoding encoding; // scale 1, -4..3
    encoding.qmin = -4;
    encoding.qmax = 3;
    const auto tensor = Tensor::from<float>({ 5 }, std::vector<float> { 0.25F, -1, 3.5F, 5, -4.75F });
    const auto error = quant::measureError(encoding, tensor.view());
    QCOMPARE(error.count, 5);
    QCOMPARE(error.noisePower, 0.0625 + 0 + 0.25 + 4 + 0.5625);
    QCOMPARE(error.clippingPower, 4 + 0.5625); // 3.5 is still within half a step of the last level
    QCOMPARE(error.clipped, 2);
    QCOMPARE(error.signalPower, 0.0625 + 1 + 12.25 + 25 + 22.5625);
    QCOMPARE(error.dot, 1 + 10.5 + 15 + 19.0);
    QCOMPARE(error.quantizedPower, 1.0 + 9 + 9 + 16);
    QCOMPARE(error.mse(), error.noisePower / 5);
    QCOMPARE(error.clippedPercent(), 40.0);
    QCOMPARE(error.sqnrDb(), 10 * std::log10(error.signalPower / error.noisePower));
    QCOMPARE(error.cosine(), error.dot / std::sqrt(error.signalPower * error.quantizedPower));

    auto twice = error;
    twice += error;
    QCOMPARE(twice.count, 10);
    QCOMPARE(twice.clipped, 4);
    QCOMPARE(twice.mse(), error.mse());
    QCOMPARE(twice.sqnrDb(), error.sqnrDb());
}

void TestEncoding::errorOfExactAndEmpty()
{
    const std::vector<float> values { 1, 2, -3 };
    const auto exact = quant::measureError(values, values);
    QVERIFY(std::isinf(exact.sqnrDb()) && exact.sqnrDb() > 0);
    QCOMPARE(exact.cosine(), 1.0);
    const quant::QuantizationError nothing;
    QCOMPARE(nothing.mse(), 0.0);
    QCOMPARE(nothing.clippedPercent(), 0.0);
    QCOMPARE(nothing.cosine(), 1.0);
    const std::vector<float> zeros { 0, 0, 0 };
    QCOMPARE(quant::measureError(values, zeros).cosine(), 0.0);
    QCOMPARE(quant::measureError(values, zeros).sqnrDb(), 0.0);
}

QTEST_APPLESS_MAIN(TestEncoding)
#include "tst_encoding.moc"
