// SPDX-License-Identifier: GPL-3.0-or-later
#include <QtTest>

#include <bit>
#include <cmath>
#include <limits>

#include "tests/support/kernel_harness.h"

using namespace quantoscope;
using namespace quantoscope::test;

namespace {

constexpr double notANumber = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

Tensor floats(const Shape& shape, const std::vector<float>& values) { return Tensor::from(shape, values); }

Tensor of(DType dtype, const std::vector<double>& values)
{
    const Tensor wide = Tensor::from(Shape { static_cast<std::int64_t>(values.size()) }, values);
    return tensor::convert(wide.view(), dtype);
}

} // namespace

class ElementwiseTest : public QObject {
    Q_OBJECT

private slots:
    void closedForms_data();
    void closedForms();
    void fastEqualsReference_data();
    void fastEqualsReference();
    void broadcasts_data();
    void broadcasts();
    void integers_data();
    void integers();
    void vectorMath();
    void halfIsRoundedOnce();
    void clipBounds();
    void addWithClamp();
    void whereSelects();
    void inPlaceGivesTheSame();
    void wrongInput_data();
    void wrongInput();
};

void ElementwiseTest::closedForms_data()
{
    QTest::addColumn<QString>("op");
    QTest::addColumn<double>("x");
    QTest::addColumn<double>("expected");
    const auto row = [](const char* op, double x, double expected) {
        QTest::newRow(qPrintable(QStringLiteral("%1(%2)").arg(op).arg(x))) << QString(op) << x << expected;
    };
    row("Relu", -1, 0);
    row("Relu", 3, 3);
    row("Relu", notANumber, notANumber);
    row("LeakyRelu", -2, -0.02);
    row("Elu", -infinity, -1);
    row("Celu", -1, std::expm1(-1));
    row("Selu", 2, 2 * 1.05070102214813232421875);
    row("Sigmoid", 0, 0.5);
    row("Sigmoid", -200, 0);
    row("Sigmoid", 200, 1);
    row("HardSigmoid", 1, 0.7);
    row("HardSigmoid", 100, 1);
    row("HardSwish", -4, 0);
    row("HardSwish", 1, 1 * (1.0 / 6 + 0.5));
    row("HardSwish", 5, 5);
    row("Tanh", 1, std::tanh(1.0));
    row("Softplus", 0, std::log(2.0));
    row("Softplus", 300, 300);
    row("Softplus", -300, 0);
    row("Softsign", -3, -0.75);
    row("ThresholdedRelu", 1, 0);
    row("ThresholdedRelu", 1.5, 1.5);
    row("Mish", 1, std::tanh(std::log(1 + std::exp(1.0))));
    row("Gelu", 1, 0.5 * (1 + std::erf(1 / std::sqrt(2.0))));
    row("Erf", 0.5, std::erf(0.5));
    row("Exp", 1, std::exp(1.0));
    row("Log", 0, -infinity);
    row("Sqrt", 9, 3);
    row("Reciprocal", -4, -0.25);
    row("Abs", -1.5, 1.5);
    row("Neg", 2, -2);
    row("Floor", -1.5, -2);
    row("Ceil", -1.5, -1);
    row("Round", 0.5, 0);
    row("Round", 1.5, 2);
    row("Round", -2.5, -2);
    row("Sign", -7, -1);
    row("Sign", 0, 0);
    row("Sign", notANumber, notANumber);
    row("Shrink", 0.4, 0);
    row("Shrink", -2, -2);
    row("Asinh", 2, std::asinh(2.0));
    row("Acosh", 2, std::acosh(2.0));
    row("Atanh", 0.5, std::atanh(0.5));
    row("Tan", 1, std::tan(1.0));
}

void ElementwiseTest::closedForms()
{
    QFETCH(QString, op);
    QFETCH(double, x);
    QFETCH(double, expected);
    for (const DType dtype : { DType::Float32, DType::Float64 }) {
        // 19 elements: a vector and a rest
        const Tensor input = of(dtype, std::vector<double>(19, x));
        const Tensor wanted = of(dtype, std::vector<double>(19, expected));
        const Tensor got = runForTensor({ op.toStdString(), { dynamic(input) }, { { dtype, input.shape() } } });
        QCOMPARE(difference(got, wanted, 1e-6, 1e-7), std::string());
    }
}

void ElementwiseTest::fastEqualsReference_data()
{
    QTest::addColumn<QString>("op");
    for (const char* op : { "Relu", "LeakyRelu", "Elu", "Selu", "Sigmoid", "HardSigmoid", "HardSwish", "Tanh",
             "Softplus", "Softsign", "Erf", "Exp", "Mish" })
        QTest::newRow(op) << QString(op);
}

void ElementwiseTest::fastEqualsReference()
{
    QFETCH(QString, op);
    for (const DType dtype : { DType::Float32, DType::Float64, DType::Float16, DType::BFloat16 }) {
        const Tensor x = randomTensor({ 2, 5, 3, 7 }, 11, -9, 9, dtype);
        KernelCall call { op.toStdString(), { dynamic(x, Layout::ChannelsLast) }, { { dtype, x.shape() } } };
        std::string error;
        const Tensor fast = runForTensor(call, KernelSet::Fast, &error);
        QCOMPARE(error, std::string());
        call.inputs[0].layout = Layout::Plain;
        const Tensor reference = runForTensor(call, KernelSet::Reference);
        const double rtol = dtype == DType::BFloat16 ? 0x1p-7 : dtype == DType::Float16 ? 0x1p-10 : 2e-6;
        QCOMPARE(difference(fast, reference, rtol, 1e-6), std::string());
    }
}

void ElementwiseTest::broadcasts_data()
{
    QTest::addColumn<QString>("op");
    QTest::addColumn<QList<int>>("left");
    QTest::addColumn<QList<int>>("right");
    const auto rows = [](const char* name, const QList<int>& a, const QList<int>& b) {
        for (const char* op : { "Add", "Sub", "Mul", "Div", "PRelu" })
            QTest::newRow((std::string(op) + " " + name).c_str()) << QString(op) << a << b;
    };
    rows("same", { 2, 3, 4, 5 }, { 2, 3, 4, 5 });
    rows("scalar", { 2, 3, 4, 5 }, {});
    rows("one element", { 2, 3, 4, 5 }, { 1 });
    rows("per channel", { 2, 3, 4, 5 }, { 1, 3, 1, 1 });
    rows("per channel without batch", { 2, 3, 4, 5 }, { 3, 1, 1 });
    rows("per map", { 2, 3, 4, 5 }, { 2, 3, 1, 1 });
    rows("last axis", { 2, 3, 4, 5 }, { 5 });
    rows("middle axes", { 2, 3, 4, 5 }, { 3, 4, 1 });
    rows("empty", { 2, 0, 4, 5 }, { 5 });
    rows("rank 1", { 7 }, { 7 });
    for (const char* op : { "Add", "Sub", "Mul", "Div" }) {
        QTest::newRow((std::string(op) + " scalar first").c_str())
            << QString(op) << QList<int> {} << QList<int> { 2, 3, 4 };
        QTest::newRow((std::string(op) + " both ways").c_str())
            << QString(op) << QList<int> { 2, 1, 4, 1 } << QList<int> { 3, 1, 5 };
    }
}

void ElementwiseTest::broadcasts()
{
    QFETCH(QString, op);
    QFETCH(QList<int>, left);
    QFETCH(QList<int>, right);
    const Shape a(Ints(left.begin(), left.end()));
    const Shape b(Ints(right.begin(), right.end()));
    const Shape y = *tensor::broadcast(a, b);
    const Tensor x = randomTensor(a, 3);
    const Tensor z = randomTensor(b, 4, 0.5, 2);
    for (const Layout layout : { Layout::Plain, Layout::ChannelsLast }) {
        if (layout == Layout::ChannelsLast && y.rank() < 3)
            continue;
        const Layout first = a.rank() >= 3 ? layout : Layout::Plain;
        const Layout second = b == y ? layout : Layout::Plain;
        KernelCall call { op.toStdString(), { dynamic(x, first), dynamic(z, second) }, { { DType::Float32, y } } };
        const auto fast = runKernel(call);
        QVERIFY(fast);
        call.inputs[0].layout = call.inputs[1].layout = Layout::Plain;
        const auto reference = runKernel(call, KernelSet::Reference);
        QVERIFY(reference);
        QCOMPARE(difference(fast->outputs[0], reference->outputs[0], 1e-7), std::string());
        if (a == y && layout == Layout::ChannelsLast)
            QCOMPARE(fast->outputLayouts[0], Layout::ChannelsLast);
    }
}

void ElementwiseTest::integers_data()
{
    QTest::addColumn<QString>("op");
    QTest::addColumn<int>("dtype");
    QTest::addColumn<double>("a");
    QTest::addColumn<double>("b");
    QTest::addColumn<double>("expected");
    const auto row = [](const char* op, DType dtype, double a, double b, double expected) {
        QTest::newRow(qPrintable(QStringLiteral("%1 %2 %3 %4").arg(op).arg(int(dtype)).arg(a).arg(b)))
            << QString(op) << static_cast<int>(dtype) << a << b << expected;
    };
    row("Add", DType::UInt8, 250, 10, 4);
    row("Sub", DType::UInt8, 3, 5, 254);
    row("Mul", DType::Int8, 100, 2, -56);
    row("Add", DType::Int32, 2147483647, 1, -2147483648.0);
    row("Div", DType::Int32, -7, 2, -3);
    row("Div", DType::Int32, 7, 0, 0);
    row("Div", DType::Int32, -2147483648.0, -1, -2147483648.0);
    row("Div", DType::Int64, -9223372036854775808.0, -1, -9223372036854775808.0);
    row("Mod", DType::Int32, -7, 3, 2);
    row("Mod", DType::Int32, 7, -3, -2);
    row("Mod", DType::Int32, 7, 0, 0);
    row("Mod", DType::UInt16, 7, 3, 1);
    row("Pow", DType::Int32, 3, 4, 81);
    row("Pow", DType::Int32, -5, 2, 25);
    row("Max", DType::Int8, -3, 2, 2);
    row("Min", DType::UInt64, 3, 2, 2);
}

void ElementwiseTest::integers()
{
    QFETCH(QString, op);
    QFETCH(int, dtype);
    QFETCH(double, a);
    QFETCH(double, b);
    QFETCH(double, expected);
    const auto type = static_cast<DType>(dtype);
    const std::vector<double> left(5, a);
    const std::vector<double> right(5, b);
    const Tensor got = runForTensor(
        { op.toStdString(), { dynamic(of(type, left)), dynamic(of(type, right)) }, { { type, Shape { 5 } } } });
    QCOMPARE(difference(got, of(type, std::vector<double>(5, expected))), std::string());
}

/// The branchless functions over the whole range of float32, against float64.
void ElementwiseTest::vectorMath()
{
    std::vector<float> values { 0.0F, -0.0F, 1e-30F, -1e-30F, 88.7F, 88.8F, 1e30F, -1e30F, -103.0F, -105.0F };
    for (int i = -120000; i <= 120000; ++i)
        values.push_back(static_cast<float>(i) * 1e-3F);
    const Tensor x = floats({ static_cast<std::int64_t>(values.size()) }, values);
    const Tensor wide = tensor::convert(x.view(), DType::Float64);
    for (const char* op : { "Exp", "Tanh", "Sigmoid" }) {
        const Tensor got = runForTensor({ op, { dynamic(x) }, { { DType::Float32, x.shape() } } });
        const Tensor exact = runForTensor({ op, { dynamic(wide) }, { { DType::Float64, x.shape() } } });
        const Tensor expected = tensor::convert(exact.view(), DType::Float32);
        QCOMPARE(difference(got, expected, 4e-7, 1e-38), std::string());
    }
    const Tensor limits = of(DType::Float32, { notANumber, infinity, -infinity });
    const auto at = [&](const char* op) {
        return runForTensor({ op, { dynamic(limits) }, { { DType::Float32, { 3 } } } });
    };
    QCOMPARE(difference(at("Exp"), of(DType::Float32, { notANumber, infinity, 0 })), std::string());
    QCOMPARE(difference(at("Tanh"), of(DType::Float32, { notANumber, 1, -1 })), std::string());
    QCOMPARE(difference(at("Sigmoid"), of(DType::Float32, { notANumber, 1, 0 })), std::string());
}

void ElementwiseTest::halfIsRoundedOnce()
{
    // 1 + 2^-11 lies between two float16 values; the exact sum of three halves must be rounded once, to even.
    const Tensor a = of(DType::Float16, { 1, 2048 });
    const Tensor b = of(DType::Float16, { 0x1p-11, 1 });
    const Tensor got = runForTensor({ "Add", { dynamic(a), dynamic(b) }, { { DType::Float16, Shape { 2 } } } });
    QCOMPARE(difference(got, of(DType::Float16, { 1, 2048 })), std::string());
    const Tensor mean
        = runForTensor({ "Mean", { dynamic(a), dynamic(a), dynamic(b) }, { { DType::Float16, Shape { 2 } } } });
    QCOMPARE(difference(mean, of(DType::Float16, { (2 + 0x1p-11) / 3, 4097.0 / 3 })), std::string());
}

void ElementwiseTest::clipBounds()
{
    const Tensor x = floats({ 5 }, { -3, -1, 0, 1, 3 });
    const OutputType out { DType::Float32, { 5 } };
    const auto low = dynamic(Tensor::scalar(-1.0F));
    const auto high = dynamic(Tensor::scalar(1.0F));
    QCOMPARE(
        difference(runForTensor({ "Clip", { dynamic(x), low, high }, { out } }), floats({ 5 }, { -1, -1, 0, 1, 1 })),
        std::string());
    QCOMPARE(difference(
                 runForTensor({ "Clip", { dynamic(x), absent(), high }, { out } }), floats({ 5 }, { -3, -1, 0, 1, 1 })),
        std::string());
    QCOMPARE(
        difference(runForTensor({ "Clip", { dynamic(x), high, low }, { out } }), floats({ 5 }, { -1, -1, -1, -1, -1 })),
        std::string()); // crossed bounds: the upper one wins
    QCOMPARE(difference(runForTensor({ .op = "Clip",
                            .inputs = { dynamic(x) },
                            .outputs = { out },
                            .attributes = { { "min", 0.0F }, { "max", 6.0F } },
                            .opset = 6 }),
                 floats({ 5 }, { 0, 0, 0, 1, 3 })),
        std::string());
    const Tensor bytes = of(DType::Int8, { -100, 5, 100 });
    QCOMPARE(difference(runForTensor({ "Clip", { dynamic(bytes), dynamic(Tensor::scalar(std::int8_t { -6 })) },
                            { { DType::Int8, Shape { 3 } } } }),
                 of(DType::Int8, { -6, 5, 100 })),
        std::string());
}

void ElementwiseTest::addWithClamp()
{
    const Tensor a = floats({ 4 }, { -3, 1, 5, static_cast<float>(notANumber) });
    const Tensor b = floats({ 4 }, { 1, 1, 5, 0 });
    const Tensor got = runForTensor({ .op = "Add",
        .inputs = { dynamic(a), dynamic(b) },
        .outputs = { { DType::Float32, { 4 } } },
        .activation = engine::Clamp { 0, 6 } });
    QCOMPARE(difference(got, floats({ 4 }, { 0, 2, 6, static_cast<float>(notANumber) })), std::string());
}

void ElementwiseTest::whereSelects()
{
    const Tensor condition = of(DType::Bool, { 1, 0 });
    const Tensor x = tensor::convert(floats({ 2, 1 }, { 1, 2 }).view(), DType::Int64);
    const Tensor y = tensor::convert(floats({ 1 }, { 9 }).view(), DType::Int64);
    const Tensor got
        = runForTensor({ "Where", { dynamic(condition), dynamic(x), dynamic(y) }, { { DType::Int64, { 2, 2 } } } });
    QCOMPARE(tensor::toInt64s(got.view()), (Ints { 1, 9, 2, 9 }));
}

void ElementwiseTest::inPlaceGivesTheSame()
{
    const Tensor a = randomTensor({ 3, 37 }, 1);
    const Tensor b = randomTensor({ 3, 37 }, 2);
    for (const char* op : { "Add", "Mul", "Max", "Sum" }) {
        const KernelCall call { op, { dynamic(a), dynamic(b) }, { { DType::Float32, a.shape() } } };
        const Tensor apart = runForTensor(call);
        graph::Node node;
        node.opType = op;
        const engine::OperandInfo info { true, DType::Float32, a.shape(), Layout::Plain, nullptr };
        const engine::KernelRequest request { node, 18, "test", { info, info }, { info }, {}, false, {}, {} };
        const auto kernel = engine::findKernel(op)->create(request);
        QVERIFY(kernel);
        QCOMPARE((*kernel)->inPlaceInput(), 0);
        Tensor shared = a;
        const engine::Buffer buffer { DType::Float32, &a.shape(), Layout::Plain, shared.data() };
        const engine::Buffer other { DType::Float32, &b.shape(), Layout::Plain, const_cast<void*>(b.data()) };
        const std::array inputs { buffer, other };
        (*kernel)->run({ .inputs = inputs, .outputs = { &buffer, 1 } });
        QCOMPARE(difference(shared, apart), std::string());
    }
}

void ElementwiseTest::wrongInput_data()
{
    QTest::addColumn<QString>("op");
    QTest::addColumn<int>("left");
    QTest::addColumn<int>("right");
    QTest::addColumn<int>("width");
    QTest::addColumn<QString>("words");
    QTest::newRow("two types") << "Add" << int(DType::Float32) << int(DType::Int32) << 3 << "expected one type";
    QTest::newRow("shapes") << "Add" << int(DType::Float32) << int(DType::Float32) << 2 << "broadcast";
    QTest::newRow("packed") << "Add" << int(DType::Int4) << int(DType::Int4) << 3 << "int4";
    QTest::newRow("logic of floats") << "And" << int(DType::Float32) << int(DType::Float32) << 3 << "bool";
    QTest::newRow("float Mod") << "Mod" << int(DType::Float32) << int(DType::Float32) << 3 << "fmod";
    QTest::newRow("shift without direction")
        << "BitShift" << int(DType::UInt8) << int(DType::UInt8) << 3 << "direction";
    QTest::newRow("integer Mean") << "Mean" << int(DType::Int32) << int(DType::Int32) << 3 << "int32";
}

void ElementwiseTest::wrongInput()
{
    QFETCH(QString, op);
    QFETCH(int, left);
    QFETCH(int, right);
    QFETCH(int, width);
    QFETCH(QString, words);
    const Tensor a(static_cast<DType>(left), { 2, 3 });
    const Tensor b(static_cast<DType>(right), { 2, width });
    const auto run = runKernel({ op.toStdString(), { dynamic(a), dynamic(b) }, { { a.dtype(), a.shape() } } });
    QVERIFY(!run);
    const QString message = QString::fromStdString(run.error().message());
    QVERIFY2(message.contains(words), qPrintable(message));
    QVERIFY2(message.contains("node 'test'"), qPrintable(message));
}

QTEST_APPLESS_MAIN(ElementwiseTest)
#include "tst_elementwise.moc"
