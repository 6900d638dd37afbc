// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <cstdint>
#include <numeric>

#include <QtTest>

#include "core/tensor/tensor.h"

using namespace quantoscope;

namespace {

Tensor counted(const Shape& shape)
{
    std::vector<float> values(static_cast<std::size_t>(shape.size()));
    std::iota(values.begin(), values.end(), 0.0f);
    return Tensor::from<float>(shape, values);
}

} // namespace

class TestTensor : public QObject {
    Q_OBJECT

private slots:
    void aNewTensorIsZeroAndAligned_data()
    {
        QTest::addColumn<DType>("type");
        QTest::addColumn<qlonglong>("size");
        for (const DType type :
            { DType::Float32, DType::Float64, DType::Int8, DType::Bool, DType::UInt4, DType::Int2 }) {
            for (const qlonglong size : { 0, 1, 3, 64, 1000 })
                QTest::addRow("%s[%lld]", tensor::name(type).data(), size) << type << size;
        }
    }

    void aNewTensorIsZeroAndAligned()
    {
        QFETCH(DType, type);
        QFETCH(qlonglong, size);
        const Tensor made(type, Shape { size });
        QCOMPARE(reinterpret_cast<std::uintptr_t>(made.data()) % 64, std::uintptr_t { 0 });
        QCOMPARE(made.size(), static_cast<std::int64_t>(size));
        QCOMPARE(made.bytes(), tensor::byteSize(type, static_cast<std::size_t>(size)));
        const auto* bytes = static_cast<const char*>(made.data());
        QVERIFY(std::all_of(bytes, bytes + made.bytes(), [](char byte) { return byte == 0; }));
    }

    void copiesAreDeep()
    {
        const Tensor original = counted({ 2, 3 });
        Tensor copy(original);
        Tensor assigned;
        assigned = original;
        QVERIFY(copy.data() != original.data() && assigned.data() != original.data());
        QVERIFY(std::ranges::equal(copy.as<float>(), original.as<float>()));
        copy.as<float>()[4] = 99;
        assigned.as<float>()[0] = 98;
        QCOMPARE(original.as<float>()[4], 4.0f);
        QCOMPARE(original.as<float>()[0], 0.0f);
        QVERIFY(copy.shape() == original.shape() && copy.dtype() == original.dtype());
        auto& self = copy;
        copy = self;
        QCOMPARE(copy.as<float>()[4], 99.0f);
        QCOMPARE(copy.as<float>()[5], 5.0f);
    }

    void movingKeepsTheMemory()
    {
        Tensor original = counted({ 100 });
        const void* data = original.data();
        const Tensor moved(std::move(original));
        QCOMPARE(moved.data(), data);
        QCOMPARE(moved.as<float>()[99], 99.0f);
    }

    void reshapedHasTheSameElements()
    {
        const Tensor original = counted({ 2, 3, 4 });
        const Tensor flat = original.reshaped({ 4, 6 });
        QVERIFY((flat.shape() == Shape { 4, 6 }));
        QVERIFY(flat.data() != original.data());
        QVERIFY(std::ranges::equal(flat.as<float>(), original.as<float>()));
        QCOMPARE(counted({ 1 }).reshaped({}).shape().rank(), 0);
    }

    void theEmptyTensorHasNoElements()
    {
        const Tensor empty;
        QCOMPARE(empty.size(), std::int64_t { 0 });
        QVERIFY(empty.as<float>().empty());
        const Tensor copy = empty;
        QCOMPARE(copy.size(), std::int64_t { 0 });
        QCOMPARE(TensorView().size(), std::int64_t { 0 });
    }

    void scalarsHaveRankZero()
    {
        const Tensor scalar = Tensor::scalar<std::int64_t>(-5);
        QCOMPARE(scalar.shape().rank(), 0);
        QCOMPARE(scalar.size(), std::int64_t { 1 });
        QVERIFY(scalar.dtype() == DType::Int64);
        QCOMPARE(scalar.as<std::int64_t>()[0], std::int64_t { -5 });
    }

    void packedElementsAreSeenAsBytes()
    {
        QCOMPARE(Tensor(DType::UInt4, { 5 }).as<std::uint8_t>().size(), 3u);
        QCOMPARE(Tensor(DType::Int2, { 5 }).as<std::uint8_t>().size(), 2u);
        QCOMPARE(Tensor(DType::Bool, { 5 }).as<std::uint8_t>().size(), 5u);
        QCOMPARE(Tensor(DType::Float16, { 5 }).as<std::uint16_t>().size(), 5u);
    }

    void aViewSeesTheTensorsMemory()
    {
        Tensor owner = counted({ 2, 2 });
        const TensorView view = owner.view();
        owner.as<float>()[3] = 7;
        QCOMPARE(view.as<float>()[3], 7.0f);
        QCOMPARE(view.data(), static_cast<const void*>(owner.data()));
        QCOMPARE(view.bytes(), 16u);
    }
};

QTEST_APPLESS_MAIN(TestTensor)
#include "tst_tensor.moc"
