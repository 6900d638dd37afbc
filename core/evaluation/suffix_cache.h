// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/base/error.h"
#include "core/calibration/feed.h"
#include "core/engine/partial_run.h"

namespace quantoscope::evaluation {

/// Values of all images at a few places of the network, as one evaluation leaves them for the next: after an edit of
/// one layer only what lies behind the last place before it has to run. Values are kept as the engine has them: a byte
/// each where layers compute in integers. What was not used longest makes room. One evaluation at a time uses it.
class SuffixCache {
public:
    explicit SuffixCache(std::size_t budget); ///< bytes
    ~SuffixCache();
    SuffixCache(const SuffixCache&) = delete;
    SuffixCache& operator=(const SuffixCache&) = delete;

    class Session;
    /// For one evaluation of the feed's network, which must outlive the session. Null while another session is open.
    std::unique_ptr<Session> open(const calibration::Feed& feed);

    std::size_t budget() const { return m_budget; }
    std::size_t bytes() const;

private:
    /// One value of the network for every batch.
    struct Column {
        std::size_t bytes = 0; ///< of a batch
        std::vector<tensor::AlignedBuffer> batches; ///< empty: not known
        std::uint64_t used = 0; ///< when, for eviction
        std::size_t total() const { return bytes * batches.size(); }
    };
    using Columns = std::unordered_map<engine::ValueKey, std::unique_ptr<Column>, engine::ValueKeyHash>;

    const std::vector<double>& timesOf(const calibration::Feed& feed);
    void addColumns(const calibration::Feed& feed);
    bool makeRoom(std::size_t bytes);

    std::size_t m_budget;
    std::mutex m_inUse;
    mutable std::mutex m_mutex; ///< of m_bytes
    std::size_t m_bytes = 0;
    std::string m_images; ///< names the images and how they are cut into batches
    Columns m_columns;
    std::uint64_t m_clock = 0;
    std::vector<std::string> m_timedSteps;
    std::vector<double> m_times;
};

/// What an evaluation has of the cache.
class SuffixCache::Session {
public:
    explicit Session(const calibration::Feed& feed);

    const calibration::Feed& feed() const { return *m_feed; }

private:
    friend class SuffixCache;
    friend class SuffixWorker;

    const calibration::Feed* m_feed;
    std::unique_lock<std::mutex> m_lock;
    std::vector<engine::ValueKey> m_keys; ///< of the columns; at most 64
    std::vector<Column*> m_columns;
};

/// One thread's way through a feed with what the cache has of it.
class SuffixWorker {
public:
    explicit SuffixWorker(SuffixCache::Session& session); ///< throws std::bad_alloc

    Result<void> run(std::int64_t item); ///< any batch, in any order; each once a session
    const TensorView& output(std::size_t i) const { return m_executor.output(i); }
    std::size_t stepsRun() const { return m_steps; } ///< of all batches so far

private:
    /// A run for batches of which the same columns are there.
    struct Prepared {
        engine::PartialRunPtr run;
        std::size_t number = 0;
        std::vector<std::size_t> loads; ///< columns
        std::vector<std::size_t> saves;
    };
    const Prepared& prepare(std::uint64_t present);

    SuffixCache::Session* m_session;
    engine::PartialExecutor m_executor;
    std::map<std::uint64_t, Prepared> m_prepared; ///< by which columns are there
    Tensor m_input;
    std::vector<std::int64_t> m_positions;
    std::size_t m_steps = 0;
};

} // namespace quantoscope::evaluation
