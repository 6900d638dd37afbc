// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/progress.h"
#include "core/calibration/stats.h"

namespace quantoscope::calibration {

/// What statistics depend on, as 64 digits: the prepared graph with its constants (graph::fingerprint()), the images as
/// the network sees them (decoded, pre-processed, in their order), the options, and the version of Quantoscope. Not on
/// file names or labels. Hashes on `options.threads` workers; some tenths of a second for hundreds of large images.
std::string statsKey(
    const graph::Graph& graph, const dataset::SampleSet& samples, const CalibrationOptions& options = {});

/// A further place for statistics, such as a project file. Thread safe.
class StatsStore {
public:
    virtual ~StatsStore() = default;
    /// What was kept under this key; empty if nothing was.
    virtual std::vector<std::uint8_t> findStats(const std::string& key) = 0;
    /// Keeps what only statistics of this key are encoded as. A failure costs no more than the time to calibrate again.
    virtual void keepStats(const std::string& key, const std::vector<std::uint8_t>& bytes) = 0;
};

/// Statistics kept by what they were made from, so that another word-length, estimator or session needs no inference:
/// the latest in memory, and all on disk as far as room is allowed. Thread safe; two callers who ask for the same at
/// the same time both compute it.
class StatsCache {
public:
    struct Options {
        std::uint64_t memoryLimit = std::uint64_t { 256 } << 20; ///< bytes of statistics; the latest is always kept
        /// Where files are kept; empty: nowhere. One file a key; many processes may share it.
        std::filesystem::path folder {};
        std::uint64_t diskLimit = std::uint64_t { 512 } << 20; ///< bytes of files; those not used for longest go first
        std::shared_ptr<StatsStore> store {}; ///< asked before the folder, and given everything; null: none
    };

    enum class Source { Computed, Memory, Disk, Store };
    struct Answer {
        CalibrationStatsPtr stats;
        Source source = Source::Computed;
    };
    /// Answers given so far.
    struct Use {
        std::int64_t computed = 0;
        std::int64_t kept = 0; ///< from memory, disk or the store
    };

    /// $XDG_CACHE_HOME/quantoscope/statistics, or below ~/.cache without that variable; empty where there is neither,
    /// and where QUANTOSCOPE_NO_CACHE is set to anything.
    static std::filesystem::path defaultFolder();

    explicit StatsCache(Options options);

    /// What calibrate() gives for these arguments, from memory, from disk, or computed and kept. A file that is
    /// damaged, or made by another version, is as good as none and written anew. A folder that cannot be written to
    /// costs only the time to calibrate again. Errors: as calibrate().
    Result<Answer> statsFor(const graph::Graph& graph, const dataset::SampleSet& samples,
        const CalibrationOptions& options = {}, const base::Job& job = {});

    std::uint64_t bytes() const; ///< of the statistics in memory
    Use use() const;

private:
    struct Entry {
        std::string key;
        CalibrationStatsPtr stats;
    };

    Answer answer(const CalibrationStatsPtr& stats, Source source, const std::string& description);
    CalibrationStatsPtr findInMemory(const std::string& key);
    void keepInMemory(const std::string& key, const CalibrationStatsPtr& stats);
    std::filesystem::path fileFor(const std::string& key) const;
    CalibrationStatsPtr findOnDisk(const std::string& key) const;
    CalibrationStatsPtr findInStore(const std::string& key) const;
    void keepInStore(const std::string& key, const CalibrationStats& stats) const;
    void keepOnDisk(const std::string& key, const CalibrationStats& stats) const;
    void removeOldFiles() const;

    Options m_options;
    mutable std::mutex m_mutex;
    std::list<Entry> m_entries; ///< the latest used first
    std::uint64_t m_bytes = 0;
    Use m_use;
};

} // namespace quantoscope::calibration
