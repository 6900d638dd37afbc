// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "core/base/ordered_merge.h"
#include "core/base/parallel.h"
#include "core/calibration/feed.h"
#include "core/calibration/stats.h"
#include "core/graph/passes/activation_fusion.h"

namespace quantoscope::calibration {

namespace {

/// Every floating value a quantizer could sit on: graph inputs and what nodes produce, except between a node and the
/// activation that is fused onto it.
std::vector<std::string> observableValues(const graph::Graph& graph)
{
    const graph::ActivationFusion fusion(graph);
    std::vector<std::string> names;
    for (const auto id : graph.values()) {
        const auto& value = graph.value(id);
        const bool floating = value.type.dtype && tensor::isFloating(*value.type.dtype);
        const bool computed = value.producer.valid() && fusion.finalOutput(graph, value.producer) == id;
        const bool sideOutput = value.producer.valid() && graph.node(value.producer).outputs.front() != id;
        if (floating && !value.constant && (graph.isInput(id) || computed || sideOutput))
            names.push_back(value.name);
    }
    return names;
}

/// The part of a batch's tensor that belongs to real images: the last batch is filled up.
TensorView realImages(const TensorView& value, std::int64_t batch, std::int64_t images)
{
    Shape shape = value.shape();
    if (images == batch || shape.rank() == 0 || shape[0] % batch != 0)
        return value;
    shape[0] = shape[0] / batch * images;
    return { value.dtype(), shape, value.data() };
}

/// What several workers count together, tensor by tensor.
class Counters {
public:
    Counters(std::size_t taps, bool perChannel)
        : m_seen(taps, Distribution(perChannel))
        , m_locks(taps)
    {
    }

    TensorMoments observe(std::size_t tap, const TensorView& batch, const Distribution::Images& images)
    {
        const std::lock_guard lock(m_locks[tap]);
        return m_seen[tap].observe(batch, images);
    }
    Distribution take(std::size_t tap) { return std::exchange(m_seen[tap], Distribution {}); }

private:
    std::vector<Distribution> m_seen;
    std::vector<std::mutex> m_locks; ///< by tap
};

/// Workers that share counters: few enough that they seldom meet at one tensor (a network's largest takes about a tenth
/// of a batch's time), enough that counters are small beside the workers' own memory.
constexpr int workersPerCounters = 4;

/// Counts add up exactly, in whatever order batches come. Moments round, so those of every batch are merged in the
/// order of the images.
class Calibration {
public:
    Calibration(const Feed& feed, int threads, bool perChannel)
        : m_feed(feed)
        , m_workers(feed, threads)
        , m_moments(taps().size())
        , m_merge(threads, [this](BatchMoments&& batch) {
            for (std::size_t tap = 0; tap < batch.size(); ++tap)
                m_moments[tap].merge(batch[tap]);
        })
    {
        for (int worker = 0; worker < threads; worker += workersPerCounters)
            m_counters.emplace_back(taps().size(), perChannel);
    }

    Result<void> run(int worker, std::int64_t item, const base::Job& job)
    {
        base::OrderedMerge<BatchMoments>::Turn turn(m_merge, item);
        auto& counters = m_counters[static_cast<std::size_t>(worker / workersPerCounters)];
        BatchMoments moments(taps().size());
        const Distribution::Images images { m_feed.first(item), m_feed.count(item) };
        QS_CHECK(m_workers[worker].run(item, [&](std::size_t tap, const TensorView& value) {
            moments[tap] = counters.observe(tap, realImages(value, m_feed.batch(), images.count), images);
        }));
        for (std::size_t tap = 0; tap < moments.size(); ++tap)
            if (moments[tap].nonFinite > 0)
                return fail(ErrorCode::InvalidInput,
                    std::to_string(moments[tap].nonFinite) + " values are NaN or infinite on images "
                        + std::to_string(images.first) + ".." + std::to_string(images.first + images.count - 1),
                    "tensor '" + taps()[tap].name + "'",
                    "check the pre-processing; the float model itself overflows here");
        QS_CHECK(turn.deliver(std::move(moments), job.stop));
        job.advance(images.count);
        return {};
    }

    /// Everything together, once all batches have run.
    std::map<std::string, TensorStats, std::less<>> finish()
    {
        std::map<std::string, TensorStats, std::less<>> tensors;
        for (std::size_t tap = 0; tap < taps().size(); ++tap) {
            Distribution all = m_counters.front().take(tap);
            for (std::size_t i = 1; i < m_counters.size(); ++i)
                all.merge(m_counters[i].take(tap));
            tensors.emplace(taps()[tap].name, TensorStats(std::move(all), std::move(m_moments[tap])));
        }
        return tensors;
    }

private:
    using BatchMoments = std::vector<TensorMoments>;

    const std::vector<engine::PortInfo>& taps() const { return m_feed.compiled().taps(); }

    const Feed& m_feed;
    FeedWorkers m_workers;
    std::deque<Counters> m_counters; ///< in which nothing moves
    BatchMoments m_moments;
    base::OrderedMerge<BatchMoments> m_merge;
};

} // namespace

std::string describeSamples(const dataset::SampleSet& samples)
{
    return samples.description() + "; " + samples.preprocessing().describe();
}

Result<CalibrationStatsPtr> calibrate(const graph::Graph& graph, const dataset::SampleSet& samples,
    const CalibrationOptions& options, const base::Job& job)
{
    if (samples.size() == 0)
        return fail(ErrorCode::InvalidInput, "there is no image to calibrate with", {},
            "choose a calibration set with at least one image");
    QS_TRY(
        const Feed feed, Feed::create(graph, {}, samples, { .batch = options.batch, .taps = observableValues(graph) }));
    const int threads = base::resolveThreads(options.threads);
    Calibration calibration(feed, threads, options.perChannel);
    job.begin("Calibrating", samples.size(), "images");
    QS_CHECK(base::parallelFor(threads, feed.batches(), job.stop,
        [&](int worker, std::int64_t item) { return calibration.run(worker, item, job); }));
    job.finish();

    auto result = std::make_shared<CalibrationStats>();
    result->images = samples.size();
    result->description = describeSamples(samples);
    result->tensors = calibration.finish();
    return CalibrationStatsPtr(std::move(result));
}

} // namespace quantoscope::calibration
