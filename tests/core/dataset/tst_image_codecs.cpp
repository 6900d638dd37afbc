// SPDX-License-Identifier: GPL-3.0-or-later
#include <QTest>

#include "core/dataset/preprocessing.h"
#include "tests/core/dataset/dataset_testing.h"

using namespace quantoscope;
using namespace quantoscope::dataset;
using namespace quantoscope::dataset::testing;

class TestImageCodecs : public QObject {
    Q_OBJECT

private slots:
    void decodesAsPillow_data();
    void decodesAsPillow();
    void truncatedIsAnError_data();
    void truncatedIsAnError();
    void damagedNeverCrashes_data();
    void damagedNeverCrashes();
    void refusesCmyk();
    void refusesOthers();
    void refusesGiantHeaders();
};

void TestImageCodecs::decodesAsPillow_data()
{
    QTest::addColumn<QString>("file");
    int rows = 0;
    for (const auto& entry : fs::directory_iterator(referenceFolder()))
        if (const QString name = QString::fromStdString(entry.path().filename().string()); name.startsWith("decode_")) {
            QTest::newRow(qPrintable(name)) << name;
            ++rows;
        }
    QCOMPARE(rows, 13);
}

void TestImageCodecs::decodesAsPillow()
{
    QFETCH(QString, file);
    const QString expectedFile = "decoded_" + file.section('_', 1).section('.', 0, 0) + ".png";
    const auto got = readImage(referenceFolder() / file.toStdString());
    const auto expected = readImage(referenceFolder() / expectedFile.toStdString());
    QS_VERIFY_OK(got);
    QS_VERIFY_OK(expected);
    QCOMPARE(got->height, expected->height);
    QCOMPARE(got->width, expected->width);
    QCOMPARE(got->channels, expected->channels);
    QVERIFY(got->pixels == expected->pixels);
}

void TestImageCodecs::truncatedIsAnError_data()
{
    QTest::addColumn<QString>("file");
    QTest::addColumn<double>("share");
    for (const auto* file : { "decode_420.jpg", "decode_progressive.jpg", "decode_gray.jpg", "decode_rgb.png" })
        for (const double share : { 0.02, 0.3, 0.9, 0.999 })
            QTest::addRow("%s %g", file, share) << QString(file) << share;
}

void TestImageCodecs::truncatedIsAnError()
{
    QFETCH(QString, file);
    QFETCH(double, share);
    Bytes bytes = readBytes(referenceFolder() / file.toStdString());
    bytes.resize(static_cast<std::size_t>(share * static_cast<double>(bytes.size())));
    QS_VERIFY_ERROR(decodeImage(bytes, "folder/image.x"), ErrorCode::InvalidInput, "folder/image.x");
}

void TestImageCodecs::damagedNeverCrashes_data()
{
    QTest::addColumn<QString>("file");
    for (const auto* file : { "decode_420.jpg", "decode_progressive.jpg", "decode_rgb.png", "decode_palette.png" })
        QTest::newRow(file) << QString(file);
}

void TestImageCodecs::damagedNeverCrashes()
{
    QFETCH(QString, file);
    const Bytes good = readBytes(referenceFolder() / file.toStdString());
    for (std::size_t at = 0; at < good.size(); at += 3) {
        Bytes bytes = good;
        bytes[at] ^= 0xFF;
        if (const auto image = decodeImage(bytes, "x"))
            QCOMPARE(image->pixels.size(), static_cast<std::size_t>(image->height) * image->width * image->channels);
        else
            QVERIFY(!image.error().what.empty());
    }
}

void TestImageCodecs::refusesCmyk()
{
    QS_VERIFY_ERROR(readImage(referenceFolder() / "cmyk.jpg"), ErrorCode::Unsupported, "CMYK");
}

void TestImageCodecs::refusesOthers()
{
    const std::string text = "GIF89a is another format";
    QS_VERIFY_ERROR(decodeImage(Bytes(text.begin(), text.end()), "a.gif"), ErrorCode::InvalidInput,
        "is neither a JPEG nor a PNG image: a.gif");
    QS_VERIFY_ERROR(decodeImage({}, "b.jpg"), ErrorCode::InvalidInput, "is empty");
    QS_VERIFY_ERROR(readImage("no/such.jpg"), ErrorCode::NotFound, "no/such.jpg");
}

void TestImageCodecs::refusesGiantHeaders()
{
    Bytes jpeg = readBytes(referenceFolder() / "decode_gray.jpg");
    for (std::size_t i = 0; i + 9 < jpeg.size(); ++i)
        if (jpeg[i] == 0xFF && jpeg[i + 1] == 0xC0) { // start of frame: length, precision, height, width
            std::fill_n(jpeg.begin() + static_cast<std::ptrdiff_t>(i) + 5, 4, std::uint8_t { 0xF0 });
            break;
        }
    QS_VERIFY_ERROR(decodeImage(jpeg, "big.jpg"), ErrorCode::Unsupported, "61,680 x 61,680 pixels");
}

QTEST_APPLESS_MAIN(TestImageCodecs)
#include "tst_image_codecs.moc"
