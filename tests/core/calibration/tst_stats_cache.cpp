// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>
#include <thread>
#include <vector>

#include <QTemporaryDir>
#include <QtTest>

#include "core/base/file.h"
#include "core/base/sha256.h"
#include "core/calibration/stats_cache.h"
#include "core/calibration/stats_codec.h"
#include "tests/support/memory_dataset.h"
#include "tests/support/small_networks.h"

using namespace quantoscope;
using calibration::StatsCache;
namespace fs = std::filesystem;

namespace {

dataset::SampleSetPtr samples(
    std::uint64_t seed = 1, std::vector<std::int64_t> indices = {}, const std::string& preprocessing = "unit")
{
    dataset::SampleSet::Options options;
    options.preprocessing = *dataset::Preprocessing::named(preprocessing);
    options.indices = std::move(indices);
    return *dataset::SampleSet::load(test::randomDataset(12, 8, 8, 3, 4, seed), options);
}

bool same(const calibration::CalibrationStats& a, const calibration::CalibrationStats& b)
{
    return a.images == b.images && a.description == b.description
        && std::ranges::equal(a.tensors, b.tensors, [](const auto& x, const auto& y) {
               return x.first == y.first && x.second.moments() == y.second.moments()
                   && x.second.distribution().parts() == y.second.distribution().parts();
           });
}

std::vector<fs::path> filesIn(const fs::path& folder)
{
    std::vector<fs::path> files;
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(folder, none))
        files.push_back(entry.path());
    return files;
}

void overwrite(const fs::path& file, std::span<const std::uint8_t> bytes)
{
    std::ofstream out(file, std::ios::binary | std::ios::trunc);
    out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

using Bytes = std::vector<std::uint8_t>;
using Damage = std::function<void(Bytes&)>;

/// Puts the check sum right, so that what is inside has to be judged.
void sign(Bytes& bytes)
{
    base::Sha256 hash;
    hash.update(std::span<const std::uint8_t>(bytes).first(bytes.size() - 32));
    std::ranges::copy(hash.digest(), bytes.end() - 32);
}

} // namespace

Q_DECLARE_METATYPE(Damage)

class TestStatsCache : public QObject {
    Q_OBJECT

private slots:
    void init();
    void keyFollowsContent_data();
    void keyFollowsContent();
    void keyDoesNotFollowWords();
    void computesOnce();
    void keepsOnDisk();
    void damagedFilesAreWrittenAnew_data();
    void damagedFilesAreWrittenAnew();
    void wildBytesNeverCrash();
    void withoutFolder();
    void folderThatCannotBeWritten();
    void latestStayInMemory();
    void oldFilesGoFirst();
    void codecKeepsEveryBit();
    void errorsAndCancelling();
    void manyThreads();
    void defaultFolder();

private:
    fs::path folder() const { return fs::path(m_folder->path().toStdString()) / "a" / "b"; }
    StatsCache cache() const { return StatsCache({ .folder = folder() }); }
    static StatsCache::Source sourceOf(StatsCache& cache, const dataset::SampleSetPtr& data);

    std::unique_ptr<QTemporaryDir> m_folder;
    inline static const graph::Graph s_graph = test::smallConvNet(3, 8, 4);
};

void TestStatsCache::init() { m_folder = std::make_unique<QTemporaryDir>(); }

StatsCache::Source TestStatsCache::sourceOf(StatsCache& cache, const dataset::SampleSetPtr& data)
{
    const auto answer = cache.statsFor(s_graph, *data);
    if (!answer)
        qFatal("%s", answer.error().message().c_str());
    return answer->source;
}

void TestStatsCache::keyFollowsContent_data()
{
    using Key = std::string;
    QTest::addColumn<Key>("key");
    QTest::newRow("other pixels") << calibration::statsKey(s_graph, *samples(2));
    QTest::newRow("other order") << calibration::statsKey(
        s_graph, *samples(1, { 1, 0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 }));
    QTest::newRow("fewer images") << calibration::statsKey(s_graph, *samples(1, { 0, 1, 2 }));
    QTest::newRow("other pre-processing") << calibration::statsKey(s_graph, *samples(1, {}, "imagenet"));
    graph::Graph renamed = s_graph;
    renamed.rename(*renamed.find("relu1"), "other");
    QTest::newRow("other graph") << calibration::statsKey(renamed, *samples());
    QTest::newRow("other batch") << calibration::statsKey(s_graph, *samples(), { .batch = 3 });
    QTest::newRow("without channels") << calibration::statsKey(s_graph, *samples(), { .perChannel = false });
}

void TestStatsCache::keyFollowsContent()
{
    QFETCH(std::string, key);
    const auto usual = calibration::statsKey(s_graph, *samples());
    QCOMPARE(usual.size(), std::size_t { 64 });
    QVERIFY(key != usual);
    QCOMPARE(calibration::statsKey(s_graph, *samples()), usual);
}

void TestStatsCache::keyDoesNotFollowWords()
{
    const auto data = samples();
    QCOMPARE(calibration::statsKey(s_graph, *data, { .threads = 1 }),
        calibration::statsKey(s_graph, *data, { .threads = 5 }));
    // The same images without labels.
    dataset::SampleSet::Options options;
    std::vector<dataset::Image> images;
    for (std::int64_t i = 0; i < 12; ++i)
        images.push_back(*test::randomDataset(12, 8, 8, 3, 4, 1)->image(i));
    const auto relabelled
        = *dataset::SampleSet::load(std::make_shared<test::MemoryDataset>(images, std::vector<int>(12, -1)), options);
    QCOMPARE(calibration::statsKey(s_graph, *relabelled), calibration::statsKey(s_graph, *data));
}

void TestStatsCache::computesOnce()
{
    auto cache = this->cache();
    const auto first = cache.statsFor(s_graph, *samples());
    QVERIFY(first);
    QVERIFY(first->source == StatsCache::Source::Computed);
    const auto again = cache.statsFor(s_graph, *samples());
    QVERIFY(again->source == StatsCache::Source::Memory);
    QCOMPARE(again->stats.get(), first->stats.get());
    QVERIFY(same(*first->stats, **calibration::calibrate(s_graph, *samples())));
    QVERIFY(sourceOf(cache, samples(2)) == StatsCache::Source::Computed);
    QCOMPARE(cache.use().computed, 2);
    QCOMPARE(cache.use().kept, 1);
}

void TestStatsCache::keepsOnDisk()
{
    auto before = cache();
    const auto computed = before.statsFor(s_graph, *samples());
    auto after = cache();
    const auto read = after.statsFor(s_graph, *samples());
    QVERIFY(read->source == StatsCache::Source::Disk);
    QVERIFY(same(*read->stats, *computed->stats));
    QVERIFY(sourceOf(after, samples()) == StatsCache::Source::Memory);
    QCOMPARE(filesIn(folder()).size(), std::size_t { 1 });
    QVERIFY((fs::status(folder()).permissions() & (fs::perms::group_all | fs::perms::others_all)) == fs::perms::none);
}

void TestStatsCache::damagedFilesAreWrittenAnew_data()
{
    QTest::addColumn<Damage>("damage");
    const auto row = [](const char* name, Damage damage) { QTest::newRow(name) << std::move(damage); };
    row("empty", [](Bytes& bytes) { bytes.clear(); });
    row("cut off", [](Bytes& bytes) { bytes.resize(bytes.size() / 2); });
    row("last byte missing", [](Bytes& bytes) { bytes.pop_back(); });
    row("one byte more", [](Bytes& bytes) { bytes.push_back(0); });
    row("one bit", [](Bytes& bytes) { bytes[bytes.size() / 2] ^= 4; });
    row("foreign", [](Bytes& bytes) { std::ranges::fill(bytes, 'x'); });
    row("other version", [](Bytes& bytes) {
        ++bytes[8];
        sign(bytes);
    });
    row("signed nonsense", [](Bytes& bytes) {
        std::fill(bytes.begin() + 9, bytes.end(), std::uint8_t { 0xFF });
        sign(bytes);
    });
    row("signed, something behind", [](Bytes& bytes) {
        bytes.insert(bytes.end() - 32, 0);
        sign(bytes);
    });
}

void TestStatsCache::damagedFilesAreWrittenAnew()
{
    QFETCH(Damage, damage);
    auto first = cache();
    QVERIFY(sourceOf(first, samples()) == StatsCache::Source::Computed);
    const auto file = filesIn(folder()).front();
    const auto good = *base::readFile(file);
    auto bad = good;
    damage(bad);
    overwrite(file, bad);
    auto second = cache();
    QVERIFY(sourceOf(second, samples()) == StatsCache::Source::Computed);
    QVERIFY(*base::readFile(file) == good);
    auto third = cache();
    QVERIFY(sourceOf(third, samples()) == StatsCache::Source::Disk);
}

/// Signed files with bytes changed at random: refused or read, within their size, and what is read can be used.
void TestStatsCache::wildBytesNeverCrash()
{
    const auto good = calibration::detail::encodeStats(**calibration::calibrate(s_graph, *samples()));
    base::Random random(3);
    int refused = 0;
    for (int i = 0; i < 2000; ++i) {
        auto bytes = good;
        for (std::uint64_t changes = 1 + random.below(3); changes > 0; --changes)
            bytes[9 + random.below(std::min<std::uint64_t>(bytes.size() - 41, i % 2 == 0 ? 400 : bytes.size()))]
                = static_cast<std::uint8_t>(random());
        sign(bytes);
        const auto stats = calibration::detail::decodeStats(bytes);
        if (!stats) {
            QCOMPARE(stats.error().code, ErrorCode::InvalidInput);
            ++refused;
            continue;
        }
        for (const auto& [name, tensor] : (*stats)->tensors) {
            calibration::TensorStats copy = tensor;
            copy.merge(tensor);
            copy.quantile(0.5);
        }
    }
    QVERIFY(refused > 100 && refused < 2000);
}

void TestStatsCache::withoutFolder()
{
    StatsCache cache({});
    QVERIFY(sourceOf(cache, samples()) == StatsCache::Source::Computed);
    QVERIFY(sourceOf(cache, samples()) == StatsCache::Source::Memory);
    StatsCache other({});
    QVERIFY(sourceOf(other, samples()) == StatsCache::Source::Computed);
}

void TestStatsCache::folderThatCannotBeWritten()
{
    const fs::path file = fs::path(m_folder->path().toStdString()) / "file";
    overwrite(file, {});
    StatsCache cache({ .folder = file / "below" });
    QVERIFY(sourceOf(cache, samples()) == StatsCache::Source::Computed);
    QVERIFY(sourceOf(cache, samples()) == StatsCache::Source::Memory);
}

void TestStatsCache::latestStayInMemory()
{
    StatsCache large({});
    sourceOf(large, samples(1));
    const auto each = large.bytes();
    QVERIFY(each > 0);
    StatsCache cache({ .memoryLimit = each * 5 / 2 });
    for (const std::uint64_t seed : { 1, 2 })
        QVERIFY(sourceOf(cache, samples(seed)) == StatsCache::Source::Computed);
    QVERIFY(sourceOf(cache, samples(1)) == StatsCache::Source::Memory); // now 2 is the oldest
    QVERIFY(sourceOf(cache, samples(3)) == StatsCache::Source::Computed);
    QVERIFY(sourceOf(cache, samples(1)) == StatsCache::Source::Memory);
    QVERIFY(cache.bytes() <= each * 5 / 2);
    QVERIFY(sourceOf(cache, samples(2)) == StatsCache::Source::Computed);
    StatsCache tiny({ .memoryLimit = 1 });
    QVERIFY(sourceOf(tiny, samples(1)) == StatsCache::Source::Computed);
    QVERIFY(sourceOf(tiny, samples(1)) == StatsCache::Source::Memory);
}

void TestStatsCache::oldFilesGoFirst()
{
    using namespace std::chrono_literals;
    auto first = cache();
    for (const std::uint64_t seed : { 1, 2, 3 })
        QVERIFY(sourceOf(first, samples(seed)) == StatsCache::Source::Computed);
    const auto files = filesIn(folder());
    QCOMPARE(files.size(), std::size_t { 3 });
    const auto size = fs::file_size(files.front());
    const auto fileOf
        = [&](std::uint64_t seed) { return folder() / (calibration::statsKey(s_graph, *samples(seed)) + ".qsstats"); };
    const auto now = fs::file_time_type::clock::now();
    fs::last_write_time(fileOf(1), now - 3h);
    fs::last_write_time(fileOf(2), now - 2h);
    fs::last_write_time(fileOf(3), now - 1h);
    const auto stranger = folder() / "notes.txt";
    overwrite(stranger, std::vector<std::uint8_t>(size));
    StatsCache second({ .folder = folder(), .diskLimit = size * 7 / 2 });
    QVERIFY(sourceOf(second, samples(1)) == StatsCache::Source::Disk); // which makes it the latest used
    QVERIFY(sourceOf(second, samples(4)) == StatsCache::Source::Computed);
    QVERIFY(fs::exists(fileOf(1)));
    QVERIFY(!fs::exists(fileOf(2)));
    QVERIFY(fs::exists(fileOf(3)));
    QVERIFY(fs::exists(fileOf(4)));
    QVERIFY(fs::exists(stranger));
    StatsCache none({ .folder = folder(), .diskLimit = 10 });
    QVERIFY(sourceOf(none, samples(5)) == StatsCache::Source::Computed);
    QVERIFY(!fs::exists(fileOf(5)));
}

void TestStatsCache::codecKeepsEveryBit()
{
    calibration::CalibrationStats stats;
    stats.images = 1234567890123;
    stats.description = "words, \xC3\xA4 and\n all";
    stats.tensors[""]; // nothing seen
    const auto tensor = test::normalTensor({ 40, 5, 30 }, 7, 1e-30);
    stats.tensors["tiny"].observe(tensor.view());
    stats.tensors["without channels"] = stats.tensors["tiny"].withoutChannels();
    calibration::TensorStats many(true);
    many.observe(test::normalTensor({ 2, 5000 }, 8, 1e30).view());
    stats.tensors["too many channels for histograms"] = many;
    calibration::TensorStats odd(true);
    odd.observe(test::floats({ std::numeric_limits<float>::infinity(), 1, -0.0F }).reshaped({ 1, 3 }).view(), 1000000);
    stats.tensors["not finite"] = odd;
    const auto read = calibration::detail::decodeStats(calibration::detail::encodeStats(stats));
    QVERIFY2(read, read ? "" : read.error().message().c_str());
    QVERIFY(same(**read, stats));
    // What was read goes on as what was written.
    for (const char* name : { "tiny", "without channels" }) {
        auto written = stats.tensors[name];
        auto decoded = (*read)->tensors.at(name);
        written.merge(stats.tensors["tiny"]);
        decoded.merge(stats.tensors["tiny"]);
        QVERIFY(decoded.distribution().parts() == written.distribution().parts());
    }
}

void TestStatsCache::errorsAndCancelling()
{
    auto cache = this->cache();
    const auto wrong = cache.statsFor(test::smallConvNet(3, 9, 4), *samples());
    QVERIFY(!wrong);
    QCOMPARE(wrong.error().code, ErrorCode::InvalidInput);
    QVERIFY(filesIn(folder()).empty());
    std::stop_source stop;
    stop.request_stop();
    const auto stopped = cache.statsFor(s_graph, *samples(), {}, { nullptr, stop.get_token() });
    QVERIFY(!stopped);
    QCOMPARE(stopped.error().code, ErrorCode::Cancelled);
}

void TestStatsCache::manyThreads()
{
    StatsCache cache({ .memoryLimit = 1, .folder = folder() });
    std::vector<calibration::CalibrationStatsPtr> results(8);
    {
        std::vector<std::jthread> threads;
        for (std::size_t i = 0; i < results.size(); ++i)
            threads.emplace_back([&cache, &result = results[i], i] {
                for (int repetition = 0; repetition < 3; ++repetition)
                    result = cache.statsFor(s_graph, *samples(i % 2), { .threads = 1 })->stats;
            });
    }
    for (std::size_t i = 2; i < results.size(); ++i)
        QVERIFY(same(*results[i], *results[i % 2]));
    QCOMPARE(filesIn(folder()).size(), std::size_t { 2 });
}

void TestStatsCache::defaultFolder()
{
    const QByteArray cacheHome = qgetenv("XDG_CACHE_HOME");
    const QByteArray home = qgetenv("HOME");
    qunsetenv("QUANTOSCOPE_NO_CACHE");
    qputenv("XDG_CACHE_HOME", "/somewhere");
    QCOMPARE(StatsCache::defaultFolder(), fs::path("/somewhere/quantoscope/statistics"));
    qputenv("XDG_CACHE_HOME", "relative");
    qputenv("HOME", "/home/person");
    QCOMPARE(StatsCache::defaultFolder(), fs::path("/home/person/.cache/quantoscope/statistics"));
    qunsetenv("XDG_CACHE_HOME");
    qunsetenv("HOME");
    QVERIFY(StatsCache::defaultFolder().empty());
    qputenv("XDG_CACHE_HOME", "/somewhere");
    qputenv("QUANTOSCOPE_NO_CACHE", "1");
    QVERIFY(StatsCache::defaultFolder().empty());
    qunsetenv("QUANTOSCOPE_NO_CACHE");
    qputenv("XDG_CACHE_HOME", cacheHome);
    qputenv("HOME", home);
}

QTEST_APPLESS_MAIN(TestStatsCache)
#include "tst_stats_cache.moc"
