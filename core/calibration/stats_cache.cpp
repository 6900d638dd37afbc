// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/calibration/stats_cache.h"

#include <algorithm>
#include <cstdlib>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "core/base/file.h"
#include "core/base/parallel.h"
#include "core/base/sha256.h"
#include "core/calibration/stats_codec.h"
#include "core/graph/fingerprint.h"

namespace quantoscope::calibration {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view extension = ".qsstats";

/// Of the samples as float, in their order.
base::Sha256::Digest digestOf(const dataset::SampleSet& samples, int threads)
{
    threads = base::resolveThreads(threads);
    std::vector<std::vector<float>> inputs(static_cast<std::size_t>(threads));
    std::vector<base::Sha256::Digest> digests(static_cast<std::size_t>(samples.size()));
    const auto hashSample = [&](int worker, std::int64_t item) -> Result<void> {
        auto& input = inputs[static_cast<std::size_t>(worker)];
        input.resize(static_cast<std::size_t>(samples.sampleSize()));
        samples.fill(item, 1, input);
        base::Sha256 hash;
        hash.update(std::span<const float>(input));
        digests[static_cast<std::size_t>(item)] = hash.digest();
        return {};
    };
    base::Sha256 hash;
    if (!base::parallelFor(threads, samples.size(), {}, hashSample))
        hash.add("no memory"); // names no content, and calibrating will say what is wrong
    for (const auto& digest : digests)
        hash.update(std::span<const std::uint8_t>(digest));
    return hash.digest();
}

/// The same statistics for the same content from elsewhere: only the words differ.
CalibrationStatsPtr describedAs(const CalibrationStatsPtr& stats, const std::string& description)
{
    if (stats->description == description)
        return stats;
    auto copy = std::make_shared<CalibrationStats>(*stats);
    copy->description = description;
    return copy;
}

struct File {
    fs::path path;
    std::uint64_t size;
    fs::file_time_type used;
};

/// The files of this cache in a folder, those used last first.
std::vector<File> filesIn(const fs::path& folder)
{
    std::vector<File> files;
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
        std::error_code gone; // another process may be removing it
        const auto size = entry->file_size(gone);
        const auto used = entry->last_write_time(gone);
        if (!gone && entry->path().extension() == extension)
            files.push_back({ entry->path(), size, used });
    }
    std::ranges::sort(files, std::greater<> {}, &File::used);
    return files;
}

} // namespace

std::string statsKey(const graph::Graph& graph, const dataset::SampleSet& samples, const CalibrationOptions& options)
{
    base::Sha256 hash;
    hash.add(QUANTOSCOPE_VERSION).add(detail::statsFormatVersion).add(graph::fingerprint(graph));
    for (const auto extent : samples.sampleShape())
        hash.add(extent);
    hash.add(samples.size());
    hash.update(std::span<const std::uint8_t>(digestOf(samples, options.threads)));
    hash.add(options.batch).add(std::int64_t { options.perChannel });
    return base::toHex(hash.digest());
}

fs::path StatsCache::defaultFolder()
{
    if (std::getenv("QUANTOSCOPE_NO_CACHE"))
        return {};
    const fs::path below = fs::path("quantoscope") / "statistics";
    // The XDG base directory specification: relative paths are to be ignored.
    if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache && fs::path(cache).is_absolute())
        return cache / below;
    const char* home = std::getenv("HOME");
    return home && fs::path(home).is_absolute() ? home / fs::path(".cache") / below : fs::path {};
}

StatsCache::StatsCache(Options options)
    : m_options(std::move(options))
{
}

Result<StatsCache::Answer> StatsCache::statsFor(const graph::Graph& graph, const dataset::SampleSet& samples,
    const CalibrationOptions& options, const base::Job& job)
{
    const std::string key = statsKey(graph, samples, options);
    if (job.stopRequested())
        return base::cancelled();
    const std::string description = describeSamples(samples);
    if (const auto stats = findInMemory(key))
        return answer(stats, Source::Memory, description);
    if (const auto stats = findInStore(key)) {
        keepInMemory(key, stats);
        return answer(stats, Source::Store, description);
    }
    if (const auto stats = findOnDisk(key)) {
        keepInMemory(key, stats);
        keepInStore(key, *stats);
        return answer(stats, Source::Disk, description);
    }
    QS_TRY(const auto stats, calibrate(graph, samples, options, job));
    keepInMemory(key, stats);
    keepInStore(key, *stats);
    keepOnDisk(key, *stats);
    return answer(stats, Source::Computed, description);
}

StatsCache::Answer StatsCache::answer(const CalibrationStatsPtr& stats, Source source, const std::string& description)
{
    const std::lock_guard lock(m_mutex);
    ++(source == Source::Computed ? m_use.computed : m_use.kept);
    return { describedAs(stats, description), source };
}

StatsCache::Use StatsCache::use() const
{
    const std::lock_guard lock(m_mutex);
    return m_use;
}

std::uint64_t StatsCache::bytes() const
{
    const std::lock_guard lock(m_mutex);
    return m_bytes;
}

CalibrationStatsPtr StatsCache::findInMemory(const std::string& key)
{
    const std::lock_guard lock(m_mutex);
    const auto found = std::ranges::find(m_entries, key, &Entry::key);
    if (found == m_entries.end())
        return nullptr;
    m_entries.splice(m_entries.begin(), m_entries, found);
    return found->stats;
}

void StatsCache::keepInMemory(const std::string& key, const CalibrationStatsPtr& stats)
{
    const std::lock_guard lock(m_mutex);
    if (std::ranges::find(m_entries, key, &Entry::key) != m_entries.end())
        return; // somebody else computed the same at the same time
    m_entries.push_front({ key, stats });
    m_bytes += stats->bytes();
    while (m_bytes > m_options.memoryLimit && m_entries.size() > 1) {
        m_bytes -= m_entries.back().stats->bytes();
        m_entries.pop_back();
    }
}

fs::path StatsCache::fileFor(const std::string& key) const { return m_options.folder / (key + std::string(extension)); }

CalibrationStatsPtr StatsCache::findOnDisk(const std::string& key) const
{
    if (m_options.folder.empty())
        return nullptr;
    const auto bytes = base::readFile(fileFor(key), m_options.diskLimit);
    if (!bytes)
        return nullptr;
    auto stats = detail::decodeStats(*bytes);
    if (!stats)
        return nullptr;
    std::error_code ignored;
    fs::last_write_time(fileFor(key), fs::file_time_type::clock::now(), ignored);
    return *stats;
}

CalibrationStatsPtr StatsCache::findInStore(const std::string& key) const
{
    if (!m_options.store)
        return nullptr;
    auto stats = detail::decodeStats(m_options.store->findStats(key));
    return stats ? *stats : nullptr;
}

void StatsCache::keepInStore(const std::string& key, const CalibrationStats& stats) const
{
    if (m_options.store)
        m_options.store->keepStats(key, detail::encodeStats(stats));
}

void StatsCache::keepOnDisk(const std::string& key, const CalibrationStats& stats) const
{
    if (m_options.folder.empty())
        return;
    std::error_code error;
    if (fs::create_directories(m_options.folder, error)) // for nobody else, as XDG demands
        fs::permissions(m_options.folder, fs::perms::owner_all, error);
    const auto bytes = detail::encodeStats(stats);
    const std::string_view content(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (bytes.size() <= m_options.diskLimit && base::writeFileAtomically(fileFor(key), content))
        removeOldFiles();
}

void StatsCache::removeOldFiles() const
{
    std::uint64_t sum = 0;
    for (const auto& file : filesIn(m_options.folder)) {
        sum += file.size;
        std::error_code ignored;
        if (sum > m_options.diskLimit)
            fs::remove(file.path, ignored);
    }
}

} // namespace quantoscope::calibration
