// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <stop_token>
#include <vector>

#include "core/base/error.h"
#include "core/calibration/feed.h"
#include "core/engine/program_family.h"

namespace quantoscope::calibration {

/// A graph under a plan; both outlive what is made from them.
struct Network {
    const graph::Graph* graph = nullptr;
    const quant::QuantizationPlan* plan = nullptr;
};

/// Networks compiled for one sample set and cut into the same batches. Those that differ in little form a group: what
/// they have in common is computed once a batch. Networks that have next to nothing in common are groups of their own,
/// as running them in turn would only drive each other's weights out of the cache. Immutable.
class SharedFeed {
public:
    /// As Feed::create() for each of them, on `threads` workers; options.batch must be one that chooseBatch() gave.
    /// `budget`: bytes for values that networks hand on to each other, of all workers together. Cancelled.
    static Result<SharedFeed> create(std::span<const Network> networks, const dataset::SampleSet& samples,
        const FeedOptions& options, int threads, std::size_t budget, const std::stop_token& stop = {});

    std::size_t size() const { return m_feeds.size(); } ///< networks
    const Feed& feed(std::size_t network) const { return *m_feeds[network]; }
    const Feed& first() const { return *m_feeds.front(); } ///< all are cut alike

    struct Group {
        std::size_t begin = 0; ///< networks [begin, begin + family->size())
        engine::ProgramFamilyPtr family;
    };
    const std::vector<Group>& groups() const { return m_groups; }

private:
    std::vector<std::optional<Feed>> m_feeds;
    std::vector<Group> m_groups;
};

/// One thread's way through a group of a SharedFeed.
class SharedFeedWorker {
public:
    SharedFeedWorker(const SharedFeed& feed, const SharedFeed::Group& group); ///< throws std::bad_alloc

    void begin(std::int64_t item); ///< any batch, in any order
    Result<void> run(std::size_t network); ///< of the group, counted from its first; ascending, all of them on a batch
    const TensorView& output(std::size_t i) const { return m_executor.output(i); } ///< of the last network

private:
    const SharedFeed* m_feed;
    engine::FamilyExecutor m_executor;
    Tensor m_input;
    std::vector<std::int64_t> m_positions;
};

} // namespace quantoscope::calibration
