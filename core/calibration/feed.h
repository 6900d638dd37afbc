// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/dataset/preprocessing.h"
#include "core/engine/engine.h"
#include "core/graph/graph.h"
#include "core/quant/plan.h"

namespace quantoscope::calibration {

/// The batch that FeedOptions::batch == 0 stands for: a power of two up to 32 whose activations fit the cache of a
/// core, or what the model fixes. Depends on the float network only, so that every plan runs with the same one.
Result<std::int64_t> chooseBatch(const graph::Graph& graph, const dataset::SampleSet& samples);

/// Which part of a sample set to run, and how.
struct FeedOptions {
    std::int64_t batch = 0; ///< clipped to what the model allows; 0: as chooseBatch() says
    std::vector<std::string> taps {};
    /// Compute only what these values of the graph need, and deliver them as outputs; empty: the graph's own.
    std::vector<std::string> outputs {};
    std::int64_t first = 0;
    std::int64_t count = -1; ///< -1: all from `first` on
    engine::Arithmetic arithmetic = engine::Arithmetic::Float;
    std::shared_ptr<engine::CompileCache> cache {}; ///< see engine::CompileOptions
    /// Positions of all samples in the order to run them; null: as they lie. Does not go with `first` and `count`.
    std::shared_ptr<const std::vector<std::int64_t>> order {};
};

/// A graph compiled for a sample set and cut into batches of one size. The last batch is filled up with the last image
/// and what comes of that is ignored, so that one compiled graph serves all. Immutable.
class Feed {
public:
    /// Refers to `samples`, which must live longer. Errors: as bindInput() and engine::compile();
    /// InvalidInput for no samples.
    static Result<Feed> create(const graph::Graph& graph, const quant::QuantizationPlan& plan,
        const dataset::SampleSet& samples, FeedOptions options);

    const engine::CompiledGraph& compiled() const { return *m_compiled; }
    const engine::CompiledGraphPtr& compiledGraph() const { return m_compiled; }
    const dataset::SampleSet& samples() const { return *m_samples; }
    std::int64_t batch() const { return m_batch; }
    std::int64_t size() const { return m_end - m_begin; } ///< images
    std::int64_t batches() const { return (size() + m_batch - 1) / m_batch; }
    std::int64_t first(std::int64_t item) const { return m_begin + item * m_batch; } ///< where in the order it begins
    std::int64_t count(std::int64_t item) const; ///< images in it that are real
    /// The sample that is image `i` of the batch, in [0, count(item)).
    std::int64_t position(std::int64_t item, std::int64_t i) const
    {
        const std::int64_t place = first(item) + i;
        return m_order ? (*m_order)[static_cast<std::size_t>(place)] : place;
    }
    /// The network's input for a batch; `positions` has batch() elements to work with.
    void gather(std::int64_t item, std::span<std::int64_t> positions, std::span<float> input) const;

private:
    friend class FeedWorker;
    Feed() = default;

    const dataset::SampleSet* m_samples = nullptr;
    engine::CompiledGraphPtr m_compiled;
    std::shared_ptr<const std::vector<std::int64_t>> m_order;
    std::int64_t m_batch = 1;
    std::int64_t m_begin = 0;
    std::int64_t m_end = 0;
};

/// One thread's way through a Feed: executor and input buffer.
class FeedWorker {
public:
    explicit FeedWorker(const Feed& feed); ///< throws std::bad_alloc

    Result<void> run(std::int64_t item, const engine::TapCallback& tap = {}); ///< any batch, in any order
    const TensorView& output(std::size_t i) const { return m_executor.output(i); }

private:
    const Feed* m_feed;
    engine::Executor m_executor;
    Tensor m_input;
    TensorView m_view; ///< of it; made once, because a view holds its shape
    std::vector<std::int64_t> m_positions;
};

/// The workers of one parallelFor over a feed, each made by the thread that uses it when it first does.
class FeedWorkers {
public:
    FeedWorkers(const Feed& feed, int threads);
    FeedWorker& operator[](int worker);

private:
    const Feed* m_feed;
    std::vector<std::optional<FeedWorker>> m_workers;
};

} // namespace quantoscope::calibration
