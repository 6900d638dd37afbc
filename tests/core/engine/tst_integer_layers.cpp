// SPDX-License-Identifier: GPL-3.0-or-later
// labels: unit numeric
// Compute layers in integers against their definition: sums of whole numbers, then one rounding to the grid behind.
#include <QCoreApplication>
#include <QProcess>
#include <QtTest>

#include "core/engine/kernels/integer/integer_kernels.h"
#include "tests/core/engine/graph_maker.h"

using namespace quantoscope;
using namespace quantoscope::test;

namespace {

using quant::Encoding;

/// A grid as a test row says it.
struct Grid {
    int bits = 8;
    bool isSigned = false;
    std::int32_t zeroPoint = 0; ///< level
    float scale = 0.02F;
    bool narrow = false;

    Encoding encoding() const
    {
        Encoding result;
        result.qmin = isSigned ? -(1 << (bits - 1)) + (narrow ? 1 : 0) : 0;
        result.qmax = isSigned ? (1 << (bits - 1)) - 1 : (1 << bits) - 1;
        result.scale = { scale };
        result.zeroPoint = { zeroPoint };
        return result;
    }
};

struct Case {
    std::string op = "Conv";
    Shape input { 2, 16, 9, 7 };
    Shape weight { 24, 16, 3, 3 };
    Attributes attributes {};
    Grid in {};
    Grid weights { 8, true, 0, 0.01F, false };
    bool perChannel = true;
    std::optional<Grid> out = Grid { 8, false, 0, 0.05F, false };
    bool bias = true;
    std::optional<std::pair<float, float>> clip {};
};

int channelAxis(const Case& c)
{
    if (c.op == "Conv")
        return 0;
    const auto transposed = c.attributes.find("transB");
    return transposed != c.attributes.end() ? 0 : 1;
}

/// Scales that differ from channel to channel, powers of two where the row's scale is one.
Encoding weightEncoding(const Case& c)
{
    Encoding encoding = c.weights.encoding();
    if (!c.perChannel)
        return encoding;
    encoding.axis = channelAxis(c);
    const auto channels = static_cast<std::size_t>(c.weight[encoding.axis]);
    encoding.scale.clear();
    for (std::size_t channel = 0; channel < channels; ++channel) {
        const float factor = c.weights.scale == 0.125F ? (channel % 2 == 0 ? 1.0F : 0.5F)
                                                       : 1 + 0.07F * static_cast<float>(channel % 11);
        encoding.scale.push_back(c.weights.scale * factor);
    }
    encoding.zeroPoint.assign(channels, c.weights.zeroPoint);
    return encoding;
}

float scaleOf(const Encoding& encoding, std::size_t channel)
{
    return encoding.scale[encoding.scale.size() == 1 ? 0 : channel];
}

/// Values all over a grid and a little beyond.
Tensor valuesFor(const Encoding& encoding, const Shape& shape, std::uint64_t seed)
{
    const float beyond = 1.1F;
    return randomTensor(shape, seed, static_cast<double>(encoding.low() * beyond - encoding.scale[0]),
        static_cast<double>(encoding.high() * beyond + encoding.scale[0]));
}

/// Levels less the zero point, as floats.
Tensor wholeNumbers(const Encoding& encoding, const Tensor& values)
{
    std::vector<std::int32_t> levels(static_cast<std::size_t>(values.size()));
    quant::quantize(encoding, values.shape(), values.as<float>(), levels);
    Tensor result(DType::Float32, values.shape());
    for (std::size_t i = 0; i < levels.size(); ++i)
        result.as<float>()[i] = static_cast<float>(levels[i] - encoding.zeroPoint[0]);
    return result;
}

struct Operands {
    Encoding in;
    Encoding weights;
    Tensor input;
    Tensor weight;
    Tensor bias; ///< whole multiples of s_x s_w
    std::vector<float> biasLevels;
};

Operands operandsFor(const Case& c)
{
    Operands operands { c.in.encoding(), weightEncoding(c), {}, {}, {}, {} };
    operands.input = valuesFor(operands.in, c.input, 1);
    operands.weight = valuesFor(c.weights.encoding(), c.weight, 2);
    const auto channels = static_cast<std::size_t>(c.weight[channelAxis(c)]);
    operands.bias = Tensor(DType::Float32, Shape { static_cast<std::int64_t>(channels) });
    for (std::size_t channel = 0; channel < channels; ++channel) {
        const auto level = static_cast<float>(static_cast<int>(channel * 37 % 201) - 100);
        operands.biasLevels.push_back(level);
        operands.bias.as<float>()[channel] = level * (operands.in.scale[0] * scaleOf(operands.weights, channel));
    }
    return operands;
}

graph::Graph makeGraph(const Case& c, const Tensor& weight, const Tensor* bias, bool clips)
{
    GraphMaker maker;
    std::vector<ValueId> inputs { maker.input("x", c.input), maker.constant("w", weight) };
    if (bias && c.op != "MatMul")
        inputs.push_back(maker.constant("b", *bias));
    ValueId last = maker.node(c.op, inputs, "sum", c.attributes);
    if (clips && c.clip)
        last = maker.node("Clip",
            { last, maker.constant("low", Tensor::scalar(c.clip->first)),
                maker.constant("high", Tensor::scalar(c.clip->second)) },
            "clipped");
    maker.output(last);
    return maker.graph();
}

Encoding biasEncoding(const Operands& operands)
{
    Encoding encoding;
    encoding.qmin = std::numeric_limits<std::int32_t>::min();
    encoding.qmax = std::numeric_limits<std::int32_t>::max();
    encoding.axis = 0;
    encoding.scale.clear();
    for (std::size_t channel = 0; channel < operands.biasLevels.size(); ++channel)
        encoding.scale.push_back(operands.in.scale[0] * scaleOf(operands.weights, channel));
    encoding.zeroPoint.assign(encoding.scale.size(), 0);
    return encoding;
}

quant::QuantizationPlan planFor(const Case& c, const Operands& operands)
{
    quant::QuantizationPlan plan;
    plan.scope = c.out ? quant::Scope::Integer : quant::Scope::Compute;
    const auto add = [&plan](const char* tensor, quant::Role role, const Encoding& encoding) {
        quant::TensorQuantizer quantizer;
        quantizer.role = role;
        quantizer.encoding = encoding;
        plan.set(tensor, quantizer);
    };
    add("x", quant::Role::Activation, operands.in);
    add("w", quant::Role::Weight, operands.weights);
    if (c.out && c.bias && c.op != "MatMul")
        add("b", quant::Role::Bias, biasEncoding(operands));
    if (c.out)
        add(c.clip ? "clipped" : "sum", quant::Role::Activation, c.out->encoding());
    return plan;
}

/// (float(sum) + bias) multiplier, rounded half to even and clamped to grid and activation: what compile() promises.
Tensor expected(const Case& c, const Operands& operands)
{
    const Tensor weight = wholeNumbers(operands.weights, operands.weight);
    CompileOptions options;
    options.kernels = engine::KernelSet::Reference;
    const auto sums
        = runGraph(makeGraph(c, weight, nullptr, false), { wholeNumbers(operands.in, operands.input) }, options)
              .value();
    Tensor result(DType::Float32, sums[0].shape());
    const bool isConvolution = c.op == "Conv";
    const std::int64_t channels = sums[0].shape()[isConvolution ? 1 : sums[0].shape().rank() - 1];
    const std::int64_t positions = isConvolution ? sums[0].size() / sums[0].shape()[0] / channels : 1;
    for (std::int64_t i = 0; i < result.size(); ++i) {
        const auto channel = static_cast<std::size_t>(i / positions % channels);
        const double scale
            = static_cast<double>(operands.in.scale[0]) * static_cast<double>(scaleOf(operands.weights, channel));
        const bool biased = c.bias && c.op != "MatMul";
        // A bias that is not quantized need not be a whole number of units.
        const double units = static_cast<double>(operands.bias.as<float>()[channel]) / scale;
        const float bias = !biased ? 0 : c.out ? operands.biasLevels[channel] : static_cast<float>(units);
        const float sum = sums[0].as<float>()[static_cast<std::size_t>(i)] + bias;
        float& y = result.as<float>()[static_cast<std::size_t>(i)];
        if (!c.out) {
            y = sum * static_cast<float>(scale);
            if (c.clip)
                y = std::min(std::max(y, c.clip->first), c.clip->second);
            continue;
        }
        const Encoding out = c.out->encoding();
        float level = std::nearbyint(sum * static_cast<float>(scale / static_cast<double>(out.scale[0])));
        if (c.clip) {
            level = std::max(level, std::nearbyint(c.clip->first / out.scale[0]));
            level = std::min(level, std::nearbyint(c.clip->second / out.scale[0]));
        }
        const auto zero = static_cast<float>(out.zeroPoint[0]);
        level = std::clamp(level, static_cast<float>(out.qmin) - zero, static_cast<float>(out.qmax) - zero);
        y = level * out.scale[0];
    }
    return result;
}

std::vector<std::pair<const char*, Case>> cases()
{
    const Attributes padded { { "pads", Ints { 1, 1, 1, 1 } } };
    const Grid asymmetric { 8, false, 77, 0.02F, false };
    const Grid powerOfTwo { 8, false, 0, 0.25F, false };
    const Grid signedBytes { 8, true, 0, 0.02F, false };
    std::vector<std::pair<const char*, Case>> rows {
        { "convolution", { .attributes = padded } },
        { "unpadded", {} },
        { "per tensor", { .attributes = padded, .perChannel = false } },
        { "without bias", { .attributes = padded, .bias = false } },
        { "stride 2", { .attributes = { { "pads", Ints { 1, 1, 1, 1 } }, { "strides", Ints { 2, 2 } } } } },
        { "pads of four sizes", { .attributes = { { "pads", Ints { 0, 1, 2, 1 } } } } },
        { "dilated", { .attributes = { { "pads", Ints { 2, 2, 2, 2 } }, { "dilations", Ints { 2, 2 } } } } },
        { "1 x 1", { .weight = { 24, 16, 1, 1 } } },
        { "1 x 1, zero point", { .weight = { 24, 16, 1, 1 }, .in = asymmetric } },
        { "three channels", { .input = { 2, 3, 12, 12 }, .weight = { 8, 3, 3, 3 }, .attributes = padded } },
        { "four channels", { .input = { 2, 4, 13, 11 }, .weight = { 8, 4, 3, 3 }, .attributes = padded } },
        { "five channels to seven", { .input = { 2, 5, 6, 6 }, .weight = { 7, 5, 3, 3 }, .attributes = padded } },
        { "zero point pads", { .attributes = padded, .in = asymmetric } },
        { "zero point pads on one side", { .attributes = { { "pads", Ints { 0, 1, 2, 1 } } }, .in = asymmetric } },
        { "signed input", { .attributes = padded, .in = signedBytes } },
        { "signed narrow input", { .attributes = padded, .in = { 8, true, 0, 0.02F, true } } },
        { "narrow weights", { .attributes = padded, .weights = { 8, true, 0, 0.01F, true } } },
        { "signed output", { .attributes = padded, .out = signedBytes } },
        { "odd zero point behind", { .attributes = padded, .out = Grid { 8, false, 113, 0.05F, false } } },
        { "powers of two",
            { .attributes = padded,
                .in = powerOfTwo,
                .weights = { 8, true, 0, 0.125F, false },
                .out = Grid { 8, false, 0, 4.0F, false } } },
        { "powers of two, odd zero point",
            { .attributes = padded,
                .in = powerOfTwo,
                .weights = { 8, true, 0, 0.125F, false },
                .out = Grid { 8, false, 101, 4.0F, false } } },
        { "4 bits",
            { .attributes = padded,
                .in = { 4, false, 0, 0.3F, false },
                .weights = { 4, true, 0, 0.1F, false },
                .out = Grid { 4, false, 0, 1.0F, false } } },
        { "2 bits",
            { .attributes = padded,
                .in = { 2, false, 1, 0.3F, false },
                .weights = { 2, true, 0, 0.1F, false },
                .out = Grid { 2, false, 1, 1.0F, false } } },
        { "asymmetric weights", { .attributes = padded, .weights = { 7, false, 60, 0.01F, false } } },
        { "clipped",
            { .attributes = padded, .out = Grid { 8, false, 20, 0.05F, false }, .clip = { { -0.5F, 6.0F } } } },
        { "rectified", { .attributes = padded, .clip = { { 0.0F, INFINITY } } } },
        { "two groups",
            { .weight = { 24, 8, 3, 3 },
                .attributes = { { "pads", Ints { 1, 1, 1, 1 } }, { "group", std::int64_t { 2 } } } } },
        { "groups of four",
            { .weight = { 16, 4, 3, 3 },
                .attributes = { { "pads", Ints { 1, 1, 1, 1 } }, { "group", std::int64_t { 4 } } } } },
        { "a line", { .input = { 2, 16, 20 }, .weight = { 24, 16, 3 }, .attributes = { { "pads", Ints { 1, 1 } } } } },
        { "a line, zero point",
            { .input = { 2, 16, 20 },
                .weight = { 24, 16, 3 },
                .attributes = { { "pads", Ints { 1, 1 } } },
                .in = asymmetric } },
        { "a volume",
            { .input = { 1, 8, 5, 6, 7 },
                .weight = { 8, 8, 3, 3, 3 },
                .attributes = { { "pads", Ints { 1, 1, 1, 1, 1, 1 } } },
                .in = asymmetric } },
        { "gemm", { .op = "Gemm", .input = { 3, 40 }, .weight = { 40, 10 } } },
        { "gemm, transposed, zero point",
            { .op = "Gemm",
                .input = { 3, 40 },
                .weight = { 10, 40 },
                .attributes = { { "transB", std::int64_t { 1 } } },
                .in = asymmetric } },
        { "matmul", { .op = "MatMul", .input = { 3, 40 }, .weight = { 40, 10 } } },
        { "matmul of a stack",
            { .op = "MatMul", .input = { 2, 3, 40 }, .weight = { 40, 10 }, .in = asymmetric, .out = signedBytes } },
    };
    const auto depthwise = [&](const char* name, std::int64_t channels, Grid in, Ints strides, std::int64_t side) {
        rows.push_back({ name,
            { .input = { 2, channels, 9, 11 },
                .weight = { channels, 1, side, side },
                .attributes = { { "pads", Ints(4, side / 2) }, { "strides", strides }, { "group", channels } },
                .in = in } });
    };
    depthwise("depthwise", 32, {}, { 1, 1 }, 3);
    depthwise("depthwise, zero point", 32, asymmetric, { 1, 1 }, 3);
    depthwise("depthwise, stride 2", 48, {}, { 2, 2 }, 3);
    depthwise("depthwise, stride 2, zero point", 48, asymmetric, { 2, 2 }, 3);
    depthwise("depthwise, 5 x 5", 16, asymmetric, { 1, 1 }, 5);
    depthwise("depthwise, 13 channels", 13, asymmetric, { 1, 1 }, 3);
    return rows;
}

/// The grid with 5 bits, as large.
Grid narrowed(Grid grid)
{
    const int shift = std::max(0, grid.bits - 5);
    grid.bits -= shift;
    grid.zeroPoint >>= shift;
    grid.scale *= static_cast<float>(1 << shift);
    return grid;
}

/// Whether pairs of products fit 16 bits, as the condition is written; weights count from their zero point.
bool fitsPairs(const Case& c)
{
    const std::int32_t weight = c.weights.isSigned
        ? 1 << (c.weights.bits - 1)
        : std::max(c.weights.zeroPoint, (1 << c.weights.bits) - 1 - c.weights.zeroPoint);
    return 2 * ((1 << c.in.bits) - 1) * weight <= 32767;
}

} // namespace

class TestIntegerLayers : public QObject {
    Q_OBJECT

private slots:
    void matchesWholeNumbers_data();
    void matchesWholeNumbers();
    void withoutWideSums();
};

void TestIntegerLayers::matchesWholeNumbers_data()
{
    QTest::addColumn<int>("index");
    QTest::addColumn<bool>("quantizedOutput");
    QTest::addColumn<bool>("narrow");
    for (int i = 0; const auto& [name, c] : cases()) {
        QTest::newRow(name) << i << true << false;
        QTest::addRow("%s, float output", name) << i << false << false;
        QTest::addRow("%s, 5 bits", name) << i << true << true;
        ++i;
    }
}

void TestIntegerLayers::matchesWholeNumbers()
{
    QFETCH(int, index);
    QFETCH(bool, quantizedOutput);
    QFETCH(bool, narrow);
    Case c = cases()[static_cast<std::size_t>(index)].second;
    if (!quantizedOutput)
        c.out.reset();
    if (narrow) {
        c.in = narrowed(c.in);
        c.weights = narrowed(c.weights);
    }
    const Operands operands = operandsFor(c);
    const auto graph = makeGraph(c, operands.weight, c.bias ? &operands.bias : nullptr, true);
    CompileOptions options;
    options.arithmetic = engine::Arithmetic::Integer;
    const auto plan = planFor(c, operands);
    const auto compiled = engine::compile(graph, plan, options);
    if (!engine::addsInFullWidth() && !fitsPairs(c)) {
        QVERIFY(!compiled.has_value());
        QVERIFY2(compiled.error().what.find("16 bits") != std::string::npos, compiled.error().message().c_str());
        options.arithmetic = engine::Arithmetic::Auto;
        QCOMPARE(engine::compile(graph, plan, options).value()->arithmeticUse().integerLayers, 0);
        return;
    }
    QVERIFY2(compiled.has_value(), compiled ? "" : compiled.error().message().c_str());
    QCOMPARE((*compiled)->arithmeticUse().integerLayers, 1);
    for (const auto& step : (*compiled)->steps())
        qDebug("%s: %s", step.op.c_str(), step.implementation.c_str());
    const auto outputs = runGraph(graph, { operands.input }, options, plan).value();
    const Tensor reference = expected(c, operands);
    QCOMPARE(outputs[0].shape().toString(), reference.shape().toString());
    int differing = 0;
    double worst = 0;
    double largest = 0;
    for (std::size_t i = 0; i < static_cast<std::size_t>(reference.size()); ++i) {
        const auto wanted = static_cast<double>(reference.as<float>()[i]);
        const double difference = std::abs(static_cast<double>(outputs[0].as<float>()[i]) - wanted);
        differing += difference != 0 ? 1 : 0;
        worst = std::max(worst, difference);
        largest = std::max(largest, std::abs(wanted));
    }
    // Codes are the same to the bit. A float result may carry the rounding of its bias, which is kept in units of the
    // sum together with what the input's zero point adds.
    const double allowed = c.out ? 0 : 3e-7 * largest;
    QVERIFY2(worst <= allowed,
        qPrintable(QString("%1 of %2 differ, by at most %3").arg(differing).arg(reference.size()).arg(worst)));
}

void TestIntegerLayers::withoutWideSums()
{
    if (!engine::addsInFullWidth())
        QSKIP("this is the processor, or the run, without");
    QProcess again;
    auto environment = QProcessEnvironment::systemEnvironment();
    environment.insert("ONEDNN_MAX_CPU_ISA", "AVX2");
    again.setProcessEnvironment(environment);
    again.setProcessChannelMode(QProcess::MergedChannels);
    again.start(QCoreApplication::applicationFilePath(), {});
    QVERIFY(again.waitForFinished(60000));
    QVERIFY2(again.exitCode() == 0, again.readAll());
}

QTEST_GUILESS_MAIN(TestIntegerLayers)
#include "tst_integer_layers.moc"
