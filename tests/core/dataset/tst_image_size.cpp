// SPDX-License-Identifier: GPL-3.0-or-later
// labels: unit
#include <QTest>

#include <nlohmann/json.hpp>

#include "core/dataset/image_size.h"
#include "tests/core/dataset/dataset_testing.h"

using namespace quantoscope;
using namespace quantoscope::dataset;

class TestImageSize : public QObject {
    Q_OBJECT

private slots:
    void reads_data();
    void reads();
    void refuses_data();
    void refuses();
    void resizes_data();
    void resizes();
    void readsJson_data();
    void readsJson();
};

void TestImageSize::reads_data()
{
    QTest::addColumn<QString>("text");
    QTest::addColumn<int>("height");
    QTest::addColumn<int>("width");
    QTest::addColumn<bool>("both"); // as a resize: both sides, not the shorter one
    QTest::addColumn<QString>("extent"); // written again
    QTest::addColumn<QString>("resize");
    QTest::newRow("a side") << "224" << 224 << 224 << false << "224"
                            << "224";
    QTest::newRow("width first") << "320x240" << 240 << 320 << true << "320x240"
                                 << "320x240";
    QTest::newRow("a square") << "64x64" << 64 << 64 << true << "64"
                              << "64x64";
    QTest::newRow("capital") << "8X4" << 4 << 8 << true << "8x4"
                             << "8x4";
    QTest::newRow("sign of multiplication") << QString::fromUtf8("8 × 4") << 4 << 8 << true << "8x4"
                                            << "8x4";
    QTest::newRow("room around") << "8 x 4" << 4 << 8 << true << "8x4"
                                 << "8x4";
    QTest::newRow("largest") << "16384" << largestSide << largestSide << false << "16384"
                             << "16384";
}

void TestImageSize::reads()
{
    QFETCH(QString, text);
    QFETCH(int, height);
    QFETCH(int, width);
    QFETCH(bool, both);
    const auto extent = Extent::parse(text.toStdString());
    QS_VERIFY_OK(extent);
    QVERIFY(*extent == (Extent { height, width }));
    QTEST(QString::fromStdString(extent->toString()), "extent");
    QVERIFY(Extent::parse(extent->toString()).value() == *extent);
    const auto resize = Resize::parse(text.toStdString());
    QS_VERIFY_OK(resize);
    QVERIFY(*resize == (both ? Resize(Extent { height, width }) : Resize(width)));
    QTEST(QString::fromStdString(resize->toString()), "resize");
    QVERIFY(Resize::parse(resize->toString()).value() == *resize);
    QVERIFY(resizeFrom(Json::parse(toJson(*resize).dump())).value() == *resize);
    QVERIFY(extentFrom(Json::parse(toJson(*extent).dump())).value() == *extent);
}

void TestImageSize::refuses_data()
{
    QTest::addColumn<QString>("text");
    for (const char* text : { "", "x", "0", "-3", "224px", "320x", "x240", "320x240x3", "320,240", "1e3", "3.5",
             "16385", "16385x2", "99999999999", " 224", "0x240" })
        QTest::newRow(*text ? text : "nothing") << text;
}

void TestImageSize::refuses()
{
    QFETCH(QString, text);
    const std::string named = "'" + text.toStdString() + "' is no size";
    QS_VERIFY_ERROR(Extent::parse(text.toStdString()), ErrorCode::InvalidInput, named);
    QS_VERIFY_ERROR(Resize::parse(text.toStdString()), ErrorCode::InvalidInput, named);
    QVERIFY(Extent::parse(text.toStdString()).error().hint.find("320x240") != std::string::npos);
}

void TestImageSize::resizes_data()
{
    QTest::addColumn<QString>("resize");
    QTest::addColumn<QString>("image");
    QTest::addColumn<QString>("after");
    QTest::newRow("none") << ""
                          << "500x375"
                          << "500x375";
    QTest::newRow("shorter, landscape, cut") << "256"
                                             << "500x375"
                                             << "341x256";
    QTest::newRow("shorter, portrait, cut") << "256"
                                            << "375x500"
                                            << "256x341";
    QTest::newRow("both") << "320x240"
                          << "375x500"
                          << "320x240";
    QTest::newRow("a square of both") << "64x64"
                                      << "375x500"
                                      << "64";
}

void TestImageSize::resizes()
{
    QFETCH(QString, resize);
    QFETCH(QString, image);
    const Resize size = resize.isEmpty() ? Resize() : Resize::parse(resize.toStdString()).value();
    QCOMPARE(size.none(), resize.isEmpty());
    QTEST(QString::fromStdString(size.of(Extent::parse(image.toStdString()).value()).toString()), "after");
}

void TestImageSize::readsJson_data()
{
    QTest::addColumn<QString>("json");
    QTest::addColumn<QString>("message"); // empty: read
    QTest::newRow("none") << "0"
                          << "";
    QTest::newRow("a number, as ever") << "256"
                                       << "";
    QTest::newRow("both") << "\"320x240\""
                          << "";
    QTest::newRow("nonsense") << "\"wide\""
                              << "'wide' is no size";
}

void TestImageSize::readsJson()
{
    QFETCH(QString, json);
    QFETCH(QString, message);
    const Json value = Json::parse(json.toStdString());
    const auto extent = extentFrom(value);
    const auto resize = resizeFrom(value);
    if (!message.isEmpty()) {
        QS_VERIFY_ERROR(extent, ErrorCode::InvalidInput, message.toStdString());
        QS_VERIFY_ERROR(resize, ErrorCode::InvalidInput, message.toStdString());
        return;
    }
    QS_VERIFY_OK(extent);
    QS_VERIFY_OK(resize);
    QVERIFY(toJson(*extent) == value);
    QVERIFY(toJson(*resize) == value);
}

QTEST_APPLESS_MAIN(TestImageSize)
#include "tst_image_size.moc"
