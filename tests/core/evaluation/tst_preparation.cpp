// SPDX-License-Identifier: GPL-3.0-or-later
// labels: unit
// What images on disk tell of how they are to be prepared.
#include <QTest>

#include "core/evaluation/preparation.h"
#include "tests/support/memory_dataset.h"
#include "tests/support/small_networks.h"

using namespace quantoscope;
using namespace quantoscope::evaluation;
using dataset::Extent;
using dataset::MemoryLayout;
using Ints64 = std::vector<std::int64_t>;

namespace {

ImagesSeen imagesOf(const QString& sides)
{
    ImagesSeen seen;
    seen.channels = 3;
    for (const QString& each : sides.split(' '))
        seen.sides.push_back(Extent::parse(each.toStdString()).value());
    return seen;
}

QString text(const dataset::Resize& resize) { return QString::fromStdString(resize.toString()); }
QString text(const Extent& extent) { return QString::fromStdString(extent.toString()); }

} // namespace

class TestPreparation : public QObject {
    Q_OBJECT

private slots:
    void looksAtFew();
    void readsTheInput();
    void fits_data();
    void fits();
    void fittedImagesHaveTheInputsSides();
    void seesPadding_data();
    void seesPadding();
};

void TestPreparation::looksAtFew()
{
    const auto one = lookAt(*test::randomDataset(100, 20, 30, 1, 2));
    QVERIFY(one && one->oneSize() && one->array.empty());
    QCOMPARE(one->sides.size(), std::size_t { 6 });
    QCOMPARE(one->channels, 1);
    QVERIFY(one->sides.front() == (Extent { 20, 30 }));
    QVERIFY(!imagesOf("30x20 20x30").oneSize());
}

void TestPreparation::readsTheInput()
{
    QVERIFY(imageInput(test::smallConvNet(3, 24, 32, 5)) == (Ints64 { 3, 24, 32 }));
    test::Chain flat({ graph::Dim::named("batch"), 12 });
    flat.node("Relu", "out");
    QVERIFY(imageInput(flat.finish()).empty());
    test::Chain open({ 1, 3, graph::Dim::named("height"), 32 });
    open.node("Relu", "out");
    QVERIFY(imageInput(open.finish()) == (Ints64 { 3, -1, 32 }));
    QVERIFY(imageInput(graph::Graph()).empty());
}

void TestPreparation::fits_data()
{
    QTest::addColumn<QString>("images");
    QTest::addColumn<Ints64>("input");
    QTest::addColumn<MemoryLayout>("layout");
    QTest::addColumn<QString>("resize");
    QTest::addColumn<QString>("crop");
    const auto nchw = MemoryLayout::Nchw;
    QTest::newRow("they fit") << "32x32 32x32" << Ints64 { 3, 32, 32 } << nchw << "0"
                              << "0";
    QTest::newRow("they fit, not square") << "320x240" << Ints64 { 3, 240, 320 } << nchw << "0"
                                          << "0";
    QTest::newRow("small ones") << "40x50" << Ints64 { 3, 32, 32 } << nchw << "32"
                                << "32";
    QTest::newRow("photos") << "500x375 375x500" << Ints64 { 3, 224, 224 } << nchw << "256"
                            << "224";
    QTest::newRow("large input, small images") << "32x32" << Ints64 { 3, 224, 224 } << nchw << "224"
                                               << "224";
    QTest::newRow("wide input") << "500x375 375x500" << Ints64 { 3, 240, 320 } << nchw << "320x240"
                                << "0";
    QTest::newRow("channels last") << "500x375" << Ints64 { 240, 320, 3 } << MemoryLayout::Nhwc << "320x240"
                                   << "0";
    QTest::newRow("open input, one size") << "500x375 500x375" << Ints64 { 3, -1, -1 } << nchw << "0"
                                          << "0";
    QTest::newRow("open input, many sizes") << "500x375 375x500" << Ints64 { 3, -1, -1 } << nchw << "256"
                                            << "224";
    QTest::newRow("no input known") << "500x375 375x500" << Ints64 {} << nchw << "256"
                                    << "224";
    QTest::newRow("absurd input") << "500x375" << Ints64 { 3, 1 << 20, 1 << 20 } << nchw << "0"
                                  << "0";
}

void TestPreparation::fits()
{
    QFETCH(QString, images);
    QFETCH(Ints64, input);
    dataset::Preprocessing preparation;
    QFETCH(MemoryLayout, layout);
    preparation.layout = layout;
    preparation.resize = 77; // whatever was there before
    preparation.crop = { 66, 55 };
    fitSize(preparation, imagesOf(images), input);
    QTEST(text(preparation.resize), "resize");
    QTEST(text(preparation.crop), "crop");
    QVERIFY(preparation.validate());
}

/// By property: whatever the images and the input, what comes out has the input's sides and no edge filled up.
void TestPreparation::fittedImagesHaveTheInputsSides()
{
    base::Random random(5);
    const auto side = [&](int most) { return 1 + static_cast<int>(random.below(static_cast<std::uint64_t>(most))); };
    for (int trial = 0; trial < 60; ++trial) {
        const auto data = test::randomDataset(1, side(300), side(300), 3, 2, static_cast<std::uint64_t>(trial));
        const int height = side(130);
        const int width = trial % 2 ? height : side(130);
        const auto images = lookAt(*data).value();
        dataset::Preprocessing preparation;
        fitSize(preparation, images, { 3, height, width });
        const auto image = dataset::preprocess(data->image(0).value(), preparation);
        QVERIFY(image);
        QCOMPARE(image->height, height);
        QCOMPARE(image->width, width);
        QVERIFY(!isPadded(images, preparation.resize, preparation.crop));
    }
}

void TestPreparation::seesPadding_data()
{
    QTest::addColumn<QString>("images");
    QTest::addColumn<QString>("resize");
    QTest::addColumn<QString>("crop");
    QTest::addColumn<bool>("padded");
    QTest::newRow("no crop") << "10x10"
                             << ""
                             << "" << false;
    QTest::newRow("fits") << "32x24"
                          << ""
                          << "32x24" << false;
    QTest::newRow("too wide") << "32x24"
                              << ""
                              << "33x24" << true;
    QTest::newRow("too high") << "32x24"
                              << ""
                              << "32x25" << true;
    QTest::newRow("resized enough") << "32x24"
                                    << "224"
                                    << "224" << false;
    QTest::newRow("landscape, resized enough") << "640x480 800x600"
                                               << "240"
                                               << "320x240" << false;
    QTest::newRow("one is upright") << "640x480 480x640"
                                    << "240"
                                    << "320x240" << true;
    QTest::newRow("both sides") << "640x480 480x640"
                                << "320x240"
                                << "320x240" << false;
    QTest::newRow("both sides, too small") << "640x480"
                                           << "320x240"
                                           << "320x241" << true;
}

void TestPreparation::seesPadding()
{
    QFETCH(QString, images);
    QFETCH(QString, resize);
    QFETCH(QString, crop);
    const auto size = resize.isEmpty() ? dataset::Resize() : dataset::Resize::parse(resize.toStdString()).value();
    const auto cut = crop.isEmpty() ? Extent() : Extent::parse(crop.toStdString()).value();
    QTEST(isPadded(imagesOf(images), size, cut), "padded");
}

QTEST_APPLESS_MAIN(TestPreparation)
#include "tst_preparation.moc"
