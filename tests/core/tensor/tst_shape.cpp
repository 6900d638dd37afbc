// SPDX-License-Identifier: GPL-3.0-or-later
#include <limits>

#include <QtTest>

#include "core/tensor/shape.h"

using namespace quantoscope;
using Extents = QList<qlonglong>;

namespace {

constexpr qlonglong most = std::numeric_limits<qlonglong>::max();

Shape shapeOf(const Extents& extents) { return Shape(std::vector<std::int64_t>(extents.begin(), extents.end())); }

} // namespace

class TestShape : public QObject {
    Q_OBJECT

private slots:
    void checkedSize_data()
    {
        QTest::addColumn<Extents>("extents");
        QTest::addColumn<qlonglong>("size"); // -1: an error
        QTest::newRow("scalar") << Extents {} << 1LL;
        QTest::newRow("image") << Extents { 2, 3, 4, 5 } << 120LL;
        QTest::newRow("empty") << Extents { 2, 0, 5 } << 0LL;
        QTest::newRow("2^40") << Extents { 1 << 20, 1 << 20 } << (1LL << 40);
        QTest::newRow("2^40 + 1") << Extents { (1LL << 40) + 1 } << -1LL;
        QTest::newRow("2^41") << Extents { 1 << 20, 1 << 20, 2 } << -1LL;
        QTest::newRow("2^64, which wraps to 0") << Extents { 1LL << 32, 1LL << 32 } << -1LL;
        QTest::newRow("wraps to a small number") << Extents { most, most, 3 } << -1LL;
        QTest::newRow("negative") << Extents { 2, -1, 3 } << -1LL;
        QTest::newRow("two negatives") << Extents { -2, -3 } << -1LL;
        QTest::newRow("negative behind a 0") << Extents { 0, -1 } << -1LL;
        QTest::newRow("huge beside a 0") << Extents { 0, most, most } << -1LL;
    }

    void checkedSize()
    {
        QFETCH(Extents, extents);
        QFETCH(qlonglong, size);
        const Shape shape = shapeOf(extents);
        const auto checked = shape.checkedSize();
        QCOMPARE(checked.has_value(), size >= 0);
        if (checked) {
            QCOMPARE(*checked, static_cast<std::int64_t>(size));
            QCOMPARE(shape.size(), *checked);
        } else {
            QCOMPARE(checked.error().code, ErrorCode::InvalidInput);
            QVERIFY(checked.error().what.find(shape.toString()) != std::string::npos);
        }
    }

    void broadcast_data()
    {
        QTest::addColumn<Extents>("a");
        QTest::addColumn<Extents>("b");
        QTest::addColumn<Extents>("joined"); // { -1 }: an error
        const Extents none { -1 };
        QTest::newRow("scalars") << Extents {} << Extents {} << Extents {};
        QTest::newRow("scalar and image") << Extents {} << Extents { 2, 3 } << Extents { 2, 3 };
        QTest::newRow("same") << Extents { 2, 3 } << Extents { 2, 3 } << Extents { 2, 3 };
        QTest::newRow("channels") << Extents { 2, 3, 4, 5 } << Extents { 3, 1, 1 } << Extents { 2, 3, 4, 5 };
        QTest::newRow("both ways") << Extents { 4, 1 } << Extents { 1, 5 } << Extents { 4, 5 };
        QTest::newRow("longer on the right") << Extents { 5 } << Extents { 3, 4, 1 } << Extents { 3, 4, 5 };
        QTest::newRow("0 and 1") << Extents { 0, 3 } << Extents { 1, 3 } << Extents { 0, 3 };
        QTest::newRow("0 and 2") << Extents { 0 } << Extents { 2 } << none;
        QTest::newRow("2 and 3") << Extents { 2 } << Extents { 3 } << none;
        QTest::newRow("aligned at the end") << Extents { 2, 3 } << Extents { 2 } << none;
    }

    void broadcast()
    {
        QFETCH(Extents, a);
        QFETCH(Extents, b);
        QFETCH(Extents, joined);
        for (const bool swapped : { false, true }) {
            const Shape x = shapeOf(swapped ? b : a);
            const Shape y = shapeOf(swapped ? a : b);
            const auto result = tensor::broadcast(x, y);
            QCOMPARE(result.has_value(), joined != Extents { -1 });
            if (result) {
                QVERIFY(*result == shapeOf(joined));
            } else {
                QVERIFY(result.error().what.find(x.toString()) != std::string::npos);
                QVERIFY(result.error().what.find(y.toString()) != std::string::npos);
            }
        }
    }

    void normalizeAxis_data()
    {
        QTest::addColumn<qlonglong>("axis");
        QTest::addColumn<int>("rank");
        QTest::addColumn<int>("normalized"); // -1: an error
        QTest::newRow("first") << 0LL << 4 << 0;
        QTest::newRow("last") << 3LL << 4 << 3;
        QTest::newRow("from the back") << -1LL << 4 << 3;
        QTest::newRow("first from the back") << -4LL << 4 << 0;
        QTest::newRow("the rank") << 4LL << 4 << -1;
        QTest::newRow("before the first") << -5LL << 4 << -1;
        QTest::newRow("of a scalar") << 0LL << 0 << -1;
        QTest::newRow("huge") << (1LL << 32) << 4 << -1;
        QTest::newRow("hugely negative") << std::numeric_limits<qlonglong>::min() << 4 << -1;
    }

    void normalizeAxis()
    {
        QFETCH(qlonglong, axis);
        QFETCH(int, rank);
        QFETCH(int, normalized);
        const auto result = tensor::normalizeAxis(axis, rank);
        QCOMPARE(result.value_or(-1), normalized);
        QVERIFY(result || result.error().what.find(std::to_string(axis)) != std::string::npos);
    }

    void stridesAndNames()
    {
        QVERIFY((Shape { 2, 3, 4 }.strides() == std::vector<std::int64_t> { 12, 4, 1 }));
        QVERIFY(Shape {}.strides().empty());
        QCOMPARE((Shape { 1, 3, 224, 224 }.toString()), std::string("[1, 3, 224, 224]"));
        QCOMPARE(Shape {}.toString(), std::string("[]"));
    }
};

QTEST_APPLESS_MAIN(TestShape)
#include "tst_shape.moc"
