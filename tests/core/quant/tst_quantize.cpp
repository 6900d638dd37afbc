// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include <QtTest>

#include "core/base/random.h"
#include "core/quant/encoding.h"

using namespace quantoscope;
using quant::Encoding;
using quant::Rounding;

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float notANumber = std::numeric_limits<float>::quiet_NaN();

Encoding makeEncoding(float scale, std::int32_t zero, std::int32_t qmin, std::int32_t qmax, Rounding rounding)
{
    Encoding encoding;
    encoding.scale = { scale };
    encoding.zeroPoint = { zero };
    encoding.qmin = qmin;
    encoding.qmax = qmax;
    encoding.rounding = rounding;
    return encoding;
}

std::vector<float> randomValues(std::size_t count, std::uint64_t seed, double spread = 1)
{
    base::Random random(seed);
    std::vector<float> values(count);
    for (float& value : values)
        value = static_cast<float>(spread * random.normal());
    return values;
}

std::vector<std::int32_t> levelsOf(const Encoding& encoding, const Shape& shape, const std::vector<float>& values)
{
    std::vector<std::int32_t> levels(values.size());
    quant::quantize(encoding, shape, values, levels);
    return levels;
}

std::vector<float> fake(
    const Encoding& encoding, const Shape& shape, const std::vector<float>& values, std::uint64_t seed = 0)
{
    std::vector<float> result(values.size());
    quant::fakeQuantize(encoding, shape, values, result, seed);
    return result;
}

/// The formula as architecture.md writes it, in integers and with the C library's rounding.
std::int32_t referenceLevel(const Encoding& encoding, std::size_t channel, float x)
{
    const float v = x / encoding.scale[channel];
    const std::int32_t zero = encoding.zeroPoint[channel];
    if (std::isnan(v))
        return zero;
    double rounded = 0;
    switch (encoding.rounding) {
    case Rounding::HalfAway:
        rounded = std::round(static_cast<double>(v));
        break;
    case Rounding::Floor:
        rounded = std::floor(static_cast<double>(v));
        break;
    case Rounding::Ceil:
        rounded = std::ceil(static_cast<double>(v));
        break;
    default:
        rounded = std::nearbyint(static_cast<double>(v));
    }
    return static_cast<std::int32_t>(
        std::clamp<double>(rounded + zero, static_cast<double>(encoding.qmin), static_cast<double>(encoding.qmax)));
}

bool sameBits(float a, float b) { return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b); }

} // namespace

class TestQuantize : public QObject {
    Q_OBJECT

private slots:
    void rounding_data();
    void rounding();
    void specialValues();
    void matchesFormula_data();
    void matchesFormula();
    void quotientsAreRoundedOnce_data();
    void quotientsAreRoundedOnce();
    void fakeQuantizeIsBothInOne_data();
    void fakeQuantizeIsBothInOne();
    void channelsAlongEveryAxis_data();
    void channelsAlongEveryAxis();
    void errorBoundedByHalfAStep_data();
    void errorBoundedByHalfAStep();
    void wideGridKeepsEveryLevel();
    void stochasticIsUnbiased();
    void stochasticDependsOnSeedAndIndexOnly();
    void inPlaceAndEmpty();
    void halfPrecisionInput();
};

void TestQuantize::rounding_data()
{
    QTest::addColumn<Rounding>("rounding");
    QTest::addColumn<QList<int>>("expected"); ///< of -2.5 -1.5 -0.75 -0.5 -0.25 0 0.25 0.5 0.75 1.5 2.5, scale 1
    QTest::newRow("half-even") << Rounding::HalfEven << QList<int> { -2, -2, -1, 0, 0, 0, 0, 0, 1, 2, 2 };
    QTest::newRow("half-away") << Rounding::HalfAway << QList<int> { -3, -2, -1, -1, 0, 0, 0, 1, 1, 2, 3 };
    QTest::newRow("floor") << Rounding::Floor << QList<int> { -3, -2, -1, -1, -1, 0, 0, 0, 0, 1, 2 };
    QTest::newRow("ceil") << Rounding::Ceil << QList<int> { -2, -1, 0, 0, 0, 0, 1, 1, 1, 2, 3 };
}

void TestQuantize::rounding()
{
    QFETCH(Rounding, rounding);
    QFETCH(QList<int>, expected);
    const std::vector<float> values { -2.5F, -1.5F, -0.75F, -0.5F, -0.25F, 0, 0.25F, 0.5F, 0.75F, 1.5F, 2.5F };
    const auto levels = levelsOf(makeEncoding(1, 0, -8, 7, rounding), { 11 }, values);
    QCOMPARE(QList<int>(levels.begin(), levels.end()), expected);
}

void TestQuantize::specialValues()
{
    const auto encoding = makeEncoding(0.5F, 3, 0, 15, Rounding::HalfEven);
    const std::vector<float> values { notANumber, infinity, -infinity, std::numeric_limits<float>::max(),
        std::numeric_limits<float>::lowest(), std::numeric_limits<float>::denorm_min(), -0.0F, -0.1F };
    const std::vector<std::int32_t> expected { 3, 15, 0, 15, 0, 3, 3, 3 };
    QVERIFY(levelsOf(encoding, { 8 }, values) == expected);
    const auto approximations = fake(encoding, { 8 }, values);
    const std::vector<float> expectedValues { 0, 6, -1.5F, 6, -1.5F, 0, 0, 0 };
    for (std::size_t i = 0; i < values.size(); ++i)
        QVERIFY2(sameBits(approximations[i], expectedValues[i]), std::to_string(i).c_str()); // no negative zero either
}

void TestQuantize::matchesFormula_data()
{
    QTest::addColumn<Rounding>("rounding");
    QTest::addColumn<int>("qmin");
    QTest::addColumn<int>("qmax");
    for (const auto rounding : { Rounding::HalfEven, Rounding::HalfAway, Rounding::Floor, Rounding::Ceil })
        for (const int bits : { 2, 4, 8, 16 }) {
            const auto name = quant::toString(rounding) + " " + std::to_string(bits) + " bits ";
            QTest::newRow((name + "signed").c_str()) << rounding << -(1 << (bits - 1)) << (1 << (bits - 1)) - 1;
            QTest::newRow((name + "unsigned").c_str()) << rounding << 0 << (1 << bits) - 1;
        }
}

void TestQuantize::matchesFormula()
{
    QFETCH(Rounding, rounding);
    QFETCH(int, qmin);
    QFETCH(int, qmax);
    // A length that is no multiple of any vector width; values on, beside and beyond the edges between levels.
    auto values = randomValues(1003, 7, 2);
    const float scale = 8.0F / static_cast<float>(qmax - qmin);
    for (int k = -300; k < 300; ++k) {
        const float edge = (static_cast<float>(k) + 0.5F) * scale;
        values.insert(values.end(), { edge, std::nextafter(edge, infinity), std::nextafter(edge, -infinity) });
    }
    const auto encoding = makeEncoding(scale, qmin + (qmax - qmin) / 3, qmin, qmax, rounding);
    const auto levels = levelsOf(encoding, { std::ssize(values) }, values);
    for (std::size_t i = 0; i < values.size(); ++i)
        QCOMPARE(levels[i], referenceLevel(encoding, 0, values[i]));
}

void TestQuantize::quotientsAreRoundedOnce_data()
{
    QTest::addColumn<float>("scale");
    QTest::newRow("one") << 1.0F;
    QTest::newRow("just above one") << std::nextafter(1.0F, 2.0F);
    QTest::newRow("just below two") << std::nextafter(2.0F, 1.0F);
    QTest::newRow("a tenth") << 0.1F;
    QTest::newRow("a third") << 1.0F / 3.0F;
    QTest::newRow("tiny") << 1.7e-30F;
    QTest::newRow("smallest normal") << std::numeric_limits<float>::min();
    QTest::newRow("denormal") << 3e-42F;
    QTest::newRow("huge") << 1.3e30F;
    base::Random random(11);
    for (int i = 0; i < 200; ++i)
        QTest::addRow("random %d", i) << static_cast<float>(std::exp(6 * random.normal()));
}

/// Values next to every place where the level changes: a quotient that is wrong by its last bit shows here or nowhere.
void TestQuantize::quotientsAreRoundedOnce()
{
    QFETCH(float, scale);
    constexpr int levels = 300;
    std::vector<float> values { infinity, -infinity, notANumber, std::numeric_limits<float>::max(),
        std::numeric_limits<float>::denorm_min(), 0.0F };
    for (int half = -2 * levels; half <= 2 * levels; ++half) {
        float value = static_cast<float>(0.5 * half * static_cast<double>(scale));
        for (int step = 0; step < 4; ++step)
            value = std::nextafter(value, -infinity);
        for (int step = 0; step < 9; ++step, value = std::nextafter(value, infinity))
            values.push_back(value);
    }
    for (const auto rounding : { Rounding::HalfEven, Rounding::HalfAway, Rounding::Floor, Rounding::Ceil }) {
        const auto encoding = makeEncoding(scale, 0, -levels + 20, levels - 20, rounding);
        const auto found = levelsOf(encoding, { std::ssize(values) }, values);
        for (std::size_t i = 0; i < values.size(); ++i)
            if (found[i] != referenceLevel(encoding, 0, values[i]))
                QFAIL(qPrintable(QString("%1 / %2 gave %3").arg(values[i], 0, 'g', 10).arg(scale).arg(found[i])));
    }
}

void TestQuantize::fakeQuantizeIsBothInOne_data()
{
    matchesFormula_data();
    QTest::newRow("stochastic 4 bits") << Rounding::Stochastic << -8 << 7;
    QTest::newRow("half-even int32") << Rounding::HalfEven << std::numeric_limits<int>::min()
                                     << std::numeric_limits<int>::max();
}

void TestQuantize::fakeQuantizeIsBothInOne()
{
    QFETCH(Rounding, rounding);
    QFETCH(int, qmin);
    QFETCH(int, qmax);
    const auto values = randomValues(4099, 11, 3);
    const Shape shape { std::ssize(values) };
    const auto encoding = makeEncoding(0.013F, qmin / 2 + qmax / 2, qmin, qmax, rounding);
    std::vector<std::int32_t> levels(values.size());
    std::vector<float> expected(values.size());
    quant::quantize(encoding, shape, values, levels, 5);
    quant::dequantize(encoding, shape, levels, expected);
    const auto actual = fake(encoding, shape, values, 5);
    for (std::size_t i = 0; i < values.size(); ++i)
        QVERIFY2(sameBits(actual[i], expected[i]), std::to_string(i).c_str());
    QVERIFY(std::ranges::all_of(levels, [&](std::int32_t level) { return qmin <= level && level <= qmax; }));
}

void TestQuantize::channelsAlongEveryAxis_data()
{
    QTest::addColumn<int>("axis");
    QTest::newRow("outermost") << 0;
    QTest::newRow("middle") << 1;
    QTest::newRow("innermost") << 2;
}

void TestQuantize::channelsAlongEveryAxis()
{
    QFETCH(int, axis);
    const Shape shape { 3, 4, 5 };
    const auto values = randomValues(60, 3, 4);
    auto encoding = makeEncoding(1, 0, -8, 7, Rounding::HalfEven);
    encoding.axis = axis;
    encoding.scale.clear();
    encoding.zeroPoint.clear();
    for (int c = 0; c < shape[axis]; ++c) {
        encoding.scale.push_back(0.1F * static_cast<float>(c + 1));
        encoding.zeroPoint.push_back(c - 2);
    }
    const auto levels = levelsOf(encoding, shape, values);
    const auto approximations = fake(encoding, shape, values);
    for (std::size_t i = 0; i < values.size(); ++i) {
        const std::size_t index[] { i / 20, i / 5 % 4, i % 5 };
        const std::size_t channel = index[axis];
        QCOMPARE(levels[i], referenceLevel(encoding, channel, values[i]));
        QCOMPARE(
            approximations[i], static_cast<float>(levels[i] - encoding.zeroPoint[channel]) * encoding.scale[channel]);
    }
}

void TestQuantize::errorBoundedByHalfAStep_data()
{
    QTest::addColumn<int>("bits");
    QTest::addColumn<bool>("symmetric");
    for (const int bits : { 2, 3, 5, 8, 12, 16 })
        for (const bool symmetric : { true, false })
            QTest::newRow((std::to_string(bits) + (symmetric ? " bits symmetric" : " bits asymmetric")).c_str())
                << bits << symmetric;
}

void TestQuantize::errorBoundedByHalfAStep()
{
    QFETCH(int, bits);
    QFETCH(bool, symmetric);
    quant::QuantizerConfig config;
    config.bits = bits;
    config.symmetric = symmetric;
    auto values = randomValues(5000, 17);
    const auto [low, high] = std::ranges::minmax(values);
    const auto encoding = quant::encodingForRange(config, static_cast<double>(low), static_cast<double>(high));
    std::ranges::sort(values);
    const Shape shape { std::ssize(values) };
    const auto once = fake(encoding, shape, values);
    const auto step = static_cast<double>(encoding.scale[0]);
    // Quotient and product are rounded to float32, which shows in the last bit of the largest level.
    const double bound = 0.5 * step + static_cast<double>(encoding.qmax - encoding.qmin) * step * 0x1p-23;
    for (std::size_t i = 0; i < values.size(); ++i) {
        // The asymmetric zero point is rounded, which may move either end of the grid by up to half a step.
        const double slack = symmetric ? 0 : 0.5 * step;
        const double error = std::abs(static_cast<double>(values[i]) - static_cast<double>(once[i]));
        QVERIFY(error <= bound + slack);
        const bool inside = values[i] >= encoding.low() && values[i] <= encoding.high();
        QVERIFY(!inside || error <= bound);
    }
    QVERIFY(std::ranges::is_sorted(once)); // monotone
    QVERIFY(fake(encoding, shape, once) == once); // idempotent
    const auto zero = fake(encoding, { 1 }, { 0 });
    QCOMPARE(zero[0], 0.0F);
}

void TestQuantize::wideGridKeepsEveryLevel()
{
    // A bias: int32 levels around 2^30 that float32 division would smear over 64 neighbours.
    const auto encoding = makeEncoding(
        0x1p-30F, 0, std::numeric_limits<int>::min(), std::numeric_limits<int>::max(), Rounding::HalfEven);
    const std::vector<float> values { 0.7F, -1.3F, 1.0F, 5.0F, -5.0F, notANumber, 0x1.8p-30F, 0x1.4p-29F };
    const std::vector<std::int32_t> expected { static_cast<std::int32_t>(static_cast<double>(0.7F) * 0x1p30),
        static_cast<std::int32_t>(static_cast<double>(-1.3F) * 0x1p30), 1 << 30, std::numeric_limits<int>::max(),
        std::numeric_limits<int>::min(), 0, 2, 2 };
    QVERIFY(levelsOf(encoding, { 8 }, values) == expected);
}

void TestQuantize::stochasticIsUnbiased()
{
    const auto encoding = makeEncoding(1, 0, -8, 7, Rounding::Stochastic);
    const std::size_t count = 200'000;
    for (const float x : { 0.25F, -0.25F, 2.9F, -3.5F, 4.0F }) {
        const auto rounded = fake(encoding, { static_cast<std::int64_t>(count) }, std::vector<float>(count, x), 42);
        const double mean = std::accumulate(rounded.begin(), rounded.end(), 0.0) / static_cast<double>(count);
        QVERIFY(std::abs(mean - static_cast<double>(x)) < 0.005);
        QVERIFY(std::ranges::all_of(rounded, [x](float y) { return std::abs(y - x) < 1; }));
    }
}

void TestQuantize::stochasticDependsOnSeedAndIndexOnly()
{
    auto encoding = makeEncoding(0.5F, 0, -8, 7, Rounding::Stochastic);
    const auto values = randomValues(999, 23);
    const auto first = fake(encoding, { 999 }, values, 1);
    QVERIFY(fake(encoding, { 999 }, values, 1) == first);
    QVERIFY(fake(encoding, { 999 }, values, 2) != first);
    // The same numbers seen as channels take other loops but draw the same.
    encoding.axis = 0;
    encoding.scale.assign(27, 0.5F);
    encoding.zeroPoint.assign(27, 0);
    QVERIFY(fake(encoding, { 27, 37 }, values, 1) == first);
}

void TestQuantize::inPlaceAndEmpty()
{
    const auto encoding = makeEncoding(0.1F, 0, -128, 127, Rounding::HalfEven);
    auto values = randomValues(33, 29);
    const auto expected = fake(encoding, { 33 }, values);
    quant::fakeQuantize(encoding, { 33 }, values, values);
    QVERIFY(values == expected);
    std::vector<float> nothing;
    quant::fakeQuantize(encoding, { 4, 0, 3 }, nothing, nothing);
    QCOMPARE(quant::measureError(encoding, Tensor(DType::Float32, { 0 }).view()).count, 0);
}

void TestQuantize::halfPrecisionInput()
{
    const auto encoding = makeEncoding(0.25F, 0, -8, 7, Rounding::HalfEven);
    const auto half
        = tensor::convert(Tensor::from<float>({ 3 }, std::vector<float> { 0.3F, -9, 1 }).view(), DType::Float16);
    const auto result = quant::fakeQuantize(encoding, half.view());
    QVERIFY(std::ranges::equal(result.as<float>(), std::vector<float> { 0.25F, -2, 1 }));
}

QTEST_APPLESS_MAIN(TestQuantize)
#include "tst_quantize.moc"
