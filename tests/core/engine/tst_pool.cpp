// SPDX-License-Identifier: GPL-3.0-or-later
// labels: unit numeric
#include <QtTest>

#include "tests/core/engine/graph_maker.h"

using namespace quantoscope;
using namespace quantoscope::test;

namespace {

struct Case {
    Ints input = {};
    Ints kernel = {};
    Ints strides = {};
    Ints dilations = {};
    Ints begin = {};
    Ints end = {};
    Ints output = {}; ///< spatial extents, worked out by hand
    bool ceil = false;
    bool includePads = false;
    std::string autoPad = {}; ///< pads above are what it must come to
    int opset = 13;
};

enum class Kind { Max, Average };

std::int64_t orElse(const Ints& list, std::size_t i, std::int64_t fallback)
{
    return list.empty() ? fallback : list[i];
}

/// One output element by the definition: over the taps inside the input, the mean over those inside the padded input
/// where pads count.
double poolAt(const Case& c, Kind kind, const float* plane, const Ints& position)
{
    const std::size_t axes = c.kernel.size();
    std::int64_t taps = 1;
    for (std::int64_t extent : c.kernel)
        taps *= extent;
    double largest = -INFINITY;
    double sum = 0;
    std::int64_t inside = 0;
    std::int64_t padded = 0;
    for (std::int64_t tap = 0; tap < taps; ++tap) {
        std::int64_t rest = tap;
        std::int64_t offset = 0;
        std::int64_t stride = 1;
        bool isInside = true;
        bool isPadded = true;
        for (std::size_t a = axes; a-- > 0;) {
            const std::int64_t extent = c.input[a + 2];
            const std::int64_t at = position[a] * orElse(c.strides, a, 1)
                + rest % c.kernel[a] * orElse(c.dilations, a, 1) - orElse(c.begin, a, 0);
            rest /= c.kernel[a];
            isInside = isInside && at >= 0 && at < extent;
            isPadded = isPadded && at < extent + orElse(c.end, a, 0);
            offset += at * stride;
            stride *= extent;
        }
        padded += isPadded ? 1 : 0;
        if (!isInside)
            continue;
        ++inside;
        largest = std::max(largest, static_cast<double>(plane[offset]));
        sum += static_cast<double>(plane[offset]);
    }
    return kind == Kind::Max ? largest : sum / static_cast<double>(c.includePads ? padded : inside);
}

Tensor plainPool(const Case& c, Kind kind, const Tensor& x)
{
    Ints extents { c.input[0], c.input[1] };
    extents.insert(extents.end(), c.output.begin(), c.output.end());
    Tensor y(DType::Float32, Shape(extents));
    const std::int64_t planes = c.input[0] * c.input[1];
    const std::int64_t inSize = x.size() / planes;
    const std::int64_t outSize = y.size() / planes;
    for (std::int64_t plane = 0; plane < planes; ++plane) {
        for (std::int64_t i = 0; i < outSize; ++i) {
            Ints position(c.output.size());
            std::int64_t rest = i;
            for (std::size_t a = position.size(); a-- > 0;) {
                position[a] = rest % c.output[a];
                rest /= c.output[a];
            }
            y.as<float>()[static_cast<std::size_t>(plane * outSize + i)]
                = static_cast<float>(poolAt(c, kind, x.as<float>().data() + plane * inSize, position));
        }
    }
    return y;
}

Attributes attributesOf(const Case& c, Kind kind)
{
    Attributes attributes { { "kernel_shape", c.kernel } };
    if (!c.strides.empty())
        attributes["strides"] = c.strides;
    if (!c.dilations.empty())
        attributes["dilations"] = c.dilations;
    if (!c.autoPad.empty()) {
        attributes["auto_pad"] = c.autoPad;
    } else if (!c.begin.empty()) {
        Ints pads = c.begin;
        pads.insert(pads.end(), c.end.begin(), c.end.end());
        attributes["pads"] = pads;
    }
    if (c.ceil)
        attributes["ceil_mode"] = std::int64_t { 1 };
    if (c.includePads && kind == Kind::Average)
        attributes["count_include_pad"] = std::int64_t { 1 };
    return attributes;
}

void compare(const Case& c, Kind kind)
{
    const Tensor x = randomTensor(Shape(c.input), 11, -2, -1); // all negative: a pad must not win as zero
    const Tensor expected = plainPool(c, kind, x);
    for (auto set : { engine::KernelSet::Fast, engine::KernelSet::Reference }) {
        GraphMaker maker(c.opset);
        const ValueId in = maker.input("x", Shape(c.input));
        maker.output(maker.node(kind == Kind::Max ? "MaxPool" : "AveragePool", { in }, "y", attributesOf(c, kind)));
        CompileOptions options;
        options.kernels = set;
        const auto outputs = runGraph(maker.graph(), { x }, options);
        QVERIFY2(outputs, outputs ? "" : outputs.error().message().c_str());
        QCOMPARE(QString::fromStdString((*outputs)[0].shape().toString()),
            QString::fromStdString(expected.shape().toString()));
        const double difference = largestDifference((*outputs)[0], expected);
        QVERIFY2(difference < 2e-6, qPrintable(QString("off by %1").arg(difference)));
    }
}

} // namespace

Q_DECLARE_METATYPE(Case)

class TestPool : public QObject {
    Q_OBJECT

private slots:
    void both_data()
    {
        QTest::addColumn<Case>("c");
        auto row = [](const char* name, Case c) { QTest::newRow(name) << c; };
        row("2x2 stride 2", { .input = { 2, 5, 8, 6 }, .kernel = { 2, 2 }, .strides = { 2, 2 }, .output = { 4, 3 } });
        row("3x3 stride 2, pads",
            { .input = { 1, 16, 9, 9 },
                .kernel = { 3, 3 },
                .strides = { 2, 2 },
                .begin = { 1, 1 },
                .end = { 1, 1 },
                .output = { 5, 5 } });
        row("floor leaves a rest",
            { .input = { 1, 3, 8, 8 }, .kernel = { 3, 3 }, .strides = { 2, 2 }, .output = { 3, 3 } });
        row("ceil",
            { .input = { 1, 3, 8, 8 }, .kernel = { 3, 3 }, .strides = { 2, 2 }, .output = { 4, 4 }, .ceil = true });
        row("asymmetric pads",
            { .input = { 1, 3, 7, 6 },
                .kernel = { 3, 2 },
                .strides = { 2, 1 },
                .begin = { 0, 1 },
                .end = { 2, 0 },
                .output = { 4, 6 } });
        row("one dimension", { .input = { 2, 3, 11 }, .kernel = { 3 }, .strides = { 2 }, .output = { 5 } });
        row("three dimensions",
            { .input = { 1, 3, 4, 6, 5 }, .kernel = { 2, 3, 2 }, .strides = { 2, 1, 1 }, .output = { 2, 4, 4 } });
        row("same upper",
            { .input = { 1, 3, 5, 6 },
                .kernel = { 3, 3 },
                .strides = { 2, 2 },
                .begin = { 1, 0 },
                .end = { 1, 1 },
                .output = { 3, 3 },
                .autoPad = "SAME_UPPER" });
        row("same lower",
            { .input = { 1, 3, 5, 6 },
                .kernel = { 2, 2 },
                .begin = { 1, 1 },
                .end = { 0, 0 },
                .output = { 5, 6 },
                .autoPad = "SAME_LOWER" });
        row("valid", { .input = { 1, 3, 5, 6 }, .kernel = { 2, 2 }, .output = { 4, 5 }, .autoPad = "VALID" });
    }

    void both()
    {
        QFETCH(Case, c);
        compare(c, Kind::Max);
        compare(c, Kind::Average);
    }

    void dilatedMax()
    {
        compare({ .input = { 1, 4, 9, 9 }, .kernel = { 3, 2 }, .dilations = { 2, 3 }, .output = { 5, 6 } }, Kind::Max);
        compare({ .input = { 1, 4, 9 },
                    .kernel = { 3 },
                    .strides = { 2 },
                    .dilations = { 2 },
                    .begin = { 1 },
                    .end = { 1 },
                    .output = { 4 } },
            Kind::Max);
    }

    void averageCountsPads()
    {
        compare({ .input = { 1, 4, 6, 6 },
                    .kernel = { 3, 3 },
                    .begin = { 1, 1 },
                    .end = { 1, 1 },
                    .output = { 6, 6 },
                    .includePads = true },
            Kind::Average);
        compare({ .input = { 1, 4, 6, 6 },
                    .kernel = { 3, 3 },
                    .strides = { 2, 2 },
                    .begin = { 1, 1 },
                    .end = { 1, 1 },
                    .output = { 3, 3 },
                    .includePads = true },
            Kind::Average);
    }

    void global_data()
    {
        QTest::addColumn<std::vector<qint64>>("extents");
        QTest::newRow("one dimension") << std::vector<qint64> { 2, 5, 7 };
        QTest::newRow("two dimensions") << std::vector<qint64> { 2, 64, 8, 8 };
        QTest::newRow("three dimensions") << std::vector<qint64> { 1, 3, 2, 3, 4 };
        QTest::newRow("already one element") << std::vector<qint64> { 1, 3, 1, 1 };
    }

    void global()
    {
        QFETCH(std::vector<qint64>, extents);
        const Shape shape(Ints(extents.begin(), extents.end()));
        const Tensor x = randomTensor(shape, 5, -2, -1);
        for (Kind kind : { Kind::Max, Kind::Average }) {
            Case c;
            c.input = shape.dims();
            c.kernel.assign(c.input.begin() + 2, c.input.end());
            c.output.assign(c.kernel.size(), 1);
            GraphMaker maker;
            const ValueId in = maker.input("x", shape);
            maker.output(maker.node(kind == Kind::Max ? "GlobalMaxPool" : "GlobalAveragePool", { in }, "y"));
            const auto outputs = runGraph(maker.graph(), { x });
            QVERIFY2(outputs, outputs ? "" : outputs.error().message().c_str());
            QVERIFY(largestDifference((*outputs)[0], plainPool(c, kind, x)) < 2e-6);
        }
    }

    void missingKernelShapeIsNamed()
    {
        GraphMaker maker;
        const ValueId in = maker.input("x", { 1, 1, 4, 4 });
        maker.output(maker.node("MaxPool", { in }, "y"));
        const auto compiled = engine::compile(maker.graph(), {}, {});
        QVERIFY(!compiled);
        QCOMPARE(compiled.error().code, ErrorCode::InvalidInput);
        const QString message = QString::fromStdString(compiled.error().message());
        QVERIFY2(message.contains("kernel_shape") && message.contains("y_node"), qPrintable(message));
    }
};

QTEST_APPLESS_MAIN(TestPool)
#include "tst_pool.moc"
