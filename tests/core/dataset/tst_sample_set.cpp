// SPDX-License-Identifier: GPL-3.0-or-later
#include <QTest>

#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>

#include "core/dataset/preprocessing.h"
#include "tests/core/dataset/dataset_testing.h"

using namespace quantoscope;
using namespace quantoscope::dataset;
using namespace quantoscope::dataset::testing;
using namespace std::chrono_literals;

namespace {

DatasetPtr counted(std::int64_t size, int height, int width, int channels)
{
    return std::make_shared<FunctionDataset>(size, [=](std::int64_t index) -> Result<Image> {
        return countingImage(height, width, channels, static_cast<int>(index) * 3);
    });
}

std::vector<float> everything(const SampleSet& set)
{
    std::vector<float> values(static_cast<std::size_t>(set.size() * set.sampleSize()));
    set.fill(0, set.size(), values);
    return values;
}

} // namespace

class TestSampleSet : public QObject {
    Q_OBJECT

private slots:
    void normalisesAsNumPy_data();
    void normalisesAsNumPy();
    void layouts();
    void channelOrder();
    void fillAndGather();
    void chosenIndices();
    void subset();
    void pictures_data();
    void pictures();
    void floats();
    void sameForAnyThreads();
    void oddSizeIsNamed();
    void hintsDependOnSettings();
    void cropMakesOneSize();
    void decodeErrorPassesThrough();
    void indexOutOfRange();
    void memoryLimit();
    void memoryLimitOfFloats();
    void progressCountsImages();
    void cancelledBefore();
    void cancelledWithinASecond();
};

void TestSampleSet::normalisesAsNumPy_data()
{
    QTest::addColumn<QString>("name");
    for (const auto* name : { "imagenet", "unit", "raw" })
        QTest::newRow(name) << QString(name);
}

void TestSampleSet::normalisesAsNumPy()
{
    QFETCH(QString, name);
    const auto ramp = std::make_shared<FunctionDataset>(1, [](std::int64_t) -> Result<Image> {
        Image image { 16, 16, 3, {} };
        for (int i = 0; i < 256; ++i)
            image.pixels.insert(image.pixels.end(), 3, static_cast<std::uint8_t>(i));
        return image;
    });
    const auto settings = Preprocessing::named(name.toStdString()).value();
    const auto set = SampleSet::load(ramp, { settings, {} });
    QS_VERIFY_OK(set);
    const auto values = everything(**set);
    for (std::size_t c = 0; c < 3; ++c)
        for (std::size_t v = 0; v < 256; ++v) {
            volatile float x = static_cast<float>(v); // every step rounded to float32
            if (settings.scale != 1.0F)
                x = x / 255.0F;
            x = x - settings.mean[c];
            x = x / settings.std[c];
            QCOMPARE(values[c * 256 + v], static_cast<float>(x));
            QVERIFY(std::abs(values[c * 256 + v] - static_cast<float>(x)) == 0);
        }
    if (name == "imagenet") // numpy: (np.float32(200) / np.float32(255) - np.float32(.485)) / np.float32(.229)
        QVERIFY(values[200] == 1.3070467710494995F);
}

void TestSampleSet::layouts()
{
    Preprocessing settings = Preprocessing::named("raw").value();
    const auto data = counted(2, 2, 3, 3);
    const auto planar = SampleSet::load(data, { settings, {} }).value();
    QCOMPARE(planar->sampleShape(), (std::vector<std::int64_t> { 3, 2, 3 }));
    settings.layout = MemoryLayout::Nhwc;
    const auto interleaved = SampleSet::load(data, { settings, {} }).value();
    QCOMPARE(interleaved->sampleShape(), (std::vector<std::int64_t> { 2, 3, 3 }));
    QCOMPARE(interleaved->bytes(), std::uint64_t { 36 });
    const auto p = everything(*planar);
    const auto q = everything(*interleaved);
    for (std::size_t n = 0; n < 2; ++n)
        for (std::size_t c = 0; c < 3; ++c)
            for (std::size_t i = 0; i < 6; ++i) {
                QCOMPARE(p[n * 18 + c * 6 + i], q[n * 18 + i * 3 + c]);
                QCOMPARE(q[n * 18 + i * 3 + c], static_cast<float>((n * 3 + (i * 3 + c) * 7) % 251));
            }
}

void TestSampleSet::channelOrder()
{
    Preprocessing settings = Preprocessing::named("raw").value();
    settings.mean = { 1, 2, 3 };
    settings.channels = Channels::Bgr;
    const auto data = std::make_shared<FunctionDataset>(1, [](std::int64_t) -> Result<Image> {
        return Image { 1, 1, 3, { 10, 20, 30 } };
    });
    QCOMPARE(everything(*SampleSet::load(data, { settings, {} }).value()), (std::vector<float> { 29, 18, 7 }));
    settings.channels = Channels::Gray; // (10 * 19595 + 20 * 38470 + 30 * 7471 + 32768) >> 16 = 18
    const auto gray = SampleSet::load(data, { settings, {} }).value();
    QCOMPARE(gray->sampleShape(), (std::vector<std::int64_t> { 1, 1, 1 }));
    QCOMPARE(everything(*gray), (std::vector<float> { 17 }));
}

void TestSampleSet::fillAndGather()
{
    const auto set = SampleSet::load(counted(9, 4, 5, 3), {}).value();
    const auto all = everything(*set);
    const auto extent = static_cast<std::size_t>(set->sampleSize());
    std::vector<float> part(3 * extent);
    set->fill(4, 3, part);
    QVERIFY(std::equal(part.begin(), part.end(), all.begin() + static_cast<std::ptrdiff_t>(4 * extent)));
    const std::vector<std::int64_t> positions { 8, 0, 8 };
    set->gather(positions, part);
    for (std::size_t i = 0; i < positions.size(); ++i)
        for (std::size_t k = 0; k < extent; ++k)
            QCOMPARE(part[i * extent + k], all[static_cast<std::size_t>(positions[i]) * extent + k]);
}

void TestSampleSet::chosenIndices()
{
    const auto data = counted(20, 2, 2, 1);
    SampleSet::Options options;
    options.indices = { 13, 2, 13 };
    const auto set = SampleSet::load(data, options).value();
    QCOMPARE(set->size(), 3);
    QCOMPARE(set->labels(), (std::vector<int> { 6, 2, 6 }));
    QCOMPARE(set->maxLabel(), 6);
    QCOMPARE(set->originalIndex(1), 2);
    QCOMPARE(set->dataset(), data);
    QCOMPARE(set->description(), "3 of " + data->description());
    QCOMPARE(SampleSet::load(data, {}).value()->description(), data->description());
    options.indices = { 2 };
    const auto one = SampleSet::load(data, options).value();
    const auto values = everything(*set);
    const auto expected = everything(*one);
    QVERIFY(std::equal(expected.begin(), expected.end(), values.begin() + one->sampleSize()));
}

void TestSampleSet::subset()
{
    const std::vector<std::int64_t> positions { 3, 0 };
    for (const auto& whole :
        { SampleSet::load(counted(5, 2, 3, 3), { .preprocessing = {}, .indices = { 4, 1, 2, 3 } }).value(),
            SampleSet::load(openDataset(referenceFolder() / "f4.npz").value(), {}).value() }) {
        const auto part = whole->subset(positions);
        QCOMPARE(part->size(), 2);
        QCOMPARE(part->sampleShape(), whole->sampleShape());
        QCOMPARE(part->originalIndex(0), whole->originalIndex(3));
        QCOMPARE(part->labels(), (std::vector<int> { whole->labels()[3], whole->labels()[0] }));
        std::vector<float> expected(static_cast<std::size_t>(2 * whole->sampleSize()));
        std::vector<float> got(expected.size());
        whole->gather(positions, expected);
        part->fill(0, 2, got);
        QCOMPARE(got, expected);
    }
}

void TestSampleSet::pictures_data()
{
    QTest::addColumn<int>("channels");
    QTest::addColumn<int>("order");
    QTest::addColumn<bool>("planar");
    for (const bool planar : { true, false }) {
        const char* layout = planar ? "NCHW" : "NHWC";
        QTest::addRow("gray %s", layout) << 1 << static_cast<int>(Channels::Gray) << planar;
        QTest::addRow("RGB %s", layout) << 3 << static_cast<int>(Channels::Rgb) << planar;
        QTest::addRow("BGR %s", layout) << 3 << static_cast<int>(Channels::Bgr) << planar;
    }
}

void TestSampleSet::pictures()
{
    QFETCH(int, channels);
    QFETCH(int, order);
    QFETCH(bool, planar);
    const auto data = counted(3, 4, 5, channels);
    SampleSet::Options options;
    options.preprocessing.channels = static_cast<Channels>(order);
    options.preprocessing.layout = planar ? MemoryLayout::Nchw : MemoryLayout::Nhwc;
    const auto set = SampleSet::load(data, options);
    QVERIFY(set);
    const auto picture = (*set)->picture(2);
    QVERIFY(picture);
    const auto original = *data->image(2);
    QCOMPARE(picture->height, original.height);
    QCOMPARE(picture->width, original.width);
    QCOMPARE(picture->channels, original.channels);
    QVERIFY(picture->pixels == original.pixels);
}

void TestSampleSet::floats()
{
    const auto data = openDataset(referenceFolder() / "f4.npz").value();
    SampleSet::Options options;
    options.preprocessing = Preprocessing::named("imagenet").value(); // does not touch float data
    options.preprocessing.resize = 8;
    options.indices = { 3, 1 };
    const auto set = SampleSet::load(data, options);
    QS_VERIFY_OK(set);
    QCOMPARE((*set)->sampleShape(), (std::vector<std::int64_t> { 3, 2, 5 }));
    QCOMPARE((*set)->bytes(), std::uint64_t { 240 });
    const auto values = everything(**set);
    for (std::size_t i = 0; i < 30; ++i) {
        QCOMPARE(values[i], static_cast<float>((90 + i) * 7 % 251) / 4);
        QCOMPARE(values[30 + i], static_cast<float>((30 + i) * 7 % 251) / 4);
    }
    QS_VERIFY_ERROR(SampleSet::load(openDataset(referenceFolder() / "nan.npz").value(), {}), ErrorCode::InvalidInput,
        "sample 1 holds NaN");
}

void TestSampleSet::sameForAnyThreads()
{
    SampleSet::Options options;
    options.preprocessing.resize = 11;
    options.preprocessing.crop = { 9, 9 };
    const auto data = counted(40, 13, 17, 3);
    options.threads = 1;
    const auto one = everything(*SampleSet::load(data, options).value());
    for (const int threads : { 2, 5, 16 }) {
        options.threads = threads;
        QVERIFY(everything(*SampleSet::load(data, options).value()) == one);
    }
}

void TestSampleSet::oddSizeIsNamed()
{
    const auto data = std::make_shared<FunctionDataset>(
        50, [](std::int64_t index) -> Result<Image> { return countingImage(4, index >= 17 ? 6 : 5, 1); });
    for (const int threads : { 1, 4 }) {
        SampleSet::Options options;
        options.threads = threads;
        options.preprocessing.channels = Channels::Gray;
        const auto set = SampleSet::load(data, options);
        QS_VERIFY_ERROR(set, ErrorCode::InvalidInput,
            "image 'picture17.png' has 6 x 4 gray pixels, image 'picture0.png' has 5 x 4 gray, expected one size");
        QVERIFY(set.error().hint.find("--resize 256 --crop 224") != std::string::npos);
    }
}

void TestSampleSet::hintsDependOnSettings()
{
    const auto data = std::make_shared<FunctionDataset>(
        2, [](std::int64_t index) -> Result<Image> { return countingImage(40, 50 + static_cast<int>(index), 1); });
    SampleSet::Options options;
    options.preprocessing.resize = 96;
    QS_VERIFY_ERROR(SampleSet::load(data, options), ErrorCode::InvalidInput, "--resize 96 --crop 96");
}

void TestSampleSet::cropMakesOneSize()
{
    const auto data = std::make_shared<FunctionDataset>(
        12, [](std::int64_t index) -> Result<Image> { return countingImage(30 + static_cast<int>(index), 25, 3); });
    SampleSet::Options options;
    options.preprocessing.crop = { 28, 28 }; // wider than the images: padded
    const auto set = SampleSet::load(data, options);
    QS_VERIFY_OK(set);
    QCOMPARE((*set)->sampleShape(), (std::vector<std::int64_t> { 3, 28, 28 }));
}

void TestSampleSet::decodeErrorPassesThrough()
{
    const auto data = std::make_shared<FunctionDataset>(30, [](std::int64_t index) -> Result<Image> {
        if (index == 11)
            return fail(ErrorCode::InvalidInput, "is neither a JPEG nor a PNG image", "/data/picture11.png");
        return countingImage(2, 2, 1);
    });
    QS_VERIFY_ERROR(SampleSet::load(data, {}), ErrorCode::InvalidInput, "/data/picture11.png");
    const auto giant = std::make_shared<FunctionDataset>(
        1, [](std::int64_t) -> Result<Image> { return countingImage(1, 60000, 1); });
    SampleSet::Options options;
    options.preprocessing.resize = 16000;
    QS_VERIFY_ERROR(SampleSet::load(giant, options), ErrorCode::Unsupported, "image 'picture0.png'");
}

void TestSampleSet::indexOutOfRange()
{
    SampleSet::Options options;
    options.indices = { 0, 5 };
    QS_VERIFY_ERROR(SampleSet::load(counted(5, 2, 2, 1), options), ErrorCode::InvalidInput,
        "image 5 is asked for, there are 5 images");
    options.indices = { -1 };
    QVERIFY(!SampleSet::load(counted(5, 2, 2, 1), options));
    QS_VERIFY_ERROR(SampleSet::load(counted(0, 2, 2, 1), {}), ErrorCode::InvalidInput, "holds no images");
}

void TestSampleSet::memoryLimit()
{
    std::atomic<int> decoded = 0;
    const auto data = std::make_shared<FunctionDataset>(40000, [&](std::int64_t) -> Result<Image> {
        ++decoded;
        return Image { 224, 224, 3, std::vector<std::uint8_t>(224 * 224 * 3) };
    });
    QCOMPARE(SampleSet::Options {}.memoryLimit, std::uint64_t { 4 } << 30);
    QS_VERIFY_ERROR(SampleSet::load(data, {}), ErrorCode::OutOfMemory,
        "40,000 images of 150,528 bytes are 6,021,120,000 bytes, more than the 4,294,967,296 allowed");
    QCOMPARE(decoded.load(), 1); // known after the first image
    SampleSet::Options options;
    options.memoryLimit = 27;
    QS_VERIFY_ERROR(
        SampleSet::load(counted(8, 2, 2, 1), options), ErrorCode::OutOfMemory, "at most 2 images (--limit)");
    options.memoryLimit = 96;
    QS_VERIFY_OK(SampleSet::load(counted(8, 2, 2, 1), options)); // 2 x 2 x 3 x 8, just fits
}

void TestSampleSet::memoryLimitOfFloats()
{
    SampleSet::Options options;
    options.memoryLimit = 479;
    QS_VERIFY_ERROR(SampleSet::load(openDataset(referenceFolder() / "f4.npz").value(), options), ErrorCode::OutOfMemory,
        "4 images of 120 bytes are 480 bytes");
}

void TestSampleSet::progressCountsImages()
{
    std::mutex mutex;
    std::vector<base::ProgressState> states;
    base::Progress progress([&](const base::ProgressState& state) {
        const std::scoped_lock lock(mutex);
        states.push_back(state);
    });
    QS_VERIFY_OK(SampleSet::load(counted(25, 3, 3, 3), {}, { &progress, {} }));
    QVERIFY(states.size() >= 2);
    QCOMPARE(states.back().unit, std::string("images"));
    QCOMPARE(states.back().done, 25);
    QCOMPARE(states.back().total, 25);
}

void TestSampleSet::cancelledBefore()
{
    std::stop_source source;
    source.request_stop();
    QS_VERIFY_ERROR(
        SampleSet::load(counted(5, 2, 2, 1), {}, { nullptr, source.get_token() }), ErrorCode::Cancelled, "");
}

void TestSampleSet::cancelledWithinASecond()
{
    const auto slow = std::make_shared<FunctionDataset>(100000, [](std::int64_t) -> Result<Image> {
        std::this_thread::sleep_for(5ms);
        return countingImage(2, 2, 1);
    });
    std::stop_source source;
    const std::jthread stopper([&] {
        std::this_thread::sleep_for(60ms);
        source.request_stop();
    });
    const auto start = std::chrono::steady_clock::now();
    QS_VERIFY_ERROR(SampleSet::load(slow, {}, { nullptr, source.get_token() }), ErrorCode::Cancelled, "cancelled");
    QVERIFY(std::chrono::steady_clock::now() - start < 1s);
}

QTEST_APPLESS_MAIN(TestSampleSet)
#include "tst_sample_set.moc"
