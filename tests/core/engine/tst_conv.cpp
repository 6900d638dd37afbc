// SPDX-License-Identifier: GPL-3.0-or-later
// labels: unit numeric
#include <QtTest>

#include "tests/core/engine/graph_maker.h"

using namespace quantoscope;
using namespace quantoscope::test;

namespace {

/// Calls visit(index) for every multi-index below `extents`.
template <typename Visit> void forEachIndex(const Ints& extents, const Visit& visit)
{
    std::int64_t count = 1;
    for (std::int64_t extent : extents)
        count *= extent;
    Ints index(extents.size(), 0);
    for (std::int64_t i = 0; i < count; ++i) {
        visit(index);
        for (std::size_t axis = extents.size(); axis-- > 0;) {
            if (++index[axis] < extents[axis])
                break;
            index[axis] = 0;
        }
    }
}

std::size_t flat(const Shape& shape, const Ints& index)
{
    std::int64_t position = 0;
    for (int axis = 0; axis < shape.rank(); ++axis)
        position = position * shape[axis] + index[static_cast<std::size_t>(axis)];
    return static_cast<std::size_t>(position);
}

struct Case {
    Ints input = {};
    Ints weight = {};
    std::int64_t groups = 1;
    Ints strides = {};
    Ints dilations = {};
    Ints padsBegin = {};
    Ints padsEnd = {};
    Attributes extra = {}; ///< auto_pad and the like; pads above are what they must come to
    bool bias = true;
    bool omitPads = false;
};

Ints spatial(const Ints& shape) { return { shape.begin() + 2, shape.end() }; }

Ints orElse(const Ints& list, std::size_t length, std::int64_t fallback)
{
    return list.empty() ? Ints(length, fallback) : list;
}

Attributes attributesOf(const Case& c)
{
    Attributes attributes = c.extra;
    if (c.groups != 1)
        attributes["group"] = c.groups;
    if (!c.strides.empty())
        attributes["strides"] = c.strides;
    if (!c.dilations.empty())
        attributes["dilations"] = c.dilations;
    if (!c.omitPads && !c.padsBegin.empty()) {
        Ints pads = c.padsBegin;
        pads.insert(pads.end(), c.padsEnd.begin(), c.padsEnd.end());
        attributes["pads"] = pads;
    }
    return attributes;
}

/// The operator's definition, in double. `bias` may be empty.
Tensor plainConvolution(const Case& c, const Tensor& x, const Tensor& w, const Tensor* bias)
{
    const std::size_t axes = c.input.size() - 2;
    const Ints strides = orElse(c.strides, axes, 1);
    const Ints dilations = orElse(c.dilations, axes, 1);
    const Ints begin = orElse(c.padsBegin, axes, 0);
    const Ints end = orElse(c.padsEnd, axes, 0);
    Ints extents { c.input[0], c.weight[0] };
    for (std::size_t a = 0; a < axes; ++a)
        extents.push_back(
            (c.input[a + 2] + begin[a] + end[a] - (c.weight[a + 2] - 1) * dilations[a] - 1) / strides[a] + 1);
    Tensor y(DType::Float32, Shape(extents));
    const std::int64_t channels = c.weight[1];
    const std::int64_t features = c.weight[0] / c.groups;
    forEachIndex(extents, [&](const Ints& at) {
        double sum = bias ? static_cast<double>(bias->as<float>()[static_cast<std::size_t>(at[1])]) : 0;
        Ints kernel = spatial(c.weight);
        kernel.insert(kernel.begin(), channels);
        forEachIndex(kernel, [&](const Ints& tap) {
            Ints from { at[0], at[1] / features * channels + tap[0] };
            Ints weight { at[1], tap[0] };
            for (std::size_t a = 0; a < axes; ++a) {
                from.push_back(at[a + 2] * strides[a] + tap[a + 1] * dilations[a] - begin[a]);
                weight.push_back(tap[a + 1]);
                if (from.back() < 0 || from.back() >= c.input[a + 2])
                    return;
            }
            sum += static_cast<double>(x.as<float>()[flat(x.shape(), from)])
                * static_cast<double>(w.as<float>()[flat(w.shape(), weight)]);
        });
        y.as<float>()[flat(y.shape(), at)] = static_cast<float>(sum);
    });
    return y;
}

/// The transposed operator's definition: every input element scatters its weighted window.
Tensor plainTransposed(const Case& c, const Ints& output, const Tensor& x, const Tensor& w, const Tensor* bias)
{
    const std::size_t axes = c.input.size() - 2;
    const Ints strides = orElse(c.strides, axes, 1);
    const Ints dilations = orElse(c.dilations, axes, 1);
    const Ints begin = orElse(c.padsBegin, axes, 0);
    const std::int64_t features = c.weight[1];
    Ints extents { c.input[0], features * c.groups };
    extents.insert(extents.end(), output.begin(), output.end());
    const Shape shape(extents);
    std::vector<double> sums(static_cast<std::size_t>(shape.size()));
    const std::int64_t channels = c.input[1] / c.groups;
    forEachIndex(c.input, [&](const Ints& at) {
        Ints kernel = spatial(c.weight);
        kernel.insert(kernel.begin(), features);
        forEachIndex(kernel, [&](const Ints& tap) {
            Ints to { at[0], at[1] / channels * features + tap[0] };
            Ints weight { at[1], tap[0] };
            for (std::size_t a = 0; a < axes; ++a) {
                to.push_back(at[a + 2] * strides[a] + tap[a + 1] * dilations[a] - begin[a]);
                weight.push_back(tap[a + 1]);
                if (to.back() < 0 || to.back() >= output[a])
                    return;
            }
            sums[flat(shape, to)] += static_cast<double>(x.as<float>()[flat(x.shape(), at)])
                * static_cast<double>(w.as<float>()[flat(w.shape(), weight)]);
        });
    });
    Tensor y(DType::Float32, shape);
    forEachIndex(extents, [&](const Ints& at) {
        const double offset = bias ? static_cast<double>(bias->as<float>()[static_cast<std::size_t>(at[1])]) : 0;
        y.as<float>()[flat(shape, at)] = static_cast<float>(sums[flat(shape, at)] + offset);
    });
    return y;
}

struct Built {
    GraphMaker maker;
    std::vector<Tensor> inputs;
    Tensor x;
    Tensor w;
    Tensor b;
};

/// A graph of one convolution; weight and bias are constants or run-time inputs.
Built buildOne(const std::string& op, const Case& c, bool constantWeights, bool relu6 = false)
{
    const std::int64_t features = op == "Conv" ? c.weight[0] : c.weight[1] * c.groups;
    Built built { GraphMaker(13), {}, randomTensor(Shape(c.input), 1), randomTensor(Shape(c.weight), 2),
        randomTensor(Shape { features }, 3) };
    GraphMaker& maker = built.maker;
    std::vector<ValueId> operands { maker.input("x", Shape(c.input)) };
    built.inputs.push_back(built.x);
    auto add = [&](const char* name, const Tensor& tensor) {
        if (constantWeights) {
            operands.push_back(maker.constant(name, tensor));
        } else {
            operands.push_back(maker.input(name, tensor.shape()));
            built.inputs.push_back(tensor);
        }
    };
    add("w", built.w);
    if (c.bias)
        add("b", built.b);
    ValueId y = maker.node(op, operands, "y", attributesOf(c));
    if (relu6) {
        const ValueId low = maker.constant("low", Tensor::scalar(-0.5F));
        const ValueId high = maker.constant("high", Tensor::scalar(0.75F));
        y = maker.node("Clip", { y, low, high }, "clipped");
    }
    maker.output(y);
    return built;
}

constexpr double tolerance = 2e-5;

} // namespace

Q_DECLARE_METATYPE(Case)

class TestConv : public QObject {
    Q_OBJECT

private slots:
    void convolution_data()
    {
        QTest::addColumn<Case>("c");
        auto row = [](const char* name, Case c) { QTest::newRow(name) << c; };
        row("3x3", { .input = { 2, 8, 9, 7 }, .weight = { 16, 8, 3, 3 }, .padsBegin = { 1, 1 }, .padsEnd = { 1, 1 } });
        row("first layer, three channels",
            { .input = { 2, 3, 32, 32 }, .weight = { 16, 3, 3, 3 }, .padsBegin = { 1, 1 }, .padsEnd = { 1, 1 } });
        row("7x7 stride 2",
            { .input = { 1, 3, 32, 30 },
                .weight = { 64, 3, 7, 7 },
                .strides = { 2, 2 },
                .padsBegin = { 3, 3 },
                .padsEnd = { 3, 3 } });
        row("odd channels, no bias", { .input = { 3, 5, 8, 8 }, .weight = { 7, 5, 3, 3 }, .bias = false });
        row("1x1", { .input = { 2, 16, 5, 5 }, .weight = { 32, 16, 1, 1 } });
        row("1x1 stride 2", { .input = { 2, 16, 8, 8 }, .weight = { 32, 16, 1, 1 }, .strides = { 2, 2 } });
        row("asymmetric pads",
            { .input = { 1, 4, 8, 9 },
                .weight = { 4, 4, 3, 3 },
                .strides = { 2, 2 },
                .padsBegin = { 0, 1 },
                .padsEnd = { 1, 2 } });
        row("dilated",
            { .input = { 1, 4, 16, 16 },
                .weight = { 8, 4, 3, 3 },
                .dilations = { 2, 3 },
                .padsBegin = { 2, 3 },
                .padsEnd = { 2, 3 } });
        row("grouped",
            { .input = { 2, 8, 6, 6 },
                .weight = { 12, 2, 3, 3 },
                .groups = 4,
                .padsBegin = { 1, 1 },
                .padsEnd = { 1, 1 } });
        row("depthwise",
            { .input = { 2, 24, 9, 9 },
                .weight = { 24, 1, 3, 3 },
                .groups = 24,
                .strides = { 2, 2 },
                .padsBegin = { 1, 1 },
                .padsEnd = { 1, 1 } });
        row("depthwise with multiplier", { .input = { 1, 6, 7, 7 }, .weight = { 12, 1, 3, 3 }, .groups = 6 });
        row("one dimension",
            { .input = { 2, 6, 20 },
                .weight = { 8, 6, 5 },
                .strides = { 2 },
                .dilations = { 2 },
                .padsBegin = { 3 },
                .padsEnd = { 1 } });
        row("three dimensions",
            { .input = { 1, 4, 5, 6, 7 },
                .weight = { 6, 4, 3, 2, 3 },
                .strides = { 1, 2, 1 },
                .padsBegin = { 1, 0, 1 },
                .padsEnd = { 1, 1, 0 } });
        row("same upper",
            { .input = { 1, 4, 7, 8 },
                .weight = { 4, 4, 3, 4 },
                .strides = { 2, 2 },
                .padsBegin = { 1, 1 },
                .padsEnd = { 1, 1 },
                .extra = { { "auto_pad", std::string("SAME_UPPER") } },
                .omitPads = true });
        row("same lower, odd padding",
            { .input = { 1, 4, 6, 6 },
                .weight = { 4, 4, 2, 4 },
                .padsBegin = { 1, 2 },
                .padsEnd = { 0, 1 },
                .extra = { { "auto_pad", std::string("SAME_LOWER") } },
                .omitPads = true });
        row("same upper, odd padding",
            { .input = { 1, 4, 6, 6 },
                .weight = { 4, 4, 2, 4 },
                .padsBegin = { 0, 1 },
                .padsEnd = { 1, 2 },
                .extra = { { "auto_pad", std::string("SAME_UPPER") } },
                .omitPads = true });
        row("valid",
            { .input = { 1, 4, 7, 7 },
                .weight = { 4, 4, 3, 3 },
                .extra = { { "auto_pad", std::string("VALID") } },
                .omitPads = true });
        row("window as large as the map", { .input = { 2, 8, 4, 4 }, .weight = { 10, 8, 4, 4 } });
        row("one channel, one feature", { .input = { 1, 1, 5, 5 }, .weight = { 1, 1, 3, 3 } });
    }

    void convolution()
    {
        QFETCH(Case, c);
        for (bool constantWeights : { true, false }) {
            for (auto set : { engine::KernelSet::Fast, engine::KernelSet::Reference }) {
                Built built = buildOne("Conv", c, constantWeights);
                const Tensor expected = plainConvolution(c, built.x, built.w, c.bias ? &built.b : nullptr);
                CompileOptions options;
                options.kernels = set;
                const auto outputs = runGraph(built.maker.graph(), built.inputs, options);
                QVERIFY2(outputs, outputs ? "" : outputs.error().message().c_str());
                QCOMPARE(QString::fromStdString((*outputs)[0].shape().toString()),
                    QString::fromStdString(expected.shape().toString()));
                const double difference = largestDifference((*outputs)[0], expected);
                QVERIFY2(difference < tolerance, qPrintable(QString("off by %1").arg(difference)));
            }
        }
    }

    void fusedClamp()
    {
        const Case c { .input = { 2, 8, 9, 7 }, .weight = { 16, 8, 3, 3 } };
        Built built = buildOne("Conv", c, true, true);
        const auto compiled = engine::compile(built.maker.graph(), {}, {});
        QVERIFY2(compiled, compiled ? "" : compiled.error().message().c_str());
        for (const auto& step : (*compiled)->steps())
            QVERIFY2(step.op != "Clip", "the clip ought to be part of the convolution");
        const auto fused = runGraph(built.maker.graph(), built.inputs);
        CompileOptions apart;
        apart.fuseActivations = false;
        const auto separate = runGraph(built.maker.graph(), built.inputs, apart);
        QVERIFY2(fused, fused ? "" : fused.error().message().c_str());
        QVERIFY2(separate, separate ? "" : separate.error().message().c_str());
        QVERIFY(sameBits((*fused)[0], (*separate)[0]));
        Tensor expected = plainConvolution(c, built.x, built.w, &built.b);
        for (float& value : expected.as<float>())
            value = std::clamp(value, -0.5F, 0.75F);
        QVERIFY(largestDifference((*fused)[0], expected) < tolerance);
    }

    void usesNoPlainLoops()
    {
        const Case c { .input = { 2, 16, 9, 7 }, .weight = { 16, 16, 3, 3 } };
        Built built = buildOne("Conv", c, true);
        const auto compiled = engine::compile(built.maker.graph(), {}, {});
        QVERIFY(compiled);
        for (const auto& step : (*compiled)->steps()) {
            if (step.op == "Conv")
                QVERIFY2(!QString::fromStdString(step.implementation).startsWith("ref"), step.implementation.c_str());
        }
    }

    void transposed_data()
    {
        QTest::addColumn<Case>("c");
        QTest::addColumn<std::vector<qint64>>("output");
        auto row = [](const char* name, Case c, std::vector<qint64> output) { QTest::newRow(name) << c << output; };
        row("3x3", { .input = { 1, 4, 5, 6 }, .weight = { 4, 6, 3, 3 } }, { 7, 8 });
        row("stride 2, pads",
            { .input = { 2, 8, 5, 5 },
                .weight = { 8, 4, 3, 3 },
                .strides = { 2, 2 },
                .padsBegin = { 1, 1 },
                .padsEnd = { 1, 1 } },
            { 9, 9 });
        row("output padding",
            { .input = { 1, 8, 5, 5 },
                .weight = { 8, 4, 3, 3 },
                .strides = { 2, 2 },
                .padsBegin = { 1, 1 },
                .padsEnd = { 1, 1 },
                .extra = { { "output_padding", Ints { 1, 1 } } } },
            { 10, 10 });
        row("output padding without pads",
            { .input = { 1, 3, 4, 4 },
                .weight = { 3, 2, 3, 3 },
                .strides = { 3, 2 },
                .extra = { { "output_padding", Ints { 1, 1 } } } },
            { 13, 10 });
        row("output shape",
            { .input = { 1, 3, 4, 4 },
                .weight = { 3, 2, 3, 3 },
                .strides = { 3, 2 },
                .padsBegin = { 1, 1 },
                .extra = { { "output_shape", Ints { 11, 7 } } },
                .omitPads = true },
            { 11, 7 });
        row("same upper",
            { .input = { 1, 3, 4, 4 },
                .weight = { 3, 2, 3, 3 },
                .strides = { 2, 2 },
                .padsBegin = { 0, 0 },
                .extra = { { "auto_pad", std::string("SAME_UPPER") } },
                .omitPads = true },
            { 8, 8 });
        row("dilated", { .input = { 1, 2, 3, 3 }, .weight = { 2, 2, 2, 2 }, .dilations = { 2, 2 } }, { 5, 5 });
        row("grouped", { .input = { 1, 8, 4, 4 }, .weight = { 8, 3, 3, 3 }, .groups = 2 }, { 6, 6 });
        row("depthwise",
            { .input = { 1, 6, 4, 4 },
                .weight = { 6, 1, 4, 4 },
                .groups = 6,
                .strides = { 2, 2 },
                .padsBegin = { 1, 1 },
                .padsEnd = { 1, 1 },
                .bias = false },
            { 8, 8 });
        row("one dimension", { .input = { 1, 3, 6 }, .weight = { 3, 4, 3 }, .strides = { 2 } }, { 13 });
        row("three dimensions", { .input = { 1, 2, 3, 3, 2 }, .weight = { 2, 3, 2, 2, 2 }, .strides = { 2, 1, 1 } },
            { 6, 4, 3 });
    }

    void transposed()
    {
        QFETCH(Case, c);
        QFETCH(std::vector<qint64>, output);
        for (bool constantWeights : { true, false }) {
            Built built = buildOne("ConvTranspose", c, constantWeights);
            const Tensor expected
                = plainTransposed(c, Ints(output.begin(), output.end()), built.x, built.w, c.bias ? &built.b : nullptr);
            const auto outputs = runGraph(built.maker.graph(), built.inputs);
            QVERIFY2(outputs, outputs ? "" : outputs.error().message().c_str());
            const double difference = largestDifference((*outputs)[0], expected);
            QVERIFY2(difference < tolerance, qPrintable(QString("off by %1").arg(difference)));
        }
    }

    void badAttributesAreNamed_data()
    {
        QTest::addColumn<QString>("key");
        QTest::addColumn<std::vector<qint64>>("value");
        QTest::newRow("three strides for two axes") << "strides" << std::vector<qint64> { 1, 1, 1 };
        QTest::newRow("stride zero") << "strides" << std::vector<qint64> { 0, 1 };
        QTest::newRow("dilation zero") << "dilations" << std::vector<qint64> { 1, 0 };
        QTest::newRow("two pads for two axes") << "pads" << std::vector<qint64> { 1, 1 };
        QTest::newRow("kernel of another size") << "kernel_shape" << std::vector<qint64> { 5, 5 };
    }

    void badAttributesAreNamed()
    {
        QFETCH(QString, key);
        QFETCH(std::vector<qint64>, value);
        const Case c { .input = { 1, 4, 8, 8 },
            .weight = { 4, 4, 3, 3 },
            .extra = { { key.toStdString(), Ints(value.begin(), value.end()) } } };
        Built built = buildOne("Conv", c, true);
        const auto outputs = runGraph(built.maker.graph(), built.inputs);
        QVERIFY(!outputs);
        QCOMPARE(outputs.error().code, ErrorCode::InvalidInput);
        const QString message = QString::fromStdString(outputs.error().message());
        QVERIFY2(message.contains(key) && message.contains("y_node"), qPrintable(message));
    }

    void errorsNameNodeAndShapes()
    {
        const Case c { .input = { 1, 5, 8, 8 }, .weight = { 4, 4, 3, 3 } };
        Built built = buildOne("Conv", c, true);
        const auto outputs = runGraph(built.maker.graph(), built.inputs);
        QVERIFY(!outputs);
        QCOMPARE(outputs.error().code, ErrorCode::InvalidInput);
        const QString message = QString::fromStdString(outputs.error().message());
        QVERIFY2(message.contains("y_node"), qPrintable(message));
    }
};

QTEST_APPLESS_MAIN(TestConv)
#include "tst_conv.moc"
