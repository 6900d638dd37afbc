// SPDX-License-Identifier: GPL-3.0-or-later
#include <QtTest>

#include <cmath>
#include <limits>

#include "tests/support/kernel_harness.h"

using namespace quantoscope;
using namespace quantoscope::test;

namespace {

Tensor floats(const Shape& shape, const std::vector<float>& values) { return Tensor::from(shape, values); }

Shape reducedShape(const Shape& shape, const Ints& axes)
{
    Shape out = shape;
    for (const auto axis : axes)
        out[static_cast<int>(axis)] = 1;
    return axes.empty() ? Shape(Ints(static_cast<std::size_t>(shape.rank()), 1)) : out;
}

} // namespace

class ReductionTest : public QObject {
    Q_OBJECT

private slots:
    void fastEqualsReference_data();
    void fastEqualsReference();
    void integersStayExact();
    void logSumExpDoesNotOverflow();
    void emptyAxes();
    void ofNothing();
    void meanOfManyKeepsItsDigits();
    void nanWins();
    void argExtremes();
    void topK();
    void hardmax();
    void normalizations();
    void errors();
};

void ReductionTest::fastEqualsReference_data()
{
    QTest::addColumn<QString>("op");
    QTest::addColumn<QList<int>>("axes");
    for (const char* op : { "ReduceSum", "ReduceMean", "ReduceProd", "ReduceMax", "ReduceMin", "ReduceL1", "ReduceL2",
             "ReduceSumSquare", "ReduceLogSum" }) {
        const auto row = [op](const char* name, const QList<int>& axes) {
            QTest::newRow((std::string(op) + name).c_str()) << QString(op) << axes;
        };
        row(" all", {});
        row(" space", { 2, 3 });
        row(" channels", { 1 });
        row(" batch and last", { 0, 3 });
        row(" batch", { 0 });
        row(" last", { 3 });
    }
}

void ReductionTest::fastEqualsReference()
{
    QFETCH(QString, op);
    QFETCH(QList<int>, axes);
    const Shape shape { 3, 4, 5, 2 };
    const Ints named(axes.begin(), axes.end());
    for (const DType dtype : { DType::Float32, DType::Float64, DType::Float16 }) {
        for (const Layout layout : { Layout::Plain, Layout::ChannelsLast }) {
            KernelCall call { op.toStdString(),
                { dynamic(randomTensor(shape, 5, 0.5, 1.5, dtype), layout), ints(named) },
                { { dtype, reducedShape(shape, named) } } };
            const Tensor fast = runForTensor(call);
            call.inputs[0].layout = Layout::Plain;
            const Tensor reference = runForTensor(call, KernelSet::Reference);
            QCOMPARE(difference(fast, reference, dtype == DType::Float16 ? 0x1p-10 : 1e-6), std::string());
        }
    }
}

void ReductionTest::integersStayExact()
{
    const Tensor x = Tensor::from(Shape { 3 }, Ints { (std::int64_t { 1 } << 62) + 1, 5, -7 });
    const auto reduce = [&](const char* op) {
        return tensor::toInt64s(runForTensor({ op, { dynamic(x) }, { { DType::Int64, { 1 } } } }).view()).front();
    };
    QCOMPARE(reduce("ReduceSum"), (std::int64_t { 1 } << 62) - 1);
    QCOMPARE(reduce("ReduceMax"), (std::int64_t { 1 } << 62) + 1);
    QCOMPARE(reduce("ReduceMin"), -7);
    QCOMPARE(reduce("ReduceL1"), (std::int64_t { 1 } << 62) + 13);
}

void ReductionTest::logSumExpDoesNotOverflow()
{
    const float infinity = std::numeric_limits<float>::infinity();
    const auto reduce = [](const std::vector<float>& values) {
        const Tensor x = floats({ 1, static_cast<std::int64_t>(values.size()) }, values);
        return runForTensor({ "ReduceLogSumExp", { dynamic(x) }, { { DType::Float32, { 1, 1 } } } }).as<float>()[0];
    };
    QCOMPARE(reduce({ 1000, 1000 }), static_cast<float>(1000 + std::log(2.0)));
    QCOMPARE(reduce({ -1000, -1000 }), static_cast<float>(-1000 + std::log(2.0)));
    QCOMPARE(reduce({ 0, 1, 2 }), static_cast<float>(std::log(1 + std::exp(1.0) + std::exp(2.0))));
    QCOMPARE(reduce({ -infinity, 3 }), 3.0F);
    QCOMPARE(reduce({ -infinity, -infinity }), -infinity);
}

void ReductionTest::emptyAxes()
{
    const Tensor x = randomTensor({ 2, 3 }, 1);
    const Attributes noop { { "noop_with_empty_axes", std::int64_t { 1 } } };
    QCOMPARE(
        difference(runForTensor({ "ReduceSum", { dynamic(x), ints({}) }, { { DType::Float32, { 2, 3 } } }, noop }), x),
        std::string());
}

void ReductionTest::ofNothing()
{
    const Tensor x(DType::Float32, { 2, 0 });
    const auto reduce = [&](const char* op) {
        return runForTensor({ op, { dynamic(x), ints({ 1 }) }, { { DType::Float32, { 2, 1 } } } }).as<float>()[1];
    };
    QCOMPARE(reduce("ReduceSum"), 0.0F);
    QCOMPARE(reduce("ReduceProd"), 1.0F);
    QCOMPARE(reduce("ReduceMax"), -std::numeric_limits<float>::infinity());
}

void ReductionTest::meanOfManyKeepsItsDigits()
{
    const Tensor x = floats({ 1 << 20 }, std::vector<float>(1 << 20, 0.1F));
    QCOMPARE(runForTensor({ "ReduceMean", { dynamic(x) }, { { DType::Float32, { 1 } } } }).as<float>()[0], 0.1F);
}

void ReductionTest::nanWins()
{
    const Tensor x = floats({ 3 }, { 1, std::nanf(""), 2 });
    for (const char* op : { "ReduceMax", "ReduceMin", "ReduceSum" })
        QVERIFY(std::isnan(runForTensor({ op, { dynamic(x) }, { { DType::Float32, { 1 } } } }).as<float>()[0]));
}

void ReductionTest::argExtremes()
{
    const Tensor x = floats({ 2, 4 }, { 1, 5, 5, 0, -1, -1, -3, -3 });
    const auto run = [&](const char* op, bool last) {
        return tensor::toInt64s(
            runForTensor({ op, { dynamic(x) }, { { DType::Int64, { 2, 1 } } },
                             { { "axis", std::int64_t { 1 } }, { "select_last_index", std::int64_t { last } } } })
                .view());
    };
    QCOMPARE(run("ArgMax", false), (Ints { 1, 0 }));
    QCOMPARE(run("ArgMax", true), (Ints { 2, 1 }));
    QCOMPARE(run("ArgMin", false), (Ints { 3, 2 }));
    QCOMPARE(run("ArgMin", true), (Ints { 3, 3 }));
}

void ReductionTest::topK()
{
    const Tensor x = floats({ 2, 4 }, { 1, 5, 5, std::nanf(""), -1, 0, 3, 3 });
    const auto run = [&](bool largest) {
        return runKernel(
            { "TopK", { dynamic(x), ints({ 3 }) }, { { DType::Float32, { 2, 3 } }, { DType::Int64, { 2, 3 } } },
                { { "largest", std::int64_t { largest } } } });
    };
    const auto best = run(true);
    QCOMPARE(tensor::toInt64s(best->outputs[1].view()), (Ints { 3, 1, 2, 2, 3, 1 })); // NaN above all, ties by index
    QCOMPARE(best->outputs[0].as<float>()[1], 5.0F);
    QCOMPARE(tensor::toInt64s(run(false)->outputs[1].view()), (Ints { 0, 1, 2, 0, 1, 2 }));
    // Along the first axis
    const auto first = runKernel({ "TopK", { dynamic(floats({ 2, 2 }, { 1, 4, 3, 2 })), ints({ 1 }) },
        { { DType::Float32, { 1, 2 } }, { DType::Int64, { 1, 2 } } }, { { "axis", std::int64_t { 0 } } } });
    QCOMPARE(tensor::toInt64s(first->outputs[1].view()), (Ints { 1, 0 }));
}

void ReductionTest::hardmax()
{
    const Tensor x = floats({ 2, 3 }, { 1, 3, 3, 0, -1, -2 });
    const Tensor y = runForTensor({ "Hardmax", { dynamic(x) }, { { DType::Float32, { 2, 3 } } } });
    QCOMPARE(difference(y, floats({ 2, 3 }, { 0, 1, 0, 1, 0, 0 })), std::string());
}

void ReductionTest::normalizations()
{
    const Tensor x = floats({ 1, 2, 2 }, { 3, 4, 0, 0 });
    const OutputType out { DType::Float32, x.shape() };
    QCOMPARE(difference(
                 runForTensor({ "LpNormalization", { dynamic(x) }, { out } }), floats(x.shape(), { 0.6F, 0.8F, 0, 0 })),
        std::string());
    QCOMPARE(difference(runForTensor({ "LpNormalization", { dynamic(x) }, { out }, { { "p", std::int64_t { 1 } } } }),
                 floats(x.shape(), { 3.0F / 7, 4.0F / 7, 0, 0 }), 1e-7),
        std::string());
    // Groups of one channel are instances; scale and bias a channel (opset 21).
    const Tensor maps = randomTensor({ 2, 4, 3, 5 }, 9);
    const auto scale = constant(randomTensor({ 4 }, 10));
    const auto bias = constant(randomTensor({ 4 }, 11));
    const Tensor group = runForTensor({ "GroupNormalization", { dynamic(maps), scale, bias },
        { { DType::Float32, maps.shape() } }, { { "num_groups", std::int64_t { 4 } } }, 21 });
    const Tensor instance = runForTensor(
        { "InstanceNormalization", { dynamic(maps), scale, bias }, { { DType::Float32, maps.shape() } } },
        KernelSet::Reference);
    QCOMPARE(difference(group, instance, 1e-5, 1e-6), std::string());
    const Tensor standard = runForTensor({ "MeanVarianceNormalization", { dynamic(maps) },
        { { DType::Float32, maps.shape() } }, { { "axes", Ints { 2, 3 } } } });
    const Tensor plain = runForTensor(
        { "InstanceNormalization",
            { dynamic(maps), constant(floats({ 4 }, { 1, 1, 1, 1 })), constant(floats({ 4 }, { 0, 0, 0, 0 })) },
            { { DType::Float32, maps.shape() } }, { { "epsilon", 0.0F } } },
        KernelSet::Reference);
    QCOMPARE(difference(standard, plain, 1e-5, 1e-6), std::string());
}

void ReductionTest::errors()
{
    const auto message = [](const KernelCall& call) {
        const auto run = runKernel(call);
        return run ? QString() : QString::fromStdString(run.error().message());
    };
    const auto x = dynamic(Tensor(DType::Float32, { 2, 3 }));
    QVERIFY(message({ "ReduceSum", { x, ints({ 2 }) }, { { DType::Float32, { 2, 3 } } } }).contains("axis 2"));
    QVERIFY(message({ "ReduceSum", { x, ints({ 1, -1 }) }, { { DType::Float32, { 2, 1 } } } }).contains("twice"));
    QVERIFY(message({ "ReduceSum", { x, dynamic(Tensor(DType::Int64, { 1 })) }, { { DType::Float32, { 2, 1 } } } })
                .contains("while the model runs"));
    QVERIFY(message({ "ReduceSum", { x, ints({ 1 }) }, { { DType::Float32, { 3 } } } }).contains("was inferred"));
    QVERIFY(message({ "ArgMax", { dynamic(Tensor(DType::Float32, { 2, 0 })) }, { { DType::Int64, { 2, 1 } } },
                        { { "axis", std::int64_t { 1 } } } })
                .contains("extent 0"));
    QVERIFY(message({ "TopK", { x, ints({ 4 }) }, { { DType::Float32, { 2, 4 } }, { DType::Int64, { 2, 4 } } } })
                .contains("k = 4"));
    QVERIFY(message({ "LpNormalization", { x }, { { DType::Float32, { 2, 3 } } }, { { "p", std::int64_t { 3 } } } })
                .contains("p = 3"));
}

QTEST_APPLESS_MAIN(ReductionTest)
#include "tst_reduction.moc"
