// SPDX-License-Identifier: GPL-3.0-or-later
// labels: unit numeric
#include <QTest>

#include "core/dataset/preprocessing.h"
#include "core/dataset/resize.h"
#include "tests/core/dataset/dataset_testing.h"

using namespace quantoscope;
using namespace quantoscope::dataset;
using namespace quantoscope::dataset::testing;

namespace {

/// The first pixel that differs, in words; empty if none does.
std::string difference(const Image& got, const Image& expected)
{
    const auto extent = [](const Image& image) {
        return std::to_string(image.height) + "x" + std::to_string(image.width) + "x" + std::to_string(image.channels);
    };
    if (extent(got) != extent(expected))
        return "got " + extent(got) + ", expected " + extent(expected);
    for (std::size_t i = 0; i < expected.pixels.size(); ++i)
        if (got.pixels[i] != expected.pixels[i])
            return "sample " + std::to_string(i) + " is " + std::to_string(got.pixels[i]) + ", expected "
                + std::to_string(expected.pixels[i]);
    return got.pixels.size() == expected.pixels.size() ? "" : "wrong number of samples";
}

/// Whole, by what settings ask for.
Image resized(const Image& image, const Resize& resize)
{
    const Extent extent = resize.of({ image.height, image.width });
    return resizeBilinear(image, extent.height, extent.width);
}

Image reference(const std::string& name) { return readImage(referenceFolder() / name).value(); }

} // namespace

class TestImageOperations : public QObject {
    Q_OBJECT

private slots:
    void resizeEqualsPillow_data();
    void resizeEqualsPillow();
    void windowEqualsPartOfWhole();
    void pipelineEqualsPillow();
    void shorterSide_data();
    void shorterSide();
    void cropOffset_data();
    void cropOffset();
    void cropPadsSmallImages();
    void cropWithoutResize();
    void sidesMayDiffer_data();
    void sidesMayDiffer();
    void channels();
    void grayEqualsPillow();
    void refusesGiantResize();
};

void TestImageOperations::resizeEqualsPillow_data()
{
    QTest::addColumn<QString>("file");
    int rows = 0;
    for (const auto& entry : fs::directory_iterator(referenceFolder()))
        if (const QString name = QString::fromStdString(entry.path().filename().string()); name.startsWith("resize_")) {
            QTest::newRow(qPrintable(name)) << name;
            ++rows;
        }
    QCOMPARE(rows, 20);
}

void TestImageOperations::resizeEqualsPillow()
{
    QFETCH(QString, file);
    const QStringList parts = file.chopped(4).split('_');
    const QStringList extent = parts.at(2).split('x');
    const Image source = reference("source_" + parts.at(1).toStdString() + ".png");
    const Image got = resizeBilinear(source, extent.at(0).toInt(), extent.at(1).toInt());
    QCOMPARE(difference(got, reference(file.toStdString())), std::string());
}

void TestImageOperations::windowEqualsPartOfWhole()
{
    const Image source = reference("source_colour.png");
    const Image whole = resizeBilinear(source, 21, 26);
    for (const Window& window : { Window { 0, 0, 21, 26 }, Window { 3, 5, 7, 9 }, Window { 20, 25, 1, 1 } }) {
        const Image part = resizeWindow(source, 21, 26, window);
        QCOMPARE(part.height, window.height);
        QCOMPARE(part.width, window.width);
        for (int y = 0; y < window.height; ++y)
            for (int x = 0; x < window.width * 3; ++x)
                QCOMPARE(part.pixels[static_cast<std::size_t>(y * window.width * 3 + x)],
                    whole.pixels[static_cast<std::size_t>(((window.top + y) * 26 + window.left) * 3 + x)]);
    }
}

void TestImageOperations::pipelineEqualsPillow()
{
    Preprocessing settings;
    settings.resize = 16;
    settings.crop = { 13, 13 };
    const Image source = reference("source_colour.png");
    const auto got = preprocess(source, settings);
    QS_VERIFY_OK(got);
    QCOMPARE(difference(*got, reference("pipeline_16_13.png")), std::string());
    QCOMPARE(difference(centerCrop(resized(source, 16), { 13, 13 }), *got), std::string());
}

void TestImageOperations::shorterSide_data()
{
    QTest::addColumn<int>("height");
    QTest::addColumn<int>("width");
    QTest::addColumn<int>("side");
    QTest::addColumn<int>("newHeight");
    QTest::addColumn<int>("newWidth");
    QTest::newRow("landscape, truncated") << 375 << 500 << 256 << 256 << 341;
    QTest::newRow("portrait, truncated") << 500 << 375 << 256 << 341 << 256;
    QTest::newRow("square") << 100 << 100 << 256 << 256 << 256;
    QTest::newRow("same") << 256 << 300 << 256 << 256 << 300;
    QTest::newRow("just below a whole number") << 3 << 299 << 2 << 2 << 199;
}

void TestImageOperations::shorterSide()
{
    QFETCH(int, height);
    QFETCH(int, width);
    QFETCH(int, side);
    const Image got = resized(countingImage(height, width, 1), side);
    QTEST(got.height, "newHeight");
    QTEST(got.width, "newWidth");
}

void TestImageOperations::cropOffset_data()
{
    QTest::addColumn<int>("extent");
    QTest::addColumn<int>("size");
    QTest::addColumn<int>("offset"); // Python's round((extent - size) / 2)
    QTest::newRow("0") << 4 << 4 << 0;
    QTest::newRow("0.5 to even 0") << 5 << 4 << 0;
    QTest::newRow("1") << 6 << 4 << 1;
    QTest::newRow("1.5 to even 2") << 7 << 4 << 2;
    QTest::newRow("2.5 to even 2") << 9 << 4 << 2;
    QTest::newRow("3.5 to even 4") << 11 << 4 << 4;
    QTest::newRow("227 to 224") << 227 << 224 << 2;
}

void TestImageOperations::cropOffset()
{
    QFETCH(int, extent);
    QFETCH(int, size);
    QFETCH(int, offset);
    QCOMPARE(centerOffset(extent, size), offset);
    const Image image = countingImage(extent, extent, 1);
    const Image cropped = centerCrop(image, { size, size });
    QCOMPARE(cropped.pixels.size(), static_cast<std::size_t>(size * size));
    QCOMPARE(cropped.pixels.front(), image.pixels[static_cast<std::size_t>(offset * extent + offset)]);
    QCOMPARE(cropped.pixels.back(), image.pixels[static_cast<std::size_t>((offset + size - 1) * (extent + 1))]);
}

void TestImageOperations::cropPadsSmallImages()
{
    // torchvision: (4 - 1) // 2 = 1 before, 2 behind; the width of 6 is cropped by round(2 / 2) = 1.
    const Image image { 1, 6, 1, { 1, 2, 3, 4, 5, 6 } };
    const Image cropped = centerCrop(image, { 4, 4 });
    const std::vector<std::uint8_t> expected { 0, 0, 0, 0, 2, 3, 4, 5, 0, 0, 0, 0, 0, 0, 0, 0 };
    QCOMPARE(cropped.pixels, expected);
}

void TestImageOperations::cropWithoutResize()
{
    Preprocessing settings;
    settings.crop = { 5, 5 };
    const Image source = countingImage(9, 8, 3);
    QCOMPARE(difference(preprocess(source, settings).value(), centerCrop(source, { 5, 5 })), std::string());
    settings.crop = {};
    QCOMPARE(difference(preprocess(source, settings).value(), source), std::string());
    settings.resize = 3;
    settings.crop = { 5, 5 }; // the resized image is smaller than the crop
    QCOMPARE(difference(preprocess(source, settings).value(), centerCrop(resized(source, 3), { 5, 5 })), std::string());
}

void TestImageOperations::sidesMayDiffer_data()
{
    QTest::addColumn<Resize>("resize");
    QTest::addColumn<Extent>("crop");
    QTest::addColumn<Extent>("extent");
    QTest::newRow("crop, wide") << Resize() << Extent { 5, 9 } << Extent { 5, 9 };
    QTest::newRow("crop, high") << Resize() << Extent { 11, 4 } << Extent { 11, 4 };
    QTest::newRow("crop wider than the image") << Resize() << Extent { 7, 30 } << Extent { 7, 30 };
    QTest::newRow("both sides") << Resize(Extent { 7, 20 }) << Extent {} << Extent { 7, 20 };
    QTest::newRow("a square of both sides") << Resize(Extent { 8, 8 }) << Extent {} << Extent { 8, 8 };
    QTest::newRow("both sides, then a crop") << Resize(Extent { 9, 20 }) << Extent { 6, 17 } << Extent { 6, 17 };
    QTest::newRow("the crop is wider then") << Resize(Extent { 9, 10 }) << Extent { 6, 17 } << Extent { 6, 17 };
    QTest::newRow("shorter side, then a crop") << Resize(9) << Extent { 5, 9 } << Extent { 5, 9 };
}

void TestImageOperations::sidesMayDiffer()
{
    QFETCH(Resize, resize);
    QFETCH(Extent, crop);
    QFETCH(Extent, extent);
    const Image source = countingImage(12, 16, 3);
    Preprocessing settings;
    settings.resize = resize;
    settings.crop = crop;
    const Image got = preprocess(source, settings).value();
    QCOMPARE(got.height, extent.height);
    QCOMPARE(got.width, extent.width);
    const Image whole = resized(source, resize);
    if (crop.none()) {
        QCOMPARE(difference(got, whole), std::string());
        return;
    }
    // Pixel by pixel from the definition: what lies outside the image is zero.
    const auto begin = [](int from, int to) { return from < to ? -((to - from) / 2) : centerOffset(from, to); };
    for (int y = 0; y < crop.height; ++y)
        for (int x = 0; x < crop.width; ++x) {
            const int row = begin(whole.height, crop.height) + y;
            const int column = begin(whole.width, crop.width) + x;
            const bool inside = row >= 0 && row < whole.height && column >= 0 && column < whole.width;
            for (int c = 0; c < 3; ++c)
                QCOMPARE(int(got.pixels[static_cast<std::size_t>((y * crop.width + x) * 3 + c)]),
                    inside ? int(whole.pixels[static_cast<std::size_t>((row * whole.width + column) * 3 + c)]) : 0);
        }
}

void TestImageOperations::channels()
{
    const Image colour { 1, 2, 3, { 1, 2, 3, 4, 5, 6 } };
    const Image gray { 1, 2, 1, { 9, 8 } };
    QCOMPARE(toChannels(colour, Channels::Rgb).pixels, colour.pixels);
    QCOMPARE(toChannels(colour, Channels::Bgr).pixels, (Bytes { 3, 2, 1, 6, 5, 4 }));
    QCOMPARE(toChannels(gray, Channels::Gray).pixels, gray.pixels);
    QCOMPARE(toChannels(gray, Channels::Rgb).pixels, (Bytes { 9, 9, 9, 8, 8, 8 }));
    QCOMPARE(toChannels(gray, Channels::Bgr).pixels, (Bytes { 9, 9, 9, 8, 8, 8 }));
    QCOMPARE(toChannels(gray, Channels::Bgr).channels, 3);
}

void TestImageOperations::grayEqualsPillow()
{
    const Image got = toChannels(reference("source_colour.png"), Channels::Gray);
    QCOMPARE(difference(got, reference("gray_of_colour.png")), std::string());
}

void TestImageOperations::refusesGiantResize()
{
    Preprocessing settings;
    settings.resize = 16384;
    QS_VERIFY_ERROR(preprocess(countingImage(1, 60000, 1), settings), ErrorCode::Unsupported, "60000 x 1 pixels");
    settings.resize = 256;
    settings.crop = { 224, 224 }; // only the middle is computed
    QCOMPARE(preprocess(countingImage(1, 60000, 1), settings).value().width, 224);
}

QTEST_APPLESS_MAIN(TestImageOperations)
#include "tst_image_operations.moc"
