// SPDX-License-Identifier: GPL-3.0-or-later
#include <QTest>

#include <algorithm>

#include "core/dataset/dataset.h"
#include "tests/core/dataset/dataset_testing.h"

using namespace quantoscope;
using namespace quantoscope::dataset;
using namespace quantoscope::dataset::testing;

/// Arrays in .npy and .npz files, and the archives that hold them.
class TestNumpyDataset : public QObject {
    Q_OBJECT

private slots:
    void numpyImages_data();
    void numpyImages();
    void numpyFloats_data();
    void numpyFloats();
    void numpyErrors_data();
    void numpyErrors();
    void numpyNan();
    void npyWithNeighbour();
    void zipDamaged();
    void zip64IsRefused();
};

void TestNumpyDataset::numpyImages_data()
{
    QTest::addColumn<QString>("file");
    QTest::addColumn<int>("height");
    QTest::addColumn<int>("width");
    QTest::addColumn<int>("channels");
    QTest::addColumn<bool>("planar");
    QTest::addColumn<int>("label2");
    QTest::newRow("NHW") << "u8_nhw.npz" << 3 << 2 << 1 << false << 65535;
    QTest::newRow("NHWC, deflated, other names") << "u8_nhwc.npz" << 3 << 2 << 3 << false << 5;
    QTest::newRow("NCHW, unnamed") << "u8_nchw.npz" << 5 << 4 << 3 << true << 65535;
    QTest::newRow("x alone") << "x_only.npz" << 3 << 2 << 1 << false << -1;
}

void TestNumpyDataset::numpyImages()
{
    QFETCH(QString, file);
    QFETCH(int, channels);
    QFETCH(bool, planar);
    const auto data = openDataset(referenceFolder() / file.toStdString());
    QS_VERIFY_OK(data);
    QVERIFY(!dynamic_cast<const FloatDataset*>(data->get()));
    QCOMPARE((*data)->size(), 4);
    QTEST((*data)->label(2), "label2");
    const auto image = (*data)->image(2);
    QS_VERIFY_OK(image);
    QTEST(image->height, "height");
    QTEST(image->width, "width");
    QCOMPARE(image->channels, channels);
    const std::size_t size = image->pixels.size();
    const Bytes all = counting(4 * size);
    for (std::size_t i = 0; i < size; ++i) {
        const auto c = static_cast<std::size_t>(channels);
        const std::size_t from = planar ? i % c * (size / c) + i / c : i;
        QCOMPARE(image->pixels[i], all[2 * size + from]);
    }
}

void TestNumpyDataset::numpyFloats_data()
{
    QTest::addColumn<QString>("file");
    QTest::addColumn<QList<qint64>>("shape");
    QTest::addColumn<float>("factor");
    QTest::newRow("float32") << "f4.npz" << QList<qint64> { 3, 2, 5 } << 0.25F;
    QTest::newRow("float64") << "f8.npz" << QList<qint64> { 6 } << 1.0F;
    QTest::newRow("int32") << "i4.npz" << QList<qint64> { 2, 2 } << -1.0F;
    QTest::newRow("int64") << "i8.npz" << QList<qint64> { 2, 2 } << 1.0F;
}

void TestNumpyDataset::numpyFloats()
{
    QFETCH(QString, file);
    QFETCH(QList<qint64>, shape);
    QFETCH(float, factor);
    const auto data = openDataset(referenceFolder() / file.toStdString());
    QS_VERIFY_OK(data);
    const auto* floats = dynamic_cast<const FloatDataset*>(data->get());
    QVERIFY(floats);
    QCOMPARE(floats->sampleShape(), std::vector<std::int64_t>(shape.begin(), shape.end()));
    QCOMPARE((*data)->label(0), 3);
    QCOMPARE((*data)->label(2), 65535);
    QS_VERIFY_ERROR((*data)->image(0), ErrorCode::Unsupported, "not 8-bit images");
    std::size_t size = 1;
    for (const auto extent : shape)
        size *= static_cast<std::size_t>(extent);
    std::vector<float> values(size);
    QS_VERIFY_OK(floats->sample(3, values));
    const Bytes all = counting(4 * size);
    for (std::size_t i = 0; i < size; ++i)
        QCOMPARE(values[i], factor * static_cast<float>(all[3 * size + i]));
}

void TestNumpyDataset::numpyErrors_data()
{
    QTest::addColumn<QString>("message");
    QTest::newRow("fortran") << "Fortran";
    QTest::newRow("big_endian") << "big-endian";
    QTest::newRow("float16") << "type '<f2'";
    QTest::newRow("label_count") << "has 3 labels for 4 samples";
    QTest::newRow("label_range") << "label 2 is 65536";
    QTest::newRow("label_negative") << "label 1 is -1";
    QTest::newRow("label_fraction") << "label 0 is 3.5";
    QTest::newRow("one_hot") << "y.argmax(1)";
    QTest::newRow("odd_shape") << "holds uint8 [4, 2, 2, 5]";
    QTest::newRow("scalar") << "holds float32 [], expected samples";
    QTest::newRow("empty") << "is an empty .npz file";
}

void TestNumpyDataset::numpyErrors()
{
    QFETCH(QString, message);
    const std::string file = std::string(QTest::currentDataTag()) + ".npz";
    const auto data = openDataset(referenceFolder() / file, { Kind::Npz, {} });
    QVERIFY(!data);
    const std::string text = data.error().message();
    QVERIFY2(text.find(message.toStdString()) != std::string::npos, text.c_str());
    QVERIFY2(text.find(file) != std::string::npos, text.c_str());
}

void TestNumpyDataset::numpyNan()
{
    const auto data = openDataset(referenceFolder() / "nan.npz");
    QS_VERIFY_OK(data);
    std::vector<float> values(2);
    const auto* floats = dynamic_cast<const FloatDataset*>(data->get());
    QS_VERIFY_OK(floats->sample(0, values));
    QS_VERIFY_ERROR(floats->sample(1, values), ErrorCode::InvalidInput, "sample 1 holds NaN");
}

void TestNumpyDataset::npyWithNeighbour()
{
    const auto data = openDataset(referenceFolder() / "small_x.npy");
    QS_VERIFY_OK(data);
    QCOMPARE((*data)->label(2), 65535);
    const ScratchFolder folder;
    const auto alone = folder.write("alone.npy", readBytes(referenceFolder() / "small_x.npy"));
    QCOMPARE(openDataset(alone).value()->label(2), -1);
    QCOMPARE(openDataset(alone, { Kind::Auto, referenceFolder() / "small_y.npy" }).value()->label(3), 1);
    Bytes cut = readBytes(alone);
    cut.pop_back();
    QS_VERIFY_ERROR(openDataset(folder.write("cut.npy", cut)), ErrorCode::InvalidInput,
        "holds 23 bytes of elements, its header promises 24");
    cut.resize(40);
    QS_VERIFY_ERROR(openDataset(folder.write("cut.npy", cut)), ErrorCode::InvalidInput, "ends within its header");
}

void TestNumpyDataset::zipDamaged()
{
    const ScratchFolder folder;
    const Bytes good = readBytes(referenceFolder() / "u8_nhwc.npz");
    for (std::size_t size = 4; size < good.size(); size += 7)
        QVERIFY(!openDataset(folder.write("cut.npz", Bytes(good.begin(), good.begin() + static_cast<long>(size)))));
    for (std::size_t at = 4; at < good.size(); at += 5) {
        Bytes bytes = good;
        bytes[at] ^= 0xFF;
        const auto data
            = openDataset(folder.write("wrong.npz", bytes)); // must not crash; times and comments do not count
        if (data)
            QCOMPARE((*data)->size(), 4);
    }
    Bytes wrong = readBytes(referenceFolder() / "u8_nhw.npz");
    wrong[200] ^= 0x01; // an element of x: only the check sum tells
    QS_VERIFY_ERROR(openDataset(folder.write("sum.npz", wrong)), ErrorCode::InvalidInput, "check sum");
}

void TestNumpyDataset::zip64IsRefused()
{
    const ScratchFolder folder;
    Bytes bytes = readBytes(referenceFolder() / "u8_nhw.npz");
    std::fill_n(bytes.end() - 6, 4, std::uint8_t { 0xFF }); // the directory's offset
    QS_VERIFY_ERROR(openDataset(folder.write("big.npz", bytes)), ErrorCode::Unsupported, "zip64");
}

QTEST_APPLESS_MAIN(TestNumpyDataset)
#include "tst_numpy_dataset.moc"
