// SPDX-License-Identifier: GPL-3.0-or-later
// labels: numeric
#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include <QtTest>

#include "core/base/random.h"
#include "core/calibration/range_estimator.h"
#include "core/quant/option_texts.h"

using namespace quantoscope;
using calibration::TensorStats;
using quant::Encoding;
using quant::QuantizerConfig;
using quant::RangeSpec;

namespace {

using Values = std::vector<float>;

double laplace(base::Random& random)
{
    const double sign = random.uniform() < 0.5 ? -1 : 1;
    return sign * -std::log(1 - random.uniform());
}

/// Shapes of distribution that layers really have, and the corners.
const std::map<std::string, std::function<double(base::Random&)>> shapes {
    { "gauss", [](auto& random) { return random.normal(); } },
    { "laplace", [](auto& random) { return laplace(random); } },
    { "relu", [](auto& random) { return std::max(0.0, random.normal() + 0.1); } },
    { "never positive", [](auto& random) { return -std::abs(random.normal()); } },
    { "bimodal", [](auto& random) { return 0.1 * random.normal() + (random.uniform() < 0.3 ? -2 : 1); } },
    { "outlier", [](auto& random) { return random.normal() * (random.uniform() < 0.001 ? 50 : 1); } },
    { "skewed", [](auto& random) { return std::exp(random.normal()) - 0.5; } },
    { "on a 4-bit grid", [](auto& random) { return std::clamp(std::round(3 * random.normal()), -8.0, 7.0) / 7; } },
    { "mostly zero", [](auto& random) { return random.uniform() < 0.95 ? 0 : random.normal(); } },
    { "constant", [](auto&) { return 0.37; } },
    { "all zero", [](auto&) { return 0.0; } },
    { "tiny", [](auto& random) { return 1e-30 * random.normal(); } },
    { "huge", [](auto& random) { return 1e35 * random.normal(); } },
};

Values draw(const std::string& shape, std::size_t count, std::uint64_t seed = 11)
{
    base::Random random(seed);
    Values values(count);
    for (float& value : values)
        value = static_cast<float>(shapes.at(shape)(random));
    return values;
}

Tensor tensorOf(const Values& values) { return Tensor::from<float>({ std::ssize(values) }, values); }

TensorStats statsOf(const Values& values)
{
    TensorStats stats;
    stats.observe(tensorOf(values).view());
    return stats;
}

const std::vector<std::string> specs { "min-max", "mse", "percentile:99.9", "percentile:2,99.5", "entropy", "aciq",
    "aciq:gauss", "aciq:laplace", "sigma:2.5" };
const std::array<std::string, 4> schemes { "symmetric", "asymmetric", "power-of-two", "asymmetric-power-of-two" };

QuantizerConfig configFor(int bits, const std::string& scheme)
{
    QuantizerConfig config;
    config.bits = bits;
    [[maybe_unused]] const auto applied = quant::applyScheme(config, scheme);
    return config;
}

enum class Operand { Activation, Weight };

/// The encoding for values as an activation's or a weight's.
Encoding estimate(Operand operand, const Values& values, const QuantizerConfig& config, const std::string& spec)
{
    const auto range = RangeSpec::parse(spec);
    if (operand == Operand::Activation)
        return *calibration::estimateEncoding(statsOf(values), config, *range);
    return *calibration::estimateWeightEncoding(tensorOf(values).view(), config, *range);
}

double noise(const Values& values, const Encoding& encoding)
{
    return quant::measureError(encoding, tensorOf(values).view()).noisePower;
}

/// The error that an estimator sees: over the histogram for activations, over the values for weights.
double seenNoise(Operand operand, const Values& values, const Encoding& encoding)
{
    return operand == Operand::Weight ? noise(values, encoding)
                                      : calibration::expectedError(statsOf(values).histogram(), encoding).noisePower;
}

QByteArray label(Operand operand, const std::string& shape, const std::string& scheme)
{
    return QByteArray(operand == Operand::Weight ? "weight, " : "activation, ") + shape.c_str() + ", " + scheme.c_str();
}

void addOperandRows()
{
    QTest::addColumn<int>("operand");
    QTest::addColumn<QString>("shape");
    QTest::addColumn<QString>("scheme");
    for (const auto operand : { Operand::Activation, Operand::Weight })
        for (const auto& [shape, make] : shapes)
            for (const auto& scheme : schemes)
                QTest::newRow(label(operand, shape, scheme).constData())
                    << static_cast<int>(operand) << QString::fromStdString(shape) << QString::fromStdString(scheme);
}

} // namespace

/// What must hold for every estimator on every shape of distribution.
class TestRangeProperties : public QObject {
    Q_OBJECT

private slots:
    void quantizer_data() { addOperandRows(); }
    void quantizer();
    void neverWorseThanMinMax_data() { addOperandRows(); }
    void neverWorseThanMinMax();
    void moreBitsNeverRaiseTheError_data() { addOperandRows(); }
    void moreBitsNeverRaiseTheError();
    void negation_data();
    void negation();
    void oneValue();
    void fullPercentileIsMinMax();
    void channelsBeatTheTensor_data();
    void channelsBeatTheTensor();
    void channelsLikeTensors_data();
    void channelsLikeTensors();
};

void TestRangeProperties::quantizer()
{
    QFETCH(int, operand);
    QFETCH(QString, shape);
    QFETCH(QString, scheme);
    auto values = draw(shape.toStdString(), 400);
    std::ranges::sort(values);
    const Tensor tensor = tensorOf(values);
    for (const auto& spec : specs)
        for (const int bits : { 2, 3, 8, 16 }) {
            const auto config = configFor(bits, scheme.toStdString());
            const auto encoding = estimate(static_cast<Operand>(operand), values, config, spec);
            const auto what = QByteArray(spec.c_str()) + ' ' + QByteArray::number(bits);
            QVERIFY2(encoding.validate(), what.constData());
            QVERIFY2(encoding.low() <= 0 && encoding.high() >= 0, what.constData());
            const Tensor once = quant::fakeQuantize(encoding, tensor.view());
            QVERIFY2(std::ranges::is_sorted(once.as<float>()), what.constData());
            const Tensor twice = quant::fakeQuantize(encoding, once.view());
            QVERIFY2(std::ranges::equal(once.as<float>(), twice.as<float>()), what.constData());
            const double half = 0.5 * static_cast<double>(encoding.scale[0]);
            for (std::size_t i = 0; i < values.size(); ++i) {
                const auto x = static_cast<double>(values[i]);
                const auto y = static_cast<double>(once.as<float>()[i]);
                if (values[i] == 0)
                    QVERIFY2(y == 0, what.constData());
                // What float32 loses in x / s and in q s grows with the number of levels.
                if (x >= static_cast<double>(encoding.low()) && x <= static_cast<double>(encoding.high()))
                    QVERIFY2(std::abs(x - y) <= half + 2e-7 * std::abs(x), what.constData());
            }
            if (scheme == QLatin1String("power-of-two")) {
                int exponent = 0;
                QCOMPARE(std::frexp(encoding.scale[0], &exponent), 0.5F);
            }
        }
}

void TestRangeProperties::neverWorseThanMinMax()
{
    QFETCH(int, operand);
    QFETCH(QString, shape);
    QFETCH(QString, scheme);
    const auto kind = static_cast<Operand>(operand);
    const auto values = draw(shape.toStdString(), 1'500);
    for (const int bits : { 2, 4, 7, 11 }) {
        const auto config = configFor(bits, scheme.toStdString());
        const double best = seenNoise(kind, values, estimate(kind, values, config, "mse"));
        const double wide = seenNoise(kind, values, estimate(kind, values, config, "min-max"));
        QVERIFY2(best <= wide * (1 + 1e-7), qPrintable(QString("%1 bits: %2 > %3").arg(bits).arg(best).arg(wide)));
    }
}

void TestRangeProperties::moreBitsNeverRaiseTheError()
{
    QFETCH(int, operand);
    QFETCH(QString, shape);
    QFETCH(QString, scheme);
    const auto kind = static_cast<Operand>(operand);
    const auto values = draw(shape.toStdString(), 300);
    const double power = std::max(1e-300, noise(values, quant::encodingForRange({}, 0, 1e-37)));
    double previous = std::numeric_limits<double>::infinity();
    for (int bits = quant::minBits; bits <= quant::maxBits; ++bits) {
        const auto encoding = estimate(kind, values, configFor(bits, scheme.toStdString()), "mse");
        const double error = seenNoise(kind, values, encoding);
        // At 16 bits a step is so small that the rounding of q s in float32 is what is left.
        QVERIFY2(error <= previous * (1 + 1e-6) + 1e-14 * power,
            qPrintable(QString("%1 bits: %2 after %3").arg(bits).arg(error).arg(previous)));
        previous = error;
    }
}

void TestRangeProperties::negation_data()
{
    QTest::addColumn<QString>("shape");
    QTest::addColumn<QString>("spec");
    for (const char* shape : { "gauss", "laplace", "bimodal", "outlier", "skewed" })
        for (const auto& spec : specs)
            if (spec != "percentile:2,99.5") // not meant to be
                QTest::newRow(qPrintable(QString("%1, %2").arg(shape).arg(spec.c_str())))
                    << shape << QString::fromStdString(spec);
}

void TestRangeProperties::negation()
{
    QFETCH(QString, shape);
    QFETCH(QString, spec);
    const auto values = draw(shape.toStdString(), 3'000);
    Values mirrored = values;
    for (float& value : mirrored)
        value = -value;
    for (const auto operand : { Operand::Activation, Operand::Weight })
        for (const int bits : { 3, 8 }) {
            auto config = configFor(bits, "symmetric");
            config.signedness = quant::Signedness::Signed;
            config.narrowRange = true; // the same levels on both sides
            const auto scale = estimate(operand, values, config, spec.toStdString()).scale[0];
            const auto other = estimate(operand, mirrored, config, spec.toStdString()).scale[0];
            // Percentiles interpolate from below, and bins are closed below: a bin's width apart, at most.
            QVERIFY2(std::abs(scale - other) <= 2e-3F * scale,
                qPrintable(QString("%1 and %2 at %3 bits").arg(double(scale)).arg(double(other)).arg(bits)));
        }
}

void TestRangeProperties::oneValue()
{
    for (const float value : { 3.5F, -0.02F, 1e-38F, 1e38F })
        for (const auto operand : { Operand::Activation, Operand::Weight })
            for (const auto& spec : specs)
                for (const auto& scheme : schemes)
                    for (const int bits : { 2, 8, 16 }) {
                        const auto encoding = estimate(operand, { value }, configFor(bits, scheme), spec);
                        QVERIFY(encoding.validate());
                        // Nothing may clip a lone value away, except three percent of it or a spread it does not have.
                        if (spec == "min-max" || spec == "mse" || spec == "entropy" || spec.starts_with("percentile"))
                            QVERIFY2(noise({ value }, encoding) <= std::pow(double(encoding.scale[0]), 2) / 4 * 1.001,
                                qPrintable(QString("%1 %2 %3").arg(double(value)).arg(spec.c_str()).arg(bits)));
                    }
}

void TestRangeProperties::fullPercentileIsMinMax()
{
    for (const auto& [shape, make] : shapes)
        for (const auto operand : { Operand::Activation, Operand::Weight })
            for (const auto& scheme : schemes)
                for (const std::string spec : { "percentile:100", "percentile:0,100" }) {
                    const auto values = draw(shape, 2'000);
                    const auto config = configFor(6, scheme);
                    QVERIFY2(estimate(operand, values, config, spec) == estimate(operand, values, config, "min-max"),
                        shape.c_str());
                }
}

void TestRangeProperties::channelsBeatTheTensor_data()
{
    QTest::addColumn<QString>("scheme");
    for (const auto& scheme : schemes)
        QTest::newRow(scheme.c_str()) << QString::fromStdString(scheme);
}

void TestRangeProperties::channelsBeatTheTensor()
{
    QFETCH(QString, scheme);
    constexpr std::int64_t channels = 12;
    constexpr std::size_t each = 150;
    for (const auto& [shape, make] : shapes) {
        auto values = draw(shape, channels * each);
        for (std::size_t i = 0; i < values.size(); ++i)
            values[i] *= static_cast<float>(1 + i / each) / channels;
        const Tensor weight = Tensor::from<float>({ channels, each }, values);
        for (const int bits : { 2, 3, 4, 6, 8 }) {
            auto config = configFor(bits, scheme.toStdString());
            const auto range = *RangeSpec::parse("mse");
            const auto whole = calibration::estimateWeightEncoding(weight.view(), config, range);
            config.granularity = quant::Granularity::perChannel(0);
            const auto apart = calibration::estimateWeightEncoding(weight.view(), config, range);
            // A channel of its own maximum may miss the fraction that served the tensor by a hundredth.
            QVERIFY2(quant::measureError(*apart, weight.view()).noisePower
                    <= quant::measureError(*whole, weight.view()).noisePower * 1.001,
                qPrintable(QString("%1 at %2 bits").arg(shape.c_str()).arg(bits)));
        }
    }
}

void TestRangeProperties::channelsLikeTensors_data()
{
    QTest::addColumn<QString>("spec");
    for (const auto& spec : specs)
        QTest::newRow(spec.c_str()) << QString::fromStdString(spec);
    QTest::newRow("manual") << "manual:-1,2";
}

/// A channel gets what a tensor of its values gets, up to the width of its histogram's bins.
void TestRangeProperties::channelsLikeTensors()
{
    QFETCH(QString, spec);
    const auto range = *RangeSpec::parse(spec.toStdString());
    const std::vector<std::string> mix { "gauss", "laplace", "skewed", "outlier", "all zero" };
    constexpr std::int64_t each = 1'024;
    Values all;
    for (const auto& shape : mix) {
        const auto values = draw(shape, each);
        all.insert(all.end(), values.begin(), values.end());
    }
    TensorStats stats(true);
    stats.observe(Tensor::from<float>({ 1, std::ssize(mix), each }, all).view());
    for (const auto& scheme : schemes) {
        auto config = configFor(4, scheme);
        config.signedness = quant::Signedness::Signed;
        auto perChannel = config;
        perChannel.granularity = quant::Granularity::perChannel(1);
        const auto channels = calibration::estimateEncoding(stats, perChannel, range);
        QVERIFY(channels);
        QCOMPARE(channels->scale.size(), mix.size());
        for (std::size_t c = 0; c < mix.size(); ++c) {
            const auto values = draw(mix[c], each);
            const auto alone = calibration::estimateEncoding(statsOf(values), config, range);
            Encoding channel = *alone;
            channel.scale = { channels->scale[c] };
            channel.zeroPoint = { channels->zeroPoint[c] };
            // By what it does rather than by numbers: two optima may be equally good. What entropy looks for is not
            // this.
            const double allowed = range.method == RangeSpec::Method::Entropy ? 2 : 1.25;
            QVERIFY2(noise(values, channel) <= noise(values, *alone) * allowed + 1e-30,
                qPrintable(QString("%1 %2: %3, alone %4")
                               .arg(mix[c].c_str(), scheme.c_str())
                               .arg(noise(values, channel))
                               .arg(noise(values, *alone))));
        }
    }
}

QTEST_APPLESS_MAIN(TestRangeProperties)
#include "tst_range_properties.moc"
