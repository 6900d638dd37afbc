// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/calibration/feed.h"

#include <algorithm>
#include <cassert>
#include <memory>
#include <utility>

#include "core/base/lru_cache.h"
#include "core/base/parallel.h"
#include "core/calibration/stats.h"
#include "core/engine/key_builder.h"

namespace quantoscope::calibration {

namespace {

constexpr std::size_t cacheBudget = std::size_t { 1 } << 20; ///< bytes of activations a core's L2 holds beside weights
constexpr std::int64_t largestBatch = 32;

/// What the batch depends on: operators, how they are connected, and shapes. Of weights only the extents count.
engine::ValueKey structureOf(const graph::Graph& graph, const InputBinding& binding)
{
    constexpr std::int64_t mostNumbers = 64; // of a constant that may be a shape, axes and the like
    engine::KeyBuilder builder("structure");
    builder.add(graph.opset()).add(binding.input).add(binding.shape);
    for (const graph::NodeId id : graph.nodes()) {
        const graph::Node& node = graph.node(id);
        builder.add(node).add(node.inputs.size()).add(node.outputs.size());
        for (const auto* operands : { &node.inputs, &node.outputs })
            for (const graph::ValueId operand : *operands) {
                builder.add(operand.valid() ? static_cast<std::int64_t>(operand.index()) : -1);
                const graph::TensorPtr constant = operand.valid() ? graph.value(operand).constant : nullptr;
                if (constant && constant->size() <= mostNumbers)
                    builder.add(*constant);
                else if (constant)
                    builder.add(constant->dtype()).add(constant->shape());
            }
    }
    return builder.key();
}

/// Bytes that a run takes: `each` for every image, and what kernels work with beside that, however many there are.
struct MemoryOfRun {
    std::size_t fixed = 0;
    std::size_t each = 1;
};

Result<MemoryOfRun> memoryOfRun(const graph::Graph& graph, const dataset::SampleSet& samples)
{
    QS_TRY(const Feed one, Feed::create(graph, {}, samples, { .batch = 1 }));
    const std::size_t bytes = std::max<std::size_t>(1, one.compiled().arenaBytes());
    if (bytes > cacheBudget || samples.size() < 2)
        return MemoryOfRun { 0, bytes };
    QS_TRY(const Feed two, Feed::create(graph, {}, samples, { .batch = 2 }));
    const std::size_t both = two.compiled().arenaBytes();
    if (two.batch() != 2 || both <= bytes || both > 2 * bytes)
        return MemoryOfRun { 0, bytes };
    return MemoryOfRun { 2 * bytes - both, both - bytes };
}

/// memoryOfRun() of networks that were asked for before: compiling takes long where weights are packed or transformed.
Result<MemoryOfRun> knownMemoryOfRun(const graph::Graph& graph, const dataset::SampleSet& samples)
{
    static base::LruCache<engine::ValueKey, MemoryOfRun, engine::ValueKeyHash> known(64);
    QS_TRY(const auto binding, bindInput(graph, samples, 1));
    const engine::ValueKey key
        = engine::KeyBuilder("memory").add(structureOf(graph, binding)).add(samples.size() < 2).key();
    if (const auto found = known.find(key))
        return *found;
    QS_TRY(const MemoryOfRun memory, memoryOfRun(graph, samples));
    known.keep(key, std::make_shared<const MemoryOfRun>(memory), 1);
    return memory;
}

} // namespace

Result<std::int64_t> chooseBatch(const graph::Graph& graph, const dataset::SampleSet& samples)
{
    QS_TRY(const MemoryOfRun memory, knownMemoryOfRun(graph, samples));
    std::int64_t batch = 1;
    while (2 * batch <= std::min(largestBatch, samples.size())
        && memory.fixed + 2 * static_cast<std::size_t>(batch) * memory.each <= cacheBudget)
        batch *= 2;
    return batch;
}

Result<Feed> Feed::create(const graph::Graph& graph, const quant::QuantizationPlan& plan,
    const dataset::SampleSet& samples, FeedOptions options)
{
    Feed feed;
    feed.m_samples = &samples;
    feed.m_begin = options.first;
    feed.m_end = options.count < 0 ? samples.size() : options.first + options.count;
    assert(!options.order || (feed.m_begin == 0 && std::ssize(*options.order) == samples.size()));
    feed.m_order = std::move(options.order);
    assert(feed.m_begin >= 0 && feed.m_end <= samples.size());
    if (feed.size() <= 0)
        return fail(ErrorCode::InvalidInput, "there are no images to run", samples.dataset()->description());
    if (options.batch <= 0) {
        QS_TRY(options.batch, chooseBatch(graph, samples));
    }
    QS_TRY(const auto binding, bindInput(graph, samples, std::clamp<std::int64_t>(options.batch, 1, feed.size())));
    engine::CompileOptions compileOptions;
    compileOptions.inputShapes = { { binding.input, binding.shape } };
    compileOptions.taps = std::move(options.taps);
    compileOptions.outputs = std::move(options.outputs);
    compileOptions.arithmetic = options.arithmetic;
    compileOptions.cache = std::move(options.cache);
    QS_TRY(feed.m_compiled, engine::compile(graph, plan, compileOptions));
    feed.m_batch = binding.batch;
    return feed;
}

std::int64_t Feed::count(std::int64_t item) const { return std::min(m_batch, m_end - first(item)); }

void Feed::gather(std::int64_t item, std::span<std::int64_t> positions, std::span<float> input) const
{
    const std::int64_t last = count(item) - 1;
    for (std::size_t i = 0; i < positions.size(); ++i)
        positions[i] = position(item, std::min(static_cast<std::int64_t>(i), last));
    m_samples->gather(positions, input);
}

FeedWorker::FeedWorker(const Feed& feed)
    : m_feed(&feed)
    , m_executor(feed.m_compiled)
    , m_input(DType::Float32, feed.m_compiled->inputs().front().shape)
    , m_view(m_input.view())
    , m_positions(static_cast<std::size_t>(feed.batch()))
{
}

Result<void> FeedWorker::run(std::int64_t item, const engine::TapCallback& tap)
{
    m_feed->gather(item, m_positions, m_input.as<float>());
    return m_executor.run({ &m_view, 1 }, tap);
}

FeedWorkers::FeedWorkers(const Feed& feed, int threads)
    : m_feed(&feed)
    , m_workers(static_cast<std::size_t>(base::resolveThreads(threads)))
{
}

FeedWorker& FeedWorkers::operator[](int worker)
{
    auto& slot = m_workers[static_cast<std::size_t>(worker)];
    if (!slot)
        slot.emplace(*m_feed);
    return *slot;
}

} // namespace quantoscope::calibration
