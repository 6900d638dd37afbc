// SPDX-License-Identifier: GPL-3.0-or-later
#include <QtTest>

#include <numeric>

#include "tests/support/kernel_harness.h"

using namespace quantoscope;
using namespace quantoscope::test;

namespace {

Tensor counting(const Shape& shape, DType dtype = DType::Float32)
{
    Tensor tensor(DType::Int64, shape);
    std::iota(tensor.as<std::int64_t>().begin(), tensor.as<std::int64_t>().end(), 0);
    return tensor::convert(tensor.view(), dtype);
}

Tensor indices(const Shape& shape, const Ints& values) { return Tensor::from(shape, values); }

} // namespace

Q_DECLARE_METATYPE(quantoscope::test::KernelCall)

class DataMovementTest : public QObject {
    Q_OBJECT

private slots:
    void fastEqualsReference_data();
    void fastEqualsReference();
    void keepsChannelsLast_data();
    void keepsChannelsLast();
    void stored_data();
    void stored();
    void randomSlices();
    void randomTransposes();
    void splitThenConcat();
    void depthAndSpaceAreInverse();
    void aliases_data();
    void aliases();
    void castsBetweenAllTypes();
    void outOfRangeIndicesStayInside();
    void errors_data();
    void errors();
};

void DataMovementTest::fastEqualsReference_data()
{
    QTest::addColumn<KernelCall>("call");
    const auto row = [](const char* name, const KernelCall& call) { QTest::newRow(name) << call; };
    const auto x = counting({ 2, 3, 5, 4 });
    const DType f = DType::Float32;
    row("shortcut slice",
        { "Slice", { dynamic(x), ints({ 0, 0 }), ints({ 99, 99 }), ints({ 2, 3 }), ints({ 2, 2 }) },
            { { f, { 2, 3, 3, 2 } } } });
    row("negative steps",
        { "Slice", { dynamic(x), ints({ -1, 9 }), ints({ -99, 0 }), ints({ 1, 2 }), ints({ -1, -2 }) },
            { { f, { 2, 3, 2, 4 } } } });
    row("empty slice", { "Slice", { dynamic(x), ints({ 3 }), ints({ 3 }), ints({ 3 }) }, { { f, { 2, 3, 5, 0 } } } });
    row("huge step",
        { "Slice",
            { dynamic(x), ints({ 1 }), ints({ 99 }), ints({ 2 }), ints({ std::numeric_limits<std::int64_t>::max() }) },
            { { f, { 2, 3, 1, 4 } } } });
    row("lowest step",
        { "Slice",
            { dynamic(x), ints({ -1 }), ints({ std::numeric_limits<std::int64_t>::min() }), ints({ 2 }),
                ints({ std::numeric_limits<std::int64_t>::min() }) },
            { { f, { 2, 3, 1, 4 } } } });
    row("slice by attributes",
        { .op = "Slice",
            .inputs = { dynamic(x) },
            .outputs = { { f, { 2, 2, 5, 4 } } },
            .attributes = { { "starts", Ints { 1 } }, { "ends", Ints { 3 } }, { "axes", Ints { 1 } } },
            .opset = 9 });
    row("concat channels",
        { "Concat", { dynamic(x), dynamic(counting({ 2, 1, 5, 4 })), dynamic(x) }, { { f, { 2, 7, 5, 4 } } },
            { { "axis", std::int64_t { 1 } } } });
    row("concat last",
        { "Concat", { dynamic(x), constant(counting({ 2, 3, 5, 2 })) }, { { f, { 2, 3, 5, 6 } } },
            { { "axis", std::int64_t { -1 } } } });
    row("pad channels", { "Pad", { dynamic(x), ints({ 0, 2, 0, 0, 0, 1, 0, 0 }) }, { { f, { 2, 6, 5, 4 } } } });
    row("pad and crop",
        { "Pad", { dynamic(x), ints({ 0, 0, 1, -1, 0, 0, -2, 2 }), dynamic(Tensor::scalar(7.0F)) },
            { { f, { 2, 3, 4, 5 } } } });
    row("pad some axes",
        { "Pad", { dynamic(x), ints({ 1, 0, 0, 2 }), absent(), ints({ -1, 2 }) }, { { f, { 2, 3, 7, 5 } } } });
    row("reflect",
        { "Pad", { dynamic(x), ints({ 0, 0, 3, 2, 0, 0, 4, 3 }) }, { { f, { 2, 3, 12, 9 } } },
            { { "mode", std::string("reflect") } } });
    row("edge",
        { "Pad", { dynamic(x), ints({ 1, 0, 0, 9, 0, 0, 2, 0 }) }, { { f, { 3, 3, 7, 13 } } },
            { { "mode", std::string("edge") } } });
    row("pad by attributes",
        { .op = "Pad",
            .inputs = { dynamic(x) },
            .outputs = { { f, { 2, 3, 5, 6 } } },
            .attributes = { { "pads", Ints { 0, 0, 0, 1, 0, 0, 0, 1 } }, { "value", 2.5F } },
            .opset = 10 });
    row("transpose", { "Transpose", { dynamic(x) }, { { f, { 5, 2, 4, 3 } } }, { { "perm", Ints { 2, 0, 3, 1 } } } });
    row("transpose by default", { "Transpose", { dynamic(x) }, { { f, { 4, 5, 3, 2 } } } });
}

void DataMovementTest::fastEqualsReference()
{
    QFETCH(KernelCall, call);
    const auto reference = runKernel(call, KernelSet::Reference);
    QVERIFY2(reference, reference ? "" : reference.error().message().c_str());
    for (const DType dtype : { DType::Float32, DType::Int8, DType::Float16, DType::Int64 }) {
        if (dtype != DType::Float32 && call.op == "Pad" && call.inputs.size() == 3)
            continue; // its padding value is float32
        for (const Layout layout : { Layout::Plain, Layout::ChannelsLast }) {
            KernelCall typed = call;
            for (auto& input : typed.inputs) {
                if (input.tensor.dtype() != DType::Float32 || input.tensor.shape().rank() != 4)
                    continue;
                input.tensor = tensor::convert(input.tensor.view(), dtype);
                input.layout = input.constant ? Layout::Plain : layout;
            }
            typed.outputs[0].dtype = dtype;
            const auto fast = runKernel(typed);
            QVERIFY2(fast, fast ? "" : fast.error().message().c_str());
            const Tensor expected = tensor::convert(reference->outputs[0].view(), dtype);
            QCOMPARE(difference(fast->outputs[0], expected), std::string());
        }
    }
}

void DataMovementTest::keepsChannelsLast_data() { fastEqualsReference_data(); }

void DataMovementTest::keepsChannelsLast()
{
    QFETCH(KernelCall, call);
    call.inputs[0].layout = Layout::ChannelsLast;
    const auto run = runKernel(call);
    QVERIFY(run);
    QCOMPARE(run->outputLayouts[0], call.op == "Transpose" ? Layout::Plain : Layout::ChannelsLast);
}

void DataMovementTest::stored_data()
{
    QTest::addColumn<KernelCall>("call");
    QTest::addColumn<QList<double>>("expected");
    const DType f = DType::Float32;
    const auto row = [](const char* name, const KernelCall& call, const QList<double>& expected) {
        QTest::newRow(name) << call << expected;
    };
    const auto x = dynamic(counting({ 2, 3 }));
    row("Expand", { "Expand", { dynamic(counting({ 3, 1 })), ints({ 2, 1, 2 }) }, { { f, { 2, 3, 2 } } } },
        { 0, 0, 1, 1, 2, 2, 0, 0, 1, 1, 2, 2 });
    row("Tile", { "Tile", { x, ints({ 2, 2 }) }, { { f, { 4, 6 } } } },
        { 0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5, 0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5 });
    row("wrap", { "Pad", { x, ints({ 0, 2, 0, 4 }) }, { { f, { 2, 9 } } }, { { "mode", std::string("wrap") } } },
        { 1, 2, 0, 1, 2, 0, 1, 2, 0, 4, 5, 3, 4, 5, 3, 4, 5, 3 });
    row("Gather",
        { "Gather", { x, dynamic(indices({ 2 }, { 2, -3 })) }, { { f, { 2, 2 } } },
            { { "axis", std::int64_t { 1 } } } },
        { 2, 0, 5, 3 });
    row("GatherElements", { "GatherElements", { x, dynamic(indices({ 1, 3 }, { 1, 0, -1 })) }, { { f, { 1, 3 } } } },
        { 3, 1, 5 });
    row("GatherND", { "GatherND", { x, dynamic(indices({ 2, 2 }, { 1, 2, 0, -1 })) }, { { f, { 2 } } } }, { 5, 2 });
    row("GatherND in batches",
        { "GatherND", { x, dynamic(indices({ 2, 1 }, { 2, 0 })) }, { { f, { 2 } } },
            { { "batch_dims", std::int64_t { 1 } } } },
        { 2, 3 });
    row("ScatterND",
        { "ScatterND", { x, dynamic(indices({ 1, 1 }, { 1 })), dynamic(counting({ 1, 3 })) }, { { f, { 2, 3 } } } },
        { 0, 1, 2, 0, 1, 2 });
    row("ScatterElements adds",
        { "ScatterElements", { x, dynamic(indices({ 2, 1 }, { 2, 2 })), dynamic(counting({ 2, 1 })) },
            { { f, { 2, 3 } } }, { { "axis", std::int64_t { 1 } }, { "reduction", std::string("add") } } },
        { 0, 1, 2, 3, 4, 6 });
    row("CumSum",
        { "CumSum", { x, ints({ 1 }) }, { { f, { 2, 3 } } },
            { { "exclusive", std::int64_t { 1 } }, { "reverse", std::int64_t { 1 } } } },
        { 3, 2, 0, 9, 5, 0 });
    row("Trilu", { "Trilu", { x, ints({ 1 }) }, { { f, { 2, 3 } } } }, { 0, 1, 2, 0, 0, 5 });
    row("Range",
        { "Range", { dynamic(Tensor::scalar(5.0F)), dynamic(Tensor::scalar(0.0F)), dynamic(Tensor::scalar(-2.0F)) },
            { { f, { 3 } } } },
        { 5, 3, 1 });
    row("OneHot",
        { "OneHot",
            { dynamic(indices({ 2 }, { 2, -3 })), ints({ 3 }),
                dynamic(Tensor::from(Shape { 2 }, std::vector<float> { 8, 9 })) },
            { { f, { 2, 3 } } } },
        { 8, 8, 9, 9, 8, 8 });
    row("EyeLike", { "EyeLike", { x }, { { f, { 2, 3 } } }, { { "k", std::int64_t { 1 } } } }, { 0, 1, 0, 0, 0, 1 });
    row("Shape",
        { .op = "Shape",
            .inputs = { x },
            .outputs = { { DType::Int64, { 1 } } },
            .attributes = { { "start", std::int64_t { -1 } } } },
        { 3 });
    row("Size", { "Size", { x }, { { DType::Int64, {} } } }, { 6 });
    row("ConstantOfShape", { "ConstantOfShape", { ints({ 2 }) }, { { f, { 2 } } } }, { 0, 0 });
    row("Constant",
        { .op = "Constant",
            .inputs = {},
            .outputs = { { DType::Int64, { 2 } } },
            .attributes = { { "value_ints", Ints { 4, 5 } } } },
        { 4, 5 });
    row("ReverseSequence",
        { "ReverseSequence", { x, dynamic(indices({ 2 }, { 3, 2 })) }, { { f, { 2, 3 } } },
            { { "batch_axis", std::int64_t { 0 } }, { "time_axis", std::int64_t { 1 } } } },
        { 2, 1, 0, 4, 3, 5 });
}

void DataMovementTest::stored()
{
    QFETCH(KernelCall, call);
    QFETCH(QList<double>, expected);
    const auto run = runKernel(call);
    QVERIFY2(run, run ? "" : run.error().message().c_str());
    const auto values = tensor::toDoubles(run->outputs[0].view());
    QCOMPARE(QList<double>(values.begin(), values.end()), expected);
}

void DataMovementTest::randomSlices()
{
    base::Random random(7);
    for (int round = 0; round < 200; ++round) {
        const Tensor x = counting({ 1 + std::int64_t(random.below(4)), 1 + std::int64_t(random.below(6)),
            1 + std::int64_t(random.below(7)) });
        Ints starts, ends, steps;
        Shape out = x.shape();
        for (int axis = 0; axis < 3; ++axis) {
            const auto pick = [&] { return std::int64_t(random.below(20)) - 10; };
            std::int64_t step = pick();
            step = step == 0 ? 1 : step;
            starts.push_back(pick());
            ends.push_back(pick());
            steps.push_back(step);
            const std::int64_t n = x.shape()[axis];
            const auto fromEnd = [n](std::int64_t i) { return i < 0 ? i + n : i; };
            const std::int64_t first = std::clamp<std::int64_t>(fromEnd(starts.back()), 0, step > 0 ? n : n - 1);
            const std::int64_t last = std::clamp<std::int64_t>(fromEnd(ends.back()), step > 0 ? 0 : -1, n);
            out[axis] = 0;
            for (std::int64_t i = first; step > 0 ? i < last : i > last; i += step)
                ++out[axis];
        }
        const KernelCall call { "Slice",
            { dynamic(x, Layout::ChannelsLast), ints(starts), ints(ends), ints({ 0, 1, 2 }), ints(steps) },
            { { DType::Float32, out } } };
        KernelCall plain = call;
        plain.inputs[0].layout = Layout::Plain;
        std::string error;
        const Tensor fast = runForTensor(call, KernelSet::Fast, &error);
        QCOMPARE(error, std::string());
        QCOMPARE(difference(fast, runForTensor(plain, KernelSet::Reference)), std::string());
    }
}

void DataMovementTest::randomTransposes()
{
    base::Random random(8);
    for (std::uint64_t round = 0; round < 60; ++round) {
        const auto rank = static_cast<std::int64_t>(1 + random.below(6));
        Ints extents;
        for (std::int64_t i = 0; i < rank; ++i)
            extents.push_back(1 + std::int64_t(random.below(4)));
        const Ints perm = base::permutation(rank, round);
        Ints moved;
        for (const auto axis : perm)
            moved.push_back(extents[static_cast<std::size_t>(axis)]);
        const KernelCall call { "Transpose", { dynamic(counting(Shape(extents))) },
            { { DType::Float32, Shape(moved) } }, { { "perm", perm } } };
        QCOMPARE(difference(runForTensor(call), runForTensor(call, KernelSet::Reference)), std::string());
    }
}

void DataMovementTest::splitThenConcat()
{
    const Tensor x = counting({ 2, 7, 3, 2 });
    for (const Layout layout : { Layout::Plain, Layout::ChannelsLast }) {
        const auto parts = runKernel({ "Split", { dynamic(x, layout), ints({ 1, 4, 2 }) },
            { { DType::Float32, { 2, 1, 3, 2 } }, { DType::Float32, { 2, 4, 3, 2 } },
                { DType::Float32, { 2, 2, 3, 2 } } },
            { { "axis", std::int64_t { 1 } } } });
        QVERIFY(parts);
        const Tensor whole = runForTensor({ "Concat",
            { dynamic(parts->outputs[0], layout), dynamic(parts->outputs[1], layout), dynamic(parts->outputs[2]) },
            { { DType::Float32, x.shape() } }, { { "axis", std::int64_t { 1 } } } });
        QCOMPARE(difference(whole, x), std::string());
    }
}

void DataMovementTest::depthAndSpaceAreInverse()
{
    const Tensor x = counting({ 2, 3, 4, 6 });
    for (const Layout layout : { Layout::Plain, Layout::ChannelsLast }) {
        const Attributes attributes { { "blocksize", std::int64_t { 2 } } };
        const Tensor deep = runForTensor(
            { "SpaceToDepth", { dynamic(x, layout) }, { { DType::Float32, { 2, 12, 2, 3 } } }, attributes });
        const Tensor wide = runForTensor(
            { "DepthToSpace", { dynamic(deep, layout) }, { { DType::Float32, x.shape() } }, attributes });
        QCOMPARE(difference(wide, x), std::string());
        // Channel (bh * 2 + bw) * 3 + c of a block holds pixel (bh, bw) of channel c.
        QCOMPARE(deep.as<float>()[static_cast<std::size_t>((1 * 2 + 0) * 3 + 2) * 6], static_cast<float>(2 * 24 + 6));
    }
}

void DataMovementTest::aliases_data()
{
    QTest::addColumn<QString>("op");
    for (const char* op : { "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity", "Dropout" })
        QTest::newRow(op) << QString(op);
}

void DataMovementTest::aliases()
{
    QFETCH(QString, op);
    const Tensor x = counting({ 2, 1, 3 });
    graph::Node node;
    node.opType = op.toStdString();
    const engine::OperandInfo in { true, DType::Float32, { 2, 1, 3 }, Layout::Plain, nullptr };
    const engine::OperandInfo out { true, DType::Float32, op == "Identity" ? Shape { 2, 1, 3 } : Shape { 2, 3 },
        Layout::Plain, nullptr };
    const auto kernel
        = engine::findKernel(node.opType)->create({ node, 18, "test", { in }, { out }, {}, false, {}, {} });
    QVERIFY(kernel);
    QVERIFY((*kernel)->isAlias());
    const auto run = runKernel({ node.opType, { dynamic(x) }, { { DType::Float32, out.shape } } });
    QCOMPARE(difference(run->outputs[0], x.reshaped(out.shape)), std::string());
}

void DataMovementTest::castsBetweenAllTypes()
{
    const std::vector<DType> types { DType::Float32, DType::Float64, DType::Float16, DType::BFloat16, DType::Int8,
        DType::UInt8, DType::Int16, DType::UInt16, DType::Int32, DType::UInt32, DType::Int64, DType::UInt64,
        DType::Bool, DType::Int4, DType::UInt4, DType::Int2, DType::UInt2 };
    const Tensor zeroOne
        = tensor::convert(Tensor::from(Shape { 5 }, std::vector<float> { 0, 1, 1, 0, 1 }).view(), DType::Float32);
    for (const DType from : types) {
        const Tensor x = tensor::convert(zeroOne.view(), from);
        for (const DType to : types) {
            const Tensor y = runForTensor({ "Cast", { dynamic(x) }, { { to, x.shape() } } });
            QCOMPARE(difference(y, tensor::convert(zeroOne.view(), to)), std::string());
        }
    }
}

void DataMovementTest::outOfRangeIndicesStayInside()
{
    const Tensor y = runForTensor({ "Gather", { dynamic(counting({ 3 })), dynamic(indices({ 2 }, { 99, -99 })) },
        { { DType::Float32, { 2 } } } });
    QCOMPARE(tensor::toInt64s(y.view()), (Ints { 2, 0 }));
}

void DataMovementTest::errors_data()
{
    QTest::addColumn<KernelCall>("call");
    QTest::addColumn<QString>("words");
    const DType f = DType::Float32;
    const auto x = dynamic(counting({ 2, 3 }));
    const auto row = [](const char* name, const KernelCall& call, const char* words) {
        QTest::newRow(name) << call << QString(words);
    };
    row("step 0", { "Slice", { x, ints({ 0 }), ints({ 1 }), ints({ 0 }), ints({ 0 }) }, { { f, { 1, 3 } } } },
        "step of 0");
    row("computed bounds", { "Slice", { x, dynamic(indices({ 1 }, { 0 })), ints({ 1 }) }, { { f, { 1, 3 } } } },
        "while the model runs");
    row("lengths differ", { "Slice", { x, ints({ 0, 0 }), ints({ 1 }) }, { { f, { 1, 3 } } } }, "differ in length");
    row("axis twice", { "Slice", { x, ints({ 0, 0 }), ints({ 1, 1 }), ints({ 0, -2 }) }, { { f, { 1, 3 } } } },
        "named twice");
    row("wrong inference", { "Slice", { x, ints({ 0 }), ints({ 1 }) }, { { f, { 2, 3 } } } }, "was inferred");
    row("axis outside", { "Concat", { x, x }, { { f, { 4, 3 } } }, { { "axis", std::int64_t { 2 } } } }, "axis 2");
    row("pads", { "Pad", { x, ints({ 1, 1 }) }, { { f, { 4, 3 } } } }, "expected two an axis");
    row("pad mode", { "Pad", { x, ints({ 1, 0, 1, 0 }) }, { { f, { 4, 3 } } }, { { "mode", std::string("mirror") } } },
        "mirror");
    row("constant index", { "Gather", { x, ints({ 7 }) }, { { f, { 1, 3 } } } }, "index 7");
    row("perm", { "Transpose", { x }, { { f, { 3, 2 } } }, { { "perm", Ints { 0 } } } }, "perm has 1 axes");
    row("block",
        { "DepthToSpace", { dynamic(counting({ 1, 3, 2, 2 })) }, { { f, { 1, 1, 4, 4 } } },
            { { "blocksize", std::int64_t { 2 } } } },
        "blocks of 2");
    row("packed", { "Transpose", { dynamic(Tensor(DType::Int4, { 2, 3 })) }, { { DType::Int4, { 3, 2 } } } }, "int4");
    row("training",
        { "Dropout", { x, absent(), constant(tensor::convert(Tensor::scalar(1.0F).view(), DType::Bool)) },
            { { f, { 2, 3 } } } },
        "training");
    row("rank 17", { "Transpose", { dynamic(Tensor(f, Shape(Ints(17, 1)))) }, { { f, Shape(Ints(17, 1)) } } },
        "rank 17");
}

void DataMovementTest::errors()
{
    QFETCH(KernelCall, call);
    QFETCH(QString, words);
    const auto run = runKernel(call);
    QVERIFY(!run);
    const QString message = QString::fromStdString(run.error().message());
    QVERIFY2(message.contains(words), qPrintable(message));
}

QTEST_APPLESS_MAIN(DataMovementTest)
#include "tst_data_movement.moc"
