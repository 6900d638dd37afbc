// SPDX-License-Identifier: GPL-3.0-or-later
// labels: numeric
#include <cmath>
#include <cstring>
#include <limits>

#include <QtTest>

#include "core/base/random.h"
#include "core/tensor/tensor.h"

using namespace quantoscope;
using tensor::convert;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
const double notANumber = std::numeric_limits<double>::quiet_NaN();

constexpr DType allTypes[] = { DType::Float32, DType::Float64, DType::Float16, DType::BFloat16, DType::Int8,
    DType::UInt8, DType::Int16, DType::UInt16, DType::Int32, DType::UInt32, DType::Int64, DType::UInt64, DType::Bool,
    DType::Int4, DType::UInt4, DType::Int2, DType::UInt2 };

Tensor doubles(const std::vector<double>& values)
{
    return Tensor::from<double>(Shape { static_cast<std::int64_t>(values.size()) }, values);
}

/// IEEE binary16 by its definition, without a bit trick.
double halfByDefinition(std::uint16_t bits)
{
    const double sign = bits & 0x8000 ? -1 : 1;
    const int exponent = bits >> 10 & 31;
    const double fraction = (bits & 1023) / 1024.0;
    if (exponent == 31)
        return fraction > 0 ? notANumber : sign * infinity;
    return exponent == 0 ? sign * std::ldexp(fraction, -14) : sign * std::ldexp(1 + fraction, exponent - 15);
}

} // namespace

class TestConvert : public QObject {
    Q_OBJECT

private slots:
    void everyHalfIsWhatItsDefinitionSays()
    {
        for (int i = 0; i < 65536; ++i) {
            const auto bits = static_cast<std::uint16_t>(i);
            const double expected = halfByDefinition(bits);
            const float got = tensor::halfToFloat(bits);
            if (std::isnan(expected)) {
                QVERIFY(std::isnan(got) && std::isnan(tensor::halfToFloat(tensor::floatToHalf(got))));
                continue;
            }
            QCOMPARE(static_cast<double>(got), expected);
            QCOMPARE(tensor::floatToHalf(got), bits); // also tells -0 from 0
        }
    }

    void floatsRoundToTheNearestHalf()
    {
        // Between every two neighbours: the middle goes to the even one, a little less or more to the nearer one.
        for (std::uint16_t bits = 0; bits < 0x7BFF; ++bits) {
            const float low = tensor::halfToFloat(bits);
            const float high = tensor::halfToFloat(static_cast<std::uint16_t>(bits + 1));
            const float middle = low + (high - low) / 2;
            const auto even = static_cast<std::uint16_t>(bits + (bits & 1));
            QCOMPARE(tensor::floatToHalf(middle), even);
            QCOMPARE(tensor::floatToHalf(std::nextafter(middle, 0.0f)), bits);
            QCOMPARE(tensor::floatToHalf(std::nextafter(middle, high)), static_cast<std::uint16_t>(bits + 1));
            QCOMPARE(tensor::floatToHalf(-middle), static_cast<std::uint16_t>(even | 0x8000));
        }
        QCOMPARE(tensor::floatToHalf(65519.996f), std::uint16_t { 0x7BFF });
        QCOMPARE(tensor::floatToHalf(65520.0f), std::uint16_t { 0x7C00 });
        QCOMPARE(tensor::floatToHalf(-1e30f), std::uint16_t { 0xFC00 });
        QCOMPARE(tensor::floatToHalf(1e-30f), std::uint16_t { 0 });
    }

    void everyBfloat16IsTheUpperHalfOfAFloat()
    {
        for (int i = 0; i < 65536; ++i) {
            const auto bits = static_cast<std::uint16_t>(i);
            const float got = tensor::bfloat16ToFloat(bits);
            std::uint32_t raw = 0;
            std::memcpy(&raw, &got, sizeof raw);
            QCOMPARE(raw, static_cast<std::uint32_t>(i) << 16);
            if (std::isnan(got))
                QVERIFY(std::isnan(tensor::bfloat16ToFloat(tensor::floatToBfloat16(got))));
            else
                QCOMPARE(tensor::floatToBfloat16(got), bits);
        }
    }

    void floatsRoundToTheNearestBfloat16()
    {
        for (std::uint16_t bits = 0; bits < 0x7F7F; ++bits) {
            const double low = tensor::bfloat16ToFloat(bits);
            const double high = tensor::bfloat16ToFloat(static_cast<std::uint16_t>(bits + 1));
            const auto middle = static_cast<float>((low + high) / 2);
            QCOMPARE(tensor::floatToBfloat16(middle), static_cast<std::uint16_t>(bits + (bits & 1)));
            QCOMPARE(tensor::floatToBfloat16(std::nextafter(middle, 0.0f)), bits);
            QCOMPARE(tensor::floatToBfloat16(std::nextafter(middle, INFINITY)), static_cast<std::uint16_t>(bits + 1));
        }
        QCOMPARE(tensor::floatToBfloat16(std::numeric_limits<float>::max()), std::uint16_t { 0x7F80 });
        // A NaN whose payload lies in the lower half must not become an infinity.
        std::uint32_t raw = 0x7F800001;
        float quiet = 0;
        std::memcpy(&quiet, &raw, sizeof quiet);
        QVERIFY(std::isnan(tensor::bfloat16ToFloat(tensor::floatToBfloat16(quiet))));
    }

    void floatsTruncateAndSaturate_data()
    {
        QTest::addColumn<DType>("type");
        QTest::addColumn<double>("low");
        QTest::addColumn<double>("high");
        QTest::newRow("int8") << DType::Int8 << -128.0 << 127.0;
        QTest::newRow("uint8") << DType::UInt8 << 0.0 << 255.0;
        QTest::newRow("int16") << DType::Int16 << -32768.0 << 32767.0;
        QTest::newRow("uint16") << DType::UInt16 << 0.0 << 65535.0;
        QTest::newRow("int32") << DType::Int32 << -2147483648.0 << 2147483647.0;
        QTest::newRow("uint32") << DType::UInt32 << 0.0 << 4294967295.0;
        QTest::newRow("int4") << DType::Int4 << -8.0 << 7.0;
        QTest::newRow("uint4") << DType::UInt4 << 0.0 << 15.0;
        QTest::newRow("int2") << DType::Int2 << -2.0 << 1.0;
        QTest::newRow("uint2") << DType::UInt2 << 0.0 << 3.0;
    }

    void floatsTruncateAndSaturate()
    {
        QFETCH(DType, type);
        QFETCH(double, low);
        QFETCH(double, high);
        const std::vector<double> values { 0, 0.999, 1.5, -0.999, -1.0, low, high, low - 0.5, high + 0.5, low - 1,
            high + 1, -1e18, 1e300, infinity, -infinity, notANumber, 1.0 };
        const std::vector<double> expected { 0, 0, 1, 0, std::max(-1.0, low), low, high, low, high, low, high, low,
            high, high, low, 0, 1 };
        for (const DType from : { DType::Float64, DType::Float32 }) {
            const Tensor source = convert(doubles(values).view(), from);
            const auto got = tensor::toDoubles(convert(source.view(), type).view());
            for (std::size_t i = 0; i < values.size(); ++i) {
                // 2^31 and its like are not floats: what lies next to them is tested in double alone.
                if (from == DType::Float32 && tensor::bitWidth(type) == 32 && i >= 5 && i <= 10)
                    continue;
                QVERIFY2(got[i] == expected[i], qPrintable(QString("%1 -> %2").arg(values[i]).arg(got[i])));
            }
        }
    }

    void sixtyFourBitsSaturateExactly()
    {
        const Tensor source = doubles({ 0x1p63, -0x1p63, 1e30, -1e30, 0x1p64, 0x1.fffffffffffffp62, notANumber });
        const auto ints = convert(source.view(), DType::Int64);
        const auto unsigneds = convert(source.view(), DType::UInt64);
        constexpr auto most = std::numeric_limits<std::int64_t>::max();
        constexpr auto least = std::numeric_limits<std::int64_t>::min();
        const std::vector<std::int64_t> expected { most, least, most, least, most, 0x7FFFFFFFFFFFFC00, 0 };
        const std::vector<std::uint64_t> wanted { 1ULL << 63, 0, ~0ULL, 0, ~0ULL, 0x7FFFFFFFFFFFFC00, 0 };
        for (std::size_t i = 0; i < expected.size(); ++i) {
            QCOMPARE(ints.as<std::int64_t>()[i], expected[i]);
            QCOMPARE(unsigneds.as<std::uint64_t>()[i], wanted[i]);
        }
        // A uint64 beyond int64 is read as the largest int64 or wraps, but its double is right.
        QCOMPARE(tensor::toDoubles(unsigneds.view())[4], 0x1p64);
    }

    void integersWrap()
    {
        const Tensor source = Tensor::from<std::int64_t>({ 5 }, { 300, -1, 17, -129, 1LL << 40 });
        const auto bytes = convert(source.view(), DType::UInt8);
        QVERIFY(tensor::toInt64s(bytes.view()) == (std::vector<std::int64_t> { 44, 255, 17, 127, 0 }));
        const auto nibbles = convert(source.view(), DType::Int4);
        QVERIFY(tensor::toInt64s(nibbles.view()) == (std::vector<std::int64_t> { -4, -1, 1, -1, 0 }));
    }

    void boolIsOneForAllButZero()
    {
        const Tensor source = doubles({ 0, -0.0, 1e-300, -3, notANumber, infinity });
        QVERIFY(tensor::toInt64s(convert(source.view(), DType::Bool).view())
            == (std::vector<std::int64_t> { 0, 0, 1, 1, 1, 1 }));
    }

    void packedTypesLieLowBitsFirst_data()
    {
        QTest::addColumn<DType>("type");
        QTest::addColumn<QList<qlonglong>>("values");
        QTest::addColumn<QByteArray>("bytes");
        QTest::newRow("uint4") << DType::UInt4 << QList<qlonglong> { 1, 2, 15, 0, 9 } << QByteArray::fromHex("210f09");
        QTest::newRow("int4") << DType::Int4 << QList<qlonglong> { -1, 7, -8 } << QByteArray::fromHex("7f08");
        QTest::newRow("uint2") << DType::UInt2 << QList<qlonglong> { 0, 1, 2, 3, 3 } << QByteArray::fromHex("e403");
        QTest::newRow("int2") << DType::Int2 << QList<qlonglong> { -1, 1, -2, 0, -2 } << QByteArray::fromHex("2702");
        QTest::newRow("one uint4") << DType::UInt4 << QList<qlonglong> { 10 } << QByteArray::fromHex("0a");
        QTest::newRow("nothing") << DType::Int4 << QList<qlonglong> {} << QByteArray();
    }

    void packedTypesLieLowBitsFirst()
    {
        QFETCH(DType, type);
        QFETCH(QList<qlonglong>, values);
        QFETCH(QByteArray, bytes);
        const std::vector<std::int64_t> numbers(values.begin(), values.end());
        const Shape shape { static_cast<std::int64_t>(numbers.size()) };
        const Tensor packed = convert(Tensor::from(shape, numbers).view(), type);
        QCOMPARE(packed.bytes(), static_cast<std::size_t>(bytes.size()));
        QCOMPARE(QByteArray(static_cast<const char*>(packed.data()), bytes.size()), bytes);
        QVERIFY(tensor::toInt64s(packed.view()) == numbers);
        // Into memory that holds something else already, as an arena does.
        std::vector<std::uint8_t> dirty(static_cast<std::size_t>(bytes.size()) + 1, 0xFF);
        tensor::convertElements(
            DType::Int64, numbers.data(), type, dirty.data(), static_cast<std::int64_t>(numbers.size()));
        QVERIFY(std::equal(bytes.begin(), bytes.end(), dirty.begin(),
            [](char a, std::uint8_t b) { return static_cast<std::uint8_t>(a) == b; }));
        QCOMPARE(dirty.back(), std::uint8_t { 0xFF });
    }

    void equallyWideTypesConvertInPlace_data()
    {
        QTest::addColumn<DType>("from");
        QTest::addColumn<DType>("to");
        for (const DType from : allTypes) {
            for (const DType to : allTypes) {
                if (tensor::bitWidth(from) == tensor::bitWidth(to))
                    QTest::addRow("%s to %s", tensor::name(from).data(), tensor::name(to).data()) << from << to;
            }
        }
    }

    void equallyWideTypesConvertInPlace()
    {
        QFETCH(DType, from);
        QFETCH(DType, to);
        const Tensor source = convert(doubles({ 1, 3, -2, 0, 7, 1, 2 }).view(), from);
        const Tensor expected = convert(source.view(), to);
        Tensor inPlace = source;
        tensor::convertElements(from, inPlace.data(), to, inPlace.data(), inPlace.size());
        QCOMPARE(std::memcmp(inPlace.data(), expected.data(), expected.bytes()), 0);
    }

    void smallNumbersSurviveEveryTypeAndBack_data()
    {
        QTest::addColumn<DType>("type");
        for (const DType type : allTypes)
            QTest::newRow(tensor::name(type).data()) << type;
    }

    void smallNumbersSurviveEveryTypeAndBack()
    {
        QFETCH(DType, type);
        const Tensor source = doubles({ 0, 1, 1, 0, 1 });
        const Tensor there = convert(source.view(), type);
        QVERIFY(there.dtype() == type && there.shape() == source.shape());
        QVERIFY(tensor::toDoubles(there.view()) == tensor::toDoubles(source.view()));
        QVERIFY(tensor::toInt64s(there.view()) == (std::vector<std::int64_t> { 0, 1, 1, 0, 1 }));
        QCOMPARE(tensor::byteSize(type, 5), (5 * static_cast<std::size_t>(tensor::bitWidth(type)) + 7) / 8);
        QCOMPARE(tensor::isPacked(type), tensor::bitWidth(type) < 8);
    }

    void theFirstNonFiniteIsFound_data()
    {
        QTest::addColumn<DType>("type");
        for (const DType type : { DType::Float32, DType::Float64, DType::Float16, DType::BFloat16 })
            QTest::newRow(tensor::name(type).data()) << type;
    }

    void theFirstNonFiniteIsFound()
    {
        QFETCH(DType, type);
        const auto at = [&](const std::vector<double>& values) {
            return tensor::firstNonFinite(convert(doubles(values).view(), type).view());
        };
        QCOMPARE(at({ 1, 2, 3 }), std::int64_t { -1 });
        QCOMPARE(at({ 1, notANumber, infinity }), std::int64_t { 1 });
        QCOMPARE(at({ 1, 2, -infinity }), std::int64_t { 2 });
        QCOMPARE(at({}), std::int64_t { -1 });
        QCOMPARE(tensor::firstNonFinite(Tensor(DType::Int8, { 3 }).view()), std::int64_t { -1 });
    }
};

QTEST_APPLESS_MAIN(TestConvert)
#include "tst_convert.moc"
