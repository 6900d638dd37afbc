// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <ranges>
#include <string>
#include <utility>
#include <vector>

#include <QtTest>

#include "core/base/random.h"
#include "core/calibration/stats.h"
#include "tests/support/drawn_values.h"

using namespace quantoscope;
using calibration::Histogram;
using calibration::TensorStats;
using test::draw;

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float notANumber = std::numeric_limits<float>::quiet_NaN();

Tensor batchOf(Shape shape, std::span<const float> values) { return Tensor::from<float>(std::move(shape), values); }

bool close(double a, double b) { return std::abs(a - b) <= 1e-12 * std::max({ std::abs(a), std::abs(b), 1e-300 }); }

} // namespace

class TestTensorStats : public QObject {
    Q_OBJECT

private slots:
    void kinds_data();
    void closedForm();
    void mergeEqualsAll_data() { kinds_data(); }
    void mergeEqualsAll();
    void channelRanges();
    void nonFiniteValues();
    void otherTypesAndShapes();
    void momentsAreStable();
    void tailsAreTheExtremes_data() { kinds_data(); }
    void tailsAreTheExtremes();
    void quantilesAreExactInTheTails_data() { kinds_data(); }
    void quantilesAreExactInTheTails();
    void channelsAreSeenApart();
    void manyChannelsTakeFewBins_data();
    void manyChannelsTakeFewBins();
    void blocksFollowTheImages_data();
    void blocksFollowTheImages();
    void severalRowsAnImage();
    void splitsDoNotMatter_data() { kinds_data(); }
    void splitsDoNotMatter();
    void changingShapes();
    void memoryIsBounded();
};

void TestTensorStats::kinds_data()
{
    QTest::addColumn<QString>("kind");
    for (const char* kind : test::drawnKinds)
        QTest::newRow(kind) << kind;
}

void TestTensorStats::closedForm()
{
    std::vector<float> values;
    for (int i = -50; i <= 100; ++i) // one sample of every kind of remainder of the vector width
        values.push_back(static_cast<float>(i) / 4);
    TensorStats stats;
    stats.observe(batchOf({ 151 }, values).view());
    QCOMPARE(stats.count(), std::uint64_t { 151 });
    QCOMPARE(stats.min(), -12.5F);
    QCOMPARE(stats.max(), 25.0F);
    QCOMPARE(stats.mean(), 25.0 / 4);
    QCOMPARE(stats.variance(), (151.0 * 151 - 1) / 12 / 16);
    QCOMPARE(stats.meanAbsolute(), (50.0 * 51 / 2 + 100.0 * 101 / 2) / 4 / 151);

    TensorStats one;
    one.observe(batchOf({ 1 }, std::vector<float> { -2 }).view());
    QCOMPARE(one.min(), -2.0F);
    QCOMPARE(one.max(), -2.0F);
    QCOMPARE(one.variance(), 0.0);
    QCOMPARE(TensorStats {}.mean(), 0.0);
    QCOMPARE(TensorStats {}.variance(), 0.0);
    QCOMPARE(TensorStats {}.meanAbsolute(), 0.0);
}

void TestTensorStats::mergeEqualsAll()
{
    QFETCH(QString, kind);
    const auto values = draw(6 * 4 * 50, 9, kind);
    TensorStats all(4);
    all.observe(batchOf({ 6, 4, 50 }, values).view());
    TensorStats merged(4);
    for (std::size_t image = 0; image < 6; ++image) {
        TensorStats part(4);
        part.observe(batchOf({ 1, 4, 50 }, std::span(values).subspan(image * 200, 200)).view());
        merged.merge(part);
    }
    merged.merge(TensorStats(4)); // nothing seen changes nothing
    QCOMPARE(merged.count(), all.count());
    QCOMPARE(merged.min(), all.min());
    QCOMPARE(merged.max(), all.max());
    QVERIFY(merged.histogram() == all.histogram());
    QVERIFY(close(merged.mean(), all.mean()) || std::abs(all.mean()) < 1e-6 * all.meanAbsolute());
    QVERIFY(close(merged.meanAbsolute(), all.meanAbsolute()));
    for (std::size_t c = 0; c < 4; ++c) {
        QCOMPARE(merged.channels()[c].min, all.channels()[c].min);
        QCOMPARE(merged.channels()[c].max, all.channels()[c].max);
    }
}

void TestTensorStats::channelRanges()
{
    TensorStats stats(2);
    stats.observe(batchOf({ 2, 2, 2 }, std::vector<float> { 1, 2, 30, 40, 5, -6, 7, 80 }).view());
    QCOMPARE(stats.channels()[0].min, -6.0F);
    QCOMPARE(stats.channels()[0].max, 5.0F);
    QCOMPARE(stats.channels()[1].min, 7.0F); // not 0: nothing smaller was seen
    QCOMPARE(stats.channels()[1].max, 80.0F);
    const auto without = stats.withoutChannels();
    QVERIFY(without.channels().empty());
    QCOMPARE(without.count(), stats.count());
    QVERIFY(without.histogram() == stats.histogram());
}

void TestTensorStats::nonFiniteValues()
{
    TensorStats stats(2);
    stats.observe(
        batchOf({ 1, 2, 3 }, std::vector<float> { 1, notANumber, 2, infinity, -infinity, notANumber }).view());
    QCOMPARE(stats.nonFinite(), std::uint64_t { 4 });
    QCOMPARE(stats.count(), std::uint64_t { 2 });
    QCOMPARE(stats.min(), 1.0F);
    QCOMPARE(stats.max(), 2.0F);
    QCOMPARE(stats.mean(), 1.5);
    QCOMPARE(stats.histogram().total(), std::uint64_t { 2 });
    QCOMPARE(stats.channels()[1].max, 0.0F); // never saw a number
    TensorStats merged(2);
    merged.merge(stats);
    QCOMPARE(merged.nonFinite(), std::uint64_t { 4 });
    QCOMPARE(merged.channels()[0].min, 1.0F);
}

void TestTensorStats::otherTypesAndShapes()
{
    TensorStats stats;
    const auto half = tensor::convert(batchOf({ 2 }, std::vector<float> { 0.5F, -3 }).view(), DType::Float16);
    stats.observe(half.view());
    stats.observe(batchOf({}, std::vector<float> { 4 }).view()); // a scalar
    stats.observe(Tensor(DType::Float32, { 0, 3 }).view());
    QCOMPARE(stats.count(), std::uint64_t { 3 });
    QCOMPARE(stats.min(), -3.0F);
    QCOMPARE(stats.max(), 4.0F);
}

/// Values far from zero: a sum of squares would lose every digit of the variance.
void TestTensorStats::momentsAreStable()
{
    auto values = draw(3 * 2 * 4096, 5, "normal");
    for (float& value : values)
        value = 16384 + std::round(value * 512) / 512; // exact in float
    long double mean = 0;
    for (const float value : values)
        mean += value;
    mean /= static_cast<long double>(values.size());
    long double deviations = 0;
    for (const float value : values)
        deviations += (value - mean) * (value - mean);
    TensorStats stats(true);
    for (std::size_t image = 0; image < 3; ++image)
        stats.observe(batchOf({ 1, 2, 4096 }, std::span(values).subspan(image * 8192, 8192)).view());
    QVERIFY(close(stats.mean(), static_cast<double>(mean)));
    QVERIFY(close(stats.variance(), static_cast<double>(deviations / static_cast<long double>(values.size()))));
}

void TestTensorStats::tailsAreTheExtremes()
{
    QFETCH(QString, kind);
    const auto values = draw(20000, 21, kind);
    calibration::Tails whole;
    calibration::Tails merged;
    for (std::size_t i = 0; i < values.size(); i += 1600) {
        const auto part = std::span(values).subspan(i, std::min<std::size_t>(1600, values.size() - i));
        const auto [low, high] = std::ranges::minmax(part);
        whole.add(part, low, high);
        calibration::Tails other;
        other.add(part, low, high);
        merged.merge(other);
    }
    auto sorted = values;
    std::ranges::sort(sorted);
    constexpr auto capacity = calibration::Tails::capacity;
    QVERIFY(std::ranges::equal(whole.lowest(), std::span(sorted).first(capacity)));
    QVERIFY(std::ranges::equal(whole.highest(), std::span(sorted).last(capacity) | std::views::reverse));
    QVERIFY(merged == whole);
    for (const float value : whole.lowest())
        QVERIFY(value != 0 || !std::signbit(value));
}

void TestTensorStats::quantilesAreExactInTheTails()
{
    QFETCH(QString, kind);
    auto values = draw(100000, 31, kind);
    TensorStats stats;
    stats.observe(batchOf({ 10, 10000 }, values).view());
    std::ranges::sort(values);
    const auto exact = [&](double share) {
        const double position = share * static_cast<double>(values.size() - 1);
        const auto below = static_cast<std::size_t>(position);
        const auto above = std::min(below + 1, values.size() - 1);
        return std::lerp(static_cast<double>(values[below]), static_cast<double>(values[above]),
            position - static_cast<double>(below));
    };
    for (const double share : { 0.0, 1e-5, 0.0001234, 0.002, 0.998, 0.9999, 0.99999, 1.0 })
        QVERIFY2(std::abs(stats.quantile(share) - exact(share)) <= 1e-9 * std::abs(exact(share)),
            std::to_string(share).c_str());
    for (const double share : { 0.01, 0.3, 0.5, 0.9 })
        QVERIFY(std::abs(stats.quantile(share) - exact(share)) <= stats.histogram().binWidth());
    QCOMPARE(TensorStats {}.quantile(0.5), 0.0);
}

void TestTensorStats::channelsAreSeenApart()
{
    constexpr std::size_t inner = 3000; // more than the sample of an image
    const auto values = draw(2 * 3 * inner, 41, "normal");
    TensorStats stats(true);
    stats.observe(batchOf({ 2, 3, 60, 50 }, values).view());
    QCOMPARE(stats.channels().size(), std::size_t { 3 });
    QCOMPARE(stats.channelHistograms().size(), std::size_t { 3 });
    for (std::size_t c = 0; c < 3; ++c) {
        std::vector<float> own(values.begin() + c * inner, values.begin() + (c + 1) * inner);
        own.insert(own.end(), values.begin() + (3 + c) * inner, values.begin() + (4 + c) * inner);
        TensorStats alone;
        alone.observe(batchOf({ 2, inner }, own).view());
        const auto& channel = stats.channels()[c];
        QCOMPARE(channel.count, std::uint64_t { 2 * inner });
        QCOMPARE(channel.min, alone.min());
        QCOMPARE(channel.max, alone.max());
        QVERIFY(std::abs(channel.mean - alone.mean()) < 1e-12);
        QVERIFY(close(channel.variance(), alone.variance()));
        QVERIFY(close(channel.meanAbsolute(), alone.meanAbsolute()));
        const auto& histogram = stats.channelHistograms()[c];
        QVERIFY(histogram.total() > 1000 && histogram.total() <= 2 * calibration::Distribution::channelSample);
        QVERIFY(histogram.low() >= std::floor(channel.min / histogram.binWidth()) * histogram.binWidth());
        QVERIFY(std::abs(histogram.quantile(0.9) - alone.quantile(0.9)) < 0.1);
    }
}

void TestTensorStats::manyChannelsTakeFewBins_data()
{
    QTest::addColumn<int>("channels");
    QTest::addColumn<int>("bins");
    QTest::newRow("none") << 0 << 128;
    QTest::newRow("few") << 16 << 128;
    QTest::newRow("as many as a wide layer has") << 960 << 128;
    QTest::newRow("more") << 2000 << 64;
    QTest::newRow("last with any") << 4096 << 32;
    QTest::newRow("not counted") << 4097 << 0;
}

void TestTensorStats::manyChannelsTakeFewBins()
{
    QFETCH(int, channels);
    QFETCH(int, bins);
    QCOMPARE(calibration::Distribution::channelBins(channels), bins);
    if (channels == 0)
        return;
    TensorStats stats(true);
    stats.observe(Tensor(DType::Float32, { 1, channels, 2 }).view());
    QCOMPARE(stats.channels().size(), static_cast<std::size_t>(channels));
    QCOMPARE(stats.channelHistograms().size(), static_cast<std::size_t>(bins > 0 ? channels : 0));
}

void TestTensorStats::blocksFollowTheImages_data()
{
    QTest::addColumn<int>("images");
    QTest::addColumn<int>("each");
    QTest::addColumn<int>("blocks");
    QTest::newRow("one") << 1 << 1 << 1;
    QTest::newRow("one each") << 32 << 1 << 32;
    QTest::newRow("pairs") << 33 << 2 << 17;
    QTest::newRow("sixteen each") << 300 << 16 << 19;
}

void TestTensorStats::blocksFollowTheImages()
{
    QFETCH(int, images);
    QFETCH(int, each);
    QFETCH(int, blocks);
    TensorStats together;
    TensorStats backwards;
    std::vector<float> values;
    for (int image = 0; image < images; ++image) {
        values.push_back(static_cast<float>(image) + 1);
        values.push_back(-static_cast<float>(image));
    }
    together.observe(batchOf({ images, 2 }, values).view());
    for (int image = images - 1; image >= 0; --image)
        backwards.observe(
            batchOf({ 1, 2 }, std::span(values).subspan(static_cast<std::size_t>(2 * image), 2)).view(), image);
    QVERIFY(backwards.blocks() == together.blocks());
    QCOMPARE(together.blocks().imagesPerBlock(), each);
    QCOMPARE(together.blocks().blocks().size(), static_cast<std::size_t>(blocks));
    std::uint64_t total = 0;
    for (std::size_t i = 0; i < together.blocks().blocks().size(); ++i) {
        const auto& block = together.blocks().blocks()[i];
        const int last = std::min(images, static_cast<int>(i + 1) * each);
        QCOMPARE(block.max, static_cast<float>(last));
        QCOMPARE(block.min, -static_cast<float>(last - 1) + 0.0F);
        total += block.histogram.total();
    }
    QCOMPARE(total, together.count());
}

/// A transformer's layers see [images x tokens, channels].
void TestTensorStats::severalRowsAnImage()
{
    calibration::Distribution tokens;
    tokens.observe(batchOf({ 6, 1 }, std::vector<float> { 1, 2, 3, 4, 5, 6 }).view(), { .first = 4, .count = 2 });
    const auto& blocks = tokens.parts().blocks.blocks();
    QCOMPARE(blocks.size(), std::size_t { 6 });
    QVERIFY(blocks[3].empty());
    QCOMPARE(blocks[4].max, 3.0F);
    QCOMPARE(blocks[5].min, 4.0F);
    QCOMPARE(tokens.parts().channels[0].total(), std::uint64_t { 6 });
    // Rows that cannot be told apart are the first image's.
    tokens.observe(batchOf({ 3, 1 }, std::vector<float> { 7, 8, 9 }).view(), { .first = 6, .count = 2 });
    QCOMPARE(blocks.size(), std::size_t { 7 });
    QCOMPARE(blocks[6].max, 9.0F);
}

/// Cut into batches and dealt to workers at random, everything that is counted comes out the same.
void TestTensorStats::splitsDoNotMatter()
{
    QFETCH(QString, kind);
    constexpr std::size_t images = 70;
    constexpr std::size_t size = 3 * 40;
    const auto values = draw(images * size, 51, kind);
    const auto part = [&](std::size_t first, std::size_t count) {
        return batchOf(
            { static_cast<std::int64_t>(count), 3, 40 }, std::span(values).subspan(first * size, count * size));
    };
    TensorStats all(true);
    all.observe(part(0, images).view());
    base::Random random(61);
    for (int repetition = 0; repetition < 5; ++repetition) {
        std::vector<TensorStats> workers(3, TensorStats(true));
        std::vector<std::pair<std::size_t, std::size_t>> batches;
        for (std::size_t first = 0; first < images;) {
            const std::size_t count = std::min(images - first, 1 + static_cast<std::size_t>(random.below(9)));
            batches.emplace_back(first, count);
            first += count;
        }
        for (const auto index : base::permutation(std::ssize(batches), random())) {
            const auto [first, count] = batches[static_cast<std::size_t>(index)];
            workers[random.below(3)].observe(part(first, count).view(), static_cast<std::int64_t>(first));
        }
        workers[0].merge(workers[1]);
        workers[0].merge(workers[2]);
        QVERIFY(workers[0].distribution().parts() == all.distribution().parts());
        QCOMPARE(workers[0].count(), all.count());
        QCOMPARE(workers[0].min(), all.min());
        QCOMPARE(workers[0].max(), all.max());
        QVERIFY(std::abs(workers[0].mean() - all.mean()) <= 1e-12 * all.meanAbsolute());
        QVERIFY(close(workers[0].variance(), all.variance()));
    }
}

/// Detectors deliver as many boxes as they find.
void TestTensorStats::changingShapes()
{
    TensorStats boxes(true);
    boxes.observe(batchOf({ 1, 2, 2 }, std::vector<float> { 1, 2, 3, 4 }).view());
    QCOMPARE(boxes.channels().size(), std::size_t { 2 });
    boxes.observe(batchOf({ 1, 2, 1 }, std::vector<float> { -7, 8 }).view());
    QCOMPARE(boxes.channels().size(), std::size_t { 2 });
    TensorStats before = boxes;
    boxes.observe(batchOf({ 1, 3, 1 }, std::vector<float> { 9, 10, 11 }).view());
    boxes.observe(batchOf({ 1, 2, 1 }, std::vector<float> { 0, 1 }).view());
    boxes.observe(batchOf({ 1, 0, 1 }, std::vector<float> {}).view());
    QVERIFY(boxes.channels().empty());
    QVERIFY(boxes.channelHistograms().empty());
    QCOMPARE(boxes.count(), std::uint64_t { 11 });
    QCOMPARE(boxes.min(), -7.0F);
    QCOMPARE(boxes.max(), 11.0F);
    before.merge(boxes); // channels that one of the two lost are lost
    QVERIFY(before.channels().empty() && before.channelHistograms().empty());
    QCOMPARE(before.count(), std::uint64_t { 17 });
}

void TestTensorStats::memoryIsBounded()
{
    TensorStats stats(true);
    const auto values = draw(4 * 8 * 100, 71, "heavy tails");
    std::vector<std::size_t> bytes;
    for (int batch = 0; batch < 512; ++batch) {
        stats.observe(batchOf({ 4, 8, 100 }, values).view());
        if (batch == 7 || batch == 511) // the blocks are full after 8 batches
            bytes.push_back(stats.bytes());
    }
    QCOMPARE(stats.count(), std::uint64_t { 512 * 3200 });
    QVERIFY2(bytes[1] <= bytes[0], (std::to_string(bytes[0]) + ", " + std::to_string(bytes[1])).c_str());
    QVERIFY(bytes[1] < 4096 * 8 + 8 * 128 * 8 + 32 * 256 * 8 + 2 * 256 * 4 + 16 * 1024);
}

QTEST_APPLESS_MAIN(TestTensorStats)
#include "tst_tensor_stats.moc"
