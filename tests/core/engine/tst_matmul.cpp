// SPDX-License-Identifier: GPL-3.0-or-later
// labels: unit numeric
#include <QtTest>

#include "tests/core/engine/graph_maker.h"

using namespace quantoscope;
using namespace quantoscope::test;

namespace {

using Extents = std::vector<qint64>;

Shape toShape(const Extents& extents) { return Shape(Ints(extents.begin(), extents.end())); }

/// NumPy's matmul, in double, for operands of rank 1 or more.
Tensor plainMatMul(const Tensor& a, const Tensor& b)
{
    Ints left = a.shape().dims();
    Ints right = b.shape().dims();
    const bool leftVector = left.size() == 1;
    const bool rightVector = right.size() == 1;
    if (leftVector)
        left.insert(left.begin(), 1);
    if (rightVector)
        right.push_back(1);
    const Shape leftBatch(Ints(left.begin(), left.end() - 2));
    const Shape rightBatch(Ints(right.begin(), right.end() - 2));
    const Shape batch = *tensor::broadcast(leftBatch, rightBatch);
    const std::int64_t rows = left[left.size() - 2];
    const std::int64_t inner = left.back();
    const std::int64_t columns = right.back();
    Ints extents = batch.dims();
    if (!leftVector)
        extents.push_back(rows);
    if (!rightVector)
        extents.push_back(columns);
    Tensor result(DType::Float32, Shape(extents));

    auto offsetIn = [&](const Shape& operand, std::int64_t index) {
        std::int64_t offset = 0;
        std::int64_t stride = 1;
        for (int axis = batch.rank() - 1, own = operand.rank() - 1; axis >= 0; --axis, --own) {
            const std::int64_t position = index % batch[axis];
            index /= batch[axis];
            if (own >= 0) {
                offset += operand[own] == 1 ? 0 : position * stride;
                stride *= operand[own];
            }
        }
        return offset;
    };
    for (std::int64_t n = 0; n < batch.size(); ++n) {
        const float* x = a.as<float>().data() + offsetIn(leftBatch, n) * rows * inner;
        const float* y = b.as<float>().data() + offsetIn(rightBatch, n) * inner * columns;
        for (std::int64_t i = 0; i < rows; ++i) {
            for (std::int64_t j = 0; j < columns; ++j) {
                double sum = 0;
                for (std::int64_t k = 0; k < inner; ++k)
                    sum += static_cast<double>(x[i * inner + k]) * static_cast<double>(y[k * columns + j]);
                result.as<float>()[static_cast<std::size_t>((n * rows + i) * columns + j)] = static_cast<float>(sum);
            }
        }
    }
    return result;
}

constexpr double tolerance = 2e-5;

} // namespace

class TestMatMul : public QObject {
    Q_OBJECT

private slots:
    void matMul_data()
    {
        QTest::addColumn<Extents>("left");
        QTest::addColumn<Extents>("right");
        QTest::newRow("matrices") << Extents { 5, 7 } << Extents { 7, 9 };
        QTest::newRow("one row") << Extents { 1, 64 } << Extents { 64, 10 };
        QTest::newRow("vectors") << Extents { 6 } << Extents { 6 };
        QTest::newRow("vector and matrix") << Extents { 6 } << Extents { 6, 4 };
        QTest::newRow("matrix and vector") << Extents { 3, 6 } << Extents { 6 };
        QTest::newRow("batch and vector") << Extents { 2, 3, 6 } << Extents { 6 };
        QTest::newRow("vector and batch") << Extents { 6 } << Extents { 2, 6, 3 };
        QTest::newRow("batch and matrix") << Extents { 2, 3, 5, 6 } << Extents { 6, 4 };
        QTest::newRow("matrix and batch") << Extents { 5, 6 } << Extents { 3, 6, 4 };
        QTest::newRow("equal batches") << Extents { 2, 3, 5, 6 } << Extents { 2, 3, 6, 4 };
        QTest::newRow("broadcast on both sides") << Extents { 2, 1, 5, 6 } << Extents { 1, 3, 6, 4 };
        QTest::newRow("broadcast of ranks") << Extents { 2, 3, 5, 6 } << Extents { 3, 6, 4 };
        QTest::newRow("five axes") << Extents { 2, 1, 3, 4, 5 } << Extents { 2, 1, 5, 2 };
    }

    void matMul()
    {
        QFETCH(Extents, left);
        QFETCH(Extents, right);
        const Tensor a = randomTensor(toShape(left), 1);
        const Tensor b = randomTensor(toShape(right), 2);
        const Tensor expected = plainMatMul(a, b);
        for (bool constantRight : { true, false }) {
            for (auto set : { engine::KernelSet::Fast, engine::KernelSet::Reference }) {
                GraphMaker maker;
                const ValueId x = maker.input("a", a.shape());
                const ValueId y = constantRight ? maker.constant("b", b) : maker.input("b", b.shape());
                maker.output(maker.node("MatMul", { x, y }, "y"));
                std::vector<Tensor> inputs { a };
                if (!constantRight)
                    inputs.push_back(b);
                CompileOptions options;
                options.kernels = set;
                const auto outputs = runGraph(maker.graph(), inputs, options);
                QVERIFY2(outputs, outputs ? "" : outputs.error().message().c_str());
                QVERIFY(largestDifference((*outputs)[0], expected) < tolerance);
            }
        }
    }

    void constantOnTheLeft()
    {
        const Tensor a = randomTensor({ 4, 6 }, 1);
        const Tensor b = randomTensor({ 6, 3 }, 2);
        GraphMaker maker;
        const ValueId x = maker.constant("a", a);
        const ValueId y = maker.input("b", b.shape());
        maker.output(maker.node("MatMul", { x, y }, "y"));
        const auto outputs = runGraph(maker.graph(), { b });
        QVERIFY2(outputs, outputs ? "" : outputs.error().message().c_str());
        QVERIFY(largestDifference((*outputs)[0], plainMatMul(a, b)) < tolerance);
    }

    void gemm_data()
    {
        QTest::addColumn<bool>("transposeLeft");
        QTest::addColumn<bool>("transposeRight");
        QTest::addColumn<float>("alpha");
        QTest::addColumn<float>("beta");
        QTest::addColumn<Extents>("third");
        QTest::addColumn<bool>("hasThird");
        const Extents none;
        QTest::newRow("plain") << false << false << 1.0F << 1.0F << none << false;
        QTest::newRow("bias") << false << true << 1.0F << 1.0F << Extents { 5 } << true;
        QTest::newRow("bias as a row") << false << true << 1.0F << 1.0F << Extents { 1, 5 } << true;
        QTest::newRow("both transposed") << true << true << 1.0F << 1.0F << Extents { 5 } << true;
        QTest::newRow("alpha") << false << false << 0.5F << 1.0F << Extents { 5 } << true;
        QTest::newRow("beta") << true << false << 1.0F << -2.0F << Extents { 5 } << true;
        QTest::newRow("alpha and beta") << false << true << -1.5F << 0.25F << Extents { 4, 5 } << true;
        QTest::newRow("scalar") << false << false << 1.0F << 1.0F << none << true;
        QTest::newRow("column") << false << false << 1.0F << 1.0F << Extents { 4, 1 } << true;
        QTest::newRow("one element") << false << false << 2.0F << 1.0F << Extents { 1 } << true;
        QTest::newRow("full") << true << true << 1.0F << 1.0F << Extents { 4, 5 } << true;
        QTest::newRow("beta zero") << false << false << 1.0F << 0.0F << Extents { 4, 5 } << true;
    }

    void gemm()
    {
        QFETCH(bool, transposeLeft);
        QFETCH(bool, transposeRight);
        QFETCH(float, alpha);
        QFETCH(float, beta);
        QFETCH(Extents, third);
        QFETCH(bool, hasThird);
        const std::int64_t rows = 4, inner = 6, columns = 5;
        const Tensor a = randomTensor(transposeLeft ? Shape { inner, rows } : Shape { rows, inner }, 1);
        const Tensor b = randomTensor(transposeRight ? Shape { columns, inner } : Shape { inner, columns }, 2);
        const Tensor c = randomTensor(toShape(third), 3);
        Tensor expected(DType::Float32, { rows, columns });
        for (std::int64_t i = 0; i < rows; ++i) {
            for (std::int64_t j = 0; j < columns; ++j) {
                double sum = 0;
                for (std::int64_t k = 0; k < inner; ++k) {
                    const auto x = static_cast<std::size_t>(transposeLeft ? k * rows + i : i * inner + k);
                    const auto y = static_cast<std::size_t>(transposeRight ? j * inner + k : k * columns + j);
                    sum += static_cast<double>(a.as<float>()[x]) * static_cast<double>(b.as<float>()[y]);
                }
                sum *= static_cast<double>(alpha);
                if (hasThird) {
                    const std::int64_t cRows = c.shape().rank() == 2 ? c.shape()[0] : 1;
                    const std::int64_t cColumns = c.shape().rank() == 0 ? 1 : c.shape()[c.shape().rank() - 1];
                    const std::int64_t at = (cRows == 1 ? 0 : i) * cColumns + (cColumns == 1 ? 0 : j);
                    sum += static_cast<double>(beta) * static_cast<double>(c.as<float>()[static_cast<std::size_t>(at)]);
                }
                expected.as<float>()[static_cast<std::size_t>(i * columns + j)] = static_cast<float>(sum);
            }
        }
        for (bool constants : { true, false }) {
            for (auto set : { engine::KernelSet::Fast, engine::KernelSet::Reference }) {
                GraphMaker maker;
                std::vector<Tensor> inputs { a };
                std::vector<ValueId> operands { maker.input("a", a.shape()) };
                auto add = [&](const char* name, const Tensor& tensor) {
                    operands.push_back(constants ? maker.constant(name, tensor) : maker.input(name, tensor.shape()));
                    if (!constants)
                        inputs.push_back(tensor);
                };
                add("b", b);
                if (hasThird)
                    add("c", c);
                maker.output(maker.node("Gemm", operands, "y",
                    { { "transA", std::int64_t { transposeLeft } }, { "transB", std::int64_t { transposeRight } },
                        { "alpha", alpha }, { "beta", beta } }));
                CompileOptions options;
                options.kernels = set;
                const auto outputs = runGraph(maker.graph(), inputs, options);
                QVERIFY2(outputs, outputs ? "" : outputs.error().message().c_str());
                const double difference = largestDifference((*outputs)[0], expected);
                QVERIFY2(difference < tolerance, qPrintable(QString("off by %1").arg(difference)));
            }
        }
    }

    void fusedRelu()
    {
        const Tensor a = randomTensor({ 4, 6 }, 1);
        const Tensor b = randomTensor({ 6, 3 }, 2);
        GraphMaker maker;
        const ValueId x = maker.input("a", a.shape());
        const ValueId product = maker.node("MatMul", { x, maker.constant("b", b) }, "product");
        maker.output(maker.node("Relu", { product }, "y"));
        const auto compiled = engine::compile(maker.graph(), {}, {});
        QVERIFY(compiled);
        QCOMPARE((*compiled)->steps().size(), std::size_t { 1 });
        Tensor expected = plainMatMul(a, b);
        for (float& value : expected.as<float>())
            value = std::max(value, 0.0F);
        const auto outputs = runGraph(maker.graph(), { a });
        QVERIFY(outputs);
        QVERIFY(largestDifference((*outputs)[0], expected) < tolerance);
    }

    void mismatchIsNamed()
    {
        GraphMaker maker;
        const ValueId x = maker.input("a", { 4, 6 });
        maker.output(maker.node("MatMul", { x, maker.constant("b", randomTensor({ 5, 3 }, 2)) }, "y"));
        const auto compiled = engine::compile(maker.graph(), {}, {});
        QVERIFY(!compiled);
        QCOMPARE(compiled.error().code, ErrorCode::InvalidInput);
        const QString message = QString::fromStdString(compiled.error().message());
        QVERIFY2(message.contains("y_node") && message.contains("[4, 6]") && message.contains("[5, 3]"),
            qPrintable(message));
    }
};

QTEST_APPLESS_MAIN(TestMatMul)
#include "tst_matmul.moc"
